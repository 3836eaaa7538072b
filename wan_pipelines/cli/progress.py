"""A bar that shows how far an edition is."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.editions import EditionKey
from wan_pipelines.ledger.reports import EditionTotals, edition_totals
from wan_pipelines.streams import STDERR
from wan_pipelines.studio.studio import Studio

POLL_SECONDS = 0.5


@contextmanager
def progress(studio: Studio, edition: EditionKey) -> Iterator[None]:
    """Follow the ledger, on what is standard error now: a run sends it to its log."""
    stop = Event()
    with os.fdopen(os.dup(STDERR), "w") as terminal:
        screen = Console(file=terminal)
        watcher = Thread(target=_watch, args=(studio, edition, stop, screen), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()


def _watch(studio: Studio, edition: EditionKey, stop: Event, screen: Console) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("starting", total=None)
        while not stop.wait(POLL_SECONDS):
            totals = _totals(studio, edition)
            if totals:
                total = totals.accepted + totals.failed + totals.waiting
                words = "rendering" if totals.waiting else "publishing"
                bar.update(task, description=words, total=total, completed=totals.accepted)


def _totals(studio: Studio, edition: EditionKey) -> EditionTotals | None:
    """The edition's figures; none before its shots are admitted."""
    try:
        return edition_totals(studio.ledger, edition)
    except LedgerError:
        return None
