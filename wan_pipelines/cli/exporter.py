"""`wan exporter`: what Prometheus scrapes of the ledger."""

import logging
from threading import Event
from typing import Annotated

import typer

from wan_pipelines.cli.output import examples, note
from wan_pipelines.errors import InputError
from wan_pipelines.from_environment import resolve
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.places import below, environment_name, project_root, state_folder
from wan_pipelines.rendering.signals import stop_on_signals
from wan_pipelines.studio.settings import Settings, read_settings

PATIENCE_SECONDS = 5
"""Shorter than what a scrape is given: that the ledger is away is news."""


def register(app: typer.Typer) -> None:
    app.command(epilog=examples("wan exporter", "wan exporter --host 0.0.0.0 --port 9464"))(
        exporter
    )


def exporter(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any.")] = 9464,
) -> None:
    """Tell Prometheus of takes, workers and money, at /metrics, until told to end.

    The figures are those of all tenants; whoever reaches the port reads them.
    """
    from prometheus_client import CollectorRegistry, start_http_server

    from wan_pipelines.studio.cost_meters import LOOKS_EVERY_SECONDS, CostTargetCollector
    from wan_pipelines.studio.forecast_meters import ForecastCollector
    from wan_pipelines.studio.meters import LedgerCollector

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    registry = CollectorRegistry()
    settings = read_settings(project_root(), environment_name())
    with _ledger(settings) as ledger, stop_on_signals(Event()) as stop:
        registry.register(LedgerCollector(ledger))
        registry.register(ForecastCollector(ledger))
        costs = CostTargetCollector(ledger, settings.costs)
        registry.register(costs)
        try:
            server, thread = start_http_server(port, host, registry)
        except OSError as error:
            raise InputError(
                f"{host}:{port} cannot be listened at: {error.strerror}.",
                where="wan exporter",
                remedy="Choose another --host or --port.",
            ) from error
        note(f"http://{host}:{server.server_port}/metrics")
        costs.look()
        while not stop.wait(LOOKS_EVERY_SECONDS):
            costs.look()
        server.shutdown()
        thread.join()


def _ledger(settings: Settings) -> Ledger:
    place = below(state_folder(), resolve(settings.ledger))
    return Ledger.open(place, migrate=False, patience_seconds=PATIENCE_SECONDS)
