from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest
from dagster._utils.schedules import is_valid_cron_string
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from wan_pipelines.campaigns.schedules import Schedule


def schedule(cron: str = "0 3 * * *", time_zone: str = "UTC") -> Schedule:
    return Schedule.model_validate({"cron": cron, "time_zone": time_zone, "start": "2026-11-01"})


def field(low: int, high: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    number = st.integers(low, high).map(str)
    pair = st.tuples(st.integers(low, high), st.integers(low, high)).map(sorted)
    span = pair.map(lambda ends: f"{ends[0]}-{ends[1]}")
    step = st.integers(1, high).map(lambda every: f"*/{every}")
    part = st.one_of(number, span, *([st.sampled_from(names)] if names else []))
    return st.one_of(st.just("*"), step, st.lists(part, min_size=1, max_size=3).map(",".join))


crons = st.tuples(
    field(0, 59),
    field(0, 23),
    field(1, 28),
    field(1, 12, ("jan", "JUL")),
    field(0, 6, ("mon", "WED")),
).map(" ".join)


@given(crons)
def test_what_is_accepted_here_is_accepted_by_dagster(cron: str) -> None:
    assert is_valid_cron_string(schedule(cron).cron)


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("", "It has 0 fields, not the five: minute hour"),
        ("0 0 3 * * *", "It has 6 fields"),
        ("@daily", "It has 1 fields"),
        ("60 3 * * *", "Bad minute"),
        ("0 24 * * *", "Bad hour"),
        ("0 3 30 2 *", "Bad day-of-month"),
        ("*/0 3 * * *", "Bad minute"),
        ("0 3 L * *", "'L' is not a number, name, list, range or step"),
        ("0 3 * * 5L", "'5L' is not a number"),
        ("0 3 * * mon#1", "'mon#1' is not a number"),
        ("0 3 * * someday", "Bad day-of-week|is not a number"),
        ("0 3 ? * *", "is not a number"),
    ],
)
def test_what_nobody_would_run_is_refused(cron: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        schedule(cron)


def test_spaces_do_not_matter() -> None:
    assert schedule("  0   3 * * mon-fri ").cron == "0 3 * * mon-fri"


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../UTC", "/etc/localtime", "europe/berlin"])
def test_only_real_time_zones_are_accepted(name: str) -> None:
    with pytest.raises(ValidationError, match="There is no such time zone"):
        schedule(time_zone=name)


def test_every_iana_zone_is_accepted_and_usable() -> None:
    for name in available_timezones():
        assert datetime(2026, 1, 1, tzinfo=ZoneInfo(schedule(time_zone=name).time_zone)).tzinfo
