"""What users may still have rendered, those included who never asked; and changes of limits."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from wan_pipelines.ledger.quotas import quotas_left
from wan_pipelines.ledger.remainders import QuotaLeft
from wan_pipelines.ledger.tenants import users_of
from wan_pipelines.ledger.whose import Asked, House
from wan_pipelines.studio.studio import Studio

NOBODY = ""
"""The user of a tenant of whom nobody has asked yet: limits of the whole tenant bind already."""


def quotas(studio: Studio, whose: Asked, user: str | None, now: datetime) -> tuple[QuotaLeft, ...]:
    """What is left of each limit of a tenant and its users, or of all; or of one named user.

    A limit of a whole tenant is told once, of no user. InputError for a tenant that the environment
    does not know.
    """
    tenants = sorted(studio.settings.tenants) if isinstance(whose, House) else [whose]
    for name in tenants:
        studio.settings.tenant(name)
    return tuple(quota for name in tenants for quota in _of_tenant(studio, name, user, now))


def is_low(studio: Studio, quota: QuotaLeft) -> bool:
    """Is so much of a limit used that its plan wants people warned?"""
    if quota.limit is None:
        return False
    return quota.used >= studio.settings.plans[quota.plan].warn_at * quota.limit


def _of_tenant(studio: Studio, tenant: str, user: str | None, now: datetime) -> Iterator[QuotaLeft]:
    shared: tuple[QuotaLeft, ...] = ()
    for each in [user] if user else users_of(studio.ledger, tenant) or [NOBODY]:
        found = quotas_left(studio.ledger, tenant, each, now=now)
        yield from (quota for quota in found if each and quota.scope == "user_day")
        shared = tuple(quota for quota in found if quota.scope != "user_day")
    yield from (replace(quota, user="") for quota in shared)
