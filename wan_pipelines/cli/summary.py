"""What a launch came to: what was made, where it is, and what was not made, and why."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import typer
from rich.text import Text

from wan_pipelines.cli.output import console, note, print_json
from wan_pipelines.ledger.editions import all_editions
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.moments import seconds_of
from wan_pipelines.ledger.money import usd
from wan_pipelines.ledger.reports import (
    EditionTotals,
    RunCost,
    ShotView,
    edition_shots_view,
    edition_totals,
    run_costs,
)
from wan_pipelines.studio.page import pages_of
from wan_pipelines.studio.shot_view import state_of
from wan_pipelines.studio.studio import Studio

CAUSES_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a launch ended; `problem` is empty when its run succeeded, or none was needed."""

    edition: EditionKey
    only: Collection[str] | None = None
    run_id: str | None = None
    problem: str = ""
    seconds: float


def report(studio: Studio, ending: Ending, *, as_json: bool) -> None:
    """Say how it ended; leaves with 1 when the run or a shot that was asked for has failed."""
    page = studio.store.link(pages_of(ending.edition).page)
    admitted = _is_admitted(studio, ending.edition)
    totals = edition_totals(studio.ledger, ending.edition) if admitted else None
    missing = _missing(studio, ending) if admitted else ()
    run = _run_of(studio, ending)
    if as_json:
        print_json(_record(ending, page, totals, run, missing))
    elif totals:
        _say(ending, page, totals, run, missing)
    if ending.problem:
        note(f"\nRun {ending.run_id} failed:\n{ending.problem}")
        note("Put that right and run the same command again: what is rendered is kept.")
        note(f"All that Dagster said: {studio.state / 'dagster' / 'wan.log'}")
    if ending.problem or any(shot.state == "admitted" for shot in missing):
        raise typer.Exit(1)


def _is_admitted(studio: Studio, edition: EditionKey) -> bool:
    """Whether the run got as far as deciding about shots."""
    known = all_editions(studio.ledger, edition.tenant, edition.campaign)
    return edition.edition in {each.edition for each in known}


def _run_of(studio: Studio, ending: Ending) -> RunCost | None:
    """What the run itself did and was paid; none if it had no worker, or nothing was run."""
    if ending.run_id is None:
        return None
    edition = ending.edition
    runs = run_costs(studio.ledger, edition.tenant, edition=edition)
    return next((run for run in runs if run.run_id == ending.run_id), None)


def _missing(studio: Studio, ending: Ending) -> tuple[ShotView, ...]:
    """The shots that were asked for and have no video."""
    return tuple(
        shot
        for shot in edition_shots_view(studio.ledger, ending.edition)
        if (ending.only is None or shot.shot in ending.only)
        and shot.state != "withdrawn"
        and shot.outcome != "accepted"
    )


def _record(
    ending: Ending,
    page: str,
    totals: EditionTotals | None,
    run: RunCost | None,
    missing: Collection[ShotView],
) -> dict[str, Any]:
    record: dict[str, Any] = {
        "campaign": ending.edition.campaign,
        "edition": ending.edition.edition,
        "run_id": ending.run_id,
        "problem": ending.problem or None,
        "seconds": round(ending.seconds, 3),
    }
    if totals is None:
        return record
    return {
        **record,
        "page": page,
        "shots": totals.shots,
        "accepted": totals.accepted,
        "reused": totals.reused,
        "rendered_now": run.accepted_takes if run else 0,
        "run_cost_usd": usd(run.paid_micro_usd if run else 0),
        "failed": totals.failed,
        "waiting": totals.waiting,
        "gpu_seconds": seconds_of(totals.gpu_microseconds),
        "cost_usd": usd(totals.cost_micro_usd),
        "cost_micro_usd": totals.cost_micro_usd,
        "missing": [
            {"shot": shot.shot, "state": state_of(shot), "reason": _cause(shot) or None}
            for shot in missing
        ],
    }


def _say(
    ending: Ending,
    page: str,
    totals: EditionTotals,
    run: RunCost | None,
    missing: Collection[ShotView],
) -> None:
    edition, out = ending.edition, console()
    name = Text(f"\n{edition.campaign}/{edition.edition}", "bold")
    videos = "1 video" if totals.accepted == 1 else f"{totals.accepted} videos"
    out.print(name.append(f": {videos} in {ending.seconds:.0f} s", "not bold"))
    out.print(f"  {_counts(totals, run)}")
    for line in _causes(missing):
        out.print(line, soft_wrap=True)
    out.print(f"  {_costs(totals, run)}")
    out.print(f"  page: {page}", soft_wrap=True)


def _counts(totals: EditionTotals, run: RunCost | None) -> str:
    rendered = run.accepted_takes if run else 0
    kept = totals.accepted - totals.reused - rendered
    words = [f"rendered {rendered}", f"reused {totals.reused}", f"failed {totals.failed}"]
    return ", ".join([words[0], f"kept {kept}", *words[1:]] if kept > 0 else words)


def _costs(totals: EditionTotals, run: RunCost | None) -> str:
    """Of this run, and of the edition where that has cost more."""
    gpu_seconds = seconds_of(run.gpu_microseconds if run else 0)
    paid = run.paid_micro_usd if run else 0
    now = f"${usd(paid)} for {gpu_seconds:.1f} GPU-seconds"
    if totals.cost_micro_usd == paid:
        return now
    return f"{now}; ${usd(totals.cost_micro_usd)} for the edition until now"


def _causes(missing: Collection[ShotView]) -> Iterator[str]:
    """Why shots have no video, the most frequent cause first, each with a shot that it stopped."""
    causes = Counter((state_of(shot), _cause(shot)) for shot in missing)
    for (state, cause), number in causes.most_common(CAUSES_SHOWN):
        first = next(s.shot for s in missing if (state_of(s), _cause(s)) == (state, cause))
        others = f" and {number - 1} more" if number > 1 else ""
        yield f"  {state}: {first}{others}" + (f": {cause}" if cause else "")


def _cause(shot: ShotView) -> str:
    return shot.error_message or shot.reason
