"""Requests under way on the tiny pipeline, for tests that need some."""

from dataclasses import dataclass
from typing import Any

from tests.support.releases import hub_release, request_for
from tests.support.tiny_pipeline import TEXT_WIDTH
from wan_pipelines.engines.checkpoints import conditions
from wan_pipelines.engines.denoising import Denoising, TextEmbeddings
from wan_pipelines.engines.fingerprint import read_fingerprint
from wan_pipelines.engines.requests import RenderRequest, Sampling
from wan_pipelines.engines.schedulers import make_scheduler

RELEASE = hub_release()
TOKENS = 16


def sampling(solver: str, *, guidance: float = 2.0, guidance_2: float = 1.5) -> Sampling:
    return Sampling(6, guidance, guidance_2, 3.0, solver, TOKENS)


@dataclass(frozen=True)
class Scene:
    """A pipeline, a request, and embeddings of its texts."""

    pipeline: Any
    request: RenderRequest

    @property
    def text(self) -> TextEmbeddings:
        import torch

        random = torch.Generator().manual_seed(3)
        prompt, negative = torch.randn(2, 1, TOKENS, TEXT_WIDTH, generator=random)
        return TextEmbeddings(prompt, negative if self.request.sampling.guidance > 1 else None)

    def scheduler(self) -> Any:
        return make_scheduler(dict(self.pipeline.scheduler.config), self.request.sampling)

    def begin(self) -> Denoising:
        return Denoising.begin(self.pipeline, self.request, self.text, self.scheduler())

    def conditions(self, **changes: str) -> dict[str, str]:
        found = conditions(
            self.request,
            self.begin(),
            engine="reference",
            weights="0" * 64,
            fingerprint=read_fingerprint(),
        )
        return {**found, **changes}


def scene(pipeline: Any, solver: str = "unipc", **changes: Any) -> Scene:
    request = request_for(RELEASE, "a ball", **{"sampling": sampling(solver), **changes})
    return Scene(pipeline, request)


def finish(run: Denoising) -> Any:
    """The latents after the last step."""
    import torch

    with torch.no_grad():
        while not run.is_done:
            run.advance()
    return run.latents
