"""Text files that people wrote: bounded, UTF-8, with or without a byte order mark."""

from pathlib import Path

from wan_pipelines.errors import InputError


def read_utf8(path: Path, max_bytes: int) -> str:
    """The text of a regular file of at most `max_bytes` bytes, without its byte order mark."""
    where = str(path)
    if not path.is_file():
        raise InputError(
            "There is no such file.", where=where, remedy="Create it, or correct the path."
        )
    try:
        with path.open("rb") as file:
            raw = file.read(max_bytes + 1)
    except OSError as error:
        raise InputError(
            f"The file cannot be read ({error.strerror}).",
            where=where,
            remedy="Give this user the right to read it.",
        ) from error
    if len(raw) > max_bytes:
        raise InputError(
            f"The file is larger than {max_bytes:,} bytes.",
            where=where,
            remedy="Split it into several.",
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"Byte {raw[error.start]:#04x} is not UTF-8.",
            where=f"{path}:{line}",
            remedy="Save the file as UTF-8.",
        ) from error
