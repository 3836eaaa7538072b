from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from wan_pipelines.storage import FolderStore, ObjectStore
from wan_pipelines.studio.sheet import BACKGROUND, CELL_WIDTH, GAP, MOST_POSTERS, poster_sheet

RED = (250, 0, 0)


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return FolderStore(tmp_path / "store")


def poster(store: ObjectStore, key: str, width: int = 32, height: int = 32) -> str:
    buffer = BytesIO()
    Image.new("RGB", (width, height), RED).save(buffer, "WEBP", lossless=True)
    store.put_bytes(key, buffer.getvalue())
    return key


def sheet(store: ObjectStore, keys: list[str]) -> Image.Image:
    return Image.open(BytesIO(poster_sheet(store, keys))).convert("RGB")


def is_red(picture: Image.Image, place: tuple[int, int]) -> bool:
    red, green, _ = picture.getpixel(place)  # pyright: ignore
    return red > 200 and green < 60


def width_of(columns: int) -> int:
    return columns * (CELL_WIDTH + GAP) + GAP


@pytest.mark.parametrize(("posters", "columns", "rows"), [(1, 2, 1), (2, 2, 1), (12, 5, 3)])
def test_posters_stand_in_a_grid_that_is_wider_than_high(
    store: ObjectStore, posters: int, columns: int, rows: int
):
    keys = [poster(store, f"{number}.webp") for number in range(posters)]
    made = sheet(store, keys)
    assert made.size == (width_of(min(columns, posters)), width_of(rows))
    assert is_red(made, (GAP + CELL_WIDTH // 2, GAP + CELL_WIDTH // 2))


def test_posters_of_different_shapes_keep_theirs(store: ObjectStore):
    keys = [poster(store, "wide.webp", 64, 32), poster(store, "tall.webp", 32, 64)]
    made = sheet(store, keys)
    assert made.size == (width_of(2), 2 * CELL_WIDTH + 2 * GAP)
    assert not is_red(made, (GAP + 10, GAP + 10))
    assert is_red(made, (GAP + 10, GAP + CELL_WIDTH))


def test_without_posters_there_is_an_empty_frame(store: ObjectStore):
    made = sheet(store, [])
    assert made.width == width_of(1)
    assert max(abs(a - b) for a, b in zip(made.getpixel((50, 50)), BACKGROUND, strict=True)) < 8  # pyright: ignore


def test_lost_and_damaged_posters_are_left_out(store: ObjectStore):
    store.put_bytes("damaged.webp", b"RIFF no picture")
    keys = ["lost.webp", "damaged.webp", poster(store, "fine.webp")]
    assert sheet(store, keys).size == (width_of(1), width_of(1))


def test_a_campaign_of_thousands_has_a_sheet_of_the_first(store: ObjectStore):
    poster(store, "one.webp")
    assert sheet(store, ["one.webp"] * 1000).size == sheet(store, ["one.webp"] * MOST_POSTERS).size
