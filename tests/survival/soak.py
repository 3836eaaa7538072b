"""Kills whole runs at random moments, again and again, and says how it went.

    python -m tests.survival.soak --kills 10 --seed 1

Each time, a fresh deployment is rendered with `wan run`, from nothing; at a random moment one of
these is killed with SIGKILL: the run with all its processes ("group"), the command alone, whose
steps then go on as orphans ("run"), or a process that renders ("worker"). Then the same command is
run again, and all of `rules.py` must hold. Every other moment lies anywhere in an undisturbed
run's time, the others while it renders: when so many shots have been accepted.
"""

import argparse
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal, get_args

import typer

from tests.ledger import books
from tests.support.project import Project, new_project
from tests.support.tiny_pipeline import write_tiny_pipeline
from tests.survival import rules
from wan_pipelines.processes import living_in
from wan_pipelines.studio.editions import edition_key

Victim = Literal["group", "run", "worker"]
VICTIMS: tuple[Victim, ...] = get_args(Victim)
COMMAND = ("run", "balls", "--edition", "one")
PROMPTS = ["a red ball rising", "a blue box falling", "a black ball moving"]
SEEDS = [1, 2, 3, 4]
SHOTS = len(PROMPTS) * len(SEEDS)
PATIENCE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Outcome:
    """One kill and what followed. `accepted` is what the killed run had made."""

    victim: Victim
    moment: str
    accepted: int
    next_seconds: float
    workers: int
    paid_micro_usd: int


def begin(project: Project, log: Path) -> subprocess.Popen[bytes]:
    """`wan run` with a process group of its own, as a terminal gives it one."""
    wan = Path(sys.executable).with_name("wan")
    with log.open("ab") as output:
        return subprocess.Popen(
            [wan, *COMMAND],
            env={**os.environ, **project.variables},
            cwd=project.root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def finish(project: Project, log: Path) -> float:
    """An undisturbed run; returns its seconds."""
    began = time.monotonic()
    process = begin(project, log)
    assert process.wait() == 0, log.read_text()
    return time.monotonic() - began


def kill(project: Project, process: subprocess.Popen[bytes], victim: Victim) -> None:
    """SIGKILL, whether or not there is still somebody to get it."""
    if victim == "worker":
        while process.poll() is None:
            if found := workers(project):
                os.kill(found[0], signal.SIGKILL)
                break
            time.sleep(0.05)
        process.wait()  # the run goes on, and repeats the step
        return
    if process.poll() is None:
        (os.killpg if victim == "group" else os.kill)(process.pid, signal.SIGKILL)
    process.wait()


def workers(project: Project) -> list[int]:
    """The processes that are paid at the moment."""
    return _asked(project, "SELECT pid FROM workers WHERE ended_at IS NULL ORDER BY created_at")


def check(project: Project) -> None:
    """All rules; and nobody is left behind."""
    studio = project.studio()
    edition = edition_key(studio, "balls", "one")
    rules.check(studio, edition)
    assert books.accepted_takes(studio.ledger).total() == SHOTS
    studio.ledger.close()


def trial(
    project: Project, victim: Victim, log: Path, seconds: float, shots: int | None
) -> Outcome:
    """Kill one run after some seconds, or after some shots; do the next; check."""
    process = begin(project, log)
    began = time.monotonic()
    if shots is None:
        time.sleep(seconds)
    else:
        wait_until(lambda: process.poll() is not None or accepted_in(project) >= shots)
    moment = f"{time.monotonic() - began:.1f} s"
    kill(project, process, victim)
    accepted = accepted_in(project)
    took = finish(project, log)
    wait_until(lambda: not living_in(process.pid))
    check(project)
    paid = books.paid_and_charged(project.studio().ledger)
    return Outcome(victim, moment, accepted, took, len(paid), sum(p for p, _ in paid.values()))


def accepted_in(project: Project) -> int:
    """How many shots have their accepted take."""
    counts = _asked(project, "SELECT count(*) FROM takes WHERE outcome = 'accepted'")
    return sum(counts)


def _asked(project: Project, question: str) -> list[int]:
    """A column out of the ledger; asks without being noticed, even at the start."""
    file = project.state / "ledger.sqlite"
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(file)) as ledger:
        return [number for (number,) in ledger.execute(question)]
    return []


def wait_until(condition: Callable[[], bool]) -> None:
    """Look twenty times a second."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it does not come to this"
        time.sleep(0.05)


def deployment(folder: Path, weights: Path) -> Project:
    """A dozen small shots for two workers; a lease outlasts a trial."""
    project = new_project(folder, weights)
    project.campaign(prompts=PROMPTS, seeds=SEEDS, renditions=["h264", "h264-half"])
    project.environment(workers={"count": 2, "threads": 1, "lease_seconds": 600})
    return project


def soak(kills: int, seed: int, victims: Sequence[Victim], folder: Path) -> None:
    """All trials, and a table of them."""
    random = Random(seed)
    log = folder / "log"
    weights = write_tiny_pipeline(folder / "weights")
    whole = finish(deployment(folder / "undisturbed", weights), log)
    typer.echo(f"undisturbed: {whole:.1f} s for {SHOTS} shots")
    typer.echo("| victim | killed after | accepted by then | next run | workers | paid = charged |")
    typer.echo("|---|---|---|---|---|---|")
    for number in range(kills):
        victim = victims[number % len(victims)]
        project = deployment(folder / f"trial-{number}", weights)
        shots = random.randrange(SHOTS) if number % 2 else None
        found = trial(project, victim, log, random.uniform(0, whole), shots)
        typer.echo(
            f"| {found.victim} | {found.moment} | {found.accepted} of {SHOTS} "
            f"| {found.next_seconds:.1f} s | {found.workers} | ${found.paid_micro_usd / 1e6:.6f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--victims", nargs="+", choices=VICTIMS, default=VICTIMS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        soak(options.kills, options.seed, options.victims, Path(folder))


if __name__ == "__main__":
    main()
