import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.ledger.reports import videos
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.outputs import broken_outputs, forget_broken
from wan_pipelines.studio.studio import Studio

BALL, BOX = "a-red-ball-rising--square--s1", "a-blue-box-falling--square--s1"


@pytest.fixture
def studio(quick_project: Project) -> Studio:
    """An edition of two videos that is rendered and whole."""
    studio = quick_project.studio()
    render_edition(studio)
    return studio


def file_of(studio: Studio, shot: str, name: str) -> Path:
    """Where a file of a shot's video lies."""
    (video,) = (v for v in videos(studio.ledger, "demo", "balls", "one") if v.shot == shot)
    return Path(video.uri.removeprefix("file://")).with_name(name)


def problems(studio: Studio) -> list[str]:
    return [broken.reason for broken in broken_outputs(studio, edition_key(studio, "balls", "one"))]


def swap_a_byte(path: Path) -> None:
    """Damage that keeps the size, as a failing disk does."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize(
    ("name", "damage", "words"),
    [
        ("h264.mp4", Path.unlink, "is lost"),
        ("preview.webp", lambda path: path.write_bytes(b"short"), "has 5 bytes instead of"),
        ("poster.webp", swap_a_byte, "has other content than what was published"),
        ("manifest.json", Path.unlink, "is lost"),
    ],
)
def test_a_lost_or_damaged_file_is_found(
    studio: Studio, name: str, damage: Callable[[Path], object], words: str
):
    damage(file_of(studio, BALL, name))
    (said,) = problems(studio)
    assert name in said
    assert words in said


def test_whole_files_are_no_problem_touched_or_not(studio: Studio):
    assert problems(studio) == []
    file_of(studio, BALL, "h264.mp4").touch()
    assert problems(studio) == []


def test_only_shots_that_were_asked_for_are_forgotten(studio: Studio):
    file_of(studio, BALL, "h264.mp4").unlink()
    file_of(studio, BOX, "h264.mp4").unlink()
    keys = {video.shot: video.render_key for video in videos(studio.ledger, "demo")}
    forget_broken(studio, "demo", [])
    forget_broken(studio, "small", keys.values())
    assert len(videos(studio.ledger, "demo")) == 2
    forget_broken(studio, "demo", [keys[BOX]])
    assert [video.shot for video in videos(studio.ledger, "demo")] == [BALL]


def test_a_lost_video_is_rendered_again_and_what_it_cost_stays_charged(studio: Studio):
    before = {video.shot: video for video in videos(studio.ledger, "demo")}
    file_of(studio, BALL, "h264.mp4").unlink()
    render_edition(studio)
    after = {video.shot: video for video in videos(studio.ledger, "demo")}
    assert problems(studio) == []
    assert after[BALL].take_id != before[BALL].take_id
    assert after[BOX].take_id == before[BOX].take_id
    assert after[BALL].sha256 == before[BALL].sha256
