"""One picture of many posters, for places that show a single picture."""

from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from math import ceil, sqrt
from typing import TYPE_CHECKING

from wan_pipelines.errors import StorageError
from wan_pipelines.storage import ObjectStore

if TYPE_CHECKING:
    from PIL import Image

MOST_POSTERS = 48
CELL_WIDTH = 160
GAP = 6
BACKGROUND = (24, 24, 27)
EMPTY_CELL = (CELL_WIDTH, 90)


def poster_sheet(store: ObjectStore, keys: Sequence[str]) -> bytes:
    """A WebP of the first posters under `keys` in a grid about twice as wide as high.

    Posters that are lost or damaged are left out; without any the sheet is an empty frame.
    """
    from PIL import Image

    cells = [cell for key in keys[:MOST_POSTERS] if (cell := _cell(store, key))]
    cells = cells or [Image.new("RGB", EMPTY_CELL, BACKGROUND)]
    columns = ceil(sqrt(2 * len(cells)))
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    heights = [max(cell.height for cell in row) for row in rows]
    size = (len(rows[0]) * (CELL_WIDTH + GAP) + GAP, sum(heights) + GAP * (len(rows) + 1))
    sheet = Image.new("RGB", size, BACKGROUND)
    top = GAP
    for row, height in zip(rows, heights, strict=True):
        for column, cell in enumerate(row):
            left = GAP + column * (CELL_WIDTH + GAP)
            sheet.paste(cell, (left, top + (height - cell.height) // 2))
        top += height + GAP
    buffer = BytesIO()
    sheet.save(buffer, "WEBP", quality=80)
    return buffer.getvalue()


def _cell(store: ObjectStore, key: str) -> "Image.Image | None":
    """A poster in the width of a cell; small ones are enlarged pixel by pixel, not blurred."""
    from PIL import Image

    # A lost poster is a StorageError, a damaged one an OSError: both are reported elsewhere.
    with suppress(StorageError, OSError), store.open(key) as file, Image.open(file) as poster:
        height = max(1, round(poster.height * CELL_WIDTH / poster.width))
        small = poster.width < CELL_WIDTH
        method = Image.Resampling.NEAREST if small else Image.Resampling.LANCZOS
        return poster.convert("RGB").resize((CELL_WIDTH, height), method)
    return None
