import json
from pathlib import Path

import pytest

from tests.cli.invoking import Wan, invoker
from tests.support.quick_project import quick_copy
from tests.support.renders import render_edition
from wan_pipelines.errors import RenderError
from wan_pipelines.ledger.reports import Video, videos

FAULT = RenderError("[/bold] went \x1b[31mwrong", stage="decode")


@pytest.fixture(scope="module")
def there(
    tmp_path_factory: pytest.TempPathFactory, no_weights: Path, migrated_ledger: Path
) -> tuple[Wan, Video]:
    """`wan` where a shot failed once, was rendered then, and reused by another campaign."""
    project = quick_copy(tmp_path_factory.mktemp("lineage"), no_weights, migrated_ledger)
    project.campaign(prompts=["a red ball rising"], negative_prompt="blurry [/] frames")
    render_edition(project.studio(), faults={"a red ball rising": FAULT})
    render_edition(project.studio())
    project.campaign("more", prompts=["a red ball rising"], negative_prompt="blurry [/] frames")
    render_edition(project.studio(), campaign="more")
    return invoker(project), videos(project.studio().ledger, "demo")[0]


def test_a_video_is_walked_back_and_forward(there: tuple[Wan, Video]):
    wan, video = there
    said = wan("lineage", video.uri)
    assert said.exit_code == 0
    for words in (
        f"{video.render_key[:16]} of tenant demo",
        "prompt: a red ball rising",
        "negative prompt: blurry [/] frames",
        "seed 1, 32x32, 5 frames",
        "release sample",
        "brief balls",
        f"{video.take_id}: accepted, $",
        "run run, step shard_1",
        "1 x laptop-cpu at $0.100000 an hour on ",
        "balls/one as a-red-ball-rising--square--s1 (admitted)",
        "more/one as a-red-ball-rising--square--s1 (reused)",
        video.uri,
    ):
        assert words in said.stdout


def test_failed_takes_are_told_with_their_errors_as_plain_text(there: tuple[Wan, Video]):
    wan, video = there
    said = wan("lineage", video.render_key)
    assert "error: [/bold] went �[31mwrong" in said.stdout
    assert "\x1b" not in said.stdout


def test_json_holds_takes_uses_and_the_manifest(there: tuple[Wan, Video]):
    wan, video = there
    found = json.loads(wan("lineage", video.sha256, "--json").stdout)
    assert (found["tenant"], found["take_id"]) == ("demo", video.take_id)
    assert [take["outcome"] for take in found["takes"]] == ["failed", "accepted"]
    assert [use["campaign"] for use in found["uses"]] == ["balls", "more"]
    assert found["manifest"]["prompt"] == "a red ball rising"
    assert found["manifest"]["take_id"] == video.take_id


def test_a_take_that_was_never_accepted_has_no_manifest(there: tuple[Wan, Video]):
    wan, video = there
    found = json.loads(wan("lineage", video.render_key, "--json").stdout)
    failed = json.loads(wan("lineage", found["takes"][0]["take_id"], "--json").stdout)
    assert failed["manifest"] is None


def test_a_file_in_the_current_folder_is_enough(
    there: tuple[Wan, Video], monkeypatch: pytest.MonkeyPatch
):
    wan, video = there
    monkeypatch.chdir(Path(video.uri.removeprefix("file://")).parent)
    assert video.take_id in wan("lineage", "poster.webp").stdout


def test_a_video_of_another_tenant_is_none(there: tuple[Wan, Video]):
    wan, video = there
    said = wan("lineage", video.uri, "--tenant", "small")
    assert (said.exit_code, said.stdout) == (1, "")
    assert "is no video of tenant small" in said.stderr
