"""A real engine that really runs out of address space: while it loads, switches experts, decodes.

Nothing is raised here: what fails is the allocation that the product makes next.
"""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wan_pipelines.engines.ladder.stages import denoising_stage
from wan_pipelines.engines.prepare import load
from wan_pipelines.engines.protocol import Engine, Footage, Keeper, OnStep
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.studio.studio import Studio

SMALLEST_BLOCK = 1 << 12
LARGEST_BLOCK = 1 << 26
MIB = 1 << 20
CHANGE = 8 * MIB
SMALL_SIZES = (400, 4000)
"""Bytes of what Python's own allocator hands out, and of what it takes from the system's."""
ENOUGH_FOR_TILES = 110 * MIB
"""Of the clip of 256x256 with 17 frames: decoding it in one go takes 149 MiB, in tiles 85."""
WORKER_LIMIT = 64 << 30
"""What the environment gives a worker: more than it takes, and less than there is no limit to."""
WHOLE, SWITCHING = 256, 64
"""Widths of the clips that are decoded with too little memory, and that lack it at the switch."""


def open_starving(studio: Studio, release: str, folder: Path) -> Engine:
    """The first process that does this cannot load, later ones can."""
    assert resource.getrlimit(resource.RLIMIT_AS) == (WORKER_LIMIT, WORKER_LIMIT)
    prepared = studio.prepare(release, digests=False)
    first = folder / "was-loaded"
    if first.exists():
        return StarvingEngine(load(prepared))
    first.touch()
    change = small_change()
    with address_space(MIB):
        engine = load(prepared)
    del change
    return engine


def small_change() -> list[bytes]:
    """Keeps the allocators' hands full of small blocks, as a process has that worked for a while.

    Else the first allocation that fails is as likely one of a few bytes deep inside a library.
    """
    few, many = ([bytes(size) for _ in range(CHANGE // size)] for size in SMALL_SIZES)
    return few[:: MIB // 4 // SMALL_SIZES[0]] + many[:: MIB // 4 // SMALL_SIZES[1]]


class StarvingEngine:
    """Renders as the real one does; there is too little memory for what nobody has changed."""

    def __init__(self, inner: Engine) -> None:
        self.name = inner.name
        self.release = inner.release
        self.fingerprint = inner.fingerprint
        self.load_seconds = inner.load_seconds
        self._inner = inner

    def render(
        self, request: RenderRequest, on_step: OnStep | None = None, keeper: Keeper | None = None
    ) -> Footage:
        if request.width == WHOLE:
            with address_space(ENOUGH_FOR_TILES):
                return self._inner.render(request, on_step, keeper)
        ballast: list[Any] = []

        def step(number: int, steps: int) -> None:
            if on_step:
                on_step(number, steps)
            if _lacks_memory(self._inner, request, number):
                ballast.extend(all_there_is())

        with address_space(None):
            return self._inner.render(request, step, keeper)


def _lacks_memory(engine: Engine, request: RenderRequest, done: int) -> bool:
    if request.width != SWITCHING or request.sampling != engine.release.sampling("draft"):
        return False
    stage = denoising_stage(engine.release, request.sampling, done)
    return done < request.sampling.steps and stage == "switch"


@contextmanager
def address_space(further_bytes: int | None) -> Iterator[None]:
    """Inside, this process has so much more than it has now; None: the limit is put back after."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    if further_bytes is not None:
        _limit(further_bytes)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def all_there_is() -> list[Any]:
    """Blocks of memory that leave nothing, not even what the allocator has kept for itself."""
    import torch

    _limit(0)
    blocks: list[Any] = []
    size = LARGEST_BLOCK
    while size >= SMALLEST_BLOCK:
        try:
            blocks.append(torch.empty(size, dtype=torch.uint8))
        except RuntimeError:
            size //= 2
    return blocks


def _limit(further_bytes: int) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + further_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def import_engine() -> None:
    """So that the processes that are forked from this one need not."""
    from diffusers.pipelines.wan.pipeline_wan import WanPipeline  # noqa: F401
    from transformers import T5Tokenizer, UMT5EncoderModel  # noqa: F401
