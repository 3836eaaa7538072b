"""From verified files to diffusers' `WanPipeline`, as a release and a tier's engine want it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wan_pipelines.engines.artifacts.switch import BlockCode, Loaded, Workshop, code_of
from wan_pipelines.engines.fingerprint import Device, Fingerprint
from wan_pipelines.engines.loras import LoraFile, LoraSwitch
from wan_pipelines.engines.options.loading import convert, place, quantisation_config
from wan_pipelines.engines.options.tier_options import Compiled, EngineOptions, Loading
from wan_pipelines.engines.parallel.joining import Membership
from wan_pipelines.engines.parallel.leading import Company, gathered
from wan_pipelines.engines.pipeline_folder import check_pipeline_folder
from wan_pipelines.engines.releases import Release
from wan_pipelines.errors import EngineError
from wan_pipelines.weights.sources import WeightsFolder

TEXT_TO_VIDEO = "WanPipeline"
IMAGE_TO_VIDEO = "WanImageToVideoPipeline"
NO_EXPERTS = ("text_encoder", "tokenizer", "vae")


@dataclass(frozen=True, slots=True)
class LoadedPipeline:
    """`engine` is the `Sampling.engine` it was loaded for, `code` what its blocks can run.

    `company` are the processes that it shares its forwards with.
    """

    pipeline: Any
    loras: LoraSwitch
    engine: str
    code: BlockCode
    company: Company | None = None

    @property
    def is_broken(self) -> bool:
        """Can it not render any more?"""
        return self.company is not None and self.company.is_broken

    def together(self) -> AbstractContextManager[None]:
        """Forwards are done inside; EngineError when one of the company dies."""
        return self.company.together() if self.company else nullcontext()

    def close(self) -> None:
        """Gives back what nobody else would; the pipeline is of no use afterwards."""
        if self.company:
            self.company.end()
        self.code.close()


@dataclass(frozen=True, slots=True)
class Experts:
    """A pipeline that has nothing but its experts."""

    pipeline: Any
    loras: LoraSwitch


def load_pipeline(
    release: Release,
    weights: WeightsFolder,
    loras: Sequence[LoraFile],
    device: Device,
    engine: str,
    *,
    fingerprint: Fingerprint,
    workshop: Workshop | None = None,
) -> LoadedPipeline:
    """WeightsError for a folder that must not be loaded, EngineError when it does not load."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise EngineError("No CUDA device is here. Use device 'cpu', or run on a GPU machine.")
    check_pipeline_folder(weights.path)
    loading = release.loading(engine)
    member = _membership(release, weights, loras, device, engine, TEXT_TO_VIDEO, fingerprint)
    with gathered(member) as company:
        pipeline = _read(release, weights, loading.options)
        _check_boundary(release, pipeline, release.boundary_ratio)
        switch = LoraSwitch(pipeline, loras)
        _put_in_place(release, pipeline, loading, device)
        loaded = Loaded(pipeline, release, weights, fingerprint, device)
        code = code_of(loaded, _compiled_tiers(release, engine), workshop)
        if company:
            company.lead(pipeline, switch.in_use)
    return LoadedPipeline(pipeline, switch, engine, code, company)


def load_experts(
    release: Release,
    weights: WeightsFolder,
    loras: Sequence[LoraFile],
    device: Device,
    engine: str,
    *,
    kind: str,
) -> Experts:
    """What one of several processes needs that share forwards; they are in a group already."""
    check_pipeline_folder(weights.path, kind)
    loading = release.loading(engine)
    pipeline = _read(release, weights, loading.options, kind, without=NO_EXPERTS)
    switch = LoraSwitch(pipeline, loras)
    convert(pipeline, loading.options)
    place(pipeline, loading, device)
    return Experts(pipeline, switch)


def _membership(
    release: Release,
    weights: WeightsFolder,
    loras: Sequence[LoraFile],
    device: Device,
    engine: str,
    kind: str,
    fingerprint: Fingerprint,
) -> Membership | None:
    """Of this process, in a group that is to be; None for one GPU, or where somebody made one."""
    from torch import distributed

    parallel = release.loading(engine).options.context_parallel
    if parallel is None or distributed.is_initialized():
        return None
    return Membership(
        release=release,
        weights=weights.path,
        loras=tuple(loras),
        engine=engine,
        kind=kind,
        device=device,
        threads=fingerprint.threads,
        meeting=Path(),
        rank=0,
        size=parallel.ulysses_degree,
    )


def load_continuing_pipeline(
    release: Release,
    find_weights: Callable[[], WeightsFolder],
    device: Device,
    engine: str,
    *,
    fingerprint: Fingerprint,
) -> LoadedPipeline:
    """The `WanImageToVideoPipeline` of the release's segments, in the same types and place.

    Texts are encoded by the release's own pipeline. Raises what `load_pipeline` raises.
    """
    assert release.segments
    assert release.segments.image_to_video
    weights = find_weights()
    check_pipeline_folder(weights.path, IMAGE_TO_VIDEO)
    loading = release.loading(engine)
    member = _membership(release, weights, (), device, engine, IMAGE_TO_VIDEO, fingerprint)
    with gathered(member) as company:
        pipeline = _read(
            release, weights, loading.options, IMAGE_TO_VIDEO, without=("text_encoder", "tokenizer")
        )
        _check_boundary(release, pipeline, release.segments.image_to_video.boundary_ratio)
        _check_images(release, pipeline)
        _put_in_place(release, pipeline, loading, device)
        switch = LoraSwitch(pipeline, ())
        if company:
            company.lead(pipeline, switch.in_use)
    eager = BlockCode(None, missed="the model that continues a clip is not compiled")
    return LoadedPipeline(pipeline, switch, engine, eager, company)


def _check_images(release: Release, pipeline: Any) -> None:
    if pipeline.transformer.config.image_dim is not None:
        raise EngineError(
            f"{release.name}: the model that continues segments sees images through an encoder of "
            "their own, as those of Wan 2.1 do. Continue them with one of Wan 2.2."
        )


def _put_in_place(release: Release, pipeline: Any, loading: Loading, device: Device) -> None:
    convert(pipeline, loading.options)
    if release.vae_tiling:
        pipeline.vae.enable_tiling()
    place(pipeline, loading, device)


def _compiled_tiers(release: Release, engine: str) -> frozenset[Compiled]:
    """How the tiers of that engine want their blocks compiled; empty if none does."""
    tiers = (tier for tier in release.tiers.values() if tier.engine_options.text == engine)
    return frozenset(tier.compiled for tier in tiers if tier.compiled)


def _read(
    release: Release,
    weights: WeightsFolder,
    options: EngineOptions,
    kind: str = TEXT_TO_VIDEO,
    without: Sequence[str] = (),
) -> Any:
    import diffusers
    import torch
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    types = {"default": getattr(torch, release.dtype), "vae": getattr(torch, release.vae_dtype)}
    experts = (
        ["transformer"] if release.boundary_ratio is None else ["transformer", "transformer_2"]
    )
    try:
        pipeline = getattr(diffusers, kind).from_pretrained(
            weights.path,
            **dict.fromkeys(without),
            dtype=types,
            use_safetensors=True,
            local_files_only=True,
            quantization_config=quantisation_config(options.quantisation, experts),
        )
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise EngineError(
            f"{release.name} does not load from {weights.path}: {error}. Verify the weights with "
            f"`python -m wan_pipelines.weights verify {weights.path}`."
        ) from error
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _check_boundary(release: Release, pipeline: Any, declared: float | None) -> None:
    if pipeline.config.boundary_ratio != declared:
        raise EngineError(
            f"{release.name}: boundary_ratio is {declared} in the release and "
            f"{pipeline.config.boundary_ratio} in the weights. Correct the release."
        )
