"""The nightly audit, as Dagster runs it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from sqlalchemy import update

from tests.support.project import Project
from wan_pipelines.components.nightly import ADDS_UP, AUDIT, build_nightly_defs
from wan_pipelines.components.resource import StudioDoor
from wan_pipelines.ledger.idle import idle_days
from wan_pipelines.ledger.moments import to_micros
from wan_pipelines.ledger.tables import EditionRow, EditionShotRow
from wan_pipelines.ledger.whose import House
from wan_pipelines.studio.planning import admit


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def night(project: Project, instance: dg.DagsterInstance) -> tuple[bool, dict[str, object], str]:
    """Did the check pass, what does the asset say, and what the check?"""
    door = StudioDoor(project.root, project.state, "local")
    defs = dg.Definitions.merge(build_nightly_defs(), dg.Definitions(resources={"studio": door}))
    result = defs.resolve_job_def("ledger_night").execute_in_process(instance=instance)
    assert result.success
    (made,) = result.asset_materializations_for_node("ledger__audit")
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.asset_key) == (ADDS_UP, AUDIT)
    return check.passed, {k: v.value for k, v in made.metadata.items()}, check.description or ""


def test_a_night_gives_back_what_vanished_runs_hold(
    quick_project: Project, instance: dg.DagsterInstance
):
    studio = quick_project.studio()
    admit(studio, "balls", "one")
    assert night(quick_project, instance)[1]["expired_reservations"] == 0
    yesterday = to_micros(datetime.now(UTC) - timedelta(hours=25))
    with studio.ledger.write(House("audit")) as session:
        session.execute(update(EditionRow).values(admitted_at=yesterday))
    passed, told, words = night(quick_project, instance)
    assert (passed, words) == (True, "Every reservation, take and charge adds up.")
    assert told == {"expired_reservations": 2, "discrepancies": 0}


def test_what_does_not_add_up_fails_the_check_and_is_left_as_it_is(
    quick_project: Project, instance: dg.DagsterInstance
):
    studio = quick_project.studio()
    admit(studio, "balls", "one")
    with studio.ledger.write(House("audit")) as session:
        session.execute(update(EditionShotRow).values(reservation=None))
    for _ in range(2):
        passed, told, words = night(quick_project, instance)
        assert (passed, told["discrepancies"]) == (False, 2)
        assert "unheld: demo" in words


def test_a_night_charges_reserved_gpus_that_nobody_held(
    quick_project: Project, instance: dg.DagsterInstance
):
    days_ago = f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d}"
    base = {"gpu_class": "laptop-cpu", "gpus": 1, "since": days_ago, "usd_per_gpu_hour": "0.10"}
    quick_project.environment(reserved={"base": base})
    night(quick_project, instance)
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    (day,) = idle_days(quick_project.studio().ledger, yesterday, yesterday)
    assert day.usage.idle_micro_usd == 2_400_000
