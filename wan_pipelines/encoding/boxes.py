"""The boxes an MP4 file consists of (ISO/IEC 14496-12, section 4.2)."""

from collections.abc import Iterator
from pathlib import Path
from struct import unpack

from wan_pipelines.errors import EncodeError


def top_level_boxes(path: Path) -> Iterator[tuple[str, int]]:
    """Yield name and size in bytes of each box; raises EncodeError if they do not fill the file."""
    end = path.stat().st_size
    offset = 0
    with path.open("rb") as file:
        while offset < end:
            file.seek(offset)
            name, size = _header(file.read(16), end - offset)
            if not 8 <= size <= end - offset:
                raise EncodeError(
                    f"{path.name} is cut or damaged: its box {name!r} at byte {offset} should "
                    f"have {size} bytes, the file has {end - offset} more. Encode it again."
                )
            yield name, size
            offset += size


def _header(start: bytes, rest: int) -> tuple[str, int]:
    """Name and size of the box; size 1 announces a 64-bit size, 0 a box up to the end."""
    if len(start) < 8:
        return start.hex(), 8
    size, name = unpack(">I4s", start[:8])
    if size == 1 and len(start) == 16:
        size = unpack(">Q", start[8:])[0]
    return name.decode("latin-1"), rest if size == 0 else size
