import pytest
from sqlalchemy import func, select

from tests.ledger.scenes import PLANS, START, Scene, shots
from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.quotas import quota_left
from wan_pipelines.ledger.tables import TenantRow
from wan_pipelines.ledger.tenants import Plan, Tenant, configure, users_of
from wan_pipelines.ledger.whose import House


def test_a_user_has_the_limits_of_the_tenants_plan(ledger: Ledger):
    Scene(ledger)
    assert quota_left(ledger, "bolt", "bob", now=START).limit == 5
    assert quota_left(ledger, "acme", "ada", now=START).limit is None


def test_configuration_changes_what_is_there(ledger: Ledger):
    configure(ledger, PLANS, [Tenant("acme", "free", users=("ada",))], now=START)
    better = [Tenant("acme", "vip", "Asia/Tokyo", ("ada", "bea"))]
    configure(ledger, [Plan("vip", 7)], better, now=START)
    left = quota_left(ledger, "acme", "bea", now=START)
    assert (left.plan, left.limit, left.time_zone) == ("vip", 7, "Asia/Tokyo")


def test_configuring_the_same_again_writes_nothing(ledger: Ledger):
    scene = Scene(ledger)
    Scene(ledger, now=scene.later(hours=1))
    with ledger.read(House("audit")) as session:
        latest = session.execute(select(func.max(TenantRow.updated_at))).scalar_one()
        first = session.execute(select(func.min(TenantRow.created_at))).scalar_one()
    assert latest == first


def test_users_exist_from_their_first_request_on(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(shots("a"), EditionKey("acme", "zoe", "demo", "first"))
    assert users_of(ledger, "acme") == ("ada", "zoe")
    with pytest.raises(LedgerError, match="Tenant acme has no user nobody"):
        quota_left(ledger, "acme", "nobody", now=START)


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "", "../../etc/passwd", "Europe"])
def test_a_time_zone_that_does_not_exist_is_refused(ledger: Ledger, zone: str):
    with pytest.raises(LedgerError, match=r"Tenant acme has the time zone .* does not exist"):
        configure(ledger, PLANS, [Tenant("acme", "free", zone)], now=START)


def test_a_plan_that_is_not_configured_is_refused(ledger: Ledger):
    with pytest.raises(LedgerError, match="Tenant acme has the plan 'gold'"):
        configure(ledger, PLANS, [Tenant("acme", "gold")], now=START)
    assert users_of(ledger, "acme") == ()
