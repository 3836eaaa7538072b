"""The names of objects in a store: which are valid, and how ours are built."""

import re
from typing import Final

from wan_pipelines.errors import StorageError

MAX_KEY_BYTES: Final = 1024
"""S3's limit for a whole key."""
MAX_SEGMENT_BYTES: Final = 255
"""The limit of the usual file systems for one name."""
SURROGATE: Final = re.compile("[\ud800-\udfff]")
ORDINARY: Final = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)*", re.ASCII)
"""Valid if it is not too long, and by far the most frequent."""
FORBIDDEN: Final = re.compile(r"[\\\x00-\x1f\x7f]")


def check_key(key: str) -> str:
    """Return `key` unchanged if every store accepts it.

    A key is a relative POSIX path of visible names: no empty, hidden or `..` segment, no
    backslash, no control character. Raises StorageError naming what is wrong with it.
    """
    if len(key) <= MAX_SEGMENT_BYTES and ORDINARY.fullmatch(key):
        return key
    if problem := _problem(key):
        raise StorageError(f"The object key {key!r} {problem}. Choose a relative path such as a/b.")
    return key


def is_key(key: str) -> bool:
    """Whether `check_key` accepts it."""
    return _problem(key) is None


def _problem(key: str) -> str | None:
    if not key:
        return "is empty"
    if SURROGATE.search(key):
        return "is not valid Unicode"
    if len(key.encode()) > MAX_KEY_BYTES:
        return f"is longer than {MAX_KEY_BYTES} bytes"
    if FORBIDDEN.search(key):
        return "contains a backslash or a control character"
    return next(filter(None, map(_segment_problem, key.split("/"))), None)


def _segment_problem(segment: str) -> str | None:
    if not segment:
        return "starts or ends with a slash, or has two in a row"
    if segment == "..":
        return "leaves its store through '..'"
    if segment.startswith("."):
        return f"has the hidden part {segment!r}"
    if len(segment.encode()) > MAX_SEGMENT_BYTES:
        return f"has a part longer than {MAX_SEGMENT_BYTES} bytes"
    return None


def tenant_prefix(tenant: str) -> str:
    """With what the keys of all objects of a tenant begin, up to the slash after its name."""
    return _join(("tenants", tenant)) + "/"


def owned_key(tenant: str, key: str) -> str:
    """Return `key` unchanged if it is one of the tenant's objects; StorageError if it is not."""
    if not check_key(key).startswith(tenant_prefix(tenant)):
        raise StorageError(f"The object {key!r} is none of tenant {tenant}.")
    return key


def video_key(tenant: str, render_key: str, take_id: str, file_name: str) -> str:
    """Where a file of an accepted take lies; the two-letter folder keeps listings short."""
    parts = ("tenants", tenant, "videos", render_key[:2], render_key, take_id, file_name)
    return _join(parts)


def checkpoints_prefix(tenant: str) -> str:
    """Before the names of a tenant's checkpoints."""
    return _join(("tenants", tenant, "checkpoints")) + "/"


def artifact_key(key_digest: str, file_name: str) -> str:
    """Where compiled code for a key lies, and what is told of it."""
    return _join(("artifacts", key_digest[:2], key_digest, file_name))


def page_key(tenant: str, campaign: str, edition: str, file_name: str = "index.html") -> str:
    """Where a file of an edition's page lies."""
    return _join(("tenants", tenant, "campaigns", campaign, edition, file_name))


def tenant_page_key(tenant: str, file_name: str) -> str:
    """Where a page about everything of a tenant's lies."""
    return _join(("tenants", tenant, file_name))


def _join(parts: tuple[str, ...]) -> str:
    """Join names, none of which may bring a slash of its own: `a/../b` is no tenant."""
    for part in parts:
        if "/" in part:
            raise StorageError(f"The name {part!r} contains a slash. Remove it.")
    return check_key("/".join(parts))
