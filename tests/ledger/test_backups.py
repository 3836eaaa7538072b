import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.ledger import books
from tests.ledger.scenes import DEMO, Scene, shots
from tests.support.postgres import PostgresServer
from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger import schema
from wan_pipelines.ledger.backups import back_up, restore
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.reports import edition_shots_view
from wan_pipelines.ledger.whose import House


@pytest.fixture
def filled(empty_url: str) -> Iterator[Scene]:
    """A ledger with an accepted take, and one that runs."""
    with Ledger.open(empty_url) as ledger:
        scene = Scene(ledger)
        scene.admit(shots("a", "b"))
        hand = scene.worker()
        hand.render(shots("a")[0])
        hand.lease(shots("b")[0])
        hand.beat()
        yield scene


def outcomes(url: str, *, measured: bool = True) -> dict[str, str | None]:
    with Ledger.open(url) as ledger:
        books.check(ledger, measured=measured)
        return {shot.shot: shot.outcome for shot in edition_shots_view(ledger, DEMO)}


def test_what_was_committed_at_the_backup_comes_back(filled: Scene, empty_url: str, tmp_path: Path):
    backup = tmp_path / "backup"
    with filled.ledger.write(House("audit")) as session:
        session.execute(text("UPDATE tenants SET updated_at = updated_at"))
        back_up(empty_url, backup)  # somebody is writing
    assert backup.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith("backup")] == [
        "backup"
    ]
    filled.admit(shots("c"))
    filled.ledger.close()
    with pytest.raises(LedgerError, match="is not empty"):
        restore(empty_url, backup, replace=False)
    restore(empty_url, backup, replace=True)
    assert outcomes(empty_url) == {"a": "accepted", "b": "running"}


def test_an_older_backup_is_migrated(filled: Scene, empty_url: str, tmp_path: Path):
    schema.downgrade(filled.ledger.engine, "0005")
    back_up(empty_url, tmp_path / "old")
    schema.upgrade(filled.ledger.engine, "it")
    filled.ledger.close()
    restore(empty_url, tmp_path / "old", replace=True)
    assert outcomes(empty_url, measured=False)["a"] == "accepted"


def test_a_backup_is_never_written_over(filled: Scene, empty_url: str, tmp_path: Path):
    (tmp_path / "backup").write_text("the only copy")
    with pytest.raises(LedgerError, match="already: name another file"):
        back_up(empty_url, tmp_path / "backup")
    assert (tmp_path / "backup").read_text() == "the only copy"


def test_what_is_no_backup_changes_nothing(filled: Scene, empty_url: str, tmp_path: Path):
    (tmp_path / "notes").write_text("these are somebody's notes" * 400)
    filled.ledger.close()
    with pytest.raises(LedgerError):
        restore(empty_url, tmp_path / "notes", replace=True)
    assert outcomes(empty_url) == {"a": "accepted", "b": "running"}


def test_a_damaged_sqlite_backup_changes_nothing(tmp_path: Path):
    url = str(tmp_path / "ledger.sqlite")
    with Ledger.open(url) as ledger:
        Scene(ledger).admit(shots("a"))
    back_up(url, tmp_path / "backup")
    whole = (tmp_path / "backup").read_bytes()
    (tmp_path / "backup").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LedgerError, match="is no whole backup of a ledger"):
        restore(url, tmp_path / "backup", replace=True)
    with closing(sqlite3.connect(url)) as connection:
        assert connection.execute("SELECT count(*) FROM shots").fetchone() == (1,)


def test_a_new_machine_takes_a_backup(
    filled: Scene, empty_url: str, tmp_path: Path, postgres_server: PostgresServer
):
    back_up(empty_url, tmp_path / "backup")
    on_sqlite = empty_url.startswith("sqlite")
    new = f"{tmp_path}/new/ledger.sqlite" if on_sqlite else postgres_server.new_database()
    restore(new, tmp_path / "backup", replace=False)
    assert outcomes(new) == {"a": "accepted", "b": "running"}


def test_without_postgresqls_programs_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(LedgerError, match="Install PostgreSQL's client programs"):
        back_up("postgresql://wan:secret@db/wan", tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []
