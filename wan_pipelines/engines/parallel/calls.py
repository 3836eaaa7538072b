"""A forward as it is handed to the processes that do it together.

What it is goes through a pipe, as a line of JSON; its tensors are broadcast among the GPUs.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import torch

END = "end\n"


@dataclass(frozen=True, slots=True)
class Shape:
    """Of a tensor that is about to arrive."""

    name: str
    dtype: str
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One forward of an `expert`: its tensors by name, and how it is to be computed.

    `loras` are the low-rank weights that count, as `Lora.model_dump` gives them.
    """

    expert: str
    tensors: tuple[Shape, ...]
    attention_backend: str
    loras: tuple[dict[str, Any], ...]

    def to_line(self) -> str:
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Self:
        fields = json.loads(line)
        shapes = (Shape(**{**each, "sizes": tuple(each["sizes"])}) for each in fields["tensors"])
        return cls(
            fields["expert"], tuple(shapes), fields["attention_backend"], tuple(fields["loras"])
        )


def shapes_of(tensors: "Mapping[str, torch.Tensor]") -> tuple[Shape, ...]:
    return tuple(
        Shape(name, str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape))
        for name, tensor in tensors.items()
    )


def send(tensors: "Mapping[str, torch.Tensor]") -> None:
    """To the others, as bytes: not every backend knows every type."""
    import torch
    from torch import distributed

    for tensor in tensors.values():
        whole = tensor.new_empty(tensor.shape).copy_(tensor)  # expanded ones cannot be viewed
        distributed.broadcast(whole.reshape(-1).view(torch.uint8), src=0)


def receive(call: Call, device: str) -> "dict[str, torch.Tensor]":
    """What `send` sent, in the order of the call."""
    import torch
    from torch import distributed

    found: dict[str, torch.Tensor] = {}
    for shape in call.tensors:
        dtype = getattr(torch, shape.dtype)
        data = torch.empty(prod(shape.sizes) * dtype.itemsize, dtype=torch.uint8, device=device)
        distributed.broadcast(data, src=0)
        found[shape.name] = data.view(dtype).reshape(shape.sizes)
    return found
