"""What a launch says when Dagster itself cannot go on."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.support.disks import small_disk
from wan_pipelines.components.launch import as_instance_errors
from wan_pipelines.errors import StorageError


def fill(home: Path) -> None:
    engine = create_engine(f"sqlite:///{home / 'runs.db'}")
    with as_instance_errors(home), engine.begin() as connection:
        connection.execute(text("CREATE TABLE events (words TEXT)"))
        connection.execute(text("INSERT INTO events VALUES (:words)"), {"words": "x" * 10**6})


def test_a_full_disk_below_dagsters_databases_is_told_with_its_remedy(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "dagster", kibibytes=64) as home,
        pytest.raises(StorageError, match=r"dagster: .*full.* Free space there, or let"),
    ):
        fill(home)
