from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_pipelines.ledger.moments import (
    from_micros,
    from_micros_or_none,
    micros_in,
    seconds_of,
    to_micros,
)


@given(st.datetimes(timezones=st.just(UTC)))
def test_no_microsecond_is_lost(moment: datetime):
    assert from_micros(to_micros(moment)) == moment


def test_any_time_zone_is_understood():
    east = datetime(2026, 3, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert from_micros(to_micros(east)) == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_moment_without_time_zone_is_a_mistake():
    with pytest.raises(TypeError):
        to_micros(datetime(2026, 3, 1))  # noqa: DTZ001 (that is the point)


def test_nothing_stays_nothing():
    assert from_micros_or_none(None) is None
    assert from_micros_or_none(0) == datetime(1970, 1, 1, tzinfo=UTC)


def test_durations_are_told_in_seconds_and_kept_in_microseconds():
    assert seconds_of(1_500_000) == 1.5
    assert micros_in(0.1 + 0.2) == 300_000
    assert micros_in(seconds_of(123_456_789)) == 123_456_789
