"""Sums by any dimensions, and what they mean per thousand videos and in shares."""

from collections.abc import Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from wan_pipelines.ledger.money import MICROSECONDS_PER_HOUR, usd
from wan_pipelines.reporting.frames import TALLIES

if TYPE_CHECKING:
    import pandas as pd

THOUSAND = 1000
SHARES = {
    "wasted_share": ("wasted_micro_usd",),
    "retried_share": ("retried_micro_usd",),
    "degraded_share": ("degraded_micro_usd",),
    "load_share": ("load_micro_usd",),
    "idle_share": ("wait_micro_usd", "idle_micro_usd", "lost_micro_usd", "unused_micro_usd"),
}
"""Parts of all money, from 0 to 1. Idle: a GPU was paid for, and did nothing that anybody knows."""


def summed(spending: "pd.DataFrame", by: Sequence[str]) -> "pd.DataFrame":
    """Tallies added up by columns, dearest first; one row in all if there are none."""
    if not by:
        return spending[list(TALLIES)].sum().to_frame().T.astype("int64")
    groups = spending.groupby(list(by), sort=True, dropna=False)
    found = groups.agg(dict.fromkeys(TALLIES, "sum")).reset_index()
    return found.sort_values("micro_usd", ascending=False, kind="stable", ignore_index=True)


def total(frame: "pd.DataFrame", column: str = "micro_usd") -> int:
    """The sum of a column of tallies."""
    return int(frame[column].to_numpy().sum())


def records(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """The rows by name; what is not known is None."""
    rows = frame.to_dict("records")
    return [{str(name): _known(value) for name, value in row.items()} for row in rows]


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and isnan(value) else value


def described(sums: "pd.DataFrame") -> "pd.DataFrame":
    """Sums with what people ask for: dollars, GPU-hours, per thousand videos, shares.

    Dollars are exact decimals as text. Where nothing came of it, nothing is per thousand.
    """
    found = sums.copy()
    videos = sums["videos"].where(sums["videos"] > 0)
    found["usd"] = [str(usd(int(amount))) for amount in sums["micro_usd"]]
    found["gpu_hours"] = sums["gpu_microseconds"] / MICROSECONDS_PER_HOUR
    found["usd_per_1000"] = sums["micro_usd"] * THOUSAND / videos / 1e6
    found["gpu_hours_per_1000"] = found["gpu_hours"] * THOUSAND / videos
    paid = sums["micro_usd"].where(sums["micro_usd"] > 0)
    for share, parts in SHARES.items():
        found[share] = (sums[list(parts)].sum(axis=1) / paid).fillna(0.0)
    return found
