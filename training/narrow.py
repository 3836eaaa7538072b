"""Latents along their principal axes.

The autoencoder learns fastest with more channels than it ends up using: trained, nearly all of the
variance of its six lies in three directions. Channels without meaning would cost the velocity
network half of its width to carry noise, so they are cut off, by linear algebra on the weights of
the layers next to the latents.
"""

from dataclasses import dataclass

import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan

from training.vae import build_vae

LOG_VARIANCE = -6.0  # of the narrow posterior; nothing samples from it


@dataclass(frozen=True, slots=True)
class Axes:
    """`narrow = directions.T @ (wide - centre)`: `directions (wide, narrow)`, `centre (wide,)`."""

    directions: torch.Tensor
    centre: torch.Tensor


def principal_axes(vae: AutoencoderKLWan, latents: torch.Tensor, count: int) -> Axes:
    """The axes of most variance of `latents (channels, N)`.

    The centre is moved along them so that zero stays as near as can be to what the decoder pads
    its first layer with.
    """
    mean = latents.mean(1)
    _, directions = torch.linalg.eigh(torch.cov(latents))
    directions = directions.flip(1)[:, :count]
    layer = vae.post_quant_conv
    matrix = layer.weight[:, :, 0, 0, 0].detach()
    padding = matrix @ mean + bias_of(layer).detach()
    shift = torch.linalg.lstsq(matrix @ directions, -padding[:, None]).solution[:, 0]
    return Axes(directions, mean + directions @ shift)


def narrow_vae(vae: AutoencoderKLWan, axes: Axes) -> AutoencoderKLWan:
    """The same autoencoder with latents along the axes; the rest of them is forgotten."""
    count = axes.directions.shape[1]
    narrow = build_vae(count)
    changed = ("encoder.conv_out", "quant_conv", "post_quant_conv", "decoder.conv_in")
    kept = {k: v for k, v in vae.state_dict().items() if not k.startswith(changed)}
    narrow.load_state_dict(kept, strict=False)
    with torch.no_grad():
        _fold_encoder(vae, narrow, axes)
        _fold_decoder(vae, narrow, axes)
    return narrow


def project(latents: torch.Tensor, axes: Axes) -> torch.Tensor:
    """Wide latents `(B, wide, ...)` to narrow ones."""
    moved = latents - axes.centre.view(1, -1, *[1] * (latents.dim() - 2))
    return torch.einsum("wn,bw...->bn...", axes.directions, moved).contiguous()


def _fold_encoder(vae: AutoencoderKLWan, narrow: AutoencoderKLWan, axes: Axes) -> None:
    wide, count = axes.directions.shape
    quant = vae.quant_conv.weight[:wide, :, 0, 0, 0]
    to_narrow = axes.directions.T @ quant
    last, new = vae.encoder.conv_out, narrow.encoder.conv_out
    new.weight.zero_()
    bias_of(new).fill_(LOG_VARIANCE)
    new.weight[:count] = torch.einsum("nw,wi...->ni...", to_narrow, last.weight)
    offset = bias_of(vae.quant_conv)[:wide] - axes.centre
    bias_of(new)[:count] = to_narrow @ bias_of(last) + axes.directions.T @ offset
    _make_identity(narrow.quant_conv)


def _fold_decoder(vae: AutoencoderKLWan, narrow: AutoencoderKLWan, axes: Axes) -> None:
    matrix = vae.post_quant_conv.weight[:, :, 0, 0, 0]
    first, new = vae.decoder.conv_in, narrow.decoder.conv_in
    new.weight.copy_(torch.einsum("ow...,wn->on...", first.weight, matrix @ axes.directions))
    constant = matrix @ axes.centre + bias_of(vae.post_quant_conv)
    bias_of(new).copy_(bias_of(first) + first.weight.sum((2, 3, 4)) @ constant)
    _make_identity(narrow.post_quant_conv)


def bias_of(layer: torch.nn.Conv3d) -> torch.Tensor:
    """The bias of a layer that has one, as all of this autoencoder have."""
    assert layer.bias is not None
    return layer.bias


def _make_identity(layer: torch.nn.Conv3d) -> None:
    layer.weight.copy_(torch.eye(layer.out_channels).view_as(layer.weight))
    bias_of(layer).zero_()
