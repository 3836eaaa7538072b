"""A checkpoint continues the very same render, or is refused with the reason."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engines.denoisings import Scene, finish, scene
from tests.support.tiny_pipeline import build_tiny_pipeline
from wan_pipelines.engines.checkpoints import (
    HEADER_LIMIT_BYTES,
    Refused,
    limit_bytes,
    pack,
    restore,
)
from wan_pipelines.engines.denoising import Denoising


@cache
def stage(solver: str = "unipc") -> Scene:
    import torch

    torch.manual_seed(20)
    torch.set_num_threads(1)
    return scene(build_tiny_pipeline(), solver)


@cache
def conditions(solver: str = "unipc") -> Mapping[str, str]:
    return stage(solver).conditions()


@cache
def packed(solver: str = "unipc", step: int = 3) -> bytes:
    """The state after `step` steps."""
    import torch

    run = stage(solver).begin()
    with torch.no_grad():
        while run.step < step:
            run.advance()
    return pack(run, conditions(solver))


@cache
def uninterrupted(solver: str) -> Any:
    return finish(stage(solver).begin())


def resumed(data: bytes, solver: str = "unipc", **changes: str) -> Denoising:
    run = stage(solver).begin()
    restore(run, data, {**conditions(solver), **changes})
    return run


def digest(data: bytes) -> str:
    """Of all that it holds; safetensors orders it as it likes."""
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length])["__metadata__"]["sha256"]


@pytest.mark.parametrize("solver", ["unipc", "euler"])
@pytest.mark.parametrize("step", range(1, 7))
def test_from_every_step_to_the_same_latents(solver: str, step: int) -> None:
    import torch

    data = packed(solver, step)
    run = resumed(data, solver)
    assert run.step == step
    assert len(data) <= limit_bytes(run)
    assert digest(pack(run, conditions(solver))) == digest(data)
    assert torch.equal(finish(run), uninterrupted(solver))


@pytest.mark.parametrize("solver", ["unipc", "euler"])
def test_types_stay_what_they_were(tiny_pipeline: Any, solver: str) -> None:
    """The Euler solver hands latents back in the type of the experts, UniPC in float32."""
    import torch

    tiny_pipeline.transformer.to(torch.bfloat16)
    tiny_pipeline.transformer_2.to(torch.bfloat16)
    made = scene(tiny_pipeline, solver)
    run, again = made.begin(), made.begin()
    with torch.no_grad():
        run.advance()
    restore(again, pack(run, made.conditions()), made.conditions())
    assert again.latents.dtype == run.latents.dtype
    assert torch.equal(finish(again), finish(run))


def test_noise_that_is_drawn_later_is_the_same_too() -> None:
    import torch

    run = stage().begin()
    torch.rand(3, generator=run.generator)
    with torch.no_grad():
        run.advance()
    again = resumed(pack(run, conditions()))
    draws = [torch.rand(3, generator=each.generator) for each in (run, again)]
    assert torch.equal(*draws)


@pytest.mark.parametrize(
    "condition",
    [
        "format",
        "render key",
        "engine",
        "release",
        "weights",
        "steps",
        "latents",
        "type of the experts",
        "scheduler",
        "scheduler's configuration",
        "timesteps",
        "torch",
        "diffusers",
        "gpu",
        "threads",
    ],
)
def test_what_was_made_under_other_conditions_is_refused_by_name(condition: str) -> None:
    expected = rf"made for another {condition}: .* which is something else here"
    with pytest.raises(Refused, match=expected):
        resumed(packed(), **{condition: "something else"})


def test_the_checkpoint_of_another_seed_is_refused() -> None:
    other = Scene(stage().pipeline, replace(stage().request, seed=8))
    with pytest.raises(Refused, match="another render key"):
        restore(other.begin(), packed(), other.conditions())


def test_one_that_another_version_wrote_is_refused() -> None:
    run = resumed(packed())
    with pytest.raises(Refused, match="another colour: red, which is nothing here"):
        resumed(pack(run, {**conditions(), "colour": "red"}))


@given(cut=st.integers(0, len(packed()) - 1))
def test_what_was_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(Refused):
        resumed(packed()[:cut])


@given(place=st.integers(0, len(packed()) - 1), mask=st.integers(1, 255))
def test_a_damaged_byte_is_noticed_or_does_not_matter(place: int, mask: int) -> None:
    """What does not matter is the space at the end of the header."""
    damaged = bytearray(packed())
    damaged[place] ^= mask
    try:
        run = resumed(bytes(damaged))
    except Refused:
        return
    assert digest(pack(run, conditions())) == digest(packed())


@given(data=st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        resumed(data)


def with_header(header: Any) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    "data",
    [
        with_header([]),
        with_header({"__metadata__": []}),
        with_header({"__metadata__": {}}),
        with_header({"__metadata__": {"sha256": None}}),
        b"\xff" * 16,
        (1 << 62).to_bytes(8, "little") + b"{}",
        (100_000).to_bytes(8, "little") + b"[" * 100_000,
        (HEADER_LIMIT_BYTES + 1).to_bytes(8, "little") + bytes(2 * HEADER_LIMIT_BYTES),
        b"\x80\x04\x95 a pickle",
    ],
)
def test_foreign_files_are_refused(data: bytes) -> None:
    with pytest.raises(Refused, match=r"it is no checkpoint|it was made for another format"):
        resumed(data)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("latents", lambda tensor: tensor[:, :1]),
        ("last_sample", lambda tensor: tensor.flatten()),
        ("last_sample", None),
        ("_step_index", None),
        ("_step_index", lambda tensor: tensor + 1),
        ("step", lambda tensor: tensor * 0),
        ("step", lambda tensor: tensor + 100),
        ("generator", lambda tensor: tensor[1:]),
        ("surprise", lambda tensor: tensor),
    ],
)
def test_tensors_that_cannot_be_of_this_clip_are_refused(name: str, change: Any) -> None:
    """With a digest that is right, as somebody would write who means harm."""
    from safetensors.torch import load, save

    from wan_pipelines.engines.sealed import _digest

    tensors = load(packed())
    if change is None:
        del tensors[name]
    else:
        tensors[name] = change(tensors.get(name, tensors["step"])).clone()
    forged = save(tensors, {**conditions(), "sha256": _digest(conditions(), tensors)})
    with pytest.raises(Refused, match=r"not those of this clip|which there is not"):
        resumed(forged)


def test_a_refusal_leaves_the_render_at_its_beginning() -> None:
    import torch

    run = stage().begin()
    with pytest.raises(Refused):
        restore(run, packed()[:-1], conditions())
    assert run.step == 0
    assert torch.equal(finish(run), uninterrupted("unipc"))
