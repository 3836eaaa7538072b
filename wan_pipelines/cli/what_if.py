"""How a campaign and what it would be otherwise are shown: side by side."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from wan_pipelines.cli.output import emit, print_json
from wan_pipelines.cli.tables import Column
from wan_pipelines.ledger.money import usd
from wan_pipelines.pages.formats import seconds
from wan_pipelines.studio.forecasting import PERCENT
from wan_pipelines.studio.what_if import WhatIf

COLUMNS = (
    Column("what_if", "What if"),
    Column("rendered", "Shots", numeric=True),
    Column("gpu_class", "On"),
    Column("gpu_hours", "GPU-h", numeric=True),
    Column("cost_usd", "USD", numeric=True),
    Column("between", f"{PERCENT} % between", numeric=True),
    Column("ends_in", "Ends in", numeric=True),
    Column("quality", "Quality"),
    Column("left", "Budget left", numeric=True),
)


def show_what_if(found: Sequence[WhatIf], *, as_json: bool) -> None:
    """The campaign as it is comes first."""
    if as_json:
        print_json({"what_if": [_record(each) for each in found]})
        return
    emit([_row(each) for each in found], COLUMNS, as_json=False, empty="")


def _record(each: WhatIf) -> dict[str, Any]:
    plan, left = each.plan, each.plan.budget_left_micro_usd
    return {
        "what_if": each.words or None,
        "counts": dict(Counter(plan.counts)),
        "rendered": len(plan.estimates),
        "gpu_class": each.gpu_class,
        "gpu_hours": round(each.gpu_hours, 6),
        "gpu_seconds_between": [round(value, 3) for value in plan.gpu_seconds_between],
        "percent": PERCENT,
        "estimated_from": plan.basis or None,
        "peak_memory_bytes": plan.peak_bytes,
        "cost_usd": usd(each.cost_micro_usd),
        "cost_usd_between": [usd(amount) for amount in each.cost_between_micro_usd],
        "workers": plan.starts.at_a_time,
        "wall_seconds": round(plan.starts.wall_seconds, 3),
        "quality": {
            tier: measured.model_dump(exclude={"processor_seconds"})
            for tier, measured in each.quality.items()
        },
        "budget_left_usd": None if left is None else usd(max(0, left - each.cost_micro_usd)),
    }


def _row(each: WhatIf) -> dict[str, Any]:
    record = _record(each)
    low, high = record["cost_usd_between"]
    left = record["budget_left_usd"]
    return {
        **record,
        "what_if": each.words or "as it is",
        "gpu_hours": f"{each.gpu_hours:.4g}",
        "between": f"{low} to {high}",
        "ends_in": seconds(each.plan.starts.wall_seconds),
        "quality": "; ".join(_quality(tier, each) for tier in sorted(each.quality)),
        "left": "" if left is None else str(left),
    }


def _quality(tier: str, each: WhatIf) -> str:
    """Fidelity to the prompt and likeness to the reference tier, as far as they were measured."""
    measured = each.quality[tier]
    figures = (("fidelity", measured.prompt_fidelity), ("VMAF", measured.vmaf))
    told = ", ".join(f"{name} {value:g}" for name, value in figures if value is not None)
    return f"{tier} {told}"
