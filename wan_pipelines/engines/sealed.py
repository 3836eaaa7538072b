"""Tensors as bytes that say what they depend on: a safetensors file with its own digest.

What is read comes from a place that others may write to, so nothing of it is believed: it can hold
no code, and is compared with its digest and with what it must depend on before a tensor is used.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

HEADER_LIMIT_BYTES = 1 << 17


class Refused(Exception):
    """What was kept cannot be used; the message says why."""


def seal(tensors: Mapping[str, "torch.Tensor"], conditions: Mapping[str, str]) -> bytes:
    """`conditions` are all that the tensors depend on, by names for people."""
    from safetensors.torch import save

    on_host = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    return save(on_host, {**conditions, "sha256": _digest(conditions, on_host)})


def unseal(data: bytes, conditions: Mapping[str, str]) -> dict[str, "torch.Tensor"]:
    """The tensors of `seal`; Refused unless they are whole and depend on just these conditions."""
    found = _read_conditions(data)
    sha256 = found.pop("sha256", "")
    if found != conditions:
        raise Refused(_difference(found, conditions))
    tensors = _read_tensors(data)
    if _digest(conditions, tensors) != sha256:
        raise Refused("it is damaged: its content is not what its digest says")
    return tensors


def _read_conditions(data: bytes) -> dict[str, str]:
    """The header's text entries; `data` may be anything."""
    length = int.from_bytes(data[:8], "little")
    if not 0 < length <= min(HEADER_LIMIT_BYTES, len(data) - 8):
        raise Refused("it is no checkpoint, or only the beginning of one")
    try:
        entries = json.loads(data[8 : 8 + length])["__metadata__"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Refused("it is no checkpoint: its header cannot be read") from None
    if not isinstance(entries, dict):
        raise Refused("it is no checkpoint: its header says nothing of what it depends on")
    return {str(name): str(value) for name, value in entries.items()}


def _read_tensors(data: bytes) -> dict[str, "torch.Tensor"]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(data)
    except SafetensorError as error:
        raise Refused(f"it is damaged or incomplete ({error})") from None


def _difference(found: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """What has changed since; the first thing is enough."""
    name = next(name for name in (*wanted, *found) if found.get(name) != wanted.get(name))
    before, now = found.get(name, "nothing"), wanted.get(name, "nothing")
    return f"it was made for another {name}: {_shortened(before)}, which is {_shortened(now)} here"


def _shortened(value: str) -> str:
    return value if len(value) <= 64 else f"{value[:61]}..."


def _digest(conditions: Mapping[str, str], tensors: Mapping[str, "torch.Tensor"]) -> str:
    """sha256 hex of everything in a file but this digest."""
    import torch

    total = hashlib.sha256(json.dumps(dict(conditions), sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        described: list[Any] = [name, str(tensor.dtype), list(tensor.shape)]
        total.update(json.dumps(described).encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()
