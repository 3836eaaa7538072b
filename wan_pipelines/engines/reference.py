"""The reference engine: diffusers' own `WanPipeline`, eager, one request at a time.

The pixels are those of a plain `WanPipeline` call with the same arguments, bit for bit on the same
machine with the same number of threads. The call is taken apart into text, denoising and decoding:
each distinct text is encoded once, and a render can stop at any step and go on in another process.
"""

import gc
import hashlib
import resource
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache, partial
from math import prod
from time import perf_counter
from typing import TYPE_CHECKING, Any

from wan_pipelines.engines.artifacts.switch import Workshop
from wan_pipelines.engines.boundary import Boundary
from wan_pipelines.engines.checkpoints import conditions
from wan_pipelines.engines.decoding import decode
from wan_pipelines.engines.denoising import Denoising, TextEmbeddings
from wan_pipelines.engines.fingerprint import Device, Fingerprint, read_fingerprint
from wan_pipelines.engines.loras import LoraFile
from wan_pipelines.engines.options.applied import decoding_with, denoising_with
from wan_pipelines.engines.options.tier_options import RequestOptions
from wan_pipelines.engines.parallel.dividing import undivided
from wan_pipelines.engines.pipelines import (
    LoadedPipeline,
    load_continuing_pipeline,
    load_pipeline,
)
from wan_pipelines.engines.protocol import (
    Compilation,
    Footage,
    Keeper,
    OnStep,
    StageSeconds,
    check_request,
)
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.engines.schedulers import make_scheduler
from wan_pipelines.engines.segments.chain import Drawn, render_chain
from wan_pipelines.engines.segments.continuing import Continuation, from_image, from_overlap
from wan_pipelines.errors import RenderError
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
    engine: str = "",
    workshop: Workshop | None = None,
    continuing: Callable[[], WeightsFolder] | None = None,
) -> "ReferenceEngine":
    """Loads the pipeline; WeightsError for a folder that must not be, EngineError if it does not.

    The number of threads is set for the whole process: it belongs to what decides pixels.
    `engine` is the `Sampling.engine` of the first request, `workshop` has compiled blocks,
    `continuing` gives the weights of the image-to-video model that continues segments.
    """
    import torch

    started = perf_counter()
    fingerprint = read_fingerprint(device, threads)
    torch.set_num_threads(fingerprint.threads)
    load = partial(
        load_pipeline,
        release,
        weights,
        loras,
        device,
        fingerprint=fingerprint,
        workshop=workshop,
    )
    loaded = load(engine)
    return ReferenceEngine(
        release,
        fingerprint,
        perf_counter() - started,
        loaded=loaded,
        load=load,
        weights=weights.manifest.digest,
        load_continuing=partial(
            load_continuing_pipeline, release, continuing, device, fingerprint=fingerprint
        )
        if continuing
        else None,
    )


class ReferenceEngine:
    """A loaded `WanPipeline`; see `wan_pipelines.engines.protocol.Engine`.

    A request whose tier needs a pipeline that is loaded otherwise gets it, in place of the one that
    is there; workers are given shots of one such kind.
    """

    name = "reference"

    def __init__(
        self,
        release: Release,
        fingerprint: Fingerprint,
        load_seconds: float,
        *,
        loaded: LoadedPipeline,
        load: Callable[[str], LoadedPipeline],
        weights: str,
        load_continuing: Callable[[str], LoadedPipeline] | None = None,
    ) -> None:
        self.release = release
        self.fingerprint = fingerprint
        self.load_seconds = load_seconds
        self._load = load
        self._load_continuing = load_continuing
        self._continues = False
        self._loaded: LoadedPipeline | None = loaded
        self._scheduler_config = dict(loaded.pipeline.scheduler.config)
        self._weights = weights
        self._embedding = lru_cache(TEXTS_KEPT)(self._encode)

    def render(
        self, request: RenderRequest, on_step: OnStep | None = None, keeper: Keeper | None = None
    ) -> Footage:
        """See `Engine.render`; non-finite latents or frames are a RenderError."""
        check_request(self.release, request)
        report = on_step or _nobody_listens
        segments = self.release.segments
        if not request.segments or segments is None:
            return self.draw(request, report, keeper).footage
        self._encode_beforehand(request)
        pieces = segments.pieces(request.frames, self.release.frames.min)
        requests = self.release.pieces(request)
        return render_chain(
            self, request, pieces, requests, segments.seam, on_step=report, keeper=keeper
        )

    def draw(
        self,
        request: RenderRequest,
        on_step: OnStep,
        keeper: Keeper | None,
        tail: "np.ndarray | None" = None,
    ) -> Drawn:
        """See `Drawer.draw`."""
        import torch

        options = RequestOptions.parse(request.sampling.options)
        with torch.no_grad():
            self._be(request.sampling.engine, continues=tail is not None)
            self._reset_peak()
            started = perf_counter()
            text = self._embeddings(request)
            text_done = self._now()
            run = self._begin(request, text, tail)
            # What a cache knows is not in a checkpoint: such a render would go on differently.
            kept_by = None if options.cache else keeper
            code = self._code(options, run)
            conditions = self._conditions(request, run, code.told(self.name))
            if tail is not None:
                conditions["continues"] = hashlib.sha256(tail.tobytes()).hexdigest()
            boundary = Boundary(run, kept_by, conditions, on_step)
            try:
                with self._together(run), denoising_with(options, run):
                    high_seconds = self._denoise(run, boundary)
            finally:
                self._pipeline.maybe_free_model_hooks()
            denoised = self._now()
            with decoding_with(options, self._pipeline.vae):
                frames = decode(self._pipeline, run.latents)
            decoded = self._now()
        stages = StageSeconds(
            text=text_done - started,
            denoise_high=high_seconds,
            denoise_low=denoised - text_done - high_seconds,
            decode=decoded - denoised,
        )
        steps = run.steps - boundary.resumed
        footage = Footage(frames, stages, steps, self._peak_memory(), code)
        return Drawn(footage, run.latents)

    def develop(self, latents: "torch.Tensor", request: RenderRequest, *, first: bool) -> Drawn:
        """See `Drawer.develop`."""
        import torch

        self._be(request.sampling.engine, continues=not first)
        started = self._now()
        options = RequestOptions.parse(request.sampling.options)
        with torch.no_grad(), decoding_with(options, self._pipeline.vae):
            frames = decode(self._pipeline, latents)
        stages = StageSeconds(0.0, 0.0, 0.0, decode=self._now() - started)
        return Drawn(Footage(frames, stages, 0, self._peak_memory()), latents)

    def conditions(self, request: RenderRequest) -> dict[str, str]:
        """See `Drawer.conditions`."""
        machine = {name: str(value) for name, value in self.fingerprint.to_json().items()}
        return {"release": request.release_identity, "weights": self._weights, **machine}

    @property
    def _pipeline(self) -> Any:
        assert self._loaded
        return self._loaded.pipeline

    def _be(self, engine: str, *, continues: bool = False) -> None:
        """Loads anew what is loaded for other tiers; there is never memory for both.

        What continues a clip is another pipeline where the release declares one.
        """
        load = self._load
        continues = continues and self._load_continuing is not None
        if continues and self._load_continuing:
            load = self._load_continuing
        if self._is((engine, continues)):
            return
        if self._loaded:
            self._loaded.close()
        self._loaded = None
        gc.collect()
        self._loaded = load(engine)
        self._continues = continues

    def _is(self, wanted: tuple[str, bool]) -> bool:
        loaded = self._loaded
        if loaded is None or loaded.is_broken:
            return False
        return (loaded.engine, self._continues) == wanted

    def _embeddings(self, request: RenderRequest) -> TextEmbeddings:
        length = request.sampling.max_sequence_length
        guided = request.sampling.guidance > 1
        return TextEmbeddings(
            self._embedding(request.prompt, length),
            self._embedding(request.negative_prompt, length) if guided else None,
        )

    def _encode_beforehand(self, request: RenderRequest) -> None:
        """What continues a clip has no text encoder."""
        import torch

        self._be(request.sampling.engine)
        with torch.no_grad():
            self._embeddings(request)

    def _encode(self, text: str, length: int) -> "torch.Tensor":
        return self._pipeline.encode_prompt(
            prompt=text, do_classifier_free_guidance=False, max_sequence_length=length
        )[0]

    def _begin(
        self, request: RenderRequest, text: TextEmbeddings, tail: "np.ndarray | None"
    ) -> Denoising:
        assert self._loaded
        self._loaded.loras.use(self.release.loras(request.sampling.loras))
        scheduler = make_scheduler(self._scheduler_config, request.sampling)
        if tail is None:
            return Denoising.begin(self._pipeline, request, text, scheduler)
        continuation: Continuation = from_image if self._continues else from_overlap
        return continuation(self._pipeline, request, text, scheduler, tail)

    def _code(self, options: RequestOptions, run: Denoising) -> Compilation:
        """Lets the blocks run what the tier wants, and says what that is."""
        assert self._loaded
        return self._loaded.code.use(options.compiled, self._tokens(run))

    def _tokens(self, run: Denoising) -> int:
        patch = prod(self._pipeline.transformer.config.patch_size)
        return prod(run.latents.shape[2:]) // patch

    def _together(self, run: Denoising) -> AbstractContextManager[None]:
        """Forwards are shared inside, if they are; RenderError for a clip that does not divide."""
        assert self._loaded
        parallel = self.release.loading(self._loaded.engine).options.context_parallel
        if parallel:
            heads = self._pipeline.transformer.config.num_attention_heads
            reason = undivided(parallel, tokens=self._tokens(run), heads=heads)
            if reason:
                raise RenderError(reason, stage="denoise")
        return self._loaded.together()

    def _conditions(self, request: RenderRequest, run: Denoising, engine: str) -> dict[str, str]:
        return conditions(
            request, run, engine=engine, weights=self._weights, fingerprint=self.fingerprint
        )

    def _denoise(self, run: Denoising, boundary: Boundary) -> float:
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


def _nobody_listens(step: int, steps: int) -> None:
    """Default of `on_step`."""
