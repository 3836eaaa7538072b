"""Cutting channels off the latents changes coordinates, not what is encoded."""

import pytest
import torch

from training.narrow import narrow_vae, principal_axes, project
from training.vae import build_vae, encode_mean


def test_narrow_latents_are_the_wide_ones_along_their_axes() -> None:
    torch.manual_seed(0)
    wide = build_vae(6)
    clips = torch.rand(2, 3, 5, 64, 64) * 2 - 1
    with torch.no_grad():
        latents = encode_mean(wide, clips)
        axes = principal_axes(wide, latents.transpose(0, 1).flatten(1), 3)
        narrow = encode_mean(narrow_vae(wide, axes), clips)
    assert torch.allclose(narrow, project(latents, axes), atol=1e-4)
    variances = narrow.transpose(0, 1).flatten(1).var(1)
    assert variances.tolist() == sorted(variances.tolist(), reverse=True)


def test_the_axes_carry_most_of_the_variance() -> None:
    generator = torch.Generator().manual_seed(0)
    strong = torch.randn(3, 400, generator=generator)
    mixed = torch.randn(6, 3, generator=generator) @ strong
    latents = mixed + 1e-3 * torch.randn(6, 400, generator=generator)
    axes = principal_axes(build_vae(6), latents, 3)
    moved = axes.directions.T @ (latents - axes.centre[:, None])
    kept = moved.var(1).sum() / latents.var(1).sum()
    assert float(kept) == pytest.approx(1, abs=1e-3)
