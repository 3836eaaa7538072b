from datetime import UTC, datetime

import pytest

from tests.support.project import Project
from wan_pipelines.errors import InputError
from wan_pipelines.ledger.whose import House
from wan_pipelines.studio.planning import admit
from wan_pipelines.studio.quotas import quotas

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_users_who_asked_are_listed_with_what_is_left(quick_project: Project):
    quick_project.campaign(tenant="small")
    studio = quick_project.studio()
    admit(studio, "balls", "one")
    (left,) = quotas(studio, House("operator"), None, datetime.now(UTC))
    assert (left.tenant, left.user, left.plan) == ("small", "mira", "free")
    assert (left.used, left.limit, left.left) == (2, 5, 3)


def test_nobody_is_listed_before_anybody_asked(quick_project: Project):
    assert quotas(quick_project.studio(), House("operator"), None, NOON) == ()


def test_a_user_who_never_asked_has_all_of_the_plan_in_each_tenant(quick_project: Project):
    both = quotas(quick_project.studio(), House("operator"), "zoe", NOON)
    assert [(left.tenant, left.used, left.limit, left.left) for left in both] == [
        ("demo", 0, None, None),
        ("small", 0, 5, 5),
    ]
    berlin, utc = both
    assert (berlin.day, berlin.resets_at) == ("2026-11-01", datetime(2026, 11, 1, 23, tzinfo=UTC))
    assert utc.resets_at == datetime(2026, 11, 2, tzinfo=UTC)


def test_a_stranger_and_a_known_user_are_told_the_same_way(quick_project: Project):
    studio = quick_project.studio()
    admit(studio, "balls", "one")
    now = datetime.now(UTC)
    (known,), (stranger,) = (quotas(studio, "demo", user, now) for user in ("mira", "zoe"))
    assert (known.day, known.resets_at, known.plan) == (
        stranger.day,
        stranger.resets_at,
        stranger.plan,
    )


def test_an_unknown_tenant_is_an_error(quick_project: Project):
    with pytest.raises(InputError, match="Did you mean 'demo'"):
        quotas(quick_project.studio(), "dem", "zoe", NOON)
