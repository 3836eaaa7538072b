from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_pipelines.ledger.invoices.lines import Cost


@given(st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False))
def test_an_amount_is_kept_exactly(dollars: Decimal):
    asked = Cost.of(dollars)
    assert Decimal(0) <= asked.rest < Decimal("0.000001")
    micro, rest = asked.micro_usd, asked.rest
    numerator, denominator = dollars.as_integer_ratio()
    rest_numerator, rest_denominator = rest.as_integer_ratio()
    assert numerator * 10**6 * rest_denominator == denominator * (
        micro * rest_denominator + rest_numerator * 10**6
    )


def test_below_zero_what_is_finer_is_above_the_micro_dollar():
    assert Cost.of(Decimal("-0.0000001")) == Cost(-1, Decimal("0.0000009"))
    assert Cost.of(Decimal("2.69")) == Cost(2_690_000)


def test_what_no_invoice_asks_is_refused():
    with pytest.raises(ValueError, match="more than any invoice asks"):
        Cost.of(Decimal("1e10"))
