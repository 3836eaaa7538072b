from datetime import UTC, datetime, timedelta, timezone

import pytest

from wan_pipelines.pages.formats import exact_money, money, percent, plural, seconds, when


@pytest.mark.parametrize(
    ("micro_usd", "text"),
    [
        (0, "$0.00"),
        (1, "$0.000001"),
        (9_999, "$0.009999"),
        (10_000, "$0.0100"),
        (80_049, "$0.0800"),
        (999_949, "$0.9999"),
        (1_000_000, "$1.00"),
        (1_234_567_890_123, "$1,234,567.89"),
        (-250_000, "−$0.2500"),
    ],
)
def test_money_is_as_precise_as_its_size_asks_for(micro_usd: int, text: str) -> None:
    assert money(micro_usd) == text


def test_exact_money_keeps_every_micro_dollar_of_large_amounts() -> None:
    assert exact_money(9_007_199_254_740_993) == "$9,007,199,254.740993"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.00 s"),
        (1.624, "1.62 s"),
        (9.994, "9.99 s"),
        (9.996, "10.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (185.4, "3 min 05 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 00 min"),
        (7_805, "2 h 10 min"),
        (4_000_000, "1,111 h 07 min"),
    ],
)
def test_durations_change_their_unit_without_ever_reading_sixty(value: float, text: str) -> None:
    assert seconds(value) == text


def test_moments_are_told_in_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert when(datetime(2025, 3, 1, 8, 5, tzinfo=tokyo)) == "28 Feb 2025, 23:05 UTC"
    assert when(datetime(2025, 3, 1, 8, 5, tzinfo=UTC)) == "1 Mar 2025, 08:05 UTC"


def test_small_shares_do_not_read_as_nothing() -> None:
    assert [percent(part, 1000) for part in (0, 1, 5, 284, 1000)] == [
        "0 %",
        "<1 %",
        "0 %",
        "28 %",
        "100 %",
    ]
    assert percent(0, 0) == "0 %"


def test_counts_agree_with_their_nouns() -> None:
    assert (plural(1, "shot"), plural(1_200, "shot")) == ("1 shot", "1,200 shots")
    assert plural(0, "entry", "entries") == "0 entries"
