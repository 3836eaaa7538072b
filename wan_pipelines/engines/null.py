"""An engine without a model, for measuring and testing everything around a render."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from wan_pipelines.engines.fingerprint import Fingerprint, read_fingerprint
from wan_pipelines.engines.protocol import (
    Footage,
    Keeper,
    OnStep,
    StageSeconds,
    check_request,
)
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest

if TYPE_CHECKING:
    import numpy as np


class NullEngine:
    """Draws a moving gradient that the render key decides, in no time.

    `faults` maps prompts to what `render` raises for them.
    """

    name = "null"
    load_seconds = 0.0

    def __init__(self, release: Release, faults: Mapping[str, Exception] | None = None) -> None:
        self.release = release
        self.fingerprint: Fingerprint = read_fingerprint()
        self._faults = faults or {}

    def render(
        self, request: RenderRequest, on_step: OnStep | None = None, keeper: Keeper | None = None
    ) -> Footage:
        """See `Engine.render`; what it keeps is the render key and the number of the step."""
        check_request(self.release, request)
        steps = request.sampling.steps
        first = _resume(request, keeper) if keeper else 0
        for step in range(first, steps + 1):
            if keeper and step > first:
                keeper.step_done(step, lambda step=step: _pack(request, step))
            if on_step:
                on_step(step, steps)
        if request.prompt in self._faults:
            raise self._faults[request.prompt]
        stages = StageSeconds(text=0.0, denoise_high=0.0, denoise_low=0.0, decode=0.0)
        return Footage(_gradient(request), stages, steps - first, peak_memory_bytes=0)


def _pack(request: RenderRequest, step: int) -> bytes:
    return f"{request.key} {step}".encode()


def _resume(request: RenderRequest, keeper: Keeper) -> int:
    """After which step to go on."""
    steps = range(1, request.sampling.steps + 1)
    states = {_pack(request, step): step for step in steps}
    kept = keeper.found(max(map(len, states), default=0))
    if kept is None:
        return 0
    if kept not in states:
        keeper.refused("it is not of this shot")
        return 0
    keeper.resumed(states[kept])
    return states[kept]


def _gradient(request: RenderRequest) -> "np.ndarray":
    """uint8 (frames, height, width, 3)."""
    import numpy as np

    start = np.frombuffer(bytes.fromhex(request.key)[:3], dtype=np.uint8)
    time = np.arange(request.frames, dtype=np.uint8)[:, None, None, None]
    row = np.arange(request.height).astype(np.uint8)[None, :, None, None]
    column = np.arange(request.width).astype(np.uint8)[None, None, :, None]
    return np.ascontiguousarray(start + 4 * time + row + column)
