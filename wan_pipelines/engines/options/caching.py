"""A declared cache on the experts of a loaded pipeline, for one request."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from math import inf
from typing import Any

from wan_pipelines.engines.denoising import Denoising
from wan_pipelines.engines.options.caches import (
    Cache,
    FasterCache,
    FirstBlockCache,
    MagCache,
    PyramidAttentionBroadcast,
    SeaCache,
    TaylorSeerCache,
)

FEATURES = (r"blocks\.\d+\.(attn1|attn2|ffn)",)
"""The modules whose outputs TaylorSeer predicts; diffusers' own patterns match none of Wan's."""


@dataclass(frozen=True, slots=True)
class ExpertRun:
    """One expert's part of a request: which expert, how many steps, which timestep is on."""

    is_high_noise: bool
    steps: int
    timestep: Callable[[], float]


@contextmanager
def caching(run: Denoising, cache: Cache | None) -> Iterator[None]:
    """Both experts reuse work inside, and never outside: states do not outlive the request.

    To be left before the pipeline frees its hooks, since those are wrapped in the caches'.
    """
    with ExitStack() as stack:
        for expert, part in _experts(run) if cache else ():
            expert.enable_cache(cache_config(cache, part))
            stack.callback(expert.disable_cache)
        yield


def cache_config(cache: Cache | None, part: ExpertRun) -> Any:
    """What diffusers knows it by; TypeError or ValueError where it does not (any more)."""
    hooks: Any = import_module("diffusers.hooks")
    match cache:
        case FirstBlockCache():
            return hooks.FirstBlockCacheConfig(**_fields(cache))
        case MagCache():
            ratios = cache.mag_ratios if part.is_high_noise else cache.mag_ratios_2
            fields = _fields(cache, "mag_ratios", "mag_ratios_2")
            return hooks.MagCacheConfig(
                **fields, mag_ratios=list(ratios), num_inference_steps=part.steps
            )
        case SeaCache():
            return hooks.SeaCacheConfig(**_fields(cache))
        case TaylorSeerCache():
            return _taylor_seer(hooks, cache)
        case FasterCache():
            return hooks.FasterCacheConfig(
                **_fields(cache, "attention_weight"),
                attention_weight_callback=lambda _: cache.attention_weight,
                is_guidance_distilled=True,
                current_timestep_callback=part.timestep,
            )
        case PyramidAttentionBroadcast():
            return hooks.PyramidAttentionBroadcastConfig(
                **_fields(cache), current_timestep_callback=part.timestep
            )


def _taylor_seer(hooks: Any, cache: TaylorSeerCache) -> Any:
    import torch

    return hooks.TaylorSeerCacheConfig(
        **_fields(cache, "taylor_factors_dtype"),
        taylor_factors_dtype=getattr(torch, cache.taylor_factors_dtype),
        cache_identifiers=None if cache.use_lite_mode else list(FEATURES),
    )


def _fields(cache: Cache, *others: str) -> dict[str, Any]:
    return cache.model_dump(exclude={"kind", *others})


def _experts(run: Denoising) -> Iterator[tuple[Any, ExpertRun]]:
    """Those that have something to do."""
    is_high = [run.is_high_noise(index) for index in range(run.steps)]
    pipeline = run.pipeline
    for expert, wanted in ((pipeline.transformer, True), (pipeline.transformer_2, False)):
        steps = is_high.count(wanted)
        if steps:
            yield expert, ExpertRun(wanted, steps, _Timestep(run, is_high.index(wanted)))


class _Timestep:
    """The timestep under way; beyond all ranges at an expert's first step, which is computed."""

    def __init__(self, run: Denoising, first: int) -> None:
        self._run = run
        self._first = first

    def __call__(self) -> float:
        step = self._run.step
        return inf if step == self._first else float(self._run.scheduler.timesteps[step])
