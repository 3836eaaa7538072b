"""Which addresses a page may point to, and how one page of a store points to its neighbours."""

import re
from itertools import takewhile
from posixpath import commonprefix
from urllib.parse import quote

from wan_pipelines.errors import InputError

# Browsers drop control characters from addresses and read "\" as "/": neither may take part.
_TEXT = r"[^\x00-\x20\x7f\\]"
_SCHEME = r"[A-Za-z][A-Za-z0-9+.\-]*:"
_FILE = re.compile(rf"https://[^/]{_TEXT}*|file:///{_TEXT}+|(?!/|{_SCHEME}){_TEXT}+")
_SITE = re.compile(rf"https?://[^/]{_TEXT}*")


def file_href(href: str) -> str:
    """The address of a poster, a video or a manifest: relative, file:/// or https://.

    Raises InputError for everything else (javascript:, data:, //host, absolute paths, ...).
    """
    if _FILE.fullmatch(href):
        return href
    raise InputError(
        f"{href!r} is not an address a page may load.",
        where="page",
        remedy="Use a relative path with special characters percent-encoded, file:/// or https://.",
    )


def site_href(href: str) -> str:
    """The address of a place to visit, such as a run in the Dagster UI: also plain http://."""
    return href if _SITE.fullmatch(href) else file_href(href)


def relative_href(page_key: str, key: str) -> str:
    """From the page under `page_key` to the object under `key` in the same store.

    The folder of both may move or be served from anywhere; characters that mean something in an
    address are encoded.
    """
    folders, parts = page_key.split("/")[:-1], key.split("/")
    pairs = zip(folders, parts, strict=False)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return quote("/".join([".."] * (len(folders) - shared) + parts[shared:]))


def common_base(hrefs: list[str]) -> str:
    """The longest beginning, up to a slash, that all the addresses share."""
    shared = commonprefix(hrefs)
    return shared[: shared.rfind("/") + 1]
