"""Dagster's runs on a PostgreSQL server that several hosts share."""

import multiprocessing
from pathlib import Path

import dagster as dg
import pytest
import yaml
from sqlalchemy import create_engine, text

from tests.support.postgres import PostgresServer
from wan_pipelines.components.instance import (
    CONFIG,
    dagster_home,
    migrate_instance,
    open_instance,
)
from wan_pipelines.errors import LedgerError
from wan_pipelines.from_environment import FromEnvironment

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["wan_pipelines.components.instance", "dagster_postgres"])


def test_several_hosts_make_and_migrate_it_at_once(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    """Each has a folder of its own, and knows nothing of the others."""
    url = postgres_server.new_database()
    hosts = [
        processes.Process(target=migrate_instance, args=(tmp_path / str(number), url))
        for number in range(3)
    ]
    for host in hosts:
        host.start()
    for host in hosts:
        host.join()
    assert [host.exitcode for host in hosts] == [0] * len(hosts)
    with open_instance(tmp_path / "0", url) as instance:
        instance.add_dynamic_partitions("editions", ["one"])
    with open_instance(tmp_path / "1", url) as instance:
        assert instance.get_dynamic_partitions("editions") == ["one"]
        assert not instance.fetch_materializations(dg.AssetKey("any"), limit=1).records
    engine = create_engine(url)
    with engine.connect() as connection:
        revisions = connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one()
    engine.dispose()
    assert revisions == 1
    postgres_server.drop_database(url)


def test_an_address_from_the_environment_is_not_written_down(
    tmp_path: Path, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres_server.new_database()
    monkeypatch.setenv("DAGSTER_HOME", "")  # and so given back in the end
    monkeypatch.setenv("WAN_DAGSTER_URL", url)
    storage = FromEnvironment(env="WAN_DAGSTER_URL")
    config = dagster_home(tmp_path, storage) / CONFIG
    assert url not in config.read_text()
    assert yaml.safe_load(config.read_text())["storage"] == {
        "postgres": {"postgres_url": {"env": "WAN_DAGSTER_URL"}}
    }
    with open_instance(tmp_path, storage) as instance:
        assert instance.get_runs_count() == 0
    postgres_server.drop_database(url)


def test_a_server_that_cannot_be_had_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="is not reachable"):
        dagster_home(tmp_path, "postgresql+psycopg2://wan:secret@127.0.0.1:1/wan")
    assert not (tmp_path / "dagster" / CONFIG).exists()
