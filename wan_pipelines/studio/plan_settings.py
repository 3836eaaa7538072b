"""Plans: how much tenants may have rendered, and what."""

from collections.abc import Iterator
from decimal import Decimal

from pydantic import Field

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.ledger.limits import Limit, Scope
from wan_pipelines.ledger.money import MICROSECONDS_PER_HOUR, micro_usd
from wan_pipelines.records import Record
from wan_pipelines.scheduling.records import PriorityClass, Standing

MOST = 10**9
"""Of any measure; what would be more is no limit."""


class Allowance(Record):
    """At most so much in a day or month; what is empty has no limit."""

    shots: int | None = Field(default=None, ge=0, le=MOST, description="Shots that are rendered.")
    gpu_hours: Decimal | None = Field(
        default=None,
        ge=0,
        le=MOST,
        decimal_places=6,
        description="Hours of one GPU.",
        examples=["2.5"],
    )
    usd: Decimal | None = Field(
        default=None,
        ge=0,
        le=MOST,
        decimal_places=6,
        description="What rendering costs.",
        examples=["10"],
    )

    def limits(self, scope: Scope) -> Iterator[Limit]:
        """In the ledger's units."""
        if self.shots is not None:
            yield Limit(scope, "shots", self.shots)
        if self.gpu_hours is not None:
            yield Limit(scope, "gpu_microseconds", microseconds_of(self.gpu_hours))
        if self.usd is not None:
            yield Limit(scope, "micro_usd", micro_usd(self.usd))


class Largest(Record):
    """The most that a video may have of pixels and frames."""

    width: int = Field(ge=1)
    height: int = Field(ge=1)
    frames: int | None = Field(default=None, ge=1, description="Empty: as many as there are.")


class Plan(Record):
    """What a tenant has signed up for."""

    shots_per_user_and_day: int | None = Field(
        default=None,
        ge=0,
        le=MOST,
        description="Shots a user may have rendered a day; empty: no limit.",
    )
    per_user_and_day: Allowance | None = Field(
        default=None, description="What a user may take a day, in the tenant's time zone."
    )
    per_day: Allowance | None = Field(
        default=None, description="What all users of a tenant may take a day together."
    )
    per_month: Allowance | None = Field(
        default=None, description="What all users of a tenant may take a month together."
    )
    warn_at: Decimal = Field(
        default=Decimal("0.8"),
        gt=0,
        le=1,
        description="The part of a limit from which on launches and pages warn.",
    )
    tiers: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="Tiers that may be asked for; empty: all."
    )
    largest: Largest | None = Field(
        default=None, description="The largest video that may be asked for; empty: any."
    )
    priority_class: PriorityClass = Field(
        default="standard",
        description="Shards of `vip` begin before those of `standard`, and those before "
        "`background`, whenever a GPU is free.",
    )
    weight: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="Tenants of a class share GPUs by weight, while there are not enough for all.",
    )
    concurrent_shards: int | None = Field(
        default=None,
        ge=1,
        description="Shards of a tenant that are rendered at a time; empty: as many as there are.",
    )
    spot_only: bool = Field(
        default=False, description="Must campaigns render on spot capacity, however long it takes?"
    )

    @property
    def standing(self) -> Standing:
        """How its tenants stand in line."""
        return Standing(self.priority_class, self.weight, self.concurrent_shards)

    @property
    def limits(self) -> tuple[Limit, ...]:
        """All of them; of two for the same, the lower one."""
        found: dict[tuple[str, str], Limit] = {}
        for limit in self._declared():
            known = found.get(limit.subject)
            if known is None or _most(limit) < _most(known):
                found[limit.subject] = limit
        return tuple(found.values())

    def _declared(self) -> Iterator[Limit]:
        if self.shots_per_user_and_day is not None:
            yield Limit("user_day", "shots", self.shots_per_user_and_day)
        scopes: tuple[tuple[Scope, Allowance | None], ...] = (
            ("user_day", self.per_user_and_day),
            ("tenant_day", self.per_day),
            ("tenant_month", self.per_month),
        )
        for scope, allowance in scopes:
            if allowance:
                yield from allowance.limits(scope)

    def why_not(self, name: str, shot: Shot) -> str:
        """Why a tenant of this plan, whose name that is, may not ask for a shot; empty if it may.

        A video of more pixels is larger, whichever way it is turned.
        """
        if self.tiers is not None and shot.tier not in self.tiers:
            return f"Plan {name} has no tier {shot.tier}. What it has: {', '.join(self.tiers)}."
        if self.largest is None:
            return ""
        asked, largest = shot.request, self.largest
        if asked.width * asked.height > largest.width * largest.height:
            return (
                f"Plan {name} ends at {largest.width}x{largest.height}; "
                f"{asked.width}x{asked.height} is larger. Choose a smaller shape."
            )
        if largest.frames is not None and asked.frames > largest.frames:
            return (
                f"Plan {name} ends at {largest.frames} frames; {asked.frames} are more. "
                "Choose fewer frames."
            )
        return ""


def microseconds_of(gpu_hours: Decimal) -> int:
    """GPU time in the ledger's unit."""
    return int(gpu_hours * MICROSECONDS_PER_HOUR)


def _most(limit: Limit) -> int:
    assert limit.most is not None
    return limit.most
