"""Weights in an object store: where they lie there, and how their manifests are read.

weights/<name>/<revision>/manifest.json     written last, and once
weights/<name>/<revision>/<path>            the files that it lists
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from wan_pipelines.errors import WeightsError
from wan_pipelines.storage import ObjectStore
from wan_pipelines.weights.manifest import MANIFEST_LIMIT_BYTES, MANIFEST_NAME, Manifest
from wan_pipelines.weights.pins import Pin

PREFIX = "weights/"


@dataclass(frozen=True, slots=True)
class WeightsMirror:
    """The weights that a store holds."""

    store: ObjectStore

    def key(self, pin: Pin, path: str) -> str:
        """Where a file of a set lies."""
        return f"{PREFIX}{pin.name}/{pin.revision}/{path}"

    def address(self, pin: Pin) -> str:
        """The set's manifest, for messages."""
        return self.store.uri(self.key(pin, MANIFEST_NAME))

    def find(self, pin: Pin) -> Manifest | None:
        """The manifest of a set, None if it was not mirrored; WeightsError if it is another's."""
        key = self.key(pin, MANIFEST_NAME)
        info = self.store.stat(key)
        if info is None:
            return None
        if info.size_bytes > MANIFEST_LIMIT_BYTES:
            raise WeightsError(f"{self.store.uri(key)} is too large for a manifest. Remove it.")
        manifest = Manifest.parse(self.store.read_bytes(key), self.store.uri(key))
        if why := pin.why_not(manifest):
            raise WeightsError(
                f"{self.store.uri(key)} is not of the weights {pin.label}: {why}. Correct the "
                "release, or mirror them again under another revision."
            )
        return manifest

    def pins(self) -> Iterator[Pin]:
        """The sets that are there."""
        for info in self.store.list(PREFIX):
            match info.key.removeprefix(PREFIX).split("/"):
                case [name, revision, last] if last == MANIFEST_NAME:
                    yield from _pin(name, revision)


def _pin(name: str, revision: str) -> Iterator[Pin]:
    """None for folders of somebody else's."""
    try:
        yield Pin(name=name, revision=revision)
    except ValidationError:
        return
