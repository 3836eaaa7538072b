"""Time estimates against published seconds."""

from pathlib import Path

import pytest

from tests.support.releases import hub_release, request_for
from wan_pipelines.engines.releases import read_release
from wan_pipelines.rendering.estimate import UNMEASURED_SECONDS, forwards, shot_seconds

ROOT = Path(__file__).parents[2]
A14B = read_release(ROOT / "assets/models/wan2.2-t2v-a14b/defs.yaml")


def seconds(tier: str, width: int, height: int, gpu_class: str = "h100", frames: int = 81) -> float:
    request = request_for(
        A14B, "x", width=width, height=height, frames=frames, sampling=A14B.sampling(tier)
    )
    return shot_seconds(A14B, request, gpu_class)


@pytest.mark.parametrize(
    ("width", "height", "gpu_class", "published_seconds"),
    [
        (1280, 720, "h100", 1041.5),
        (832, 480, "h100", 326.9),
        (1280, 720, "a100", 2735.7),
        (832, 480, "a100", 785.7),
    ],
)
def test_measured_shapes_are_met(
    width: int, height: int, gpu_class: str, published_seconds: float
) -> None:
    assert seconds("reference", width, height, gpu_class) == pytest.approx(
        published_seconds, rel=0.02
    )


def test_the_draft_tier_takes_about_a_minute() -> None:
    assert 51 <= seconds("draft", 1280, 720) <= 62.5


def test_orientation_does_not_matter_and_length_does() -> None:
    assert seconds("draft", 720, 1280) == seconds("draft", 1280, 720)
    full, half, tenth = (seconds("reference", 1280, 720, frames=count) for count in (81, 41, 9))
    assert 0.3 < half / full < 0.5, "attention grows with the square"
    assert 0.03 < tenth / full < 0.12


def test_longer_is_never_quicker() -> None:
    lengths = [seconds("standard", 832, 480, frames=count) for count in range(5, 82, 4)]
    assert lengths == sorted(lengths)
    assert len(set(lengths)) == len(lengths)


def test_the_shipped_release_is_interpolated_between_measured_sizes() -> None:
    tiny = read_release(ROOT / "assets/models/wan-tiny/defs.yaml")
    request = request_for(
        tiny, "x", width=192, height=128, frames=9, sampling=tiny.sampling("standard")
    )
    assert 0.25 < shot_seconds(tiny, request, "laptop-cpu") < 0.4, "0.32 s were measured"


def test_unmeasured_classes_count_as_the_slowest_measured_one() -> None:
    assert seconds("draft", 1280, 720, "l40s") == seconds("draft", 1280, 720, "a100")
    release = hub_release()
    assert shot_seconds(release, request_for(release, "x"), "cpu") == UNMEASURED_SECONDS


def test_guidance_doubles_the_forwards() -> None:
    guided = request_for(A14B, "x", sampling=A14B.sampling("reference"))
    assert forwards(guided) == 80
    assert forwards(request_for(A14B, "x", sampling=A14B.sampling("draft"))) == 4
