"""Which engines are measured: ways to run a release, each in tiers."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from wan_pipelines.engines.estimating.architecture import Architecture
from wan_pipelines.engines.options.checks import problems
from wan_pipelines.engines.options.tier_options import Compiled
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.served import ServedWeights

EngineName = Literal["eager", "compiled", "remote"]
ENGINES: Final[tuple[EngineName, ...]] = ("eager", "compiled", "remote")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to run a release, in a tier; `unfit` says why it cannot be."""

    engine: EngineName
    tier: str
    unfit: str = ""


def candidates(
    release: Release, *, engines: Collection[str], tiers: Collection[str]
) -> Iterator[Candidate]:
    """Eager in all tiers; compiled and remote in the default one, unless `tiers` name others."""
    default = tiers or (release.default_tier,)
    for engine in ENGINES:
        if engine not in engines:
            continue
        for tier in (tiers or release.tiers) if engine == "eager" else default:
            yield Candidate(engine, tier, _unfit(release, engine, tier))


def run_as(release: Release, candidate: Candidate, *, build: bool = False) -> Release:
    """The release whose tier does what the candidate is about."""
    compiled: Compiled | None = None
    if candidate.engine == "compiled":
        compiled = "always" if build else "if_built"
    tier = release.tiers[candidate.tier].model_copy(update={"compiled": compiled})
    return release.model_copy(update={"tiers": {**release.tiers, candidate.tier: tier}})


def served_as(release: Release, tier: str, architecture: Architecture) -> Release:
    """The release in one tier, its weights on a server of our own, which cuts long videos."""
    source = ServedWeights(server="bench", kind="wan", model=release.name, version=release.identity)
    return Release.model_validate(
        release.model_dump()
        | {
            "source": source.model_dump(),
            "architecture": architecture.model_dump(),
            "frames": release.frames.model_dump() | {"max": release.most_frames},
            "segments": None,
            "tiers": {tier: release.tiers[tier].model_dump()},
            "default_tier": tier,
            "ladder": (),
        }
    )


def _unfit(release: Release, engine: EngineName, tier: str) -> str:
    if engine == "compiled":
        changed = run_as(release, Candidate(engine, tier))
        wrong = (problem for problem in problems(changed) if problem.startswith(f"tiers.{tier}:"))
        return next(wrong, "")
    options = release.tiers[tier]
    if engine == "remote" and (
        options.loras or options.engine_options.text or options.request_options.text
    ):
        return "a server chooses LoRAs and options itself; measure a tier without"
    return ""
