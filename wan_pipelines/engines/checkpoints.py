"""A request under way as bytes: a safetensors file that says what it depends on.

Another process goes on from it only if all of that is the same there: then, and only then, the
frames are those of a render that was never interrupted, bit for bit. The file comes from a place
that others may write to, so nothing of it is believed: it is bounded in size, and compared with its
digest and with the request before a tensor of it is used.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any

from wan_pipelines.engines.denoising import Denoising
from wan_pipelines.engines.fingerprint import Fingerprint
from wan_pipelines.engines.options.tier_options import RequestOptions
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.engines.sealed import HEADER_LIMIT_BYTES, Refused, seal, unseal
from wan_pipelines.engines.solver_history import (
    always_there,
    history_of,
    history_shapes,
    restore_history,
)

if TYPE_CHECKING:
    import torch

__all__ = ["Refused", "conditions", "limit_bytes", "pack", "restore"]

FORMAT = "wan-checkpoint/1"
"""To be raised when the loop computes something else, or a checkpoint holds something else."""


def conditions(
    request: RenderRequest,
    run: Denoising,
    *,
    engine: str,
    weights: str,
    fingerprint: Fingerprint,
) -> dict[str, str]:
    """All that a checkpoint depends on, by names for people; `weights` is a digest of them."""
    return {
        "format": FORMAT,
        "render key": _key_of_latents(request),
        "engine": engine,
        "release": request.release_identity,
        "weights": weights,
        "steps": str(run.steps),
        "latents": "x".join(map(str, run.latents.shape)),
        "type of the experts": str(run.pipeline.transformer.dtype),
        "scheduler": type(run.scheduler).__name__,
        "scheduler's configuration": _configuration(run.scheduler),
        "timesteps": json.dumps(run.scheduler.timesteps.tolist()),
        **{name: str(value) for name, value in fingerprint.to_json().items()},
    }


def _key_of_latents(request: RenderRequest) -> str:
    """The request's key without what only decides how latents are decoded."""
    options = RequestOptions.parse(request.sampling.options).model_copy(update={"vae_tiling": None})
    sampling = replace(request.sampling, options=options.text)
    return replace(request, sampling=sampling).key


def _configuration(scheduler: Any) -> str:
    """Without what diffusers notes of its own, such as the version that wrote it."""
    public = {name: value for name, value in scheduler.config.items() if name[0] != "_"}
    return json.dumps(public, sort_keys=True)


def pack(run: Denoising, conditions: Mapping[str, str]) -> bytes:
    """The state after the last step that was done, which is at least the first."""
    import torch

    tensors = {
        "step": torch.tensor(run.step),
        "latents": run.latents,
        "generator": run.generator.get_state(),
        **history_of(run.scheduler),
    }
    return seal(tensors, conditions)


def limit_bytes(run: Denoising) -> int:
    """More than a checkpoint of this request can have."""
    numbers = sum(prod(shape) for shape in _shapes(run).values())
    return 8 * numbers + HEADER_LIMIT_BYTES


def restore(run: Denoising, data: bytes, conditions: Mapping[str, str]) -> None:
    """Puts a request that has just begun where the checkpoint left it.

    Refused names the reason when that cannot be done; the request is as it was then.
    """
    tensors = unseal(data, conditions)
    _check(run, tensors)
    # Copied as torch allocates: where data is aligned otherwise, vector units may round otherwise.
    placed = {name: tensor.to(run.latents.device, copy=True) for name, tensor in tensors.items()}
    run.step = int(placed.pop("step"))
    run.latents = placed.pop("latents")
    run.generator.set_state(placed.pop("generator").cpu())
    restore_history(run.scheduler, placed)


def _check(run: Denoising, tensors: Mapping[str, "torch.Tensor"]) -> None:
    """Refused for tensors that no step of this request can have left."""
    shapes = _shapes(run)
    missing = {"step", "latents", "generator", *always_there(run.scheduler)} - tensors.keys()
    if missing or any(shapes.get(name) != tensor.shape for name, tensor in tensors.items()):
        raise Refused("its tensors are not those of this clip")
    step = int(tensors["step"])
    if not 0 < step <= run.steps or step != int(tensors["_step_index"]):
        raise Refused(f"it was made after step {step} of {run.steps}, which there is not")


def _shapes(run: Denoising) -> dict[str, tuple[int, ...]]:
    """Of all tensors that a checkpoint of this request may hold."""
    latents = tuple(run.latents.shape)
    return {
        "step": (),
        "latents": latents,
        "generator": tuple(run.generator.get_state().shape),
        **history_shapes(run.scheduler, latents),
    }
