from pathlib import Path

import pytest

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.engines import display_name, parse_url


@pytest.mark.parametrize(
    ("url", "driver", "name"),
    [
        ("/var/wan/ledger.db", "sqlite", "/var/wan/ledger.db"),
        (Path("/var/wan/ledger.db"), "sqlite", "/var/wan/ledger.db"),
        ("sqlite:////var/wan/ledger.db", "sqlite", "/var/wan/ledger.db"),
        ("sqlite+pysqlite:////var/wan/ledger.db", "sqlite", "/var/wan/ledger.db"),
        ("postgres://w:s@db/wan", "postgresql+psycopg2", "postgresql+psycopg2://w:***@db/wan"),
        (
            "postgresql://w@db/wan?password=s&sslmode=require",
            "postgresql+psycopg2",
            "postgresql+psycopg2://w@db/wan?password=%2A%2A%2A&sslmode=require",
        ),
        ("postgresql://db/wan", "postgresql+psycopg2", "postgresql+psycopg2://db/wan"),
        ("postgresql+psycopg2://db/wan", "postgresql+psycopg2", "postgresql+psycopg2://db/wan"),
    ],
)
def test_the_driver_is_always_spelt_out(url: str | Path, driver: str, name: str):
    parsed = parse_url(url)
    assert (parsed.drivername, display_name(parsed)) == (driver, name)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://w:secret@db/wan",
        "postgresql+asyncpg://w:secret@db/wan",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_what_processes_cannot_share_is_refused(url: str):
    with pytest.raises(LedgerError, match="A ledger cannot live at") as caught:
        parse_url(url)
    assert "secret" not in str(caught.value)


def test_what_is_no_url_is_refused():
    with pytest.raises(LedgerError, match="URL cannot be read"):
        parse_url("postgresql://db:port/wan")
