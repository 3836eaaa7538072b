"""The reference engine: diffusers' own `WanPipeline`, eager, one request at a time.

The pixels are those of a plain `WanPipeline` call with the same arguments, bit for bit on the same
machine with the same number of threads. The call is taken apart into text, denoising and decoding:
each distinct text is encoded once, and a render can stop at any step and go on in another process.
"""

import resource
from collections.abc import Mapping, Sequence
from functools import lru_cache
from time import perf_counter
from typing import TYPE_CHECKING, Any

from wan_pipelines.engines.checkpoints import Refused, conditions, limit_bytes, pack, restore
from wan_pipelines.engines.decoding import decode
from wan_pipelines.engines.denoising import Denoising, TextEmbeddings
from wan_pipelines.engines.fingerprint import Device, Fingerprint, read_fingerprint
from wan_pipelines.engines.loras import LoraFile, LoraSwitch
from wan_pipelines.engines.pipeline_folder import check_pipeline_folder
from wan_pipelines.engines.protocol import Footage, Keeper, OnStep, StageSeconds, check_request
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.engines.schedulers import make_scheduler
from wan_pipelines.errors import EngineError, RenderError
from wan_pipelines.weights.sources import WeightsFolder

if TYPE_CHECKING:
    import torch

TEXTS_KEPT = 64


def load_reference_engine(
    release: Release,
    weights: WeightsFolder,
    loras: Sequence[LoraFile] = (),
    *,
    device: Device = "cpu",
    threads: int | None = None,
) -> "ReferenceEngine":
    """Loads the pipeline; WeightsError for a folder that must not be, EngineError if it does not.

    The number of threads is set for the whole process: it belongs to what decides pixels.
    """
    started = perf_counter()
    check_pipeline_folder(weights.path)
    fingerprint = read_fingerprint(device, threads)
    pipeline = _load_pipeline(release, weights, device, fingerprint.threads)
    _check_boundary(release, pipeline)
    switch = LoraSwitch(pipeline, loras)
    return ReferenceEngine(
        release,
        fingerprint,
        perf_counter() - started,
        pipeline=pipeline,
        loras=switch,
        weights=weights.manifest.digest,
    )


class ReferenceEngine:
    """A loaded `WanPipeline`; see `wan_pipelines.engines.protocol.Engine`."""

    name = "reference"

    def __init__(
        self,
        release: Release,
        fingerprint: Fingerprint,
        load_seconds: float,
        *,
        pipeline: Any,
        loras: LoraSwitch,
        weights: str,
    ) -> None:
        self.release = release
        self.fingerprint = fingerprint
        self.load_seconds = load_seconds
        self._pipeline = pipeline
        self._scheduler_config = dict(pipeline.scheduler.config)
        self._loras = loras
        self._weights = weights
        self._embedding = lru_cache(TEXTS_KEPT)(self._encode)

    def render(
        self, request: RenderRequest, on_step: OnStep | None = None, keeper: Keeper | None = None
    ) -> Footage:
        """See `Engine.render`; non-finite latents or frames are a RenderError."""
        import torch

        check_request(self.release, request)
        self._reset_peak()
        report = on_step or _nobody_listens
        with torch.no_grad():
            started = perf_counter()
            text = self._embeddings(request)
            text_done = self._now()
            run = self._begin(request, text)
            boundary = _Boundary(run, keeper, self._conditions(request, run), report)
            try:
                high_seconds = self._denoise(run, boundary)
            finally:
                self._pipeline.maybe_free_model_hooks()
            denoised = self._now()
            frames = decode(self._pipeline, run.latents)
            decoded = self._now()
        stages = StageSeconds(
            text=text_done - started,
            denoise_high=high_seconds,
            denoise_low=denoised - text_done - high_seconds,
            decode=decoded - denoised,
        )
        return Footage(frames, stages, run.steps - boundary.resumed, self._peak_memory())

    def _embeddings(self, request: RenderRequest) -> TextEmbeddings:
        length = request.sampling.max_sequence_length
        guided = request.sampling.guidance > 1
        return TextEmbeddings(
            self._embedding(request.prompt, length),
            self._embedding(request.negative_prompt, length) if guided else None,
        )

    def _encode(self, text: str, length: int) -> "torch.Tensor":
        return self._pipeline.encode_prompt(
            prompt=text, do_classifier_free_guidance=False, max_sequence_length=length
        )[0]

    def _begin(self, request: RenderRequest, text: TextEmbeddings) -> Denoising:
        self._loras.use(self.release.loras(request.sampling.loras))
        scheduler = make_scheduler(self._scheduler_config, request.sampling)
        return Denoising.begin(self._pipeline, request, text, scheduler)

    def _conditions(self, request: RenderRequest, run: Denoising) -> dict[str, str]:
        return conditions(
            request, run, engine=self.name, weights=self._weights, fingerprint=self.fingerprint
        )

    def _denoise(self, run: Denoising, boundary: "_Boundary") -> float:
        """Does the steps that are left; wall seconds of those of the high-noise expert."""
        started = perf_counter()
        high_seconds = 0.0
        boundary.enter()
        while not run.is_done:
            is_high_noise = run.is_high_noise(run.step)
            run.advance()
            if is_high_noise:
                high_seconds = self._now() - started
            boundary.cross()
        return high_seconds

    def _now(self) -> float:
        """perf_counter once the GPU has caught up; its kernels run behind the calls."""
        if self._on_gpu:
            import torch

            torch.cuda.synchronize()
        return perf_counter()

    @property
    def _on_gpu(self) -> bool:
        return bool(self.fingerprint.gpu)

    def _reset_peak(self) -> None:
        if self._on_gpu:
            import torch

            torch.cuda.reset_peak_memory_stats()

    def _peak_memory(self) -> int:
        """Bytes: of this render on a GPU; on a CPU the peak of the process so far (Linux)."""
        if self._on_gpu:
            import torch

            return torch.cuda.max_memory_allocated()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class _Boundary:
    """What happens between steps: the state is looked at, kept, and reported."""

    def __init__(
        self,
        run: Denoising,
        keeper: Keeper | None,
        conditions: Mapping[str, str],
        report: OnStep,
    ) -> None:
        self._run = run
        self._keeper = keeper
        self._conditions = conditions
        self._report = report
        self.resumed = 0

    def enter(self) -> None:
        """Goes on where an earlier attempt was left, if what is kept of it fits."""
        if self._keeper:
            self._resume(self._keeper)
        self._report(self._run.step, self._run.steps)

    def cross(self) -> None:
        """After a step."""
        import torch

        run = self._run
        if not torch.isfinite(run.latents).all():
            raise RenderError(
                f"Latents are not finite after step {run.step} of {run.steps}. Lower the "
                "guidance, or render with another seed.",
                stage="denoise",
            )
        if self._keeper:
            self._keeper.step_done(run.step, lambda: pack(run, self._conditions))
        self._report(run.step, run.steps)

    def _resume(self, keeper: Keeper) -> None:
        kept = keeper.found(limit_bytes(self._run))
        if kept is None:
            return
        try:
            restore(self._run, kept, self._conditions)
        except Refused as reason:
            keeper.refused(str(reason))
            return
        self.resumed = self._run.step
        keeper.resumed(self._run.step)


def _load_pipeline(release: Release, weights: WeightsFolder, device: Device, threads: int) -> Any:
    import torch
    from diffusers.pipelines.wan.pipeline_wan import WanPipeline
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    if device == "cuda" and not torch.cuda.is_available():
        raise EngineError("No CUDA device is here. Use device 'cpu', or run on a GPU machine.")
    torch.set_num_threads(threads)
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    types = {"default": getattr(torch, release.dtype), "vae": getattr(torch, release.vae_dtype)}
    try:
        pipeline = WanPipeline.from_pretrained(
            weights.path, dtype=types, use_safetensors=True, local_files_only=True
        )
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise EngineError(
            f"{release.name} does not load from {weights.path}: {error}. Verify the weights with "
            f"`python -m wan_pipelines.weights verify {weights.path}`."
        ) from error
    pipeline.set_progress_bar_config(disable=True)
    if release.vae_tiling:
        pipeline.vae.enable_tiling()
    if device == "cuda" and release.offload == "model":
        pipeline.enable_model_cpu_offload()
    else:
        pipeline.to(device)
    return pipeline


def _check_boundary(release: Release, pipeline: Any) -> None:
    if pipeline.config.boundary_ratio != release.boundary_ratio:
        raise EngineError(
            f"{release.name}: boundary_ratio is {release.boundary_ratio} in the release and "
            f"{pipeline.config.boundary_ratio} in the weights. Correct the release."
        )


def _nobody_listens(step: int, steps: int) -> None:
    """Default of `on_step`."""
