"""What is wrong with the tiers of a release, told when definitions load."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wan_pipelines.engines.ladder.rungs import ladder_problems
from wan_pipelines.engines.options.caches import (
    FasterCache,
    MagCache,
    PyramidAttentionBroadcast,
)
from wan_pipelines.engines.options.tier_options import CONTEXT_PARALLEL_BACKENDS
from wan_pipelines.engines.timesteps import TRAINED_STEPS, timesteps

if TYPE_CHECKING:
    from wan_pipelines.engines.release_parts import Tier
    from wan_pipelines.engines.releases import Release

BLOCK_CACHES = frozenset({"first_block", "mag"})
"""The caches that skip whole blocks, whichever code these run."""


def problems(release: "Release") -> Iterator[str]:
    """One sentence each; nothing of what they name is rendered."""
    for name, tier in release.tiers.items():
        for problem in (
            *_cache(tier, experts=1 if release.boundary_ratio is None else 2),
            *_precision(tier),
            *_parallel(tier),
            *_compiled(tier, tier.offload or release.offload),
            *_distilled(release, name, tier),
        ):
            yield f"tiers.{name}: {problem}"
    yield from _offload(release)
    yield from ladder_problems(release)


def _cache(tier: "Tier", experts: int) -> Iterator[str]:
    cache = tier.cache
    if isinstance(cache, FasterCache | PyramidAttentionBroadcast) and tier.guidance > 1:
        yield (
            f"cache {cache.kind} mixes up the guided forward with the other one; set guidance to "
            "1, or choose another cache"
        )
    if isinstance(cache, MagCache) and bool(cache.mag_ratios_2) != (experts == 2):
        wanted = "are needed for the low-noise expert" if experts == 2 else "are for nobody"
        yield f"cache.mag_ratios_2 {wanted}; the release has {experts} expert(s)"


def _precision(tier: "Tier") -> Iterator[str]:
    if tier.quantisation and tier.layerwise_casting:
        yield "quantisation and layerwise_casting are two ways of storing the weights; choose one"
    if tier.quantisation and tier.offload == "group":
        yield "quantised weights cannot be moved group by group; choose offload model or none"


def _compiled(tier: "Tier", offload: str) -> Iterator[str]:
    """Compiled code knows the weights by their address, and brings its own attention."""
    if tier.compiled is None:
        return
    others = {
        "loras": tier.loras,
        "quantisation": tier.quantisation,
        "layerwise_casting": tier.layerwise_casting,
        "context_parallel": tier.context_parallel,
        "attention_backend": tier.attention_backend,
    }
    for name in (name for name, value in others.items() if value):
        yield f"compiled blocks cannot have {name}; choose one of them"
    if offload != "none":
        yield f"compiled blocks hold on to their weights; set offload to none, not {offload}"
    if tier.cache and tier.cache.kind not in BLOCK_CACHES:
        possible = ", ".join(sorted(BLOCK_CACHES))
        yield f"cache {tier.cache.kind} looks into blocks that are compiled; choose of {possible}"


def _parallel(tier: "Tier") -> Iterator[str]:
    if tier.context_parallel is None:
        return
    if tier.cache:
        yield (
            f"with context_parallel there is no cache {tier.cache.kind}: each GPU would decide by "
            "its own tokens what to skip, and those that differ wait for each other for ever"
        )
    backend = tier.attention_backend
    if backend and backend not in CONTEXT_PARALLEL_BACKENDS:
        possible = ", ".join(sorted(CONTEXT_PARALLEL_BACKENDS))
        yield f"attention_backend {backend} cannot be spread over GPUs; choose one of {possible}"
    if tier.offload in ("model", "group"):
        yield "context_parallel needs the weights on every GPU: set offload to none"


def _distilled(release: "Release", name: str, tier: "Tier") -> Iterator[str]:
    visited = timesteps(release.sampling(name))
    boundary = (release.boundary_ratio or 0) * TRAINED_STEPS
    for lora in tier.loras:
        share = tuple(step for step in visited if (step >= boundary) == (lora.expert == "high"))
        if lora.timesteps and lora.timesteps != share:
            yield (
                f"the {lora.expert}-noise LoRA was distilled for timesteps "
                f"{list(lora.timesteps)}, and this schedule visits {list(share)}; correct steps, "
                "flow_shift or scheduler"
            )


def _offload(release: "Release") -> Iterator[str]:
    """Tiers that share an engine can only agree on where it rests."""
    first: dict[str, str] = {}
    for name, tier in release.tiers.items():
        other = first.setdefault(tier.engine_options.text, name)
        if release.loading_of(tier) != release.loading_of(release.tiers[other]):
            yield (
                f"tiers.{name} and tiers.{other} differ in offload, and would be one engine "
                "without; set the same, or the release's"
            )
