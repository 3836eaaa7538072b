"""A safetensors file written piece by piece: no tensor is ever in memory as a whole."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from wan_pipelines.errors import WeightsError
from wan_pipelines.weights.headers import BITS
from wan_pipelines.weights.mirroring.outputs import Shard, StoredTensor
from wan_pipelines.weights.mirroring.rounding import to_bfloat16

PIECE_NUMBERS = 4 << 20


def write_shard(shard: Shard, target: Path, go_on: Callable[[], None]) -> None:
    """Write the file. OSError if it cannot be written; WeightsError if an origin has changed.

    `go_on` is called before each piece, and may raise.
    """
    with target.open("wb") as sink:
        sink.write(shard.header)
        for tensor in shard.tensors:
            with tensor.source.open("rb") as source:
                _write_tensor(tensor, source, sink, go_on)


def _write_tensor(
    tensor: StoredTensor, source: BinaryIO, sink: BinaryIO, go_on: Callable[[], None]
) -> None:
    placed = tensor.placed
    piece_bytes = PIECE_NUMBERS * BITS[placed.header.dtype] // 8
    source.seek(placed.begin)
    left = placed.end - placed.begin
    while left:
        go_on()
        piece = source.read(min(piece_bytes, left))
        if not piece:
            raise WeightsError(f"{tensor.source} became shorter while it was read. Try again.")
        left -= len(piece)
        if tensor.dtype == placed.header.dtype:
            sink.write(piece)
        else:
            sink.write(to_bfloat16(piece, placed.header.dtype).data)
