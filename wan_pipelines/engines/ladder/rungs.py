"""Rungs: what a release declares to do, in this order, when memory or time runs out."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from wan_pipelines.engines.options.tier_options import VaeTiling
from wan_pipelines.engines.served import ServedWeights
from wan_pipelines.errors import InputError
from wan_pipelines.hints import did_you_mean
from wan_pipelines.records import Record

if TYPE_CHECKING:
    from wan_pipelines.engines.releases import Release

NAME = r"^[a-z0-9][a-z0-9-]{0,30}$"


class Rung(Record):
    """One step down: what changes in addition to the rungs above it."""

    name: str = Field(pattern=NAME, description="How takes and pages name it.", examples=["tiles"])
    vae_tiling: VaeTiling | None = Field(
        default=None, description="Decode in tiles: less memory, slightly different pixels."
    )
    offload: Literal["model", "group"] | None = Field(
        default=None,
        description="Keep what rests in host memory: less GPU memory, the same pixels, more "
        "seconds. Changes nothing on a CPU.",
    )
    without_cache: bool = Field(
        default=False, description="Compute every step: less memory, more seconds."
    )
    tier: str | None = Field(
        default=None, description="A lighter tier, of `release` if that is set.", examples=["draft"]
    )
    release: str | None = Field(
        default=None, description="A lighter release, which must offer `tier`."
    )

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.release and not self.tier:
            raise ValueError("name the tier of the lighter release")
        if not (self.saves_memory or self.tier):
            raise ValueError(
                "a rung changes something: vae_tiling, offload, without_cache, tier or release"
            )
        return self

    @property
    def saves_memory(self) -> bool:
        """Does it draw the same with less memory, as opposed to something lighter?"""
        return bool(self.vae_tiling or self.offload or self.without_cache)


Ladder = tuple[Rung, ...]


def ladder_problems(release: "Release") -> Iterator[str]:
    """What is wrong with a release's ladder on its own, one sentence each."""
    names = [rung.name for rung in release.ladder]
    twice = sorted({name for name in names if names.count(name) > 1})
    yield from (f"ladder has two rungs {name}" for name in twice)
    is_lighter = False
    for rung in release.ladder:
        where = f"ladder.{rung.name}"
        if rung.release == release.name:
            yield f"{where}: the release is its own lighter one; name only the tier"
        if rung.tier and not rung.release and rung.tier not in release.tiers:
            yield f"{where}: tier {rung.tier!r} is none of tiers: {', '.join(release.tiers)}"
        if is_lighter and not rung.tier:
            yield f"{where}: what draws the same comes before what is lighter"
        if rung.saves_memory and isinstance(release.source, ServedWeights):
            yield f"{where}: memory is the server's; only a lighter tier or release can be declared"
        is_lighter = is_lighter or rung.tier is not None


def check_lighter(
    release: "Release", releases: Mapping[str, "Release"], *, where: str = ""
) -> None:
    """InputError for a rung that names a release or a tier that there is not.

    `where` is the file that declares it.
    """
    for rung in release.ladder:
        if rung.release is None:
            continue
        if rung.release not in releases:
            raise InputError(
                f"rung {rung.name} of the ladder: there is no release {rung.release!r}.",
                where=where,
                remedy=did_you_mean(rung.release, releases),
            )
        tiers = releases[rung.release].tiers
        if rung.tier not in tiers:
            raise InputError(
                f"rung {rung.name} of the ladder: {rung.release} offers no tier {rung.tier!r}.",
                where=where,
                remedy=did_you_mean(rung.tier, tiers),
            )
