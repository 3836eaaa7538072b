"""The denoising loop, one step at a time: text embeddings in, latents out.

Does what `WanPipeline.__call__` of diffusers does, operation by operation, so that its latents are
the pipeline's to the last bit. Unlike the pipeline's call it holds all that a step hands to the
next where it can be read and set: a request can be left after any step and gone on with later.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from wan_pipelines.engines.requests import RenderRequest, Sampling

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, eq=False)
class TextEmbeddings:
    """Of shape (1, tokens, width of the text encoder); no `negative`, no guidance."""

    prompt: "torch.Tensor"
    negative: "torch.Tensor | None"


@dataclass(frozen=True, slots=True, eq=False)
class KnownStart:
    """What the first latent frames are to become, and the noise that they begin as."""

    latents: "torch.Tensor"
    noise: "torch.Tensor"

    def steer(self, flow: "torch.Tensor") -> "torch.Tensor":
        """The flow with that of the known frames as it is: straight from the noise to them.

        At each step these frames are then (1 - sigma) latents + sigma noise, whatever the solver.
        """
        known = (self.noise - self.latents).to(flow.dtype)
        return flow.index_copy(2, _first_indices(known), known)


@dataclass(slots=True, kw_only=True, eq=False)
class Denoising:
    """A request under way; `step` of its steps are done.

    What changes from step to step is `step`, `latents` and the history that `scheduler` keeps.
    `latents` have the shape (1, channels, latent frames, height / 8, width / 8). They are float32,
    except that the Euler solver hands them back in the type of the experts.

    A clip that continues another has a `known` start, or a `condition`: channels that an
    image-to-video model is shown beside the latents.
    """

    pipeline: Any
    text: TextEmbeddings
    sampling: Sampling
    scheduler: Any
    generator: "torch.Generator"
    latents: "torch.Tensor"
    condition: "torch.Tensor | None" = None
    known: KnownStart | None = None
    step: int = 0

    @classmethod
    def begin(
        cls, pipeline: Any, request: RenderRequest, text: TextEmbeddings, scheduler: Any
    ) -> Self:
        """Noise, before the first step; `scheduler` is a new one."""
        latents, generator = cls._noise(pipeline, request, scheduler, pipeline.prepare_latents)
        return cls._of(pipeline, request, text, scheduler, latents, generator)

    @classmethod
    def begin_from(
        cls, pipeline: Any, request: RenderRequest, text: TextEmbeddings, scheduler: Any, image: Any
    ) -> Self:
        """As `begin`, with a `WanImageToVideoPipeline`; `image` (PIL) is the first frame."""
        import torch

        device = pipeline._execution_device
        pixels = pipeline.video_processor.preprocess(
            image, height=request.height, width=request.width
        ).to(device, dtype=torch.float32)
        prepare = partial(pipeline.prepare_latents, pixels)
        (latents, condition), generator = cls._noise(pipeline, request, scheduler, prepare)
        run = cls._of(pipeline, request, text, scheduler, latents, generator)
        run.condition = condition
        return run

    @staticmethod
    def _noise(
        pipeline: Any, request: RenderRequest, scheduler: Any, prepare: Callable[..., Any]
    ) -> "tuple[Any, torch.Generator]":
        """What `prepare` makes of noise drawn on the CPU: the same on every device."""
        import torch

        # 1. Timesteps.
        device = pipeline._execution_device
        scheduler.set_timesteps(request.sampling.steps, device=device)
        scheduler.set_begin_index(0)

        # 2. Noise.
        generator = torch.Generator("cpu").manual_seed(request.seed)
        prepared = prepare(
            1,
            pipeline.vae.config.z_dim,
            request.height,
            request.width,
            request.frames,
            torch.float32,
            device,
            generator,
        )
        return prepared, generator

    @classmethod
    def _of(
        cls,
        pipeline: Any,
        request: RenderRequest,
        text: TextEmbeddings,
        scheduler: Any,
        latents: "torch.Tensor",
        generator: "torch.Generator",
    ) -> Self:
        # 3. Text, in the type that the experts compute in.
        dtype = pipeline.transformer.dtype
        negative = text.negative
        return cls(
            pipeline=pipeline,
            text=TextEmbeddings(
                text.prompt.to(dtype), None if negative is None else negative.to(dtype)
            ),
            sampling=request.sampling,
            scheduler=scheduler,
            generator=generator,
            latents=latents,
        )

    @property
    def steps(self) -> int:
        return len(self.scheduler.timesteps)

    @property
    def is_done(self) -> bool:
        return self.step == self.steps

    def is_high_noise(self, index: int) -> bool:
        """Is step `index`, counted from 0, one of the high-noise expert?"""
        boundary = self.pipeline.config.boundary_ratio
        if boundary is None:
            return True
        timestep = self.scheduler.timesteps[index]
        return bool(timestep >= boundary * self.scheduler.config.num_train_timesteps)

    def advance(self) -> None:
        """Does one step: one forward, or two with guidance."""
        timestep = self.scheduler.timesteps[self.step]

        # 4. The expert for this much noise, and its guidance.
        if self.is_high_noise(self.step):
            expert, guidance = self.pipeline.transformer, self.sampling.guidance
        else:
            expert, guidance = self.pipeline.transformer_2, self.sampling.guidance_2

        # 5. Where the expert thinks the flow goes, with the text and without.
        flow = self._predict(expert, "cond", timestep, self.text.prompt)
        if self.text.negative is not None:
            unguided = self._predict(expert, "uncond", timestep, self.text.negative)
            flow = unguided + guidance * (flow - unguided)
        if self.known:
            flow = self.known.steer(flow)

        # 6. One step along it.
        self.latents = self.scheduler.step(flow, timestep, self.latents, return_dict=False)[0]
        self.step += 1

    def _predict(
        self, expert: Any, cache: str, timestep: "torch.Tensor", text: "torch.Tensor"
    ) -> "torch.Tensor":
        """One forward; `cache` keeps what is cached with and without the text apart."""
        with expert.cache_context(
            cache,
            step_index=self.step,
            sigma=float(self.scheduler.sigmas[self.step]),
            num_inference_steps=self.steps,
        ):
            return expert(
                hidden_states=self._seen().to(text.dtype),
                timestep=self._expanded(timestep),
                encoder_hidden_states=text,
                attention_kwargs=None,
                return_dict=False,
            )[0]

    def _seen(self) -> "torch.Tensor":
        """What an expert looks at."""
        import torch

        if self.condition is None:
            return self.latents
        return torch.cat([self.latents, self.condition], dim=1)

    def _expanded(self, timestep: "torch.Tensor") -> "torch.Tensor":
        """The timestep of the clip, or, for models that are told so, that of each token."""
        import torch

        if not self.pipeline.config.expand_timesteps:
            return timestep.expand(1)
        grid = torch.ones(self.latents.shape[2:], dtype=torch.float32, device=self.latents.device)
        return (grid[:, ::2, ::2] * timestep).flatten().unsqueeze(0)


def _first_indices(clip: "torch.Tensor") -> "torch.Tensor":
    """Indices of as many first latent frames as `clip` has."""
    import torch

    return torch.arange(clip.shape[2], device=clip.device)
