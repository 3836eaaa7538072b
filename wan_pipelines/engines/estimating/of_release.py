"""From a release and a request to a job: the one place where declared options become numbers.

What tiers declare beside steps and guidance (low-rank weights, types, offloading, tiling, a degree
of parallelism) arrives in `_options`; what they will declare belongs there too.
"""

from dataclasses import replace
from pathlib import Path

from wan_pipelines.engines.estimating.jobs import Job, Options
from wan_pipelines.engines.estimating.models import Model, model_of
from wan_pipelines.engines.estimating.steps import steps_of
from wan_pipelines.engines.estimating.vae import Clip
from wan_pipelines.engines.options.tier_options import RequestOptions
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest, Sampling

WEIGHT_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}


def release_model(release: Release, cache: Path) -> Model:
    """What the release loads, from its weights below `cache` if they are there; see `model_of`."""
    return model_of(release.architecture, release.weights_source().present(cache))


def jobs_of(release: Release, model: Model, request: RenderRequest) -> tuple[Job, ...]:
    """The work of a request: one job, or one for each segment of a long video."""
    first, *others = release.pieces(request)
    boundary = _boundary_of_later(release)
    return (
        _job_of(release, model, first, release.boundary_ratio),
        *(_without_text(_job_of(release, model, piece, boundary)) for piece in others),
    )


def _boundary_of_later(release: Release) -> float | None:
    """Where experts change in segments that continue another."""
    image = release.segments.image_to_video if release.segments else None
    return image.boundary_ratio if image else release.boundary_ratio


def _without_text(job: Job) -> Job:
    """Texts are encoded once for all segments."""
    return replace(job, options=replace(job.options, text_encoder_seconds=0.0))


def _job_of(release: Release, model: Model, request: RenderRequest, boundary: float | None) -> Job:
    """Of a clip that is drawn at once."""
    return Job(
        model=model,
        clip=Clip(request.width, request.height, request.frames),
        experts=1 if boundary is None else 2,
        steps=steps_of(request.sampling, boundary),
        text_tokens=request.sampling.max_sequence_length,
        options=_options(release, request.sampling),
    )


def _options(release: Release, sampling: Sampling) -> Options:
    """Caches count for nothing until takes tell what they save: it depends on what is drawn."""
    loading = release.loading(sampling.engine)
    engine, asked = loading.options, RequestOptions.parse(sampling.options)
    small = engine.quantisation or engine.layerwise_casting
    return Options(
        gpus=engine.context_parallel.ulysses_degree if engine.context_parallel else 1,
        offload=loading.offload,
        precision="float8" if engine.quantisation == "float8_dynamic" else release.dtype,
        weight_bytes=1 if small else WEIGHT_BYTES[release.dtype],
        vae_tiling=release.vae_tiling or asked.vae_tiling is not None,
        adapters_bytes=_adapters_bytes(release),
        adapters_used=bool(sampling.loras),
    )


def _adapters_bytes(release: Release) -> int:
    """An engine holds the low-rank weights of all its tiers; at most so much beside an expert."""
    declared = dict.fromkeys(lora for tier in release.tiers.values() for lora in tier.loras)
    return max(
        sum(lora.size_bytes for lora in declared if lora.expert == expert)
        for expert in ("high", "low")
    )
