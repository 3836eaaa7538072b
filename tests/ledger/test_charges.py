from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_pipelines.ledger.charges import Share, Spent, apportion, split
from wan_pipelines.ledger.money import price_of

HOUR = 3_600_000_000
spans = st.lists(
    st.builds(
        Spent,
        kind=st.sampled_from(["load", "text", "denoise", "decode", "wait", "idle"]),
        microseconds=st.integers(0, 10 * HOUR),
        take_id=st.none() | st.sampled_from(["a", "b", "c"]),
    ),
    max_size=30,
)


@given(total=st.integers(0, 10**15), weights=st.lists(st.integers(0, 10**12), min_size=1))
def test_parts_add_up_and_are_less_than_one_unit_off(total: int, weights: list[int]):
    if not any(weights):
        weights[0] = 1
    parts = apportion(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1


@given(spans, st.integers(1, 8), st.integers(0, 10**8), st.integers(0, 100 * HOUR))
def test_charges_are_what_was_paid_to_the_micro_dollar(
    spent: list[Spent], gpus: int, price: int, elapsed: int
):
    paid = price_of(gpu_count=gpus, microseconds=elapsed, micro_usd_per_gpu_hour=price)
    shares = split(paid, gpus * elapsed, spent)
    assert sum(share.micro_usd for share in shares) == paid
    assert sum(share.gpu_microseconds for share in shares) == gpus * elapsed
    assert all(share.micro_usd >= 0 and share.gpu_microseconds >= 0 for share in shares)
    cells = Counter((share.take_id, share.kind) for share in shares)
    assert all(count == 1 for count in cells.values())


@given(spans, st.integers(1, 10**12))
def test_a_take_pays_in_proportion_to_its_own_time(spent: list[Spent], paid: int):
    own = Counter[str]()
    for span in spent:
        if span.take_id:
            own[span.take_id] += span.microseconds
    shares = split(paid, 0, spent)
    direct = sum(own.values())
    if not direct:
        assert {share.take_id for share in shares} <= {None}
        return
    for take_id, microseconds in own.items():
        amounts = [share.micro_usd for share in shares if share.take_id == take_id]
        assert abs(sum(amounts) - Fraction(paid * microseconds, direct)) < 6  # one a kind
    assert None not in {share.take_id for share in shares}


def test_overhead_is_told_apart_from_a_takes_own_time():
    spent = [Spent("load", 30), Spent("denoise", 60, "a"), Spent("denoise", 30, "b")]
    assert split(1200, 120, spent) == (
        Share("a", "load", gpu_microseconds=20, micro_usd=200),
        Share("b", "load", gpu_microseconds=10, micro_usd=100),
        Share("a", "denoise", gpu_microseconds=60, micro_usd=600),
        Share("b", "denoise", gpu_microseconds=30, micro_usd=300),
    )


def test_a_worker_without_takes_keeps_its_overhead():
    assert split(900, 90, [Spent("load", 60), Spent("idle", 30)]) == (
        Share(None, "load", gpu_microseconds=60, micro_usd=600),
        Share(None, "idle", gpu_microseconds=30, micro_usd=300),
    )
    assert split(900, 90, []) == (Share(None, "idle", gpu_microseconds=90, micro_usd=900),)


@pytest.mark.parametrize(
    ("gpus", "microseconds", "price", "paid"),
    [
        (1, HOUR, 2_500_000, 2_500_000),
        (8, HOUR // 2, 2_500_000, 10_000_000),
        (1, 1, 1_800_000_000, 1),  # half a micro-dollar is rounded up
        (1, 1, 1_799_999_999, 0),
        (1, 0, 2_500_000, 0),
    ],
)
def test_a_worker_is_paid_by_gpus_time_and_price(
    gpus: int, microseconds: int, price: int, paid: int
):
    assert price_of(gpu_count=gpus, microseconds=microseconds, micro_usd_per_gpu_hour=price) == paid
