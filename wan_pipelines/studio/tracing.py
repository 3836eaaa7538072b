"""From whatever a person has in hand of a video to its lineage."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from wan_pipelines.errors import InputError
from wan_pipelines.ledger.lineage import Lineage, owners, trace
from wan_pipelines.ledger.whose import Asked, tenant_of
from wan_pipelines.storage.keys import is_key
from wan_pipelines.studio.studio import Studio

KEYS = "tenants/"
"""With what the keys of all videos begin."""


def find(studio: Studio, video: str, whose: Asked) -> Lineage:
    """The lineage of a video, given as address, link, path or digest of a file, take or render key.

    InputError when it is nobody's of those who are asked about, or several tenants'.
    """
    tenant = tenant_of(whose)
    for name in _names(studio, video):
        found = owners(studio.ledger, whose, name)
        if len(found) > 1:
            raise InputError(
                f"{video!r} is a video of several tenants.",
                where="video",
                remedy=f"Say whose is meant: --tenant {' or '.join(found)}.",
            )
        if found:
            return trace(studio.ledger, found[0], name)
    raise InputError(
        f"{video!r} is no video{f' of tenant {tenant}' if tenant else ''}.",
        where="video",
        remedy="Give the address, path or SHA-256 of a file, a take's id, or at least 8 characters "
        "of a render key; `wan videos --json` lists them.",
    )


def _names(studio: Studio, video: str) -> Iterator[str]:
    """Under what names the ledger may know it: as it is given, as an address, by its content."""
    yield video
    links = studio.settings.links
    if links and video.startswith(f"{links}/"):
        yield studio.store.uri(unquote(video.removeprefix(f"{links}/")))
        return
    if video.startswith(("http://", "https://")):
        key = KEYS + unquote(urlsplit(video).path).partition(f"/{KEYS}")[2]
        if is_key(key):
            yield studio.store.uri(key)  # of a signed link
        return
    is_address = video.startswith("file://")
    path = Path(unquote(urlsplit(video).path) if is_address else video)
    with suppress(OSError, ValueError):  # what is too long for a path, or holds a NUL, is none
        yield path.resolve().as_uri()
        if path.is_file():
            with path.open("rb") as file:
                yield hashlib.file_digest(file, "sha256").hexdigest()
