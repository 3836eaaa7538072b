from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_pipelines.ledger.moments import to_micros
from wan_pipelines.ledger.reconciliation.periods import Period, Span, spans_of, split_over

MARCH = Period.parse("2026-03")
HOUR = 3_600_000_000


def test_a_month_or_a_day_is_a_period():
    assert Period(date(2026, 3, 1), date(2026, 3, 31)) == MARCH
    assert Period.parse("2028-02").last == date(2028, 2, 29)
    assert Period.parse("2026-12").end == datetime(2027, 1, 1, tzinfo=UTC)
    assert Period.parse("2026-03-02").begin == datetime(2026, 3, 2, tzinfo=UTC)
    for words in ("march", "2026-13", "2026-02-30", "", "2026", "9999-12", "9999-12-31"):
        with pytest.raises(ValueError, match="is no period such as 2026-11"):
            Period.parse(words)


def test_an_interval_is_cut_at_midnights_and_borders():
    starts_at = to_micros(datetime(2026, 2, 28, 22, tzinfo=UTC))
    spans = spans_of(starts_at, starts_at + 28 * HOUR, MARCH)
    assert spans == (
        Span(None, 2 * HOUR),
        Span(date(2026, 3, 1), 24 * HOUR),
        Span(date(2026, 3, 2), 2 * HOUR),
    )
    assert split_over(-28, spans) == [-2, -24, -2]


@given(
    start=st.integers(-50 * 24, 50 * 24),
    hours=st.integers(1, 2000),
    amount=st.integers(-(10**9), 10**9),
)
def test_nothing_of_an_amount_is_lost(start: int, hours: int, amount: int):
    starts_at = to_micros(MARCH.begin) + start * HOUR
    spans = spans_of(starts_at, starts_at + hours * HOUR, MARCH)
    assert sum(span.microseconds for span in spans) == hours * HOUR
    assert sum(split_over(amount, spans)) == amount
    inside = [span.day for span in spans if span.day]
    assert inside == sorted(set(inside))
    assert all(MARCH.first <= day <= MARCH.last for day in inside)
