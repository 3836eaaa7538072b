"""What a mirrored set consists of: files that are copied, tensors that are cut and converted anew.

A *group* is the safetensors of one model: `x.safetensors`, or `x-00001-of-00003.safetensors` and
so on with their index. It is copied as it is if nothing in it changes.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from wan_pipelines.errors import WeightsError
from wan_pipelines.weights.headers import BITS, LENGTH_BYTES, PlacedTensor, read_places
from wan_pipelines.weights.manifest import Conversion
from wan_pipelines.weights.mirroring.origins import Origin
from wan_pipelines.weights.mirroring.rounding import NUMPY_TYPES

SHARD = re.compile(r"(?P<stem>.+?)(-\d{5}-of-\d{5})?\.safetensors")
INDEX_SUFFIX = ".safetensors.index.json"
METADATA = {"format": "pt"}
ALIGNMENT = 8


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor as it lies in a file of the origin, and the type that it is stored in."""

    source: Path
    placed: PlacedTensor
    dtype: str

    @property
    def name(self) -> str:
        return self.placed.header.name

    @property
    def size_bytes(self) -> int:
        return self.placed.header.numbers * BITS[self.dtype] // 8


@dataclass(frozen=True, slots=True)
class Copy:
    """A file of the origin as it is."""

    path: str
    source: Path

    @property
    def size_bytes(self) -> int:
        return self.source.stat().st_size

    @property
    def sources(self) -> tuple[Path, ...]:
        return (self.source,)


@dataclass(frozen=True, slots=True)
class Text:
    """A small file that is written anew: an index."""

    path: str
    content: bytes

    @property
    def size_bytes(self) -> int:
        return len(self.content)

    @property
    def sources(self) -> tuple[Path, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Shard:
    """A safetensors file that is written anew; its tensors in the order in which they lie."""

    path: str
    tensors: tuple[StoredTensor, ...]

    @property
    def size_bytes(self) -> int:
        return len(self.header) + sum(tensor.size_bytes for tensor in self.tensors)

    @property
    def sources(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys(tensor.source for tensor in self.tensors))

    @property
    def header(self) -> bytes:
        """Length and JSON, padded so that numbers are aligned."""
        described: dict[str, object] = {"__metadata__": METADATA}
        offset = 0
        for tensor in self.tensors:
            end = offset + tensor.size_bytes
            shape = list(tensor.placed.header.shape)
            described[tensor.name] = {
                "dtype": tensor.dtype,
                "shape": shape,
                "data_offsets": [offset, end],
            }
            offset = end
        text = json.dumps(described, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % ALIGNMENT)
        return len(text).to_bytes(LENGTH_BYTES, "little") + text


Output = Copy | Text | Shard


def outputs_of(origin: Origin, conversion: Conversion) -> tuple[Output, ...]:
    """Everything that is mirrored of an origin; headers are read, tensors are not.

    WeightsError for a header that is damaged, or a component that is not there.
    """
    groups, others = _groups(origin)
    components = {_component(path) for paths in groups.values() for path in paths}
    for name in conversion.bfloat16:
        if name not in components:
            raise WeightsError(
                f"{origin.words} has no component {name!r} with safetensors, which were to be "
                f"stored as bfloat16. It has: {', '.join(sorted(components))}."
            )
    outputs: list[Output] = []
    for stem, paths in sorted(groups.items()):
        group = _group_outputs(stem, {path: origin.files[path] for path in paths}, conversion)
        if group:
            outputs += group
            others.discard(stem + INDEX_SUFFIX)
        else:
            outputs += [Copy(path, origin.files[path]) for path in paths]
    outputs += [Copy(path, origin.files[path]) for path in sorted(others)]
    return tuple(sorted(outputs, key=lambda output: output.path))


def _groups(origin: Origin) -> tuple[dict[str, list[str]], set[str]]:
    """Safetensors by what their names begin with, and the other files."""
    groups: dict[str, list[str]] = defaultdict(list)
    others: set[str] = set()
    for path in origin.files:
        found = SHARD.fullmatch(path)
        if found:
            groups[found["stem"]].append(path)
        else:
            others.add(path)
    return groups, others


def _group_outputs(
    stem: str, files: Mapping[str, Path], conversion: Conversion
) -> tuple[Output, ...]:
    """The group's files as they are written anew; empty if they can be copied."""
    tensors = list(_stored(files, conversion))
    fits = all(source.stat().st_size <= conversion.shard_bytes for source in files.values())
    if fits and all(tensor.dtype == tensor.placed.header.dtype for tensor in tensors):
        return ()
    cut = list(_cut(tensors, conversion.shard_bytes))
    if len(cut) == 1:
        return (Shard(f"{stem}.safetensors", cut[0]),)
    shards = [
        Shard(f"{stem}-{number:05}-of-{len(cut):05}.safetensors", part)
        for number, part in enumerate(cut, start=1)
    ]
    return (*shards, _index(stem, shards))


def _stored(files: Mapping[str, Path], conversion: Conversion) -> Iterator[StoredTensor]:
    """All tensors of a group in order of their names; each may occur once."""
    found: dict[str, StoredTensor] = {}
    for path, source in sorted(files.items()):
        for placed in read_places(source):
            name = placed.header.name
            if name in found:
                raise WeightsError(f"{source} and {found[name].source} both hold {name[:80]!r}.")
            found[name] = StoredTensor(source, placed, _stored_type(path, placed, conversion))
    for _, moved in sorted(found.items()):
        yield moved


def _stored_type(path: str, placed: PlacedTensor, conversion: Conversion) -> str:
    header = placed.header
    is_kept = not set(conversion.keep).isdisjoint(header.name.split("."))
    if _component(path) not in conversion.bfloat16 or is_kept or header.dtype not in NUMPY_TYPES:
        return header.dtype
    return "BF16"


def _cut(tensors: Sequence[StoredTensor], shard_bytes: int) -> Iterator[tuple[StoredTensor, ...]]:
    """Neighbours together, up to so many bytes; within a file the wider types first."""
    part: list[StoredTensor] = []
    size = 0
    for tensor in tensors:
        if part and size + tensor.size_bytes > shard_bytes:
            yield _ordered(part)
            part, size = [], 0
        part.append(tensor)
        size += tensor.size_bytes
    yield _ordered(part)


def _ordered(part: Sequence[StoredTensor]) -> tuple[StoredTensor, ...]:
    """So that every tensor begins at a multiple of its numbers' size."""
    return tuple(sorted(part, key=lambda tensor: (-BITS[tensor.dtype], tensor.name)))


def _index(stem: str, shards: Sequence[Shard]) -> Text:
    places = {
        tensor.name: PurePosixPath(shard.path).name for shard in shards for tensor in shard.tensors
    }
    total = sum(tensor.size_bytes for shard in shards for tensor in shard.tensors)
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
    return Text(stem + INDEX_SUFFIX, (json.dumps(index, indent=2) + "\n").encode())


def _component(path: str) -> str:
    """The folder that a file lies in; empty at the top."""
    return path.rpartition("/")[0]
