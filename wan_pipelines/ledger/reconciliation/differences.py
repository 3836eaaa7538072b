"""Why an invoice and what was charged differ: in hours, in price, or in what either knows of.

A difference is split as controllers do it. At the price that was charged, other hours would have
made `hours`; what is left is the price of the hours that were invoiced. The parts add up exactly.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from wan_pipelines.ledger.money import MICROSECONDS_PER_HOUR, dollars, round_half_up
from wan_pipelines.ledger.reconciliation.billing import Billed, Subject
from wan_pipelines.ledger.reconciliation.spending import Spending

Cause = Literal[
    "hours",
    "price",
    "rounding",
    "not invoiced",
    "no hours",
    "unknown",
    "tax",
    "credit",
    "adjustment",
]

_WORDS: dict[str, str] = {
    "tax": "a tax, which no video is charged",
    "credit": "a credit or discount, which no video is given",
    "adjustment": "an adjustment of the provider, which no video is charged",
    "unknown": "no GPU class is recognised by it: see gpu_classes.<name>.invoiced",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """A part of what is asked and was not charged; below zero, the other way round."""

    cause: Cause
    micro_usd: int
    words: str


def differences(subject: Subject, billed: Billed, spent: Spending) -> tuple[Difference, ...]:
    """All parts of the difference between an amount asked and an amount charged, in order."""
    return tuple(each for each in _differences(subject, billed, spent) if each.micro_usd)


def _differences(subject: Subject, billed: Billed, spent: Spending) -> Iterator[Difference]:
    difference = billed.micro_usd - spent.total
    if subject.kind != "gpu":
        yield Difference(subject.kind, difference, _WORDS[subject.kind])
    elif not billed.pieces:
        yield Difference("not invoiced", difference, f"no line is about {_hours(spent)} charged")
    elif billed.unmeasured or not (billed.gpu_microseconds or spent.gpu_microseconds):
        words = "lines without hours: whether hours or price differ cannot be told"
        yield Difference("no hours", difference, words)
    else:
        yield from _by_hours_and_price(billed, spent, difference)


def _by_hours_and_price(billed: Billed, spent: Spending, difference: int) -> Iterator[Difference]:
    further = billed.gpu_microseconds - spent.gpu_microseconds
    if not spent.gpu_microseconds:
        yield Difference("hours", difference, _unheld(further))
        return
    worth = round_half_up(abs(further) * spent.total, spent.gpu_microseconds)
    in_hours = worth if further > 0 else -worth
    yield Difference("hours", in_hours, _unheld(further))
    in_price = difference - in_hours
    # Each piece of a line and of a charge was rounded to a micro-dollar once.
    if abs(in_price) <= billed.pieces + spent.pieces + 1:
        yield Difference("rounding", in_price, "amounts were rounded to micro-dollars")
        return
    expected = billed.micro_usd - in_price
    hours = f"{billed.gpu_microseconds / MICROSECONDS_PER_HOUR:.3f} GPU-hours"
    yield Difference(
        "price",
        in_price,
        f"{hours} at {_rate(spent.total, spent.gpu_microseconds)} as charged would be "
        f"{dollars(expected)}; invoiced at {_rate(billed.micro_usd, billed.gpu_microseconds)}"
        f"{_corrections(spent)}",
    )


def _corrections(spent: Spending) -> str:
    """What of a difference in price may be somebody's decision."""
    if not spent.corrected:
        return ""
    changed = dollars(spent.corrected)
    return f"; corrections changed what was charged by {changed}: see `wan charges corrections`"


def _unheld(gpu_microseconds: int) -> str:
    hours = f"{abs(gpu_microseconds) / MICROSECONDS_PER_HOUR:.3f} GPU-hours"
    if gpu_microseconds < 0:
        return f"{hours} that were charged are not invoiced"
    return f"{hours} of nodes that no worker held: starting, pulling images, or used by nobody"


def _hours(spent: Spending) -> str:
    return f"{spent.gpu_microseconds / MICROSECONDS_PER_HOUR:.3f} GPU-hours that were"


def _rate(micro_usd: int, gpu_microseconds: int) -> str:
    if not gpu_microseconds:
        return "no hours"
    return f"${micro_usd * MICROSECONDS_PER_HOUR / gpu_microseconds / 1e6:.4f} an hour"
