"""The denoising loop, one step at a time: text embeddings in, latents out.

Does what `WanPipeline.__call__` of diffusers does, operation by operation, so that its latents are
the pipeline's to the last bit. Unlike the pipeline's call it holds all that a step hands to the
next where it can be read and set: a request can be left after any step and gone on with later.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from wan_pipelines.engines.requests import RenderRequest, Sampling

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, eq=False)
class TextEmbeddings:
    """Of shape (1, tokens, width of the text encoder); no `negative`, no guidance."""

    prompt: "torch.Tensor"
    negative: "torch.Tensor | None"


@dataclass(slots=True, kw_only=True, eq=False)
class Denoising:
    """A request under way; `step` of its steps are done.

    What changes from step to step is `step`, `latents` and the history that `scheduler` keeps.
    `latents` have the shape (1, channels, latent frames, height / 8, width / 8). They are float32,
    except that the Euler solver hands them back in the type of the experts.
    """

    pipeline: Any
    text: TextEmbeddings
    sampling: Sampling
    scheduler: Any
    generator: "torch.Generator"
    latents: "torch.Tensor"
    step: int = 0

    @classmethod
    def begin(
        cls, pipeline: Any, request: RenderRequest, text: TextEmbeddings, scheduler: Any
    ) -> Self:
        """Noise, before the first step; `scheduler` is a new one."""
        import torch

        # 1. Timesteps.
        device = pipeline._execution_device
        scheduler.set_timesteps(request.sampling.steps, device=device)
        scheduler.set_begin_index(0)

        # 2. Noise, drawn on the CPU: the same on every device.
        generator = torch.Generator("cpu").manual_seed(request.seed)
        latents = pipeline.prepare_latents(
            1,
            pipeline.transformer.config.in_channels,
            request.height,
            request.width,
            request.frames,
            torch.float32,
            device,
            generator,
        )

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
                hidden_states=self.latents.to(text.dtype),
                timestep=self._expanded(timestep),
                encoder_hidden_states=text,
                attention_kwargs=None,
                return_dict=False,
            )[0]

    def _expanded(self, timestep: "torch.Tensor") -> "torch.Tensor":
        """The timestep of the clip, or, for models that are told so, that of each token."""
        import torch

        if not self.pipeline.config.expand_timesteps:
            return timestep.expand(1)
        grid = torch.ones(self.latents.shape[2:], dtype=torch.float32, device=self.latents.device)
        return (grid[:, ::2, ::2] * timestep).flatten().unsqueeze(0)
