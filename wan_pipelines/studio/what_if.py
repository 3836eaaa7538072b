"""A campaign as it would be otherwise: at another tier or shape, on other GPUs, partly on spot."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field

from wan_pipelines.campaigns.brief import Brief
from wan_pipelines.campaigns.expand import expand
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.engines.measured import MeasuredTier, measured_tiers
from wan_pipelines.engines.releases import Release
from wan_pipelines.errors import InputError
from wan_pipelines.ledger.money import round_half_up
from wan_pipelines.ledger.prices import Market, known_price
from wan_pipelines.records import Record
from wan_pipelines.studio.planning import preview_brief
from wan_pipelines.studio.plans import EditionPlan
from wan_pipelines.studio.prices import hourly_price
from wan_pipelines.studio.studio import Studio
from wan_pipelines.validation import validated


class Change(Record):
    """What is to be otherwise; what is not named stays as the brief says."""

    tier: str | None = Field(default=None, description="A tier of the release.")
    shape: str | None = Field(default=None, description="A shape that the release offers.")
    frames: int | None = Field(default=None, description="4k + 1 frames.")
    gpu_class: str | None = Field(default=None, description="A GPU class of the environment.")
    workers: int | None = Field(default=None, ge=1, description="How many render at a time.")
    spot_share: float | None = Field(
        default=None, ge=0, le=1, description="The part that is rendered on spot GPUs."
    )


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A plan, what it would cost with its share of spot, and how its tiers were measured.

    `words` is what was asked, `quality` by tier. Renders that spot nodes lose are not counted.
    """

    words: str
    plan: EditionPlan
    gpu_class: str
    gpu_count: int
    cost_micro_usd: int
    cost_between_micro_usd: tuple[int, int]
    quality: dict[str, MeasuredTier]

    @property
    def gpu_hours(self) -> float:
        """Of all GPUs of the workers, their starts included."""
        return self.gpu_count * (self.plan.gpu_seconds + self.plan.starts.gpu_seconds) / 3600


def read_change(words: str) -> Change:
    """From `tier=draft,spot_share=0.5`; InputError says what may be changed."""
    pairs = [part.partition("=") for part in words.split(",")]
    if not all(sign for _, sign, _ in pairs):
        raise InputError(
            f"{words!r} is no change.",
            where="--what-if",
            remedy=f"Write NAME=VALUE,...; names are {', '.join(Change.model_fields)}.",
        )
    given = {name.strip(): value.strip() for name, _, value in pairs}
    return validated(Change, given, lambda _: "--what-if")


def what_if(
    studio: Studio,
    campaign: str,
    edition: str,
    changes: Sequence[str],
    *,
    only: Collection[str] | None = None,
) -> tuple[WhatIf, ...]:
    """The campaign as it is, and as it would be with each of the changes; changes nothing.

    InputError for a change that release or environment do not know.
    """
    return tuple(_as_changed(studio, campaign, edition, words, only) for words in ("", *changes))


def _as_changed(
    studio: Studio, campaign: str, edition: str, words: str, only: Collection[str] | None
) -> WhatIf:
    change = read_change(words) if words else Change()
    brief = _changed(studio.brief(campaign), change)
    release = studio.release(brief.release)
    there = _with_workers(studio.on(brief.gpu_class), change.workers)
    shots = _expanded(brief, release, studio.folder_of(campaign), words)
    plan = preview_brief(there, brief, shots, edition, only=only)
    measured = measured_tiers(studio.root / "assets" / "models" / release.name)
    at_market = _at_market(there, change.spot_share)
    low, high = plan.cost_between_micro_usd
    return WhatIf(
        words=words,
        plan=plan,
        gpu_class=there.settings.gpu_class,
        gpu_count=there.settings.rendering_class.gpu_count,
        cost_micro_usd=at_market(plan.cost_micro_usd),
        cost_between_micro_usd=(at_market(low), at_market(high)),
        quality={tier: measured[tier] for tier in {s.tier for s in shots} if tier in measured},
    )


def _expanded(brief: Brief, release: Release, folder: Path, words: str) -> Sequence[Shot]:
    """The shots of a changed brief; an InputError names the change, which stands in no file."""
    try:
        return expand(brief, release, folder)
    except InputError as error:
        if not words:
            raise
        where = f"--what-if {words}"
        raise InputError(error.what, where=where, remedy=error.remedy) from error


def _changed(brief: Brief, change: Change) -> Brief:
    asked = {
        "tier": change.tier,
        "shapes": [change.shape] if change.shape else None,
        "frames": change.frames,
        "gpu_class": change.gpu_class,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    kept = brief.model_dump(exclude_unset=True, exclude=set(given))
    return validated(Brief, {**kept, **given}, lambda _: "--what-if")


def _with_workers(studio: Studio, count: int | None) -> Studio:
    if count is None:
        return studio
    workers = studio.settings.workers.model_copy(update={"count": count})
    return replace(studio, settings=studio.settings.model_copy(update={"workers": workers}))


def _at_market(studio: Studio, spot_share: float | None) -> Callable[[int], int]:
    """What becomes of an amount that a plan counts, with that share of its hours on spot."""
    if spot_share is None:
        return lambda amount: amount
    spot, on_demand = (_price_on(studio, market) for market in ("spot", "on-demand"))
    now = hourly_price(studio)
    if not now:
        raise InputError(
            f"GPU class {studio.settings.gpu_class!r} costs nothing: no share of it is dearer.",
            where="--what-if, spot_share",
            remedy="Leave spot_share out, or name a gpu_class that costs something.",
        )
    part = round(spot_share * 1000)
    mixed = part * spot + (1000 - part) * on_demand
    return lambda amount: round_half_up(amount * mixed, 1000 * now)


def _price_on(studio: Studio, market: Market) -> int:
    name = studio.settings.gpu_class
    price = known_price(studio.ledger, name, datetime.now(UTC), market)
    if price is None:
        raise InputError(
            f"GPU class {name!r} has no {market} price.",
            where="--what-if, spot_share",
            remedy="Add one: wan prices import FILE --reason WHY, a CSV with the columns "
            "gpu_class, usd_per_hour, valid_from, market.",
        )
    return price.micro_usd_per_gpu_hour
