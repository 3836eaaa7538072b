"""Shows a local store to a browser: pages, posters, and videos that can be sought in."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response


def gallery(store: Path) -> "Starlette":
    """An application that serves the files below `store`, and nothing else, for reading only."""
    from starlette.applications import Starlette
    from starlette.responses import RedirectResponse
    from starlette.routing import Mount, Route
    from starlette.staticfiles import StaticFiles

    async def front(_request: "Request") -> "Response":
        pages = sorted(store.glob("tenants/*/index.html"))
        if not pages:
            return RedirectResponse("about:blank")
        return RedirectResponse("/" + pages[0].relative_to(store).as_posix())

    files = StaticFiles(directory=store, html=True, check_dir=False)
    return Starlette(routes=[Route("/", front), Mount("/", files)])


def serve_gallery(store: Path, port: int) -> None:
    """Serve on the loopback interface until stopped."""
    import uvicorn

    uvicorn.run(gallery(store), host="127.0.0.1", port=port, log_level="warning")
