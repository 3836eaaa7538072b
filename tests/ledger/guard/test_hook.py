"""What a transaction may do, as far as tenants go; on both databases."""

from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from tests.ledger.scenes import DEMO, Scene, shots
from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.guard.hook import TenantMixup
from wan_pipelines.ledger.guard.ties import TENANT, is_tenants
from wan_pipelines.ledger.tables import Base, EditionRow, PriceRow, ReviewRow, WorkerRow
from wan_pipelines.ledger.whose import SHARED, House

EDITIONS_OF = select(EditionRow.campaign).where(EditionRow.tenant == "acme")
REVIEW = {"text_sha256": "0", "text": "a", "decision": "released", "decided_by": "b", "note": ""}


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    scene = Scene(ledger)
    scene.admit(shots("a"))
    scene.worker()
    return ledger


def test_a_transaction_sees_its_tenant(filled: Ledger):
    for opened in (filled.read, filled.write, filled.look, filled.change):
        with opened("acme") as transaction:
            assert transaction.execute(EDITIONS_OF).scalars().all() == ["demo"]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (EDITIONS_OF, "of tenant bolt names tenant 'acme'"),
        (select(EditionRow), "Tenant bolt is not named for editions"),
        (update(WorkerRow).values(host="x"), "Tenant bolt is not named for workers"),
        (
            insert(ReviewRow).values(tenant="acme", created_at=0, **REVIEW),
            "of tenant bolt names tenant 'acme'",
        ),
        (
            update(WorkerRow).where(WorkerRow.tenant == "bolt").values(tenant="acme"),
            "of tenant bolt names tenant 'acme'",
        ),
        (text("SELECT * FROM editions"), "not named for raw SQL"),
    ],
)
def test_another_tenants_rows_are_out_of_reach(filled: Ledger, statement: Any, said: str):
    for opened in (filled.write, filled.change):
        with pytest.raises(TenantMixup, match=said), opened("bolt") as transaction:
            transaction.execute(statement)


def test_one_row_of_many_that_is_anothers_spoils_them_all(filled: Ledger):
    rows = [{"tenant": name, "created_at": 0, **REVIEW} for name in ("bolt", "acme")]
    with pytest.raises(TenantMixup, match="acme"), filled.write("bolt") as session:
        session.execute(insert(ReviewRow), rows)
    with filled.read(House("audit")) as session:
        assert session.scalars(select(ReviewRow.id)).all() == []


def test_the_same_statement_is_compared_each_time_it_runs(filled: Ledger):
    with filled.read("acme") as session:
        assert session.scalars(EDITIONS_OF).all() == ["demo"]
    with pytest.raises(TenantMixup), filled.read("bolt") as session:
        session.scalars(EDITIONS_OF)
    with filled.read("acme") as session:
        assert session.scalars(EDITIONS_OF).all() == ["demo"]


def test_objects_are_found_by_tenant_and_id(filled: Ledger):
    with filled.read("acme") as session:
        worker = session.scalars(select(WorkerRow).where(WorkerRow.tenant == "acme")).one()
        name = worker.id
    with filled.write("acme") as session:
        session.get_one(WorkerRow, (name, "acme")).host = "here"
    with filled.write("bolt") as session:
        assert session.get(WorkerRow, (name, "bolt")) is None
    with pytest.raises(TenantMixup), filled.write("bolt") as session:
        session.get(WorkerRow, (name, "acme"))


def test_what_is_shared_is_nobodys(filled: Ledger):
    with filled.read(SHARED) as session:
        assert session.scalars(select(PriceRow.gpu_class)).all() == ["laptop-cpu"]
    with pytest.raises(TenantMixup, match="about no tenant"), filled.read(SHARED) as session:
        session.scalars(EDITIONS_OF)


def test_the_house_sees_all_and_says_why(filled: Ledger):
    Scene(filled).admit(shots("a"), DEMO)
    with filled.read(House("operator")) as session:
        assert set(session.scalars(select(EditionRow.tenant))) == {"acme"}


def test_nobody_is_not_everybody(filled: Ledger):
    with pytest.raises(LedgerError, match="name a tenant"), filled.read(""):
        pass
    with (
        pytest.raises(TenantMixup, match="Say whose"),
        filled.engine.connect() as connection,
    ):
        connection.execute(EDITIONS_OF)


def test_a_table_that_names_or_refers_to_a_tenant_is_tenants():
    tables = {table.name: table for table in Base.metadata.sorted_tables}
    named = {name for name, table in tables.items() if TENANT in table.columns}
    assert named | {"tenants", "edition_shots", "renditions", "spans"} <= {
        name for name, table in tables.items() if is_tenants(table)
    }
    assert not any(is_tenants(tables[name]) for name in ("prices", "artifacts", "footholds"))
