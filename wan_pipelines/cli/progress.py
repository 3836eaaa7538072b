"""A bar that shows how far an edition is, and what a run waits for that is told to stop."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from select import select
from threading import Thread

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.reports import EditionTotals, edition_totals, run_costs
from wan_pipelines.rendering.signals import STOP_SIGNALS
from wan_pipelines.streams import STDERR
from wan_pipelines.studio.studio import Studio

POLL_SECONDS = 0.5
THE_END = b"\0"


@contextmanager
def progress(studio: Studio, edition: EditionKey) -> Iterator[None]:
    """Follow the ledger, on what is standard error now: a run sends it to its log.

    For the main thread only.
    """
    with _signals() as (news, post), os.fdopen(os.dup(STDERR), "w") as terminal:
        screen = Console(file=terminal)
        watcher = Thread(target=_watch, args=(studio, edition, news, screen), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            os.write(post, THE_END)
            watcher.join()


@contextmanager
def _signals() -> Iterator[tuple[int, int]]:
    """A pipe from which the number of every signal can be read, whoever handles it: Dagster does.

    Yields its two ends, the one to read from first.
    """
    news, post = os.pipe()
    os.set_blocking(post, False)
    before = signal.set_wakeup_fd(post, warn_on_full_buffer=False)
    try:
        yield news, post
    finally:
        signal.set_wakeup_fd(before)
        os.close(post)
        os.close(news)


def _watch(studio: Studio, edition: EditionKey, news: int, screen: Console) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    # The streams stay what they are: what Dagster writes goes where the run sends it.
    with Progress(
        *columns,
        console=screen,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        disable=not screen.is_terminal,
    ) as bar:
        task = bar.add_task("starting", total=None)
        for numbers in _heard(news):
            if not numbers.isdisjoint(STOP_SIGNALS):
                screen.print(_waiting_for(studio, edition), soft_wrap=True)
            totals = _totals(studio, edition)
            if totals:
                total = totals.accepted + totals.failed + totals.waiting
                words = "rendering" if totals.waiting else "publishing"
                bar.update(task, description=words, total=total, completed=totals.accepted)


def _heard(news: int) -> Iterator[set[int]]:
    """The signals that came since, at each moment to look; until the end is told."""
    while True:
        ready, _, _ = select([news], [], [], POLL_SECONDS)
        numbers = os.read(news, 64) if ready else b""
        if THE_END in numbers:
            return
        yield set(numbers)


def _waiting_for(studio: Studio, edition: EditionKey) -> str:
    """What keeps a run from ending that was told to."""
    runs = run_costs(studio.ledger, edition.tenant, edition=edition)
    workers = sum(run.open_workers for run in runs)
    if not workers:
        return "Stopping: waiting for the step under way."
    each = "a worker, which ends" if workers == 1 else f"{workers} workers, each of which ends"
    is_kept = studio.settings.checkpoints.every_seconds is not None
    kept = " The steps that are done are kept: the next run goes on there." if is_kept else ""
    return (
        f"Stopping: waiting for {each} the step it is at, or the loading of its engine, and gives "
        f"its shots back.{kept}"
    )


def _totals(studio: Studio, edition: EditionKey) -> EditionTotals | None:
    """The edition's figures; none before its shots are admitted."""
    try:
        return edition_totals(studio.ledger, edition)
    except LedgerError:
        return None
