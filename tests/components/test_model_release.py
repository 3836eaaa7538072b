"""The asset of weights that come from a store."""

from pathlib import Path
from threading import Event

import dagster as dg
import pytest

from tests.support.project import Project
from tests.support.releases import ARCHITECTURE
from wan_pipelines.components.model_release import weights_asset, weights_key
from wan_pipelines.components.resource import StudioDoor
from wan_pipelines.studio.mirror_jobs import Order
from wan_pipelines.studio.mirroring import mirror_weights
from wan_pipelines.weights.events import Event as Told


@pytest.fixture
def stored(project: Project) -> Project:
    """A deployment whose release `stored` has its weights in the store."""
    told: list[Told] = []
    order = Order(name="mine", source=str(project.weights), revision=None, licence="MIT")
    settings = project.studio().settings
    mirror_weights(project.root, project.state, settings, order, told.append, Event())
    published = told[-1].to_json()
    source = {"mirrored": "mine", **{key: published[key] for key in ("revision", "content")}}
    project.release("stored", source=source, architecture=ARCHITECTURE)
    return project


def materialized(project: Project) -> dg.ExecuteInProcessResult:
    door = StudioDoor(project.root, project.state, "local")
    asset = weights_asset(project.studio().release("stored"))
    return dg.materialize([asset], resources={"studio": door}, raise_on_error=False)


def test_they_are_fetched_onto_the_node(stored: Project) -> None:
    result = materialized(stored)
    assert result.success
    (event,) = result.get_asset_materialization_events()
    shown = event.materialization.metadata
    folder = Path(str(shown["folder"].value))
    assert folder.is_relative_to(stored.state / "cache" / "weights" / "mirrored")
    assert (folder / "model_index.json").is_file()
    assert shown["licence"].value == "MIT"
    (check,) = result.get_asset_check_evaluations()
    assert (check.passed, check.asset_key) == (True, weights_key("stored"))


def test_what_is_damaged_in_the_store_fails_the_check(stored: Project) -> None:
    (object_,) = (stored.state / "store" / "weights").rglob("model_index.json")
    object_.write_text("[]")
    result = materialized(stored)
    assert not result.success
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed
    assert "model_index.json" in str(check.metadata["problem"].value)
