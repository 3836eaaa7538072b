"""One picture of many posters, for places that show a single picture."""

from collections.abc import Sequence
from io import BytesIO
from math import ceil, sqrt

from wan_pipelines.storage import ObjectStore

MOST_POSTERS = 48
CELL_WIDTH = 160
GAP = 6
BACKGROUND = (24, 24, 27)


def poster_sheet(store: ObjectStore, keys: Sequence[str]) -> bytes:
    """A WebP of the first posters under `keys` in a grid about twice as wide as high."""
    from PIL import Image

    posters = []
    for key in keys[:MOST_POSTERS]:
        with store.open(key) as file, Image.open(file) as poster:
            posters.append(_cell(poster.convert("RGB")))
    columns = max(1, ceil(sqrt(2 * len(posters))))
    rows = [posters[start : start + columns] for start in range(0, len(posters), columns)]
    heights = [max(poster.height for poster in row) for row in rows]
    size = (columns * (CELL_WIDTH + GAP) + GAP, sum(height + GAP for height in heights) + GAP)
    sheet = Image.new("RGB", size, BACKGROUND)
    top = GAP
    for row, height in zip(rows, heights, strict=True):
        for column, poster in enumerate(row):
            left = GAP + column * (CELL_WIDTH + GAP)
            sheet.paste(poster, (left, top + (height - poster.height) // 2))
        top += height + GAP
    return _webp(sheet)


def _cell(poster):
    from PIL import Image

    height = max(1, round(poster.height * CELL_WIDTH / poster.width))
    method = Image.Resampling.NEAREST if poster.width < CELL_WIDTH else Image.Resampling.LANCZOS
    return poster.resize((CELL_WIDTH, height), method)


def _webp(picture) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "WEBP", quality=80)
    return buffer.getvalue()
