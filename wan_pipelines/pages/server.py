"""Shows a local store to a browser: pages, posters, and videos that can be sought in."""

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from socket import socket
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

PATIENCE_SECONDS = 1


def gallery(store: Path) -> "Starlette":
    """An application that serves the files below `store`, and nothing else, for reading only."""
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse, RedirectResponse
    from starlette.routing import Mount, Route
    from starlette.staticfiles import StaticFiles

    async def front(_request: "Request") -> "Response":
        pages = sorted(page.parent.name for page in store.glob("tenants/*/index.html"))
        if len(pages) == 1:
            return RedirectResponse(f"/tenants/{quote(pages[0])}/")
        return HTMLResponse(_front(pages))

    files = StaticFiles(directory=store, html=True, check_dir=False)
    return Starlette(routes=[Route("/", front), Mount("/", files)])


def _front(tenants: list[str]) -> str:
    links = [f'<li><a href="/tenants/{quote(name)}/">{escape(name)}</a>' for name in tenants]
    body = f"<ul>{''.join(links)}</ul>" if links else "<p>Nothing has been rendered yet.</p>"
    return f'<!doctype html><html lang="en"><title>Videos</title><h1>Videos</h1>{body}'


@contextmanager
def serving(store: Path, at: socket) -> Iterator[None]:
    """Serve at a socket, in a thread, as long as the block lasts.

    At its end nobody waits for a browser that has paused a video, and reads no further.
    """
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(gallery(store), log_level="warning"))
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
