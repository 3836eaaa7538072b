import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, select, text

from tests.ledger import books
from tests.ledger.racers import run_racers
from tests.ledger.scenes import (
    ARTIFACT,
    BUCKET,
    CHANGE,
    CORRECTION,
    DRAWN_IN_TILES,
    FLEET,
    INVOICE,
    Scene,
    shots,
)
from tests.ledger.turnstile import Turnstile
from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger import schema
from wan_pipelines.ledger.artifacts import sign_off
from wan_pipelines.ledger.corrections import rerate
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.footholds import set_foothold
from wan_pipelines.ledger.idle import charge_idle
from wan_pipelines.ledger.invoices.book import (
    import_invoice,
    known_invoices,
    withdraw_invoice,
)
from wan_pipelines.ledger.limit_changes import change_limit
from wan_pipelines.ledger.limits import Limit
from wan_pipelines.ledger.reviews import review
from wan_pipelines.ledger.tables import Base, WorkerRow
from wan_pipelines.ledger.tenants import limits_of_plan
from wan_pipelines.ledger.whose import House


def filled(url: str) -> Ledger:
    """A ledger with a row in every table but `spans`, which are emptied when charged."""
    ledger = Ledger.open(url)
    scene = Scene(ledger)
    scene.admit(shots("a", "b"))
    hand = scene.worker()
    hand.render(shots("a")[0], report=DRAWN_IN_TILES)
    hand.close()
    review(ledger, "acme", "a ball", "released", decided_by="mira", now=scene.now)
    sign_off(ledger, ARTIFACT)
    set_foothold(ledger, BUCKET, "tiles", now=scene.now)
    change_limit(ledger, CHANGE)
    turnstile = Turnstile(ledger)
    turnstile.line_up("run", "a")
    turnstile.ask("run", "a")
    turnstile.end("run")
    rerate(ledger, CORRECTION, now=scene.now)
    day = scene.now.date()
    charge_idle(ledger, [FLEET], day, day, now=scene.later(days=2))
    import_invoice(ledger, INVOICE, imported_by="mira", now=scene.now)
    (known,) = known_invoices(ledger)
    withdraw_invoice(ledger, known.id, decided_by="mira", reason="a trial", now=scene.now)
    return ledger


def test_a_ledger_without_corrections_keeps_what_they_came_to(empty_url: str):
    with filled(empty_url) as ledger:
        corrected = books.paid_and_charged(ledger)
        schema.downgrade(ledger.engine, "0008")
    with Ledger.open(empty_url) as ledger:
        assert books.paid_and_charged(ledger) == corrected
        books.check(ledger)


def test_plans_keep_their_limits_from_version_to_version(empty_url: str):
    with filled(empty_url) as ledger:
        schema.downgrade(ledger.engine, "0006")
    with Ledger.open(empty_url) as ledger, ledger.read(House("audit")) as session:
        assert limits_of_plan(session, "free") == (Limit("user_day", "shots", 5),)
        assert limits_of_plan(session, "internal") == ()


def test_the_tables_are_those_of_the_models(ledger: Ledger):
    with ledger.look(House("migration")) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_checks_and_conditions_are_those_of_the_models(migrated_file: Path, tmp_path: Path):
    """Alembic does not compare these; the SQL that SQLite keeps has all of them."""
    engine = create_engine(f"sqlite:///{tmp_path / 'models.db'}")
    Base.metadata.create_all(engine)
    engine.dispose()
    assert definitions(migrated_file) == definitions(tmp_path / "models.db")


def definitions(file: Path) -> dict[str, list[str]]:
    """The SQL of each table and index, as lines without order; added columns share one."""
    query = "SELECT name, sql FROM sqlite_master WHERE type <> 'trigger' AND sql IS NOT NULL"
    with closing(sqlite3.connect(file)) as connection:
        found = dict(connection.execute(query).fetchall())
    kept = {name: sql for name, sql in found.items() if name != "alembic_version"}
    return {
        name: sorted(line.strip(" ,\t") for line in re.split(r"\n|, (?=[a-z_]+ [A-Z])", sql))
        for name, sql in kept.items()
    }


def test_the_package_knows_its_own_head():
    assert ScriptDirectory(str(schema.MIGRATIONS)).get_current_head() == schema.HEAD


def test_a_filled_ledger_can_go_down_and_up_again(empty_url: str):
    with filled(empty_url) as ledger:
        schema.downgrade(ledger.engine, "base")
        assert inspect(ledger.engine).get_table_names() == ["alembic_version"]
        with pytest.raises(LedgerError, match="has schema none"):
            Ledger.open(empty_url, migrate=False)
    with filled(empty_url) as ledger:
        books.check(ledger)


def test_workers_from_before_their_process_was_kept_have_none(empty_url: str):
    with filled(empty_url) as ledger:
        schema.downgrade(ledger.engine, "0003")
    with Ledger.open(empty_url) as ledger, ledger.read(House("audit")) as session:
        worker = session.scalars(select(WorkerRow)).one()
        assert (worker.process, worker.pid) == (None, os.getpid())
        books.check(ledger, measured=False)


def test_a_newer_ledger_is_left_alone(empty_url: str):
    with Ledger.open(empty_url) as ledger, ledger.write(House("audit")) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    for migrate in (True, False):
        with pytest.raises(LedgerError, match=r"newer version .* it has schema 0999"):
            Ledger.open(empty_url, migrate=migrate)


def test_many_processes_may_open_a_new_ledger_at_once(empty_url: str):
    assert run_racers("open_and_close", [(empty_url,)] * 8) == ["opened"] * 8
    with Ledger.open(empty_url, migrate=False) as ledger, ledger.read(House("audit")) as session:
        assert session.execute(select(text("count(*) FROM alembic_version"))).scalar_one() == 1
