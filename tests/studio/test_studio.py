from pathlib import Path

import pytest

from tests.support.project import Project
from wan_pipelines.errors import InputError, StorageError, WeightsError
from wan_pipelines.studio.studio import open_studio


def test_names_that_nothing_has_are_told_with_the_one_that_was_meant(quick_project: Project):
    studio = quick_project.studio()
    with pytest.raises(InputError, match=r"no campaign 'bals'\. Did you mean 'balls'\?"):
        studio.brief("bals")
    with pytest.raises(InputError, match=r"no release 'smaple'\. Did you mean 'sample'\?"):
        studio.release("smaple")


@pytest.mark.parametrize("name", ["../../resources/local", "/etc", "", "balls/", "balls\0"])
def test_a_campaign_is_never_a_path(quick_project: Project, name: str):
    with pytest.raises(InputError, match="no campaign"):
        quick_project.studio().brief(name)


def test_a_brief_is_read_anew_each_time(quick_project: Project):
    studio = quick_project.studio()
    assert len(studio.shots("balls")) == 2
    quick_project.campaign(seeds=[1, 2])
    assert len(studio.shots("balls")) == 4


def test_a_rendition_that_nobody_makes_is_an_error_of_the_brief(quick_project: Project):
    quick_project.campaign(renditions=["h265"])
    with pytest.raises(InputError, match=r"balls/defs\.yaml:\d+: .*'h265'.*Did you mean 'h264'"):
        quick_project.studio().shots("balls")


def test_everything_that_is_made_lies_below_the_state_folder(quick_project: Project):
    studio = quick_project.studio()
    assert studio.ledger.name == str(quick_project.state / "ledger.sqlite")
    assert studio.store.uri("a") == (quick_project.state / "store" / "a").as_uri()
    assert studio.cache == quick_project.state / "cache"


@pytest.mark.parametrize(
    ("links", "begin"), [("https://videos.example", "https://videos.example/"), (None, "file:///")]
)
def test_links_are_what_browsers_reach(quick_project: Project, links: str | None, begin: str):
    quick_project.environment(links=links)
    link = quick_project.studio().link("tenants/demo/a b.mp4")
    assert link.startswith(begin)
    assert link.endswith("tenants/demo/a%20b.mp4")


def test_damaged_weights_are_found_before_anything_is_loaded(
    quick_project: Project, tmp_path: Path, no_weights: Path
):
    copy = tmp_path / "weights"
    copy.mkdir()
    for file in no_weights.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    quick_project.release(source={"folder": str(copy)})
    studio = quick_project.studio()
    assert studio.weights("sample").path == copy
    (copy / "model_index.json").write_text("[]")
    with pytest.raises(WeightsError, match=r"model_index\.json"):
        studio.weights("sample")


def test_a_state_folder_that_is_a_file_is_an_error(quick_project: Project, tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file"):
        open_studio(quick_project.root, tmp_path / "file" / "state", "local")
