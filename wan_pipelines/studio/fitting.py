"""Shots that cannot be rendered on the environment's GPUs, told before anything is paid."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.engines.estimating.machines import GPUS
from wan_pipelines.engines.estimating.memory import estimate_memory, fits
from wan_pipelines.engines.parallel.dividing import undivided
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.studio.capacity import Capacity, capacity_of
from wan_pipelines.studio.estimates import Estimator
from wan_pipelines.studio.studio import Studio
from wan_pipelines.units import GB, GIB

MEMORY_TOLERANCE = 0.99
"""What is called 80 GB differs by a part in a hundred from card to card, and by who counts."""


class Fitting:
    """Tells the shots that fit the environment's GPUs from those that do not.

    It fits when its peak leaves a tenth of the memory free and the needs of its release are met.
    """

    def __init__(self, studio: Studio, estimator: Estimator) -> None:
        self._studio = studio
        self._estimator = estimator
        self._told: dict[RenderRequest, str] = {}

    def why_unfit(self, shot: Shot) -> str:
        """Why a shot cannot be rendered here, and the nearest that can; empty if it can."""
        return self.why_unfit_request(shot.request)

    def why_unfit_request(self, request: RenderRequest) -> str:
        """As `why_unfit`; requests that differ in prompts and seed only are looked at once."""
        alike = replace(request, prompt="", negative_prompt="", seed=0)
        if alike not in self._told:
            self._told[alike] = self._story(alike)
        return self._told[alike]

    def classes_that_fit(self, request: RenderRequest) -> Iterator[str]:
        """GPU classes on which a request fits: the environment's, then those of other sheets."""
        settings = self._studio.settings
        own = {name: capacity_of(settings, name) for name in settings.gpu_classes}
        sheets = {
            name: Capacity(name, machine, machine.memory_bytes)
            for name, machine in GPUS.items()
            if name not in {capacity.machine.name for capacity in own.values()}
        }
        for name, capacity in (own | sheets).items():
            if not self._reason(request, capacity):
                yield name

    def _story(self, request: RenderRequest) -> str:
        reason = self._reason(request, self._estimator.capacity)
        if not reason:
            return ""
        nearest = list(self._nearest(request))
        if not nearest:
            return f"{reason} No shape, tier or GPU class that is known fits."
        return f"{reason} What fits: {' or '.join(nearest)}."

    def _nearest(self, request: RenderRequest) -> Iterator[str]:
        """The largest shape, the longest clip, the best tier that fit; the first GPU class."""
        release = self._studio.release(request.release)
        for what, candidates in (
            ("shape", _smaller_shapes(release, request)),
            ("frames", _shorter(release, request)),
            ("tier", _other_tiers(release, request)),
        ):
            fitting = (
                name
                for name, wish in candidates
                if not self._reason(wish, self._estimator.capacity)
            )
            yield from (f"{what} {name}" for name in islice(fitting, 1))
        yield from (f"GPU class {name}" for name in islice(self.classes_that_fit(request), 1))

    def _reason(self, request: RenderRequest, capacity: Capacity) -> str:
        release = self._studio.release(request.release)
        return (
            _unmet(release, capacity)
            or self._unshared(release, request, capacity)
            or self._too_large(request, capacity)
        )

    def _unshared(self, release: Release, request: RenderRequest, capacity: Capacity) -> str:
        """Why the GPUs of a worker cannot share a shot that is to be."""
        parallel = release.loading(request.sampling.engine).options.context_parallel
        if parallel is None:
            return ""
        declared = self._studio.settings.gpu_classes.get(capacity.gpu_class)
        held, wanted = declared.gpu_count if declared else 1, parallel.ulysses_degree
        if declared and declared.device == "cuda" and held < wanted:
            return (
                f"The tier spreads a shot over {wanted} GPUs; a worker of {capacity.gpu_class} "
                f"holds {held}."
            )
        reasons = (
            undivided(parallel, tokens=job.tokens, heads=job.architecture.transformer.heads)
            for job in self._estimator.jobs(request)
        )
        return next(filter(None, reasons), "")

    def _too_large(self, request: RenderRequest, capacity: Capacity) -> str:
        counted = max(
            (estimate_memory(job, capacity.machine) for job in self._estimator.jobs(request)),
            key=lambda memory: memory.peak,
        )
        needed = counted.peak
        if capacity == self._estimator.capacity:
            needed = self._estimator.of_request(request).peak_bytes
        if fits(needed, capacity.memory_bytes):
            return ""
        stage = "denoising" if counted.denoise >= counted.decode else "decoding"
        return (
            f"{request.width}x{request.height} with {request.frames} frames needs about "
            f"{needed / GB:.1f} GB of memory while {stage}; {capacity.gpu_class} has "
            f"{capacity.memory_bytes / GB:.1f} GB, of which nine tenths can be used."
        )


def _unmet(release: Release, capacity: Capacity) -> str:
    """What the release says it needs, whatever is drawn."""
    least = release.needs.gpu_memory_gib or 0
    if capacity.on_cpu:
        needs_gpu = release.needs.cuda or least
        return f"{release.name} needs a GPU; {capacity.gpu_class} has none." if needs_gpu else ""
    if capacity.memory_bytes < least * GIB * MEMORY_TOLERANCE:
        return (
            f"{release.name} needs {least:g} GiB of GPU memory; {capacity.gpu_class} has "
            f"{capacity.memory_bytes / GIB:.1f}."
        )
    return ""


def _smaller_shapes(
    release: Release, request: RenderRequest
) -> Iterator[tuple[str, RenderRequest]]:
    """Offered shapes of fewer pixels, the largest and those of the same orientation first."""
    upright = request.height > request.width
    pixels = request.width * request.height
    smaller = [size for size in release.sizes.offered if size.width * size.height < pixels]
    smaller.sort(
        key=lambda size: (size.width * size.height, (size.height > size.width) == upright),
        reverse=True,
    )
    for size in smaller:
        yield size.name, replace(request, width=size.width, height=size.height)


def _shorter(release: Release, request: RenderRequest) -> Iterator[tuple[str, RenderRequest]]:
    for frames in range(request.frames - 1, release.frames.min - 1, -1):
        if release.draws(frames):
            segments = release.segments_text(frames)
            yield str(frames), replace(request, frames=frames, segments=segments)


def _other_tiers(release: Release, request: RenderRequest) -> Iterator[tuple[str, RenderRequest]]:
    """Tiers by steps, most first: the nearest in quality that fits."""
    for name in sorted(release.tiers, key=lambda name: -release.tiers[name].steps):
        sampling = release.sampling(name)
        if sampling != request.sampling:
            yield name, replace(request, sampling=sampling)
