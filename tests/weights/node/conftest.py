"""A mirror of one small set, and the cache of a node."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.weights.node.stores import NotingStore, published, random_weights
from wan_pipelines.weights.events import Event
from wan_pipelines.weights.manifest import Manifest
from wan_pipelines.weights.mirror import WeightsMirror
from wan_pipelines.weights.node.entry import Entry
from wan_pipelines.weights.node.fetch import fetch
from wan_pipelines.weights.node.fetching import Fetching
from wan_pipelines.weights.node.locks import let_go
from wan_pipelines.weights.pins import Pin

SIZES = {"vae/model.dat": 300_000, "transformer/model.dat": 6_000_000, "config.json": 20}


@dataclass
class Node:
    """A node that fetches `pin`; `events` are what it told."""

    cache: Path
    store: NotingStore
    pin: Pin
    events: list[Event] = field(default_factory=list)

    @property
    def entry(self) -> Entry:
        return Entry.of(self.cache, self.pin)

    def fetch(self, pin: Pin | None = None, **how: Any) -> tuple[Path, Manifest]:
        chosen = replace(Fetching(tell=self.events.append), **how)
        return fetch(self.cache, pin or self.pin, lambda: WeightsMirror(self.store), chosen)

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [event.to_json() for event in self.events if event.kind == kind]

    def publish(self, tmp_path: Path, name: str, size: int) -> Pin:
        """Another set in the same mirror."""
        weights = random_weights(tmp_path / name, {"model.dat": size})
        return published(self.store.root, weights, Pin(name=name, revision="v1"))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    weights = random_weights(tmp_path / "weights", SIZES)
    pin = published(tmp_path / "store", weights)
    made = Node(tmp_path / "cache", NotingStore(tmp_path / "store", tmp_path / "opened"), pin)
    yield made
    let_go(made.entry)


def same(folder: Path, weights: Path) -> bool:
    """Whether every file of `weights` lies in `folder`, byte for byte."""
    return all(
        (folder / file.path).read_bytes() == (weights / file.path).read_bytes()
        for file in Manifest.read(weights).files
    )
