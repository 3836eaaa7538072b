"""Waiting for a run of the graph, with something to look at."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from wan_pipelines import step_server
from wan_pipelines.cli.output import console, note, print_json
from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.editions import EditionKey
from wan_pipelines.ledger.money import usd
from wan_pipelines.ledger.reports import EditionTotals, edition_totals
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.page import pages_of
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.watch import is_complete

POLL_SECONDS = 0.5
STDERR = 2


def follow(
    studio: Studio, campaign: str, edition: str, only: list[str] | None, *, as_json: bool = False
) -> None:
    """Render an edition through Dagster, show how far it is, and say what was made and where."""
    key = edition_key(studio, campaign, edition)
    started = time.monotonic()
    if only is None and is_complete(studio, key, datetime.now(UTC)):
        note("Nothing has changed: every video is there, and whole.")
        report(studio, key, None, "", time.monotonic() - started, as_json)
        return
    step_server.start(studio.settings.rendering_class.device, log_of(studio))
    from wan_pipelines.components.launch import open_instance, run_campaign

    with open_instance(studio.state) as instance, progress(studio, key):
        launch = run_campaign(instance, studio.brief(campaign), edition, only)
    report(studio, key, launch.run_id, launch.problem, time.monotonic() - started, as_json)


def log_of(studio: Studio) -> Path:
    """Where Dagster's own words go."""
    return studio.state / "dagster" / "wan.log"


def report(
    studio: Studio, key: EditionKey, run_id: str | None, problem: str, seconds: float, as_json: bool
) -> None:
    """The end of a launch: what was made, where it is, and what went wrong."""
    totals = _totals(studio, key)
    page = studio.store.link(pages_of(key).page)
    if as_json:
        print_json({"run_id": run_id, "page": page, "problem": problem or None, **_record(totals)})
    elif totals:
        _say(totals, key, page, seconds)
    if problem:
        note(f"\nRun {run_id} failed:\n{problem}")
        note("Put that right and run the same command again: what is rendered is kept.")
        note(f"All that Dagster said: {log_of(studio)}")
    if problem or (totals and (totals.failed or totals.waiting)):
        raise typer.Exit(1)


def _say(totals: EditionTotals, key: EditionKey, page: str, seconds: float) -> None:
    rendered = totals.accepted - totals.reused
    out = console()
    out.print(
        f"\n[bold]{key.campaign}/{key.edition}[/]: {totals.accepted} videos in {seconds:.0f} s"
    )
    out.print(f"  rendered {rendered}, reused {totals.reused}, failed {totals.failed}")
    out.print(
        f"  ${usd(totals.cost_micro_usd)} for {totals.gpu_microseconds / 1e6:.1f} GPU-seconds"
    )
    out.print(f"  page: {page}", soft_wrap=True)


def _record(totals: EditionTotals | None) -> dict[str, object]:
    if totals is None:
        return {}
    return {
        "shots": totals.shots,
        "accepted": totals.accepted,
        "reused": totals.reused,
        "failed": totals.failed,
        "gpu_seconds": totals.gpu_microseconds / 1e6,
        "cost_usd": usd(totals.cost_micro_usd),
    }


@contextmanager
def progress(studio: Studio, key: EditionKey) -> Iterator[None]:
    """A bar that follows the ledger, on what is standard error now: a run sends it to its log."""
    stop = Event()
    with os.fdopen(os.dup(STDERR), "w") as terminal:
        screen = Console(file=terminal)
        watcher = Thread(target=_watch, args=(studio, key, stop, screen), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()


def _watch(studio: Studio, key: EditionKey, stop: Event, screen: Console) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task("starting", total=None)
        while not stop.wait(POLL_SECONDS):
            totals = _totals(studio, key)
            if totals:
                total = totals.accepted + totals.failed + totals.waiting
                words = "rendering" if totals.waiting else "publishing"
                bar.update(task, description=words, total=total, completed=totals.accepted)


def _totals(studio: Studio, key: EditionKey) -> EditionTotals | None:
    """The edition's figures; none before its shots are admitted."""
    try:
        return edition_totals(studio.ledger, key)
    except LedgerError:
        return None
