import os
import time
from pathlib import Path

import pytest

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.errors import InputError
from wan_pipelines.rendering.takes import CheckpointUse
from wan_pipelines.studio.checkpoints import checkpoints_of, remove_old_checkpoints, told_of
from wan_pipelines.studio.studio import Studio

KEY = "a" * 64


def file_of(studio: Studio) -> Path:
    (path,) = (studio.state / "checkpoints").rglob("*.safetensors")
    return path


def test_each_tenant_has_its_own(quick_project: Project):
    studio = quick_project.studio()
    checkpoints_of(studio, "demo").save(KEY, b"demo's")
    assert checkpoints_of(studio, "small").load(KEY, 100) is None
    assert checkpoints_of(quick_project.studio(), "demo").load(KEY, 100) == b"demo's"


def test_a_render_clears_up_what_is_old(quick_project: Project):
    quick_project.environment(checkpoints={"keep_hours": 1})
    studio = quick_project.studio()
    checkpoints_of(studio, "demo").save(KEY, b"forgotten")
    render_edition(studio, "one")
    assert file_of(studio).read_bytes() == b"forgotten"
    an_hour_ago = time.time() - 3601
    os.utime(file_of(studio), (an_hour_ago, an_hour_ago))
    remove_old_checkpoints(studio)
    assert checkpoints_of(studio, "demo").load(KEY, 100) is None


def test_a_store_that_cannot_be_listed_stops_nothing(quick_project: Project):
    studio = quick_project.studio()
    (studio.state / "checkpoints").write_text("a file where the folder should be")
    assert render_edition(studio).edition.edition == "one"


def test_they_may_lie_elsewhere(quick_project: Project, tmp_path: Path):
    quick_project.environment(checkpoints={"store": (tmp_path / "shared").as_uri()})
    checkpoints_of(quick_project.studio(), "demo").save(KEY, b"x")
    assert list((tmp_path / "shared").rglob("*.safetensors"))


@pytest.mark.parametrize("changes", [{"every_seconds": 0}, {"keep_hours": -1}, {"every": 3}])
def test_settings_that_make_no_sense_are_refused(quick_project: Project, changes: dict[str, int]):
    quick_project.environment(checkpoints=changes)
    with pytest.raises(InputError, match=r"checkpoints\." + next(iter(changes))):
        quick_project.studio()


@pytest.mark.parametrize(
    ("use", "was_accepted", "words"),
    [
        (CheckpointUse(), True, []),
        (CheckpointUse(saved_steps=3), True, []),
        (
            CheckpointUse(saved_steps=3),
            False,
            ["kept after step 3: the next attempt goes on from there"],
        ),
        (
            CheckpointUse(resumed_steps=3, saved_steps=5),
            True,
            ["went on after step 3, where an earlier attempt was stopped"],
        ),
        (
            CheckpointUse(refused="it is damaged", unsaved="The disk is full."),
            False,
            ["started over: it is damaged", "could not be kept: The disk is full."],
        ),
    ],
)
def test_what_became_of_them_is_told(use: CheckpointUse, was_accepted: bool, words: list[str]):
    assert list(told_of(use, was_accepted=was_accepted)) == words
