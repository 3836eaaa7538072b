"""Nights, as clocks show them."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from wan_pipelines.scheduling.policy import FairShare, beginnings
from wan_pipelines.scheduling.records import Scene, Slots, Waiting
from wan_pipelines.scheduling.settings import NightWindow, Scheduling

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = NightWindow(begins="22:00", ends="06:00", time_zone="Europe/Berlin")


def at(hour: int, minute: int = 0, *, month: int = 7) -> float:
    return datetime(2026, month, 14, hour, minute, tzinfo=BERLIN).timestamp()


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (at(21, 59), False),
        (at(22), True),
        (at(3), True),
        (at(5, 59, month=1), True),
        (at(6), False),
    ],
)
def test_a_night_passes_midnight_in_its_own_time_zone(moment: float, is_open: bool):
    assert NIGHT.is_open(moment) == is_open


def test_a_window_of_the_day_does_not():
    noon = NightWindow(begins="11:00", ends="13:00", time_zone="Europe/Berlin")
    assert noon.is_open(at(12))
    assert not noon.is_open(at(23))


@pytest.mark.parametrize("words", ["25:00", "6:00", "noon", "06:00"])
def test_a_time_that_no_clock_shows_or_that_ends_it_at_once_is_refused(words: str):
    with pytest.raises(ValidationError):
        NightWindow(begins=words, ends="06:00")


@pytest.mark.parametrize(("hour", "begins"), [(12, 0), (23, 1)])
def test_the_night_opens_on_demand_gpus_to_what_can_wait(hour: int, begins: int):
    now = at(hour)
    waits = Waiting("w", "ann", "b", 600, now, ("h100", "h100-spot"), can_wait=True)
    slots = {"h100": Slots(1), "h100-spot": Slots(0, "spot")}
    found = beginnings(FairShare(Scheduling(night=NIGHT)), Scene(now, [waits], [], slots))
    assert len(found) == begins
