"""How a plan is shown: the shots, and what they come to."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from wan_pipelines.cli.output import console, note, print_json
from wan_pipelines.cli.tables import Column, print_table
from wan_pipelines.ledger.money import usd
from wan_pipelines.studio.estimates import ShotEstimate
from wan_pipelines.studio.forecasting import PERCENT
from wan_pipelines.studio.headroom import Headroom
from wan_pipelines.studio.plan_words import expected
from wan_pipelines.studio.plans import EditionPlan, PlannedShot
from wan_pipelines.units import GB

ROWS_ON_TERMINAL = 50
REASONS_SHOWN = 10
COLUMNS = (
    Column("shot", "Shot"),
    Column("outcome", "Would be"),
    Column("gpu_seconds", "GPU-s", numeric=True),
    Column("peak_memory_gb", "GB", numeric=True),
    Column("cost_usd", "USD", numeric=True),
    Column("reason", "Why", beneath=True),
)


def show_plan(
    plan: EditionPlan, *, as_json: bool, everything: bool = False, left: Sequence[Headroom] = ()
) -> None:
    """A plan, shot by shot, with its totals last, where they stay in sight; and what is left."""
    records = [_record(planned) for planned in plan.shots]
    if as_json:
        print_json({**_totals(plan), "left": [asdict(each) for each in left], "plan": records})
        return
    out = console()
    shown = len(records) if everything or not out.is_terminal else ROWS_ON_TERMINAL
    print_table(out, records[:shown], COLUMNS)
    if len(records) > shown:
        out.print(f"… and {len(records) - shown} more: --all shows them.")
    for line in _summary(plan):
        out.print(line, soft_wrap=True)
    for each in left:
        out.print(f"  of {each.what}: {each.left} left, {each.after} then", soft_wrap=True)
    if plan.over_budget:
        note(f"This is more than the budget of ${usd(plan.budget_micro_usd or 0)}.", "yellow")


def _record(planned: PlannedShot) -> dict[str, Any]:
    request = planned.shot.request
    return {
        "shot": planned.shot.name,
        "state": planned.state,
        "outcome": _outcome(planned),
        "reason": planned.why or None,
        "may_run_at": planned.may_run_at,
        "gpu_seconds": round(planned.gpu_seconds, 3),
        "cost_usd": usd(planned.cost_micro_usd),
        **_sureness(planned.estimate),
        "prompt": request.prompt,
        "seed": request.seed,
        "width": request.width,
        "height": request.height,
        "frames": request.frames,
        "segments": planned.estimate and planned.estimate.segments,
        "tier": planned.shot.tier,
        "render_key": planned.shot.render_key,
    }


def _sureness(estimate: ShotEstimate | None) -> dict[str, Any]:
    """Memory, and what an estimate lies between and rests on; nothing of what is not rendered."""
    return {
        "peak_memory_gb": estimate and round(estimate.peak_bytes / GB, 1),
        "gpu_seconds_between": estimate
        and [round(estimate.low_seconds, 3), round(estimate.high_seconds, 3)],
        "estimated_from": estimate and estimate.basis,
    }


def _outcome(planned: PlannedShot) -> str:
    """What a launch would do with the shot: `kept` is what this edition has rendered already."""
    if planned.renders:
        return "rendered"
    return "kept" if planned.state == "admitted" else planned.state


def _totals(plan: EditionPlan) -> dict[str, Any]:
    return {
        "campaign": plan.edition.campaign,
        "edition": plan.edition.edition,
        "tenant": plan.edition.tenant,
        "counts": dict(Counter(map(_outcome, plan.shots))),
        "gpu_seconds": round(plan.gpu_seconds, 3),
        "gpu_seconds_between": [round(seconds, 3) for seconds in plan.gpu_seconds_between],
        "percent": PERCENT,
        "peak_memory_gb": round(plan.peak_bytes / GB, 1),
        "estimated_from": plan.basis or None,
        "workers": plan.starts.workers,
        "start_gpu_seconds": round(plan.starts.gpu_seconds, 3),
        "wall_seconds": round(plan.starts.wall_seconds, 3),
        "cost_usd": usd(plan.cost_micro_usd),
        "cost_usd_between": [usd(amount) for amount in plan.cost_between_micro_usd],
        "budget_usd": None if plan.budget_micro_usd is None else usd(plan.budget_micro_usd),
    }


def _summary(plan: EditionPlan) -> Iterator[str]:
    """What the plan comes to, and how many shots there are of each outcome, with its reason."""
    name = f"{plan.edition.campaign}/{plan.edition.edition}"
    shots = "1 shot" if len(plan.shots) == 1 else f"{len(plan.shots)} shots"
    yield f"\n{name}: {shots}, {expected(plan)}"
    outcomes = Counter((_outcome(planned), planned.why) for planned in plan.shots)
    for (outcome, why), number in outcomes.most_common(REASONS_SHOWN):
        yield f"  {number} {outcome}" + (f": {why}" if why else "")
