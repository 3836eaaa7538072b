"""Errors in YAML name file, line, field and remedy, wherever definitions are loaded."""

import re
from pathlib import Path

import pytest

from tests.components.launching import jobs_of
from tests.support.project import Project
from wan_pipelines.definitions import load
from wan_pipelines.errors import InputError


def message(project: Project) -> str:
    """What loading says, with paths below the project's root."""
    with pytest.raises(InputError) as caught:
        load()
    return str(caught.value).replace(f"{project.root}/", "")


def line_of(path: Path, text: str) -> int:
    lines = path.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_a_field_of_a_brief(project: Project) -> None:
    path = project.campaign(sedes=[1])
    assert message(project) == (
        f"assets/campaigns/balls/defs.yaml:{line_of(path, 'sedes')}: "
        "There is no field `attributes.sedes`. Did you mean 'seeds'?"
    )


def test_a_value_of_a_release(project: Project) -> None:
    path = project.release(frames={"min": 5, "max": "many", "default": 5})
    where = f"assets/models/sample/defs.yaml:{line_of(path, 'many')}: "
    said = message(project)
    assert said.startswith(where + "`attributes.frames.max` is 'many'.")
    assert "integer" in said


def test_a_lighter_release_that_is_not_there(project: Project) -> None:
    project.release(ladder=[{"name": "lighter", "release": "smal", "tier": "draft"}])
    project.release("small")
    assert message(project) == (
        "assets/models/sample/defs.yaml: rung lighter of the ladder: there is no release 'smal'. "
        "Did you mean 'small'?"
    )


def test_a_value_of_an_environment(project: Project) -> None:
    tenants = {"demo": {"plan": "studio", "time_zone": "Europe/Berln"}}
    path = project.environment(tenants=tenants)
    said = message(project)
    assert said.startswith(f"resources/local/defs.yaml:{line_of(path, 'Berln')}: ")
    assert "`attributes.tenants.demo.time_zone` is 'Europe/Berln'" in said


def test_yaml_that_is_none(project: Project) -> None:
    path = project.campaign()
    path.write_text(path.read_text() + "\n  - [")
    assert re.match(r"assets/campaigns/balls/defs\.yaml:\d+: This is not YAML", message(project))


def test_a_release_that_is_not_there(project: Project) -> None:
    path = project.campaign(release="sampel")
    assert message(project) == (
        f"assets/campaigns/balls/defs.yaml:{line_of(path, 'sampel')}: `attributes.release` is "
        "'sampel', which is no release of assets/models. Did you mean 'sample'?"
    )


def test_a_brief_in_the_wrong_folder(project: Project) -> None:
    path = project.campaign()
    path.parent.rename(project.root / "assets" / "campaigns" / "spheres")
    assert "the folder is 'spheres'" in message(project)


def test_a_brief_in_a_folder_of_folders(project: Project) -> None:
    path = project.campaign()
    path.parent.rename(project.root / "assets" / "balls")
    assert "assets/campaigns/balls/defs.yaml" in message(project)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("Campain", "is no type of component. Did you mean 'wan_pipelines.components.Campaign'?"),
        ("Environment", "belongs into resources/"),
    ],
)
def test_a_type_that_does_not_belong_there(project: Project, kind: str, words: str) -> None:
    path = project.campaign()
    path.write_text(path.read_text().replace("components.Campaign", f"components.{kind}"))
    assert words in message(project)


def test_an_environment_that_is_not_there(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAN_PIPELINES_ENV", "locla")
    assert message(project) == (
        "resources: there is no environment 'locla'. Set WAN_PIPELINES_ENV. Did you mean 'local'?"
    )


def test_what_is_right_loads(project: Project) -> None:
    project.release("another")
    project.environment("other")
    assert "campaign_balls" in jobs_of(load())
