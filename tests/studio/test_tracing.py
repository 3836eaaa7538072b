import shutil
from pathlib import Path

import pytest

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.errors import InputError
from wan_pipelines.ledger.reports import Video, videos
from wan_pipelines.ledger.whose import House
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.tracing import find

EVERYBODY = House("operator")


@pytest.fixture
def studio(quick_project: Project) -> Studio:
    quick_project.campaign(prompts=["a red ball rising"])
    studio = quick_project.studio()
    render_edition(studio)
    return studio


@pytest.fixture
def video(studio: Studio) -> Video:
    (video,) = videos(studio.ledger, "demo")
    return video


def path_of(video: Video) -> Path:
    return Path(video.uri.removeprefix("file://"))


def test_everything_that_a_listing_shows_of_a_video_finds_it(studio: Studio, video: Video):
    names = [
        video.uri,
        video.poster_uri or "",
        video.sha256,
        video.take_id,
        video.render_key,
        video.render_key[:8],
        str(path_of(video)),
        studio.link(path_of(video).relative_to(studio.state / "store").as_posix()),
    ]
    for name in names:
        found = find(studio, name, EVERYBODY)
        assert (found.tenant, found.take_id) == ("demo", video.take_id), name


def test_a_file_in_the_current_folder_finds_its_video(
    studio: Studio, video: Video, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(path_of(video).parent)
    assert find(studio, "h264.mp4", EVERYBODY).take_id == video.take_id


def test_a_copy_that_somebody_renamed_finds_its_video(studio: Studio, video: Video, tmp_path: Path):
    copy = tmp_path / "für den Kunden.mp4"
    shutil.copy(path_of(video), copy)
    assert find(studio, str(copy), EVERYBODY).take_id == video.take_id
    assert find(studio, copy.as_uri(), EVERYBODY).take_id == video.take_id


def test_a_lost_file_is_found_by_its_address(studio: Studio, video: Video):
    path_of(video).unlink()
    assert find(studio, str(path_of(video)), EVERYBODY).take_id == video.take_id
    assert find(studio, video.uri, EVERYBODY).take_id == video.take_id


def test_what_is_no_video_is_told_with_what_would_be_one(studio: Studio):
    strange = ["", "/etc/hostname", "f" * 64, "x" * 5000, "a\0b", "file:///gone.mp4", "%", "'; --"]
    for name in strange:
        with pytest.raises(InputError, match=r"is no video\. .*wan videos --json"):
            find(studio, name, EVERYBODY)


def test_a_video_of_several_tenants_asks_whose_is_meant(quick_project: Project):
    quick_project.campaign("ours", tenant="demo", prompts=["a red ball rising"])
    quick_project.campaign("theirs", tenant="small", prompts=["a red ball rising"])
    studio = quick_project.studio()
    render_edition(studio, campaign="ours")
    render_edition(studio, campaign="theirs")
    key = videos(studio.ledger, "demo")[0].render_key
    with pytest.raises(InputError, match=r"--tenant demo or small\."):
        find(studio, key, EVERYBODY)
    assert find(studio, key, "small").tenant == "small"


def test_a_video_of_another_tenant_is_none(studio: Studio, video: Video):
    with pytest.raises(InputError, match="is no video of tenant small"):
        find(studio, video.sha256, "small")
