"""The idle account of reserved GPUs as an asset, brought up to date every night."""

import dagster as dg

from wan_pipelines.components.resource import StudioResource
from wan_pipelines.ledger.money import usd
from wan_pipelines.studio.fleets import REVISED_DAYS, charge_idle_days, fleets_of

IDLE = dg.AssetKey(["ledger", "idle"])


def idle_asset() -> dg.AssetsDefinition:
    """Charges what nobody held of reserved GPUs on days that are over."""

    @dg.asset(
        key=IDLE,
        group_name="ledger",
        description="Charges reserved GPU time that no worker held to the idle account, day by "
        f"day, and revises the last {REVISED_DAYS} days by entries that take earlier ones back.",
    )
    def ledger_idle(studio: StudioResource) -> dg.MaterializeResult:
        opened = studio.open()
        changed = charge_idle_days(opened)
        charged = sum(each.usage.idle_micro_usd for each in changed)
        return dg.MaterializeResult(
            metadata={
                "fleets": len(fleets_of(opened)),
                "days_changed": len(changed),
                "idle_usd_of_changed_days": float(usd(charged)),
                "days": dg.MetadataValue.md(
                    "\n".join(
                        f"- {each.day} {each.fleet}: ${usd(each.usage.idle_micro_usd)}"
                        for each in changed
                    )
                ),
            }
        )

    return ledger_idle
