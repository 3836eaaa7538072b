"""A PostgreSQL server that goes away and comes back, and one that many workers use at once."""

import logging
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Thread
from typing import Literal

import pytest
from sqlalchemy import Engine, create_engine, text

from tests.ledger import books
from tests.ledger.racers import run_racers
from tests.ledger.scenes import DEMO, Scene, shots
from tests.support.postgres import PostgresServer
from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger import outages
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.engines import MOST_CONNECTIONS
from wan_pipelines.ledger.reports import edition_shots_view

WORKERS = 32


@pytest.fixture(scope="module")
def database(postgres_server: PostgresServer) -> Iterator[str]:
    url = postgres_server.new_database(durable=True)
    Ledger.open(url).close()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture
def scene(database: str, postgres_server: PostgresServer) -> Iterator[Scene]:
    """A ledger without rows that waits a minute for its server."""
    postgres_server.empty(database)
    with Ledger.open(database, patience_seconds=60) as ledger:
        yield Scene(ledger)


class _Notice(logging.Handler):
    def __init__(self, waiting: Event) -> None:
        super().__init__()
        self._waiting = waiting

    def emit(self, record: logging.LogRecord) -> None:
        self._waiting.set()


@pytest.fixture
def somebody_waits() -> Iterator[Event]:
    """Set when the first attempt to connect has failed."""
    waiting = Event()
    log = logging.getLogger(outages.__name__)
    notice = _Notice(waiting)
    log.addHandler(notice)
    yield waiting
    log.removeHandler(notice)


def outcomes(scene: Scene) -> dict[str, str | None]:
    return {shot.shot: shot.outcome for shot in edition_shots_view(scene.ledger, DEMO)}


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_server_that_is_restarted_is_waited_for(
    scene: Scene,
    postgres_server: PostgresServer,
    mode: Literal["fast", "immediate"],
    somebody_waits: Event,
    caplog: pytest.LogCaptureFixture,
):
    scene.admit(shots("a", "b"))
    hand = scene.worker()
    hand.render(shots("a")[0])
    with ThreadPoolExecutor(1) as threads:
        with postgres_server.away(mode):
            rendering = threads.submit(hand.render, shots("b")[0])
            assert somebody_waits.wait(60)
            assert not rendering.done()
        rendering.result()
    hand.close()
    assert "does not answer; it is tried again for 60 s" in caplog.text
    assert outcomes(scene) == {"a": "accepted", "b": "accepted"}
    books.check(scene.ledger)


def test_a_server_that_stays_away_is_named(database: str, postgres_server: PostgresServer):
    with Ledger.open(database, patience_seconds=0.3) as ledger:
        scene = Scene(ledger)
        with postgres_server.away(), pytest.raises(LedgerError, match="is not reachable"):
            scene.admit(shots("a"))


def test_who_may_not_come_in_is_not_kept_waiting(postgres_server: PostgresServer):
    with pytest.raises(LedgerError, match="does not exist"):
        Ledger.open(postgres_server.url("nowhere"), patience_seconds=600)


def test_a_take_whose_connection_breaks_in_mid_transaction_is_accepted_once(
    scene: Scene, database: str
):
    """Somebody holds its row; the server ends the connection that waits for it."""
    scene.admit(shots("a"))
    hand = scene.worker()
    lease = hand.lease(shots("a")[0])
    other = create_engine(database, isolation_level="READ COMMITTED")
    with other.connect() as holder, ThreadPoolExecutor(1) as threads:
        holder.execute(text("SELECT * FROM takes FOR UPDATE"))
        accepting = threads.submit(hand.accept, lease)
        _end_who_waits(other, accepting)
        holder.rollback()
        accepting.result()
    other.dispose()
    hand.close()
    assert outcomes(scene) == {"a": "accepted"}
    books.check(scene.ledger)


def test_a_connection_that_breaks_again_and_again_is_an_error(scene: Scene, database: str):
    scene.admit(shots("a"))
    hand = scene.worker()
    lease = hand.lease(shots("a")[0])
    other = create_engine(database)
    with other.connect() as holder, ThreadPoolExecutor(1) as threads:
        holder.execute(text("SELECT * FROM takes FOR UPDATE"))
        accepting = threads.submit(hand.accept, lease)
        while not accepting.done():
            _end_who_waits(other, accepting)
        holder.rollback()
        with pytest.raises(LedgerError, match="is not reachable"):
            accepting.result()
    other.dispose()
    assert outcomes(scene) == {"a": "running"}


def test_32_workers_never_have_more_connections_than_the_bound(
    database: str, postgres_server: PostgresServer
):
    counts: list[int] = []
    over = Event()

    def count() -> None:
        while not over.wait(0.01):
            counts.append(postgres_server.connections(database))

    counting = Thread(target=count)
    counting.start()
    try:
        assert run_racers("crowd", [(database, 12)] * WORKERS) == ["done"] * WORKERS
    finally:
        over.set()
        counting.join()
    assert 1 < max(counts) <= WORKERS * MOST_CONNECTIONS


def _end_who_waits(engine: Engine, waiting: Future[str]) -> None:
    """End the connections that wait for a lock, as soon as there is one."""
    end = text("SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE NOT granted")
    while not waiting.done():
        with engine.connect() as connection:
            if connection.execute(end).scalar_one():
                return
