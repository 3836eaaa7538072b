"""Shards in line: what the environment and a brief say of their turns at the GPUs."""

from collections.abc import Sequence
from datetime import UTC, datetime

from wan_pipelines.campaigns.brief import Brief
from wan_pipelines.errors import InputError
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.turn_records import Rules, Turn
from wan_pipelines.ledger.turns import gpu_class_of
from wan_pipelines.ledger.turns import line_up as line_up_in_ledger
from wan_pipelines.scheduling.policy import FairShare
from wan_pipelines.scheduling.records import Slots
from wan_pipelines.studio.gpu_class_settings import GpuClass
from wan_pipelines.studio.plan_settings import Plan
from wan_pipelines.studio.settings import Settings
from wan_pipelines.studio.shard_records import ShardReference
from wan_pipelines.studio.studio import Studio


def rules_of(settings: Settings) -> Rules:
    """Slots, tenants and policy of an environment. One machine's workers are its slots."""
    slots = {
        name: Slots(
            each.kubernetes.slots
            if settings.kubernetes and each.kubernetes
            else settings.workers.count,
            each.market,
            each.gpu_count,
        )
        for name, each in settings.gpu_classes.items()
    }
    standings = {
        name: settings.plans[tenant.plan].standing for name, tenant in settings.tenants.items()
    }
    return Rules(FairShare(settings.scheduling), slots, standings)


def line_up(
    studio: Studio,
    brief: Brief,
    edition: EditionKey,
    run_id: str,
    shards: Sequence[ShardReference],
) -> None:
    """Note in the ledger where the shards of a run may begin, how long they take, until when."""
    now = datetime.now(UTC)
    classes = classes_of(studio.settings, brief)
    turns = [
        Turn(
            shard=shard.name,
            gpu_seconds=shard.gpu_seconds,
            gpu_classes=classes,
            priority=brief.priority,
            can_wait=brief.can_wait and len(classes) > 1,
            due_at=brief.finish_by and brief.finish_by.after(now),
        )
        for shard in shards
    ]
    line_up_in_ledger(studio.ledger, edition, run_id, turns, now=now)


def in_turn(studio: Studio, brief: Brief, shard: ShardReference, run_id: str) -> Studio:
    """The studio on the GPU class on which the shard has its turn; its campaign's, if none."""
    chosen = gpu_class_of(studio.ledger, shard.edition, run_id, shard.name)
    return studio.on(chosen or brief.gpu_class)


def classes_of(settings: Settings, brief: Brief) -> tuple[str, ...]:
    """Where a campaign may render, its own GPU class first unless its plan forbids that.

    InputError when the plan permits spot capacity only, and there is none of that hardware.
    """
    own = settings.on(brief.gpu_class).gpu_class
    plan_name = settings.tenant(brief.tenant).plan
    plan: Plan = settings.plans[plan_name]
    alike = [name for name in settings.gpu_classes if _are_alike(settings, own, name)]
    if plan.spot_only:
        spot = tuple(name for name in alike if settings.gpu_classes[name].market == "spot")
        if not spot:
            raise InputError(
                f"plan {plan_name} renders on spot capacity only, and there is none like {own}.",
                where=f"campaign {brief.name}, gpu_class",
                remedy="Choose a GPU class of which the environment has spot capacity, or let the "
                "tenant have another plan.",
            )
        return spot
    return (own, *(name for name in alike if name != own)) if brief.can_wait else (own,)


def _are_alike(settings: Settings, one: str, other: str) -> bool:
    """Do two classes take the same time for a shot, so that it does not matter which renders?"""
    first, second = settings.gpu_classes[one], settings.gpu_classes[other]
    return _machine(one, first) == _machine(other, second)


def _machine(name: str, gpu_class: GpuClass) -> tuple[str, str, int, float | None]:
    hardware = gpu_class.hardware or ("cpu" if gpu_class.device == "cpu" else name)
    return gpu_class.device, hardware, gpu_class.gpu_count, gpu_class.memory_gib
