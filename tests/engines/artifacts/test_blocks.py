"""Compiled code in blocks of all kinds: where it does not fit, it says so."""

from typing import Any

import pytest
import torch

from tests.support.artifacts import TEXT_TOKENS, built_artifact
from tests.support.tiny_pipeline import CHANNELS, TEXT_WIDTH, build_expert
from wan_pipelines.engines.artifacts.blocks import CompiledBlocks
from wan_pipelines.engines.artifacts.packages import Unusable

WIDTH, HEAD_DIM = 24, 12
# One worker of the suite compiles, and on a busy machine that takes its time.
pytestmark = [pytest.mark.xdist_group("artifacts"), pytest.mark.timeout(900)]


def compiled(expert: Any) -> CompiledBlocks:
    blocks = CompiledBlocks({"transformer": expert}, {"transformer": built_artifact().data})
    blocks.switch(on=True)
    return blocks


def forward(expert: Any) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        return expert(
            hidden_states=torch.randn(1, CHANNELS, 3, 8, 12, generator=generator),
            timestep=torch.tensor([500.0]),
            encoder_hidden_states=torch.randn(1, TEXT_TOKENS, TEXT_WIDTH, generator=generator),
            return_dict=False,
        )[0]


def block_inputs(tokens: int, rotary_tokens: int, text: int = TEXT_TOKENS) -> tuple[Any, ...]:
    rotary = torch.ones(1, rotary_tokens, 1, HEAD_DIM)
    return (
        torch.ones(1, tokens, WIDTH),
        torch.ones(1, text, WIDTH),
        torch.ones(1, 6, WIDTH),
        (rotary, rotary),
    )


def test_a_package_serves_any_number_of_blocks() -> None:
    expert = build_expert(layers=5)
    eager = forward(expert)
    blocks = compiled(expert)
    assert torch.allclose(forward(expert), eager, atol=1e-5)
    blocks.switch(on=False)
    assert torch.equal(forward(expert), eager)


@pytest.mark.parametrize(
    "inputs",
    [block_inputs(18, 24), block_inputs(24, 24, text=TEXT_TOKENS + 1), block_inputs(1, 1)],
    ids=["other positions", "longer text", "too short"],
)
def test_inputs_of_other_shapes_are_refused(inputs: tuple[Any, ...]) -> None:
    """Without torch's checks some of them would give a result of another shape, silently."""
    expert = build_expert()
    _ = compiled(expert)
    with torch.no_grad(), pytest.raises(RuntimeError):
        expert.blocks[0](*inputs)


def test_a_package_for_blocks_without_those_weights_is_not_loaded() -> None:
    expert = build_expert()
    expert.blocks[0].attn1.to_q.bias = None
    with pytest.raises(Unusable, match="built for other weights"):
        compiled(expert)
