"""PostgreSQL restarted in the middle of a run that keeps both ledger and Dagster's runs there."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from tests.components.launching import launches
from tests.ledger import books
from tests.support.postgres import PostgresServer
from tests.survival.scenes import PROMPTS, Scene
from wan_pipelines.components.instance import open_instance
from wan_pipelines.engines.null import NullEngine
from wan_pipelines.engines.protocol import Footage
from wan_pipelines.ledger.takes import accept_take
from wan_pipelines.studio import books as studio_books


@pytest.fixture
def durable_scene(scene: Scene, postgres_server: PostgresServer) -> Iterator[Scene]:
    """A deployment on PostgreSQL that survives a crash of the server, as it does by default."""
    urls = [postgres_server.new_database(durable=True) for _ in ("ledger", "dagster")]
    scene.project.environment(ledger=urls[0], dagster_storage=urls[1])
    yield scene
    for url in urls:
        postgres_server.drop_database(url)


def test_a_worker_renders_on_and_has_its_takes_accepted(
    durable_scene: Scene, postgres_server: PostgresServer
) -> None:
    hand = durable_scene.begin(
        durable_scene.shard(), wait_at=PROMPTS[1], ledger_patience_seconds=60
    )
    hand.until_it_waits()
    with postgres_server.away("immediate"):
        hand.go_on()
    assert hand.answer().summary["accepted"] == len(PROMPTS)
    durable_scene.publish()
    durable_scene.check()


def test_a_worker_whose_patience_ends_says_so_and_the_next_run_goes_on(
    durable_scene: Scene, postgres_server: PostgresServer
) -> None:
    hand = durable_scene.begin(durable_scene.shard(), "first", wait_at=PROMPTS[1])
    hand.until_it_waits()
    with postgres_server.away():
        hand.go_on()
        answer = hand.answer()
    assert answer.error == "LedgerError"
    assert "is not reachable. Check that the database server runs" in answer.message
    durable_scene.run()
    durable_scene.check()


def test_the_graph_goes_on_with_its_runs_on_the_same_server(
    durable_scene: Scene, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server crashes twice: while a shot is drawn, and when a take is to be accepted."""
    project, studio = durable_scene.project, durable_scene.studio
    project.enter(monkeypatch)
    draw, crashes = NullEngine.render, iter([1, 2])

    def crash(*_: object) -> None:
        if next(crashes, None):
            with postgres_server.away("immediate"):
                pass

    def render(*arguments: Any, **named: Any) -> Footage:
        crash()
        return draw(*arguments, **named)

    def accept(*arguments: Any, **named: Any) -> None:
        crash()
        accept_take(*arguments, **named)

    monkeypatch.setattr(NullEngine, "render", render)
    monkeypatch.setattr(studio_books.takes, "accept_take", accept)
    with open_instance(project.state, studio.settings.dagster_storage) as instance:
        result = launches(project, monkeypatch, instance).campaign()
        assert result.success
        assert instance.get_runs_count() == 1
        assert instance.fetch_materializations(dg.AssetKey(["balls", "costs"]), limit=1).records
    assert next(crashes, None) is None
    assert not (project.state / "dagster" / "history").exists()
    assert books.accepted_takes(studio.ledger).total() == len(PROMPTS)
    durable_scene.check()
