"""bfloat16 as torch rounds it, to the bit."""

import numpy as np
import pytest
import torch

from wan_pipelines.weights.mirroring.rounding import NUMPY_TYPES, to_bfloat16

CORNERS = [0.0, -0.0, 1.0, np.inf, -np.inf, 3.4e38, -3.4e38, 1e-45, -1e-40, 65504.0, 1e-8]


@pytest.mark.parametrize("dtype", NUMPY_TYPES)
def test_every_number_is_rounded_as_torch_does(dtype: str) -> None:
    with np.errstate(over="ignore"):
        if dtype == "F32":  # any bit pattern, halves and their neighbours among them
            bits = np.random.default_rng(1).integers(0, 2**32, 100_000, dtype=np.uint32)
            halves = (bits[:10_000] & 0xFFFF0000) | np.repeat([0x7FFF, 0x8000, 0x8001, 0], 2500)
            numbers = np.concatenate([bits, halves.astype(np.uint32)]).view(np.float32)
        else:
            numbers = np.random.default_rng(1).normal(size=10_000).astype(NUMPY_TYPES[dtype])
        numbers = np.concatenate([numbers, np.array(CORNERS).astype(numbers.dtype)])
    rounded = torch.from_numpy(to_bfloat16(numbers.tobytes(), dtype).view(np.int16))
    expected = torch.from_numpy(numbers).to(torch.bfloat16)
    found = rounded.view(torch.bfloat16)
    assert torch.equal(found.isnan(), expected.isnan())
    comparable = ~expected.isnan()
    assert torch.equal(found.view(torch.int16)[comparable], expected.view(torch.int16)[comparable])
