"""An engine for which there is never memory enough, unless it is asked for less."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.project import ENVIRONMENT, Project
from wan_pipelines.engines.null import NullEngine
from wan_pipelines.engines.protocol import Engine, Footage, Keeper, OnStep
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.rendering.takes import RunReference
from wan_pipelines.studio.render_here import Rendered, render_here
from wan_pipelines.studio.shard_records import ShardReference
from wan_pipelines.studio.studio import Studio

LADDER = [
    {"name": "tiles", "vae_tiling": dict.fromkeys(
        ("tile_height", "tile_width", "stride_height", "stride_width"), 16)},
    {"name": "light", "tier": "light"},
]  # fmt: skip
TIERS = {"draft": {"steps": 3, "guidance": 1.0}, "light": {"steps": 2, "guidance": 1.0}}


def studio_with_ladder(project: Project, degradation: str = "allowed") -> Studio:
    """Its release can be drawn in tiles and in a lighter tier, if its tenant allows it."""
    project.release(ladder=LADDER, tiers=TIERS)
    tenants = {"demo": {**ENVIRONMENT["tenants"]["demo"], "degradation": degradation}}
    project.environment(tenants=tenants)
    return project.studio()


@dataclass
class Greedy:
    """Draws what needs less memory than there is: nothing at full size, or nothing at all."""

    inner: NullEngine
    needed: Callable[[RenderRequest], bool]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def render(
        self, request: RenderRequest, on_step: OnStep | None = None, keeper: Keeper | None = None
    ) -> Footage:
        footage = self.inner.render(request, on_step, keeper)
        if self.needed(request):
            raise MemoryError("Unable to allocate 9 TiB")
        return footage


def one_process(
    studio: Studio, shard: ShardReference, fails: Callable[[RenderRequest], bool]
) -> Rendered:
    """A worker process's part of a shard; what `fails` takes more memory than there is."""

    def open_engine(studio: Studio, release: str) -> Engine:
        return Greedy(NullEngine(studio.release(release)), fails)  # pyright: ignore

    run = RunReference("run-1", shard.name)
    return render_here(studio, shard, run, say=lambda words: None, open_engine=open_engine)


def untiled(request: RenderRequest) -> bool:
    """Whether it is to be decoded in one go."""
    return "vae_tiling" not in request.sampling.options
