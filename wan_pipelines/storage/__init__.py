"""Where videos, pages and weights are kept: named objects, in a folder or a bucket."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from wan_pipelines.errors import InputError
from wan_pipelines.storage.folder import FolderStore
from wan_pipelines.storage.store import ObjectInfo, ObjectStore

__all__ = ["FolderStore", "ObjectInfo", "ObjectStore", "open_store"]

REMEDY = "Use a path, or a URL such as file:///srv/videos."


def open_store(url: str | Path, *, durable: bool = True) -> ObjectStore:
    """Open the store at a path or file:// URL; nothing is made before the first write.

    Without `durable` a power cut may lose what was stored last; see `FolderStore`. Raises
    InputError for any other kind of address.
    """
    text = str(url)
    if "://" not in text:
        if not text.strip() or "\0" in text:
            raise InputError(f"{text!r} is no folder.", where="store", remedy=REMEDY)
        return FolderStore(Path(text).expanduser(), durable=durable)
    return FolderStore(_folder_of(text), durable=durable)


def _folder_of(url: str) -> Path:
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.scheme != "file":
        what = f"Stores with {parts.scheme}:// addresses are not supported: {url!r}."
    elif parts.netloc not in ("", "localhost"):
        what = f"{url!r} names a host; a local path starts after three slashes."
    elif parts.query or parts.fragment:
        what = f"{url!r} has a query or fragment; quote '?' as %3F and '#' as %23."
    elif not path.startswith("/") or "\0" in path:
        what = f"{url!r} has no absolute path."
    else:
        return Path(path)
    raise InputError(what, where="store", remedy=REMEDY)
