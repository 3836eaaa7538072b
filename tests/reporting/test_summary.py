"""Sums are exact, whatever they are made by; what they mean is told where it means something."""

from datetime import date

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from wan_pipelines.ledger.reports.spending_rows import COLUMNS, MEASURES, IdleSpending
from wan_pipelines.reporting.frames import frame_of, idle_frame, of_day
from wan_pipelines.reporting.summary import described, records, summed, total

ALL_DIMENSIONS = ["day", "tenant", "campaign", "user", "tier", "gpu_class", "shape"]


def row(campaign: str | None = "autumn", **measures: int | None) -> tuple[object, ...]:
    """A row of the ledger; what is not named is `name`, and nothing."""
    known = {"campaign": campaign, "width": 1280, "height": 720, "frames": 81}
    words = [known.get(name, name) for name in COLUMNS["group"]]
    return (*words, *(measures.get(name, 0) for name in MEASURES))


def frame(*rows: tuple[object, ...]) -> pd.DataFrame:
    return of_day(date(2026, 11, 21), [frame_of(list(rows))])


amounts = st.lists(
    st.tuples(st.sampled_from(["autumn", "spring", None]), st.integers(-(2**40), 2**55)),
    max_size=6,
)


@given(amounts, st.lists(st.sampled_from(ALL_DIMENSIONS), unique=True))
def test_no_sum_loses_a_micro_dollar(paid: list[tuple[str | None, int]], by: list[str]):
    found = frame(*(row(campaign, micro_usd=amount) for campaign, amount in paid))
    assert total(summed(found, by)) == sum(amount for _, amount in paid)


def test_what_costs_most_comes_first():
    found = summed(frame(row("small", micro_usd=1), row("large", micro_usd=2)), ["campaign"])
    assert list(found["campaign"]) == ["large", "small"]


def test_a_thousand_videos_cost_a_thousand_times_the_average():
    paid = row(videos=4, micro_usd=300_000, gpu_microseconds=7_200_000_000)
    (told,) = records(described(summed(frame(paid), [])))
    assert told["usd"] == "0.300000"
    assert told["usd_per_1000"] == 75.0
    assert told["gpu_hours_per_1000"] == 500.0


def test_nothing_is_per_thousand_where_nothing_came_of_it():
    (told,) = records(described(summed(frame(row(micro_usd=5, wasted_micro_usd=5)), [])))
    assert told["usd_per_1000"] is None
    assert told["wasted_share"] == 1.0


def test_shares_are_parts_of_all_money():
    paid = row(micro_usd=100, load_micro_usd=20, wait_micro_usd=5, idle_micro_usd=4)
    idle = idle_frame([IdleSpending("h100", 3_600_000_000, 100)])
    found = of_day(date(2026, 11, 21), [frame_of([paid]), idle])
    (told,) = records(described(summed(found, [])))
    assert (told["load_share"], told["idle_share"]) == (0.1, 109 / 200)
    assert told["gpu_hours"] == 1.0


def test_nothing_paid_is_no_share_of_anything():
    (told,) = records(described(summed(frame(), [])))
    assert (told["usd"], told["idle_share"]) == ("0.000000", 0.0)


def test_a_size_is_told_as_people_do():
    assert list(frame(row())["shape"]) == ["1280x720x81"]
