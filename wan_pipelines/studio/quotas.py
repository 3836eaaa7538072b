"""What users may still render today, those included who never asked for anything."""

from datetime import datetime
from zoneinfo import ZoneInfo

from wan_pipelines.ledger.quotas import QuotaLeft, local_day, next_midnight, quota_left
from wan_pipelines.ledger.tenants import users_of
from wan_pipelines.studio.studio import Studio


def quotas(
    studio: Studio, tenant: str | None, user: str | None, now: datetime
) -> tuple[QuotaLeft, ...]:
    """The quota of each user of a tenant, or of all tenants; or of the one named user there.

    InputError for a tenant that the environment does not know.
    """
    tenants = [tenant] if tenant else sorted(studio.settings.tenants)
    for name in tenants:
        studio.settings.tenant(name)
    return tuple(
        _quota(studio, name, each, now)
        for name in tenants
        for each in ([user] if user else users_of(studio.ledger, name))
    )


def _quota(studio: Studio, tenant: str, user: str, now: datetime) -> QuotaLeft:
    settings = studio.settings.tenant(tenant)
    if user in users_of(studio.ledger, tenant):
        return quota_left(studio.ledger, tenant, user, now=now)
    zone = ZoneInfo(settings.time_zone)
    limit = studio.settings.plans[settings.plan].shots_per_user_and_day
    return QuotaLeft(
        tenant=tenant,
        user=user,
        plan=settings.plan,
        day=local_day(now, zone),
        time_zone=zone.key,
        limit=limit,
        used=0,
        left=limit,
        resets_at=next_midnight(now, zone),
    )
