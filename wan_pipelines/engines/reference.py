"""The reference engine: diffusers' own `WanPipeline`, eager, one request at a time.

The pixels are those of a plain `WanPipeline` call with the same arguments, bit for bit on the same
machine with the same number of threads. The call is taken apart into text, denoising and decoding
only to tell their seconds apart and to encode each distinct text once.
"""

import resource
from collections.abc import Sequence
from functools import lru_cache
from time import perf_counter
from typing import TYPE_CHECKING, Any

from wan_pipelines.engines.fingerprint import Device, Fingerprint, read_fingerprint
from wan_pipelines.engines.loras import LoraFile, LoraSwitch
from wan_pipelines.engines.pipeline_folder import check_pipeline_folder
from wan_pipelines.engines.protocol import Footage, OnStep, StageSeconds, check_request
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.engines.schedulers import make_scheduler
from wan_pipelines.errors import EngineError, RenderError
from wan_pipelines.weights.sources import WeightsFolder

if TYPE_CHECKING:
    import numpy as np
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
        release, fingerprint, perf_counter() - started, pipeline=pipeline, loras=switch
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
    ) -> None:
        self.release = release
        self.fingerprint = fingerprint
        self.load_seconds = load_seconds
        self._pipeline = pipeline
        self._scheduler_config = dict(pipeline.scheduler.config)
        self._loras = loras
        self._embedding = lru_cache(TEXTS_KEPT)(self._encode)

    def render(self, request: RenderRequest, on_step: OnStep | None = None) -> Footage:
        """See `Engine.render`; non-finite latents or frames are a RenderError."""
        import torch

        check_request(self.release, request)
        self._reset_peak()
        report = on_step or _nobody_listens
        with torch.no_grad():
            started = perf_counter()
            embeddings = self._embeddings(request)
            text_done = self._now()
            report(0, request.sampling.steps)
            steps = _StepClock(self, request, report)
            latents = self._denoise(request, embeddings, steps)
            denoised = self._now()
            frames = self._decode(latents)
            decoded = self._now()
        stages = StageSeconds(
            text=text_done - started,
            denoise_high=steps.high_seconds,
            denoise_low=denoised - text_done - steps.high_seconds,
            decode=decoded - denoised,
        )
        return Footage(frames, stages, request.sampling.steps, self._peak_memory())

    def _embeddings(self, request: RenderRequest) -> dict[str, "torch.Tensor"]:
        length = request.sampling.max_sequence_length
        embeddings = {"prompt_embeds": self._embedding(request.prompt, length)}
        if request.sampling.guidance > 1:
            negative = self._embedding(request.negative_prompt, length)
            embeddings["negative_prompt_embeds"] = negative
        return embeddings

    def _encode(self, text: str, length: int) -> "torch.Tensor":
        return self._pipeline.encode_prompt(
            prompt=text, do_classifier_free_guidance=False, max_sequence_length=length
        )[0]

    def _denoise(
        self,
        request: RenderRequest,
        embeddings: dict[str, "torch.Tensor"],
        steps: "_StepClock",
    ) -> "torch.Tensor":
        """Latents, float32 of shape (1, channels, latent frames, height / 8, width / 8)."""
        import torch

        sampling = request.sampling
        self._loras.use(self.release.loras(sampling.loras))
        self._pipeline.scheduler = make_scheduler(self._scheduler_config, sampling)
        two_experts = self.release.boundary_ratio is not None
        return self._pipeline(
            **embeddings,
            width=request.width,
            height=request.height,
            num_frames=request.frames,
            num_inference_steps=sampling.steps,
            guidance_scale=sampling.guidance,
            guidance_scale_2=sampling.guidance_2 if two_experts else None,
            generator=torch.Generator("cpu").manual_seed(request.seed),
            output_type="latent",
            return_dict=False,
            callback_on_step_end=steps,
        )[0]

    def _decode(self, latents: "torch.Tensor") -> "np.ndarray":
        """uint8 (frames, height, width, 3), rounded as `output_type="pil"` rounds."""
        import numpy as np
        import torch

        vae = self._pipeline.vae
        latents = latents.to(self._pipeline._execution_device, dtype=vae.dtype)
        per_channel = (1, vae.config.z_dim, 1, 1, 1)
        mean = torch.tensor(vae.config.latents_mean).view(per_channel).to(latents)
        # The pipeline divides by the reciprocal; multiplying would differ in the last bit.
        inverse_std = 1.0 / torch.tensor(vae.config.latents_std).view(per_channel).to(latents)
        video = vae.decode(latents / inverse_std + mean, return_dict=False)[0]
        self._pipeline.maybe_free_model_hooks()
        if not torch.isfinite(video).all():
            raise RenderError(
                "The VAE decoded to values that are not finite. Render with another seed, or "
                "compute the VAE in float32.",
                stage="decode",
            )
        images = self._pipeline.video_processor.postprocess_video(video, output_type="np")[0]
        frames = np.empty(images.shape, dtype=np.uint8)
        for index, image in enumerate(images):
            frames[index] = (image * 255).round()
        return frames

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


class _StepClock:
    """diffusers' step callback: times the high-noise expert, watches the latents, reports."""

    def __init__(self, engine: ReferenceEngine, request: RenderRequest, report: OnStep) -> None:
        self._engine = engine
        self._steps = request.sampling.steps
        self._report = report
        self._started = perf_counter()
        self.high_seconds = 0.0

    def __call__(
        self, pipeline: Any, index: int, timestep: Any, tensors: dict[str, "torch.Tensor"]
    ) -> dict[str, "torch.Tensor"]:
        import torch

        if not torch.isfinite(tensors["latents"]).all():
            raise RenderError(
                f"Latents are not finite after step {index + 1} of {self._steps}. Lower the "
                "guidance, or render with another seed.",
                stage="denoise",
            )
        boundary = self._engine.release.boundary_ratio
        if boundary is None or timestep >= boundary * pipeline.scheduler.config.num_train_timesteps:
            self.high_seconds = self._engine._now() - self._started
        self._report(index + 1, self._steps)
        return {}


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
