"""Packages of compiled code as bytes that somebody handed over: are they what was signed off?

A package holds native code: whatever loads it runs it. What is trusted is therefore a sha256 that
this deployment wrote down when it built the package, never where the bytes were found. That the
archive is bounded and stays inside its folder is looked at as well: torch unpacks what it is given.
"""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath

LIMIT_BYTES = 256 * 1024**2
"""More than any package or what it unpacks to; the code of a block has some megabytes."""
LIMIT_MEMBERS = 1000
CODE_FOLDER = "data/aotinductor/model"
CODE_SUFFIXES = frozenset({".so", ".cpp", ".json", ".cubin", ".o"})
NOTES = frozenset(
    {"archive_format", "archive_version", "byteorder", ".data/version", ".data/serialization_id"}
)


class Unusable(Exception):
    """There is no artifact that may be loaded; the message says why."""


@dataclass(frozen=True, slots=True)
class SignedOff:
    """An artifact that this deployment built itself: its digest, its size, and where it lies."""

    sha256: str
    size_bytes: int
    place: str


def check_package(data: bytes, artifact: SignedOff) -> None:
    """Unusable unless the bytes are those that were signed off, and unpack to what they should."""
    if len(data) != artifact.size_bytes:
        raise Unusable(f"it is damaged: {len(data)} bytes instead of {artifact.size_bytes}")
    if hashlib.sha256(data).hexdigest() != artifact.sha256:
        raise Unusable("it is damaged: its content is not what was signed off")
    check_archive(data)


def check_archive(data: bytes) -> None:
    """Unusable for an archive that is too large, leaves its folder, or holds something else."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise Unusable(f"it is no package ({error})") from None
    if len(members) > LIMIT_MEMBERS or sum(one.file_size for one in members) > LIMIT_BYTES:
        raise Unusable("it unpacks to more than a package may have")
    for member in members:
        if not _belongs(member.filename):
            raise Unusable(f"it holds {member.filename!r}, which no package of ours has")
    if sum(member.filename.endswith(".so") for member in members) != 1:
        raise Unusable("it does not hold the code of one block")


def _belongs(name: str) -> bool:
    """Is `name` of the form <package>/data/aotinductor/model/<file>, or a note of the archive?"""
    path = PurePosixPath(name)
    if "\\" in name or path.is_absolute() or ".." in path.parts or len(path.parts) < 2:
        return False
    inside = PurePosixPath(*path.parts[1:])
    if str(inside) in NOTES:
        return True
    return str(inside.parent) == CODE_FOLDER and inside.suffix in CODE_SUFFIXES
