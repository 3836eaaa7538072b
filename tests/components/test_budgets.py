"""The sensor that tells what budgets have come to."""

import dagster as dg

from tests.support.project import ENVIRONMENT, Project
from wan_pipelines.components.budgets import budget_sensor
from wan_pipelines.components.resource import StudioDoor
from wan_pipelines.studio.planning import admit

DEAR = {"laptop-cpu": {**ENVIRONMENT["gpu_classes"]["laptop-cpu"], "price_usd_per_hour": "7200"}}


def look(project: Project) -> dg.SensorResult:
    door = StudioDoor(project.root, project.state, "local")
    context = dg.build_sensor_context(resources={"studio": door})
    found = budget_sensor(context)
    assert isinstance(found, dg.SensorResult)
    return found


def test_what_is_reached_is_observed_once(quick_project: Project):
    quick_project.environment(gpu_classes=DEAR)
    quick_project.campaign(budget={"usd": "0.01", "notify_at": ["1"], "finish_at": None})
    assert look(quick_project).asset_events == []
    admit(quick_project.studio(), "balls", "one")
    (event,) = look(quick_project).asset_events
    assert event.asset_key == dg.AssetKey(["balls", "costs"])
    assert "The budget for edition balls/one reached 0.01 USD" in (event.description or "")
    assert event.metadata["action"] == dg.TextMetadataValue("notify")
    again = look(quick_project)
    assert again.asset_events == []
    assert again.skip_reason
