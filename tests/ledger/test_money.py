from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_pipelines.ledger.money import dollars, micro_usd, round_half_up, usd


def test_dollars_are_exact():
    assert usd(1_250_000) == Decimal("1.25")
    assert str(usd(1)) == "0.000001"
    assert micro_usd(Decimal("0.08")) == 80_000


@given(st.integers(-(10**15), 10**15))
def test_micro_dollars_survive_the_way_there_and_back(amount: int):
    assert micro_usd(usd(amount)) == amount


@pytest.mark.parametrize("amount", ["0.0000001", "NaN", "Infinity"])
def test_what_is_finer_than_a_micro_dollar_is_refused(amount: str):
    with pytest.raises(ValueError, match="whole number of micro-dollars"):
        micro_usd(Decimal(amount))


def test_halves_are_rounded_upwards():
    assert [round_half_up(n, 2) for n in range(5)] == [0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("amount", "told"),
    [(0, "$0.00"), (2_690_000, "$2.69"), (-100_000, "-$0.10"), (1, "$0.000001")],
)
def test_amounts_are_told_exactly_and_with_cents(amount: int, told: str):
    assert dollars(amount) == told
