"""PostgreSQL restarted in the middle of a run that keeps both ledger and Dagster's runs there."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from tests.ledger import books
from tests.support.postgres import PostgresServer
from tests.support.project import Project, new_project
from tests.survival import rules, soak
from wan_pipelines.components.instance import open_instance
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.processes import living_in
from wan_pipelines.studio.editions import edition_key

SHOTS = 2


@pytest.fixture
def project(
    tmp_path: Path, tiny_folder: Path, postgres_server: PostgresServer
) -> Iterator[Project]:
    made = new_project(tmp_path / "project", tiny_folder)
    urls = [postgres_server.new_database(durable=True) for _ in ("ledger", "dagster")]
    made.environment(ledger=urls[0], dagster_storage=urls[1], workers={"count": 1, "threads": 1})
    made.release(tiers={"draft": {"steps": 15, "guidance": 2.0}}, default_tier="draft")
    made.campaign(prompts=["a red ball rising"], seeds=list(range(SHOTS)))
    yield made
    for url in urls:
        postgres_server.drop_database(url)


def accepted(ledger: Ledger) -> int:
    return books.accepted_takes(ledger).total()


@pytest.mark.timeout(600)
def test_the_run_goes_on_and_nothing_is_lost_or_done_twice(
    project: Project, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    studio, log = project.studio(), tmp_path / "log"
    process = soak.begin(project, log)
    try:
        soak.wait_until(lambda: process.poll() is not None or accepted(studio.ledger) > 0)
        before = accepted(studio.ledger)
        with postgres_server.away("immediate"):
            pass
        assert process.wait(300) == 0, log.read_text()
    finally:
        for left in living_in(process.pid):
            left.kill()
    assert before
    assert accepted(studio.ledger) == SHOTS
    rules.check(studio, edition_key(studio, "balls", "one"))
    with open_instance(project.state, studio.settings.dagster_storage) as instance:
        (run,) = instance.get_runs()
        assert run.status == dg.DagsterRunStatus.SUCCESS
        assert not (project.state / "dagster" / "history").exists()
    studio.ledger.close()
