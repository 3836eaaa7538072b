"""What the guard makes of statements: which say whose rows they are about, and which do not."""

from typing import Any

import pytest
from sqlalchemy import bindparam, delete, exists, func, insert, or_, select, true, union, update
from sqlalchemy.orm import aliased

from wan_pipelines.ledger.guard.reading import read
from wan_pipelines.ledger.tables import (
    ChargeRow,
    EditionRow,
    EditionShotRow,
    PriceRow,
    QuotaEntryRow,
    RenditionRow,
    ShotRow,
    TakeRow,
    TenantRow,
    UserRow,
    WorkerRow,
)

Other = aliased(TakeRow)
MINE = TakeRow.tenant == "acme"
SHOTS_OF_MINE = select(ShotRow.id).where(ShotRow.tenant == "acme")
_CHARGED = select(ChargeRow.tenant, ChargeRow.micro_usd).subquery()

TIED = {
    "named": select(TakeRow).where(MINE),
    "named among others": select(TakeRow).where(MINE, or_(TakeRow.id == "1", TakeRow.id == "2")),
    "named with a parameter": select(TakeRow).where(bindparam("t") == TakeRow.tenant),
    "the tenant itself": select(TenantRow).where(TenantRow.name == "acme"),
    "joined by a key": select(RenditionRow).join(TakeRow).where(MINE),
    "joined by a chain of keys": select(RenditionRow)
    .join(TakeRow)
    .join(ShotRow, ShotRow.id == TakeRow.shot_id)
    .where(ShotRow.tenant == "acme"),
    "joined where it may be missing": select(ShotRow, TakeRow)
    .outerjoin(TakeRow, TakeRow.shot_id == ShotRow.id)
    .where(ShotRow.tenant == "acme"),
    "joined by tenants": select(TenantRow)
    .join(UserRow, UserRow.tenant == TenantRow.name)
    .where(TenantRow.name == "acme"),
    "with what nobody owns": select(WorkerRow)
    .join(PriceRow, PriceRow.id == WorkerRow.price_id)
    .where(WorkerRow.tenant == "acme"),
    "only what nobody owns": select(PriceRow),
    "a private number": select(EditionShotRow).where(EditionShotRow.edition_id == 7),
    "private names": select(QuotaEntryRow).where(QuotaEntryRow.reservation.in_(["r"])),
    "among those of a tied select": select(TakeRow).where(TakeRow.shot_id.in_(SHOTS_OF_MINE)),
    "the one of a tied select": select(TakeRow).where(
        TakeRow.shot_id == SHOTS_OF_MINE.limit(1).scalar_subquery()
    ),
    "a correlated select": select(
        select(func.sum(ChargeRow.micro_usd))
        .where(ChargeRow.take_id == TakeRow.id)
        .scalar_subquery()
    ).where(MINE),
    "a condition that looks elsewhere": select(TakeRow).where(
        MINE, ~exists().where(WorkerRow.id == TakeRow.worker_id)
    ),
    "both sides of a union": union(
        select(TakeRow.id).where(MINE), select(Other.id).where(Other.tenant == "acme")
    ),
    "asked of a select in FROM": select(func.sum(_CHARGED.c.micro_usd)).where(
        _CHARGED.c.tenant == "acme"
    ),
    "changed": update(TakeRow).where(TakeRow.id == "1", MINE).values(tier="draft"),
    "deleted": delete(EditionShotRow).where(EditionShotRow.id == 3),
    "written": insert(ShotRow).values(tenant="acme"),
}
LOOSE = {
    "everybody's": (select(TakeRow), "takes"),
    "by what leaves the ledger": (select(TakeRow).where(TakeRow.id == "1"), "takes"),
    "one of several tenants": (select(TakeRow).where(TakeRow.tenant.in_(["a", "b"])), "takes"),
    "or another's": (select(TakeRow).where(or_(MINE, TakeRow.tier == "draft")), "takes"),
    "all but the tenant's": (select(TakeRow).where(~MINE), "takes"),
    "tenants that sort after": (select(TakeRow).where(TakeRow.tenant > "acme"), "takes"),
    "tenants that look like it": (select(TakeRow).where(TakeRow.tenant.like("acme%")), "takes"),
    "a function of its name": (select(TakeRow).where(func.lower(TakeRow.tenant) == "a"), "takes"),
    "beside a tied one": (select(TakeRow, ShotRow).where(MINE), "shots"),
    "joined by no key": (
        select(TakeRow, Other).join(Other, Other.tier == TakeRow.tier).where(MINE),
        "takes",
    ),
    "joined by keys of different things": (
        select(RenditionRow)
        .join(ShotRow, ShotRow.id == RenditionRow.id)
        .where(ShotRow.tenant == "acme"),
        "renditions",
    ),
    "among numbers of something else": (
        select(TakeRow).where(
            TakeRow.shot_id.in_(select(EditionRow.id).where(EditionRow.tenant == "acme"))
        ),
        "takes",
    ),
    "a select in FROM of the same table": (
        select(TakeRow)
        .join(select(TakeRow.id, ShotRow.tenant).join(ShotRow).subquery(), true())
        .where(MINE),
        "takes",
    ),
    "a select that does not mean the table outside": (
        select(select(func.count(TakeRow.id)).correlate(None).scalar_subquery()).where(MINE),
        "takes",
    ),
    "users of one name": (
        select(TakeRow).join(UserRow, UserRow.name == TakeRow.user).where(MINE),
        "users",
    ),
    "workers at one price": (
        select(Other)
        .join(WorkerRow, WorkerRow.id == Other.worker_id)
        .join(PriceRow, PriceRow.id == WorkerRow.price_id)
        .where(PriceRow.id == 1),
        "takes",
    ),
    "tied only where something is there": (
        select(ShotRow).outerjoin(TakeRow, (TakeRow.shot_id == ShotRow.id) & MINE),
        "shots",
    ),
    "tied by a condition that looks elsewhere": (
        select(TakeRow).where(
            exists().where(ShotRow.id == TakeRow.shot_id, ShotRow.tenant == "acme")
        ),
        "takes",
    ),
    "among all": (select(ShotRow).where(ShotRow.id.in_(select(Other.shot_id))), "takes"),
    "one side of a union": (union(select(TakeRow.id).where(MINE), select(Other.id)), "takes"),
    "a select in FROM": (select(select(TakeRow.id).subquery()), "takes"),
    "counted": (select(func.count()).select_from(EditionRow), "editions"),
    "changed": (update(TakeRow).values(tier="draft"), "takes"),
    "deleted": (delete(TakeRow).where(TakeRow.id == "1"), "takes"),
    "copied": (insert(ShotRow).from_select(["tenant"], select(EditionRow.tenant)), "editions"),
}


@pytest.mark.parametrize("statement", TIED.values(), ids=TIED)
def test_rows_are_tied_to_a_tenant(statement: Any):
    assert read(statement).loose == ()


@pytest.mark.parametrize(("statement", "table"), LOOSE.values(), ids=LOOSE)
def test_rows_may_be_anybodys(statement: Any, table: str):
    assert table in read(statement).loose
