"""A sensor that tells, once each, which parts of budgets were reached."""

from datetime import UTC, datetime

import dagster as dg

from wan_pipelines.components.campaign_keys import CampaignKeys
from wan_pipelines.components.nightly import AUDIT
from wan_pipelines.components.resource import StudioResource
from wan_pipelines.ledger.budget_notices import BudgetNotice
from wan_pipelines.ledger.money import usd
from wan_pipelines.studio.budgets import reached

LOOKS_EVERY_SECONDS = 60


@dg.sensor(
    name="budgets",
    minimum_interval_seconds=LOOKS_EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells which parts of budgets were reached: in its log, and as an observation of "
    "the campaign's costs, or of the ledger's audit where a whole tenant's budget was.",
)
def budget_sensor(context: dg.SensorEvaluationContext, studio: StudioResource) -> dg.SensorResult:
    """Starts nothing: what happens at a budget happens where shots are admitted and rendered."""
    found = reached(studio.open(), datetime.now(UTC))
    for notice in found:
        context.log.warning(notice.told)
    return dg.SensorResult(
        skip_reason=None if found else "Nothing new was reached of any budget.",
        asset_events=[_observation(notice) for notice in found],
    )


def _observation(notice: BudgetNotice) -> dg.AssetObservation:
    key = notice.key
    return dg.AssetObservation(
        CampaignKeys(key.campaign).costs if key.campaign else AUDIT,
        description=notice.told,
        metadata={
            "tenant": key.tenant,
            "edition": key.edition,
            "action": notice.action,
            "reached_usd": float(usd(notice.at)),
            "paid_usd": float(usd(notice.paid)),
            "reserved_usd": float(usd(notice.reserved)),
        },
    )
