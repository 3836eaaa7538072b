from fractions import Fraction

import pytest

from wan_pipelines.encoding.renditions import RENDITIONS, RenditionSpec, rendition_specs
from wan_pipelines.errors import InputError


@pytest.mark.parametrize(
    ("size", "half"),
    [
        ((96, 64), (48, 32)),
        ((1280, 720), (640, 360)),
        ((832, 480), (416, 240)),
        ((90, 66), (44, 32)),
        ((2, 2), (2, 2)),
    ],
)
def test_sizes_are_even_and_never_larger(size: tuple[int, int], half: tuple[int, int]):
    assert RENDITIONS["h264"].size_of(*size) == size
    assert RENDITIONS["h264-half"].size_of(*size) == half


def test_specs_come_in_the_order_asked_for():
    assert [spec.name for spec in rendition_specs(["av1", "h264"])] == ["av1", "h264"]


def test_an_unknown_rendition_is_named_with_the_nearest_one():
    with pytest.raises(InputError, match="'h265'") as caught:
        rendition_specs(["h264", "h265"])
    assert "h264" in caught.value.remedy


@pytest.mark.parametrize("scale", [Fraction(2), Fraction(0), Fraction(-1, 2)])
def test_nothing_is_enlarged(scale: Fraction):
    with pytest.raises(InputError, match="'big'"):
        RenditionSpec("big", "h264", scale, crf=18, preset="veryfast")
