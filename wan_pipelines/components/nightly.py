"""What is done every night, whatever is rendered: idle GPUs are charged, the ledger is audited."""

from collections.abc import Iterator

import dagster as dg

from wan_pipelines.components.idle import IDLE, idle_asset
from wan_pipelines.components.resource import StudioResource
from wan_pipelines.studio.audits import Audit, audit

AUDIT = dg.AssetKey(["ledger", "audit"])
ADDS_UP = "ledger_adds_up"
SHOWN = 100


def build_nightly_defs() -> dg.Definitions:
    """The idle account, the audit of the ledger, their job, and the schedule that runs it."""
    job = dg.define_asset_job(
        "ledger_night",
        selection=[IDLE, AUDIT],
        description="Charges idle GPUs, and audits the ledger.",
    )
    schedule = dg.ScheduleDefinition(
        name="ledger_night_schedule",
        job=job,
        cron_schedule="10 3 * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Charges idle GPUs and audits the ledger every night (UTC).",
    )
    return dg.Definitions(assets=[idle_asset(), _asset()], jobs=[job], schedules=[schedule])


def _asset() -> dg.AssetsDefinition:
    @dg.asset(
        key=AUDIT,
        group_name="ledger",
        description="Compares quota entries with takes, and charges with what workers were paid. "
        "Gives back what was reserved for runs that vanished a day ago, and forgets turns at the "
        "GPUs of a month ago; repairs nothing. "
        "Made every night from the ledger as it stands then.",
        check_specs=[dg.AssetCheckSpec(ADDS_UP, asset=AUDIT, description="Nothing is amiss.")],
    )
    def ledger_audit(studio: StudioResource) -> Iterator[dg.MaterializeResult]:
        found = audit(studio.open())
        yield dg.MaterializeResult(
            metadata={
                "expired_reservations": found.expired,
                "discrepancies": len(found.discrepancies),
            },
            check_results=[_check(found)],
        )

    return ledger_audit


def _check(found: Audit) -> dg.AssetCheckResult:
    troubles = found.discrepancies[:SHOWN]
    told = "\n".join(f"{each.trouble}: {each.tenant} {each.name} {each.words}" for each in troubles)
    return dg.AssetCheckResult(
        passed=not troubles,
        check_name=ADDS_UP,
        severity=dg.AssetCheckSeverity.ERROR,
        description=told or "Every reservation, take and charge adds up.",
        metadata={"discrepancies": len(found.discrepancies)},
    )
