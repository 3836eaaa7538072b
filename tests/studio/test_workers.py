from datetime import UTC, datetime, timedelta

import pytest

from tests.support.project import Project
from wan_pipelines.ledger.tables import WorkerRow
from wan_pipelines.ledger.whose import House
from wan_pipelines.ledger.workers import WorkerPlace, heartbeat, open_worker, open_workers
from wan_pipelines.processes import host_name, process_name
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.planning import admit
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.workers import close_dead_workers


@pytest.fixture
def studio(quick_project: Project) -> Studio:
    studio = quick_project.studio()
    admit(studio, "balls", "one")
    return studio


def opened(studio: Studio, at: datetime) -> str:
    place = WorkerPlace("run", "step", studio.settings.gpu_class)
    return open_worker(studio.ledger, edition_key(studio, "balls", "one"), place, now=at)


def named(studio: Studio, worker_id: str, process: str | None) -> None:
    with studio.ledger.write(House("audit")) as session:
        session.get_one(WorkerRow, (worker_id, "demo")).process = process


def left(studio: Studio) -> set[str]:
    close_dead_workers(studio)
    return {worker.id for worker in open_workers(studio.ledger, host_name())}


def test_a_worker_lives_wherever_the_clock_was_set_since_it_began(studio: Studio):
    worker = opened(studio, datetime(2020, 1, 1, tzinfo=UTC))
    heartbeat(studio.ledger, "demo", worker, now=datetime.now(UTC))
    assert left(studio) == {worker}


def test_a_worker_is_dead_whose_process_is_another_one_of_the_same_number(studio: Studio):
    worker = opened(studio, datetime.now(UTC))
    host, pid, started_ms = process_name().rsplit(":", 2)
    named(studio, worker, f"{host}:{pid}:{int(started_ms) - 1000}")
    assert left(studio) == set()


def test_a_worker_of_an_older_version_is_dead_when_it_falls_silent(studio: Studio):
    lease = timedelta(seconds=studio.settings.workers.lease_seconds)
    speaking, silent = (opened(studio, datetime.now(UTC) - count * lease) for count in (0, 4))
    for worker in (speaking, silent):
        named(studio, worker, None)
    assert left(studio) == {speaking}
