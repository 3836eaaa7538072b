"""What must be true of a ledger after anything happened, read straight from its tables."""

from collections import Counter
from datetime import UTC, datetime

from sqlalchemy import func, select

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.moments import EPOCH
from wan_pipelines.ledger.money import price_of
from wan_pipelines.ledger.postings import POSTINGS
from wan_pipelines.ledger.reports.spending_rows import KINDS, MEASURES, idle_spending, spending
from wan_pipelines.ledger.tables import (
    ChargeRow,
    EditionShotRow,
    PriceRow,
    QuotaEntryRow,
    TakeRow,
    WorkerRow,
)
from wan_pipelines.ledger.whose import House

EVERYBODY = House("audit")
FAR = datetime(2100, 1, 1, tzinfo=UTC)
TIME = "gpu_microseconds"
PARTS = ("rendered_micro_usd", "loaded_micro_usd", "waited_micro_usd", "wasted_micro_usd")


def used(ledger: Ledger) -> dict[tuple[str, str, str], int]:
    """Sum of quota entries by tenant, user and day."""
    key = (QuotaEntryRow.tenant, QuotaEntryRow.user, QuotaEntryRow.day)
    with ledger.read(House("audit")) as session:
        sums = session.execute(select(*key, func.sum(QuotaEntryRow.shots)).group_by(*key))
        return {(tenant, user, day): int(total) for tenant, user, day, total in sums}


def kinds(ledger: Ledger) -> Counter[str]:
    """How many quota entries there are of each kind."""
    with ledger.read(House("audit")) as session:
        return Counter(session.scalars(select(QuotaEntryRow.kind)))


def open_reservations(ledger: Ledger) -> set[str]:
    """Reservations that are neither settled nor released."""
    with ledger.read(House("audit")) as session:
        entries = session.execute(select(QuotaEntryRow.reservation, QuotaEntryRow.kind)).all()
    closed = {reservation for reservation, kind in entries if kind != "reserve"}
    return {reservation for reservation, _ in entries} - closed


def held_reservations(ledger: Ledger) -> set[str]:
    """Reservations that wait with a shot or are held by a running take."""
    running = select(TakeRow.reservation).where(TakeRow.outcome == "running")
    with ledger.read(House("audit")) as session:
        waiting = session.scalars(select(EditionShotRow.reservation)).all()
        held = {*waiting, *session.scalars(running)}
    return {reservation for reservation in held if reservation}


def accepted_takes(ledger: Ledger) -> Counter[int]:
    """Accepted takes by shot."""
    with ledger.read(House("audit")) as session:
        return Counter(session.scalars(select(TakeRow.shot_id).filter_by(outcome="accepted")))


def takes_ever_accepted(ledger: Ledger) -> int:
    """Takes that are accepted, or were until their files were lost."""
    query = select(func.count()).where(TakeRow.outcome.in_(("accepted", "forgotten")))
    with ledger.read(House("audit")) as session:
        return session.execute(query).scalar_one()


def paid_and_charged(ledger: Ledger) -> dict[str, tuple[int, int]]:
    """What each worker was paid, and the sum of its charges, in micro-dollars."""
    charged = (
        select(func.coalesce(func.sum(ChargeRow.micro_usd), 0))
        .where(ChargeRow.worker_id == WorkerRow.id)
        .scalar_subquery()
    )
    with ledger.read(House("audit")) as session:
        rows = session.execute(select(WorkerRow.id, WorkerRow.paid_micro_usd, charged))
        return {worker: (paid, int(total)) for worker, paid, total in rows}


def closed_amounts(ledger: Ledger) -> dict[str, tuple[str, int, int, int]]:
    """How each closed reservation was closed, and what it counts since: shots, GPU time, money.

    At the price that its take began at: what was corrected later is not counted.
    """
    entries = QuotaEntryRow
    sums = (func.sum(getattr(entries, name)) for name in ("shots", "gpu_microseconds", "micro_usd"))
    closing = func.max(entries.kind).filter(entries.kind != "reserve")
    query = select(entries.reservation, closing, *sums).group_by(entries.reservation)
    query = query.where(entries.kind != "correct")
    with ledger.read(House("audit")) as session:
        found = session.execute(query.having(closing.is_not(None))).all()
    return {row[0]: (row[1], int(row[2]), int(row[3]), int(row[4])) for row in found}


def taken_amounts(ledger: Ledger) -> dict[str, tuple[str, int, int, int]]:
    """What the reservation of each take that was accepted must count."""
    stages = (
        TakeRow.text_microseconds,
        TakeRow.denoise_high_microseconds,
        TakeRow.denoise_low_microseconds,
        TakeRow.decode_microseconds,
    )
    query = (
        select(TakeRow.reservation, WorkerRow.gpu_count, PriceRow.micro_usd_per_gpu_hour, *stages)
        .join(WorkerRow, WorkerRow.id == TakeRow.worker_id)
        .join(PriceRow, PriceRow.id == WorkerRow.price_id)
        .where(TakeRow.outcome.in_(("accepted", "forgotten")))
    )
    with ledger.read(House("audit")) as session:
        found = session.execute(query).all()
    taken: dict[str, tuple[str, int, int, int]] = {}
    for reservation, gpu_count, price, *spent in found:
        lasted = sum(microseconds or 0 for microseconds in spent)
        cost = price_of(gpu_count=gpu_count, microseconds=lasted, micro_usd_per_gpu_hour=price)
        taken[reservation] = ("settle", 1, gpu_count * lasted, cost)
    return taken


def posted(ledger: Ledger) -> tuple[int, int]:
    """Micro-dollars and GPU time of all postings."""
    sums = (func.sum(POSTINGS.c[name]) for name in ("micro_usd", "gpu_microseconds"))
    with ledger.read(EVERYBODY) as session:
        money, time = session.execute(select(*sums)).one()
    return int(money or 0), int(time or 0)


def reported(ledger: Ledger) -> tuple[int, int]:
    """The same as reports of whole days come to; within each row, the parts make the whole."""
    idle = idle_spending(ledger, EPOCH, FAR)
    money, time = (sum(getattr(each, name) for each in idle) for name in ("micro_usd", TIME))
    for rows in spending(ledger, EVERYBODY, EPOCH, FAR):
        for row in rows:
            found = dict(zip(MEASURES, row[-len(MEASURES) :], strict=True))
            assert sum(found[part] for part in PARTS) == found["micro_usd"]
            assert sum(found[f"{kind}_micro_usd"] for kind in KINDS) == found["micro_usd"]
            money, time = money + found["micro_usd"], time + found[TIME]
    return money, time


def check(ledger: Ledger, *, measured: bool = True) -> None:
    """The house's rules: quota is held where it was reserved, takes are unique, money adds up.

    Not `measured` is a ledger that once was older than limits of GPU time and money.
    """
    closed = closed_amounts(ledger)
    settled = {name: counts for name, counts in closed.items() if counts[0] == "settle"}
    taken = taken_amounts(ledger)
    assert settled == taken if measured else settled.keys() == taken.keys()
    assert all(counts[1:] == (0, 0, 0) for counts in closed.values() if counts[0] == "release")
    assert open_reservations(ledger) == held_reservations(ledger)
    assert kinds(ledger)["settle"] == takes_ever_accepted(ledger)
    assert all(total >= 0 for total in used(ledger).values())
    assert all(count == 1 for count in accepted_takes(ledger).values())
    assert all(paid == charged for paid, charged in paid_and_charged(ledger).values())
