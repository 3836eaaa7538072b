"""What reserved GPUs cost, and which of them were idle; against a count second by second."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_pipelines.ledger.fleets import Fleet, Hold, Usage, cost_between, idle_times, paid_on
from wan_pipelines.ledger.moments import MICROSECONDS_PER_DAY, to_micros

MONTH = datetime(2026, 11, 1, tzinfo=UTC)
DAY = to_micros(MONTH)
HOUR = 3_600_000_000
HOURLY = Fleet("base", "h100", 8, MONTH, micro_usd_per_gpu_hour=1_990_000)
SECONDS = st.integers(-10, 40)


def test_a_gpu_that_nobody_holds_is_idle():
    holds = [Hold(DAY, DAY + 6 * HOUR, 8), Hold(DAY + 6 * HOUR, DAY + 12 * HOUR, 2)]
    idle = idle_times([HOURLY], holds, DAY)
    assert idle == {"base": (6 * 6 + 12 * 8) * HOUR}
    usage = Usage.of(HOURLY, DAY, idle["base"])
    assert usage == Usage(192 * HOUR, 192 * 1_990_000, 132 * HOUR, 132 * 1_990_000)


def test_what_is_held_beyond_the_fleets_is_on_demand():
    holds = [Hold(DAY, DAY + 24 * HOUR, 20)]
    assert idle_times([HOURLY], holds, DAY) == {"base": 0}


def test_the_fleet_that_was_declared_first_is_used_first():
    other = Fleet("more", "h100", 4, MONTH, micro_usd_per_month=1)
    holds = [Hold(DAY, DAY + 24 * HOUR, 9)]
    assert idle_times([HOURLY, other], holds, DAY) == {"base": 0, "more": 3 * 24 * HOUR}
    assert idle_times([other, HOURLY], holds, DAY) == {"base": 3 * 24 * HOUR, "more": 0}


def test_a_fleet_is_paid_from_its_first_to_its_last_moment():
    noon = MONTH + timedelta(hours=12)
    assert paid_on(Fleet("a", "h100", 1, noon), DAY) == (DAY + 12 * HOUR, DAY + 24 * HOUR)
    ended = Fleet("a", "h100", 1, MONTH - timedelta(days=9), noon)
    assert paid_on(ended, DAY) == (DAY, DAY + 12 * HOUR)
    for other_day in (DAY + MICROSECONDS_PER_DAY, DAY - 30 * MICROSECONDS_PER_DAY):
        starts_at, ends_at = paid_on(ended, other_day)
        assert starts_at == ends_at


@pytest.mark.parametrize("month", [1, 2, 4, 12])
@given(commitment=st.integers(0, 10**12))
def test_the_days_of_a_month_add_up_to_its_commitment(month: int, commitment: int):
    first = datetime(2027, month, 1, tzinfo=UTC)
    fleet = Fleet("base", "h100", 3, MONTH, micro_usd_per_month=commitment)
    days = [first + timedelta(days=number) for number in range(31)]
    costs = [
        cost_between(fleet, *paid_on(fleet, to_micros(day))) for day in days if day.month == month
    ]
    assert sum(costs) == commitment
    assert max(costs) - min(costs) <= 1


@given(
    gpus=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    bounds=st.lists(st.tuples(SECONDS, SECONDS), min_size=3, max_size=3),
    holds=st.lists(st.tuples(SECONDS, SECONDS, st.integers(1, 5)), max_size=6),
)
def test_idle_time_is_what_a_count_by_the_second_finds(
    gpus: list[int], bounds: list[tuple[int, int]], holds: list[tuple[int, int, int]]
):
    fleets = [
        Fleet(str(number), "h100", some, _at(since), _at(until), micro_usd_per_gpu_hour=1)
        for number, (some, (since, until)) in enumerate(zip(gpus, bounds, strict=False))
    ]
    held = [Hold(_micros(begin), _micros(end), some) for begin, end, some in holds]
    expected = dict.fromkeys((fleet.name for fleet in fleets), 0)
    for second in range(41):
        left = sum(some for begin, end, some in holds if begin <= second < end)
        for fleet, (since, until) in zip(fleets, bounds, strict=False):
            if since <= second < until:
                used = min(fleet.gpus, left)
                left -= used
                expected[fleet.name] += (fleet.gpus - used) * 1_000_000
    assert idle_times(fleets, held, DAY) == expected


def _at(second: int) -> datetime:
    return MONTH + timedelta(seconds=second)


def _micros(second: int) -> int:
    return DAY + second * 1_000_000
