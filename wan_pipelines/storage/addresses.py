"""What the addresses of stores say."""

import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from wan_pipelines.errors import InputError, StorageError
from wan_pipelines.storage.keys import check_key

REMEDY: Final = "Use a path, or a URL such as file:///srv/videos or s3://bucket/videos."
BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def folder_of(url: str) -> Path:
    """The folder that a file:// URL names; InputError for any other."""
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


def bucket_of(url: str) -> tuple[str, str]:
    """Bucket and prefix that an s3:// URL names; InputError, without its text, for any other."""
    parts = urlsplit(url)
    prefix = unquote(parts.path).strip("/")
    if "@" in parts.netloc:
        what = "The address holds credentials; they belong in AWS_ACCESS_KEY_ID and its like."
    elif not BUCKET.fullmatch(parts.netloc):
        what = f"{parts.netloc!r} is no name of a bucket."
    elif parts.query or parts.fragment:
        what = "The address has a query or fragment; endpoint and region stand in AWS_ variables."
    else:
        return parts.netloc, _checked(prefix)
    raise InputError(what, where="store", remedy=REMEDY)


def _checked(prefix: str) -> str:
    try:
        return check_key(prefix) if prefix else ""
    except StorageError as error:
        raise InputError(str(error), where="store", remedy=REMEDY) from error
