"""Shows a store to a browser: pages, posters, and videos that can be sought in."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from socket import socket
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import quote

from wan_pipelines.storage import ObjectStore
from wan_pipelines.storage.keys import is_key

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

PATIENCE_SECONDS = 1
INDEX = "index.html"
LOOPBACK = ("127.0.0.1", "localhost")


def gallery(store: Path) -> "Starlette":
    """An application that serves the files below `store`, and nothing else, for reading only."""
    from starlette.applications import Starlette
    from starlette.routing import Mount, Route
    from starlette.staticfiles import StaticFiles

    async def front(_request: "Request") -> "Response":
        pages = store.glob(f"tenants/*/{INDEX}")
        return _entrance(sorted(page.parent.name for page in pages))

    class Files(StaticFiles):
        async def check_config(self) -> None:
            """There is no folder before something is rendered, and then no file either."""

    files = Files(directory=store, html=True, check_dir=False)
    return _here_only(Starlette(routes=[Route("/", front), Mount("/", files)]))


def _here_only(app: "Starlette") -> "Starlette":
    """Answers who asks for this machine by its own name: no page elsewhere reads through it."""
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK], www_redirect=False)
    return app


def _entrance(tenants: list[str]) -> "Response":
    """To the only tenant who has a page, or to a choice of them."""
    from starlette.responses import HTMLResponse, RedirectResponse

    if len(tenants) == 1:
        return RedirectResponse(f"/tenants/{quote(tenants[0])}/")
    return HTMLResponse(_front(tenants))


def _front(tenants: list[str]) -> str:
    links = [f'<li><a href="/tenants/{quote(name)}/">{escape(name)}</a>' for name in tenants]
    body = f"<ul>{''.join(links)}</ul>" if links else "<p>Nothing has been rendered yet.</p>"
    return f'<!doctype html><html lang="en"><title>Videos</title><h1>Videos</h1>{body}'


def bucket_gallery(store: ObjectStore, tenants: Sequence[str]) -> "Starlette":
    """As `gallery`, for a store elsewhere: pages are handed on, other files by an expiring link.

    Pages link to their neighbours, which a signed address of the page alone would not open.
    """
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse, RedirectResponse
    from starlette.routing import Route

    def front(_request: "Request") -> "Response":
        return _entrance([name for name in tenants if store.stat(f"tenants/{name}/{INDEX}")])

    def file(request: "Request") -> "Response":
        path = request.path_params["key"]
        key = path + INDEX if path.endswith("/") else path
        if not is_key(key) or store.stat(key) is None:
            return HTMLResponse("There is no such file.", status_code=404)
        if key.endswith(".html"):
            return HTMLResponse(store.read_bytes(key))
        return RedirectResponse(store.link(key), headers={"Cache-Control": "no-store"})

    return _here_only(Starlette(routes=[Route("/", front), Route("/{key:path}", file)]))


@contextmanager
def serving(app: "Starlette", at: socket) -> Iterator[None]:
    """Serve at a socket, in a thread, as long as the block lasts.

    At its end nobody waits for a browser that has paused a video, and reads no further.
    """
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = Thread(target=server.run, kwargs={"sockets": [at]})
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)
        for connection in list(server.server_state.connections):
            connection.loop.call_soon_threadsafe(connection.transport.abort)
        thread.join()
