"""A lesson in orientation: a token must know where and when it is.

Wan learns of positions only through rotary embeddings, that is, from its neighbours. Under strong
noise that is hard to find out, and the loss hardly rewards first steps towards it. So while the
expert for high noise trains, a linear probe asks each token, half-way through the network, for its
time, row and column. The probe is thrown away afterwards.
"""

import torch
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
from torch import nn

LAYER = 1
WEIGHT = 1.0


class PositionProbe(nn.Module):
    """Reads positions from the hidden states that the network's last call left behind."""

    def __init__(self, network: WanTransformer3DModel) -> None:
        super().__init__()
        width = network.config["num_attention_heads"] * network.config["attention_head_dim"]
        self.norm = nn.LayerNorm(width)
        self.read = nn.Linear(width, 3)
        self._hidden: torch.Tensor | None = None
        network.blocks[LAYER].register_forward_hook(self._keep)

    def loss(self, latents: torch.Tensor) -> torch.Tensor:
        """Mean squared error of the positions, each from -1 (first) to 1 (last), summed."""
        frames, rows, columns = latents.shape[2], latents.shape[3] // 4, latents.shape[4] // 4
        axes = [torch.linspace(-1, 1, count) for count in (frames, rows, columns)]
        places = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).flatten(0, 2)
        error = self.read(self.norm(self._hidden)) - places
        return WEIGHT * error.square().mean((0, 1)).sum()

    def _keep(self, _block: nn.Module, _inputs: object, output: torch.Tensor) -> None:
        self._hidden = output
