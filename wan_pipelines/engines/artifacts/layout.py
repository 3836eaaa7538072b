"""The repeated block of an expert as compiled code sees it: named tensors, and a few dimensions."""

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

DIMENSIONS = (
    "num_attention_heads",
    "attention_head_dim",
    "ffn_dim",
    "cross_attn_norm",
    "qk_norm",
    "eps",
    "added_kv_proj_dim",
)


def weights_of(block: Any) -> "dict[str, torch.Tensor]":
    """Parameters and buffers by the names that they have without LoRAs around them.

    peft wraps a layer and calls what it wraps `base_layer`; the LoRAs' own tensors are left out.
    """
    tensors = {**dict(block.named_parameters()), **dict(block.named_buffers())}
    return {
        name.replace(".base_layer.", "."): tensor
        for name, tensor in tensors.items()
        if ".lora_" not in name
    }


def layout_digest(block: Any) -> str:
    """sha256 hex of names, shapes, strides and types of a block's weights."""
    described = sorted(
        (name, str(tensor.dtype), list(tensor.shape), list(tensor.stride()))
        for name, tensor in weights_of(block).items()
    )
    return hashlib.sha256(json.dumps(described).encode()).hexdigest()


def dimensions(expert: Any) -> str:
    """What shapes of weights do not say, such as into how many heads a width is cut."""
    return json.dumps({name: expert.config[name] for name in DIMENSIONS})


def quantisation(block: Any) -> str:
    """The kinds of tensors other than plain ones; `none` where all are plain."""
    import torch

    kinds = {type(tensor.data) for tensor in weights_of(block).values()} - {torch.Tensor}
    return " ".join(sorted(kind.__name__ for kind in kinds)) or "none"
