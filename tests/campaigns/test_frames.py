from pathlib import Path
from typing import Any

import pytest

from tests.campaigns.briefs import RELEASE, brief, write_brief
from tests.support.releases import REVISION, hub_release
from wan_pipelines.campaigns.brief import read_brief
from wan_pipelines.campaigns.expand import expand
from wan_pipelines.campaigns.frames import Clip, clips
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.campaigns.whereabouts import Whereabouts
from wan_pipelines.errors import InputError

HUB = {"revision": REVISION, "files": ["*.safetensors"], "size_bytes": 1000}
LORA = {
    "expert": "high",
    "repository": "somebody/lora",
    "revision": REVISION,
    "file": "high.safetensors",
    "size_bytes": 10,
}


def settled(**fields: Any) -> list[Clip]:
    asked = brief(**fields)
    return list(clips(asked.shapes, asked, RELEASE, Whereabouts("demo", Path("nowhere"))))


def test_without_shapes_the_first_of_the_release_is_used() -> None:
    assert settled() == [Clip("landscape", 96, 64, 17, 8)]


def test_brief_overrides_the_release_and_the_shape_overrides_the_brief() -> None:
    shapes = [
        "square",
        {"width": 128, "height": 32},
        {"width": 128, "height": 32, "frames": 9, "fps": 4},
        {"name": "banner", "width": 128, "height": 32},
    ]
    assert settled(shapes=shapes, frames=33, fps=12) == [
        Clip("square", 64, 64, 33, 12),
        Clip("128x32", 128, 32, 33, 12),
        Clip("128x32-9f-4fps", 128, 32, 9, 4),
        Clip("banner", 128, 32, 33, 12),
    ]


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("frames: 18", "`attributes.frames` is 18, which is not 4k + 1. Use 17 or 21."),
        ("frames: 5", "`attributes.frames` is 5. toy draws 9 to 33 frames."),
        ("frames: 37", "`attributes.frames` is 37. toy draws 9 to 33 frames."),
        (
            "shapes: [sqare]",
            "`attributes.shapes[0]` is 'sqare', which toy does not offer. Did you mean 'square'?",
        ),
        (
            "shapes: [square, {width: 100, height: 64}]",
            "`attributes.shapes[1].width` is 100, which is not a multiple of 16. Use 96 or 112.",
        ),
        (
            "shapes: [{width: 64, height: 8}]",
            "`attributes.shapes[0].height` is 8, which is not a multiple of 16. Use 16.",
        ),
        (
            "shapes: [{width: 64, height: 64, frames: 12}]",
            "`attributes.shapes[0].frames` is 12, which is not 4k + 1. Use 9 or 13.",
        ),
        (
            "tier: standrd",
            "`attributes.tier` is 'standrd', which toy does not offer. Did you mean 'standard'?",
        ),
    ],
)
def test_what_a_pipeline_would_round_is_an_error(tmp_path: Path, field: str, said: str) -> None:
    path = write_brief(tmp_path / "demo", field)
    with pytest.raises(InputError) as caught:
        expand(read_brief(path), RELEASE, path.parent)
    assert str(caught.value) == f"{path}:8: {said}"


def test_shapes_of_a_row_are_checked_in_the_row(tmp_path: Path) -> None:
    path = write_brief(tmp_path / "demo", "prompts_file: a.csv", prompts=None)
    (path.parent / "a.csv").write_text("prompt,shapes\na ball,square\na box,squre\n")
    with pytest.raises(InputError, match=r"a\.csv, row 3: `shapes\[0\]` is 'squre'.*'square'\?"):
        expand(read_brief(path), RELEASE, path.parent)


LONG = hub_release(
    name="toy",
    frames={"min": 5, "max": 33, "default": 17},
    segments={
        "frames": 33,
        "overlap": 1,
        "max": 97,
        "image_to_video": {"source": {**HUB, "repository": "somebody/sample-i2v"}},
    },
    tiers={
        "standard": {"steps": 6, "guidance": 2.0},
        "distilled": {"steps": 4, "guidance": 1.0, "loras": [LORA]},
    },
)


def shots_in(tmp_path: Path, *fields: str) -> tuple[Shot, ...]:
    path = write_brief(tmp_path / "demo", "\n".join(fields))
    return expand(read_brief(path), LONG, path.parent)


def test_frames_beyond_what_is_drawn_at_once_are_drawn_in_segments(tmp_path: Path) -> None:
    shapes = "shapes: [square, {width: 64, height: 64, frames: 33}]"
    long, short = shots_in(tmp_path, "frames: 65", shapes)
    assert long.request.segments == LONG.segmentation
    assert [piece.frames for piece in LONG.pieces(long.request)] == [33, 33]
    assert short.request.segments == ""
    assert LONG.pieces(short.request) == (short.request,)
    assert "somebody/sample-i2v" in long.request.segments


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (["frames: 101"], "is 101. toy draws 5 to 97 frames."),
        (["frames: 64"], "is 64, which is not 4k + 1. Use 61 or 65."),
        (
            ["frames: 65", "tier: distilled"],
            "is 65, and tier distilled draws at most 33: its LoRAs belong to the weights that draw "
            "the first segment only. Choose another tier, or fewer frames.",
        ),
    ],
)
def test_what_cannot_be_drawn_in_segments(tmp_path: Path, fields: list[str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        shots_in(tmp_path, *fields)
    assert str(caught.value).endswith(f"`attributes.frames` {said}")
