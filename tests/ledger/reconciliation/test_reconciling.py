"""Video costs + overheads + idle time + differences are what is asked, to the last digit."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger.invoices.focus import write
from tests.ledger.scenes import PRICE, Scene, shots
from wan_pipelines.ledger.corrections import Rerating, Selection, rerate
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.fleets import Fleet
from wan_pipelines.ledger.idle import charge_idle
from wan_pipelines.ledger.invoices.book import import_invoice
from wan_pipelines.ledger.invoices.lines import Basis, Cost, InvoiceLine
from wan_pipelines.ledger.invoices.reading import read_invoice
from wan_pipelines.ledger.reconciliation.billing import ClassRule, Subject, bill
from wan_pipelines.ledger.reconciliation.periods import Period
from wan_pipelines.ledger.reconciliation.reconciling import Reconciliation, compared, reconcile
from wan_pipelines.ledger.reconciliation.spending import Spending

MARCH = Period.parse("2026-03")
RULES = (
    ClassRule("laptop-cpu", skus=frozenset({"cpu"})),
    ClassRule("h100", tags=(("pool", "h100"),), gpus_per_unit=8),
)
CPU = Subject("gpu", "laptop-cpu")
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)


def line(**changes: object) -> InvoiceLine:
    """An hour of a processor, for a dollar."""
    starts_at = MIDNIGHT + timedelta(hours=12)
    given = {
        "identity": "a",
        "line": 2,
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=1),
        "category": "Usage",
        "billed": Cost(1_000_000),
        "effective": Cost(1_000_000),
        "sku": "cpu",
        "quantity": Decimal(1),
        "unit": "Hours",
    }
    return InvoiceLine(**{**given, **changes})


def against(spent: Spending, *lines: InvoiceLine) -> Reconciliation:
    charged = {(MIDNIGHT.date(), "laptop-cpu"): spent} if spent.pieces else {}
    return compared(bill(lines, RULES, MARCH, "billed"), charged, MARCH, "billed")


def hours(number: float, micro_usd: int) -> Spending:
    return Spending(Counter(render=micro_usd), int(number * 3_600_000_000), 1)


def causes(found: Reconciliation) -> dict[str, int]:
    return {each.cause: each.micro_usd for row in found.rows for each in row.differences}


@pytest.mark.parametrize(
    ("spent", "lines", "expected"),
    [
        (hours(1, 1_000_000), [line()], {}),
        (hours(1, 900_000), [line()], {"price": 100_000}),
        (hours(0.5, 500_000), [line()], {"hours": 500_000}),
        (hours(0.5, 400_000), [line()], {"hours": 400_000, "price": 200_000}),
        (hours(2, 2_000_000), [line()], {"hours": -1_000_000}),
        (hours(1, 999_999), [line()], {"rounding": 1}),
        (Spending(), [line()], {"hours": 1_000_000}),
        (hours(1, 1_000_000), [], {"not invoiced": -1_000_000}),
        (hours(1, 500_000), [line(unit="Requests")], {"no hours": 500_000}),
        (Spending(), [line(sku="disk")], {"unknown": 1_000_000}),
        (Spending(), [line(category="Tax")], {"tax": 1_000_000}),
        (Spending(), [line(category="Credit", billed=Cost(-5))], {"credit": -5}),
        (Spending(), [line(category="Adjustment", billed=Cost(7))], {"adjustment": 7}),
    ],
)
def test_each_difference_has_its_cause(
    spent: Spending, lines: list[InvoiceLine], expected: dict[str, int]
):
    assert causes(against(spent, *lines)) == expected


def test_a_difference_in_price_says_what_was_expected():
    (row,) = against(hours(1, 900_000), line()).rows
    (difference,) = row.differences
    assert difference.words == (
        "1.000 GPU-hours at $0.9000 an hour as charged would be $0.90; invoiced at $1.0000 an hour"
    )


def test_hours_of_a_node_are_those_of_its_gpus():
    node = line(sku="node", tags={"pool": "h100"}, quantity=Decimal("1.5"))
    (row,) = against(Spending(), node).rows
    assert (row.subject.name, row.billed.gpu_microseconds) == ("h100", 12 * 3_600_000_000)


def test_effective_costs_are_compared_where_that_is_asked():
    prepaid = line(billed=Cost(0), effective=Cost(750_000))
    found = bill([prepaid], RULES, MARCH, "effective")
    assert found.by_day[MIDNIGHT.date(), CPU].micro_usd == 750_000


def test_a_line_across_the_border_is_counted_as_far_as_it_lies_inside():
    begin = datetime(2026, 2, 28, 12, tzinfo=UTC)
    across = line(starts_at=begin, ends_at=begin + timedelta(days=1))
    found = against(Spending(), across)
    assert (found.asked, found.outside_micro_usd) == (500_000, 500_000)


def test_more_than_the_tolerance_is_told():
    found = against(hours(1, 900_000), line(), line(category="Tax"))
    assert found.beyond(Decimal("0.1")) == ()
    (row,) = found.beyond(Decimal("0.09"))
    assert row.subject == CPU
    (row,) = against(Spending(), line(sku="disk")).beyond(Decimal("0.5"))
    assert row.subject == Subject("unknown", "disk")
    assert against(hours(1, 995_000), line()).beyond(Decimal(0)) == ()


amounts = st.decimals(-10_000, 10_000, places=9)
moments = st.integers(-40 * 24 * 60, 40 * 24 * 60).map(
    lambda minutes: MARCH.begin + timedelta(days=15, minutes=minutes)
)
generated_lines = st.builds(
    lambda starts_at, minutes, billed, effective, **more: line(
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=minutes),
        billed=Cost.of(billed),
        effective=Cost.of(effective),
        **more,
    ),
    moments,
    st.integers(1, 60 * 24 * 40),
    amounts,
    amounts,
    category=st.sampled_from(["Usage", "Usage", "Purchase", "Tax", "Credit", "Adjustment"]),
    sku=st.sampled_from(["cpu", "disk", ""]),
    tags=st.sampled_from([{}, {"pool": "h100"}]),
    quantity=st.none() | st.decimals(0, 1000, places=4),
    unit=st.sampled_from(["Hours", "GPU-Hours", "Seconds", "Months", ""]),
)
generated_spending = st.dictionaries(
    st.tuples(
        st.integers(1, 31).map(lambda day: date(2026, 3, day)),
        st.sampled_from(["laptop-cpu", "h100", "l40s"]),
    ),
    st.builds(
        Spending,
        st.dictionaries(
            st.sampled_from(["render", "load", "wait", "idle", "replaced", "wasted", "unused"]),
            st.integers(0, 10**9),
        ).map(Counter),
        st.integers(0, 10**14),
        st.integers(1, 99),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(
    lines=st.lists(generated_lines, max_size=12),
    spent=generated_spending,
    basis=st.sampled_from(["billed", "effective"]),
)
def test_a_generated_month_adds_up_exactly(
    lines: list[InvoiceLine], spent: dict[tuple[date, str], Spending], basis: Basis
):
    asked = bill(lines, RULES, MARCH, basis)
    found = compared(asked, spent, MARCH, basis)
    charged = sum(each.total for each in spent.values())
    for rows in (found.rows, found.days):
        parts = [
            row.spent.video
            + sum(row.spent.overheads.values())
            + row.spent.idle
            + sum(each.micro_usd for each in row.differences)
            for row in rows
        ]
        assert parts == [row.billed.micro_usd for row in rows]
        assert sum(row.spent.total for row in rows) == charged
        assert sum(parts) == found.asked
    every_line = sum(each.cost(basis).micro_usd for each in lines)
    assert found.asked + found.outside_micro_usd == every_line
    begun_inside = [each for each in lines if MARCH.begin <= each.starts_at < MARCH.end]
    assert found.rest == sum(each.cost(basis).rest for each in begun_inside)


def test_what_the_ledger_charged_is_what_the_provider_asks(ledger: Ledger, tmp_path: Path):
    """A day with a worker across midnight, a reserved GPU that is idle, and their invoice."""
    scene = Scene(ledger)
    (red,) = shots("red")
    scene.admit([red])
    scene.now = MIDNIGHT + timedelta(hours=22)
    hand = scene.worker()
    hand.spend("load", 3_600_000)
    hand.render(red, 3 * 3_600_000)
    hand.close()
    fleet = Fleet("base", "laptop-cpu", 1, MIDNIGHT, micro_usd_per_gpu_hour=PRICE)
    days = (MIDNIGHT.date(), MIDNIGHT.date() + timedelta(days=1))
    charge_idle(ledger, [fleet], *days, now=MIDNIGHT + timedelta(days=3))
    hourly = {
        "SkuId": "cpu",
        "PricingQuantity": "24",
        "BilledCost": "86.40",
        "ChargePeriodStart": "2026-03-02T00:00:00Z",
        "ChargePeriodEnd": "2026-03-03T00:00:00Z",
    }
    next_day = {
        "ChargePeriodStart": "2026-03-03T00:00:00Z",
        "ChargePeriodEnd": "2026-03-04T00:00:00Z",
    }
    file = write(tmp_path / "march.csv", hourly, {**hourly, **next_day})
    import_invoice(ledger, read_invoice(file), imported_by="mira", now=scene.now)
    found = reconcile(ledger, RULES, MARCH)
    (row,) = found.rows
    assert (row.billed.micro_usd, row.difference, row.differences) == (172_800_000, 0, ())
    assert row.spent.video == 3 * PRICE
    assert row.spent.overheads == {"load": PRICE}
    assert row.spent.idle == 44 * PRICE
    assert [day.spent.idle for day in found.days] == [22 * PRICE, 22 * PRICE]
    assert [day.spent.total for day in found.days] == [24 * PRICE, 24 * PRICE]
    half = Rerating(Selection(gpu_class="laptop-cpu"), PRICE // 2, "root", "the list was wrong")
    rerate(ledger, half, now=scene.now)
    (difference,) = reconcile(ledger, RULES, MARCH).rows[0].differences
    assert (difference.cause, difference.micro_usd) == ("price", 2 * PRICE)
    assert "corrections changed what was charged by -$7.20" in difference.words
