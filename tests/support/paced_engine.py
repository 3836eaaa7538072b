"""The engine without a model, at a pace: so that something can happen while it draws."""

import time

from wan_pipelines.engines.null import NullEngine
from wan_pipelines.engines.protocol import Footage, Keeper, OnStep
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest


class PacedEngine(NullEngine):
    """Each of its steps takes so long."""

    def __init__(self, release: Release, seconds_per_step: float) -> None:
        super().__init__(release)
        self._seconds_per_step = seconds_per_step

    def render(
        self, request: RenderRequest, on_step: OnStep | None = None, keeper: Keeper | None = None
    ) -> Footage:
        def step(number: int, steps: int) -> None:
            time.sleep(self._seconds_per_step)
            if on_step:
                on_step(number, steps)

        return super().render(request, step, keeper)
