from prometheus_client import CollectorRegistry, generate_latest

from tests.support.postgres import PostgresServer
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.studio.meters import LedgerCollector


def test_a_ledger_that_is_away_is_a_figure(postgres_server: PostgresServer):
    registry = CollectorRegistry()
    with Ledger.open(postgres_server.new_database()) as ledger:
        registry.register(LedgerCollector(ledger))
        assert b"wan_ledger_up 1.0" in generate_latest(registry)
        with postgres_server.away():
            assert b"wan_ledger_up 0.0" in generate_latest(registry)
        assert b"wan_ledger_up 1.0" in generate_latest(registry)
