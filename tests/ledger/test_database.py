import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.ledger.scenes import Scene, shots
from tests.support.disks import read_only, small_disk
from tests.support.postgres import PostgresServer
from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.editions import all_editions
from wan_pipelines.ledger.tables import TenantRow
from wan_pipelines.ledger.whose import House

AUDIT = House("audit")


def test_sqlite_is_set_up_for_many_processes(tmp_path: Path):
    with (
        Ledger.open(tmp_path / "new folder" / "ledger.db") as ledger,
        ledger.read(AUDIT) as session,
    ):
        found = {
            name: session.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in (
                "journal_mode",
                "synchronous",
                "foreign_keys",
                "busy_timeout",
                "cache_size",
            )
        }
    normal = 1
    assert found == {
        "journal_mode": "wal",
        "synchronous": normal,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
        "cache_size": -16_384,
    }


def test_a_path_and_its_url_are_the_same_ledger(tmp_path: Path):
    file = tmp_path / "ledger.db"
    with Ledger.open(file) as ledger:
        Scene(ledger).admit(shots("a"))
    with Ledger.open(f"sqlite:///{file}", migrate=False) as ledger:
        assert len(all_editions(ledger, "acme")) == 1


def test_a_transaction_is_whole_or_not_at_all(ledger: Ledger):
    scene = Scene(ledger)
    interrupted = ledger.write(AUDIT)
    session = interrupted.__enter__()
    session.add(TenantRow(name="new", plan="free", time_zone="UTC", created_at=0, updated_at=0))
    session.flush()
    assert not interrupted.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    with ledger.read(AUDIT) as session:
        assert session.get(TenantRow, "new") is None
    scene.admit(shots("a"))


def test_readers_do_not_wait_for_writers(ledger: Ledger):
    Scene(ledger)
    with ledger.write(AUDIT) as writer:
        writer.add(TenantRow(name="new", plan="free", time_zone="UTC", created_at=0, updated_at=0))
        writer.flush()
        with ledger.read(AUDIT) as reader:
            assert reader.get(TenantRow, "new") is None


def test_rows_that_refer_to_nothing_are_refused(ledger: Ledger):
    with (
        pytest.raises(LedgerError, match="would break its rules"),
        ledger.write(AUDIT) as session,
    ):
        session.add(TenantRow(name="a", plan="none", time_zone="UTC", created_at=0, updated_at=0))


def test_threads_share_a_ledger(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(shots("a"))
    hand = scene.worker()
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(hand.beat) for _ in range(20)]:
            done.result()


def test_a_locked_file_is_named_with_what_to_do(tmp_path: Path, migrated_file: Path):
    file = tmp_path / "ledger.db"
    file.write_bytes(migrated_file.read_bytes())
    with Ledger.open(file, wait_seconds=0.2) as ledger, closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError) as caught:
            Scene(ledger)
        assert str(file) in str(caught.value)
        assert "is locked by another process. Wait until" in str(caught.value)
        other.execute("ROLLBACK")
        Scene(ledger).admit(shots("a"))


def test_a_new_file_that_is_locked_is_named_too(tmp_path: Path):
    file = tmp_path / "ledger.db"
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerError, match=f"{file} is locked by another process"):
            Ledger.open(file, wait_seconds=0.2)


def test_a_locked_table_is_named_with_what_to_do(postgres_server: PostgresServer):
    url = postgres_server.new_database()
    with Ledger.open(url, wait_seconds=0.2) as ledger, Ledger.open(url) as other:
        Scene(ledger)
        with other.write(AUDIT) as session:
            session.execute(text("LOCK TABLE tenants IN ACCESS EXCLUSIVE MODE"))
            with pytest.raises(LedgerError, match="is locked by another process"):
                Scene(ledger).admit(shots("a"))
    postgres_server.drop_database(url)


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path):
    file = tmp_path / "ledger.db"
    file.write_text("these are somebody's notes, not a database" * 100)
    with pytest.raises(LedgerError, match="is not a whole SQLite database"):
        Ledger.open(file)
    assert file.read_text().startswith("these are somebody's notes")


def test_a_ledger_that_does_not_exist_is_not_made_up(tmp_path: Path):
    with pytest.raises(LedgerError, match=r"There is no ledger at .*ledger\.db"):
        Ledger.open(tmp_path / "ledger.db", migrate=False)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match=r"folder of the ledger at .* cannot be made"):
        Ledger.open(tmp_path / "file" / "ledger.db")


def test_a_read_only_disk_is_named(tmp_path: Path, migrated_file: Path):
    with small_disk(tmp_path / "disk", kibibytes=2000) as disk:
        file = disk / "ledger.db"
        file.write_bytes(migrated_file.read_bytes())
        with read_only(disk), pytest.raises(LedgerError, match="cannot be opened for writing"):
            Scene(Ledger.open(file))


def test_a_full_disk_loses_nothing(tmp_path: Path, migrated_file: Path):
    with small_disk(tmp_path / "disk", kibibytes=3000) as disk:
        file = disk / "ledger.db"
        file.write_bytes(migrated_file.read_bytes())
        with Ledger.open(file) as ledger:
            scene = Scene(ledger)
            scene.admit(shots("a"))
            (disk / "other").write_bytes(bytes(shutil.disk_usage(disk).free - 100 * 1024))
            many = shots("a", *(f"{number}" for number in range(2000)))
            with pytest.raises(LedgerError, match="because the disk is full"):
                scene.admit(many)
            (disk / "other").unlink()
            assert scene.states(shots("a"))["a"] == "admitted"


def test_a_server_that_does_not_run_is_named_without_its_password():
    url = "postgresql+psycopg2://wan:secret@127.0.0.1:1/wan"
    with pytest.raises(LedgerError) as caught:
        Ledger.open(url)
    assert "postgresql+psycopg2://wan:***@127.0.0.1:1/wan is not reachable" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_database_that_does_not_exist_is_named(postgres_server: PostgresServer):
    with pytest.raises(LedgerError, match=r"does not exist\. Create the database"):
        Ledger.open(postgres_server.url("nowhere"))
