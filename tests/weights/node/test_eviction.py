"""Room is made by removing what was used least recently, and never what is in use."""

import os
from pathlib import Path

import pytest

from tests.weights.node.conftest import Node
from wan_pipelines.errors import WeightsError
from wan_pipelines.weights.node.entry import Entry
from wan_pipelines.weights.node.eviction import evict, evict_to
from wan_pipelines.weights.node.locks import in_use, let_go
from wan_pipelines.weights.pins import Pin


@pytest.fixture
def three(node: Node, tmp_path: Path) -> list[Pin]:
    """Sets of a megabyte that nobody uses, the first of which was used last."""
    pins = [node.publish(tmp_path, name, 1_000_000) for name in ("a", "b", "c")]
    for age, pin in enumerate(pins):
        node.fetch(pin)
        entry = Entry.of(node.cache, pin)
        let_go(entry)
        os.utime(entry.use_lock, (1_000_000 - age, 1_000_000 - age))
    return pins


def here(node: Node, pins: list[Pin]) -> list[str]:
    return [pin.name for pin in pins if Entry.of(node.cache, pin).folder.exists()]


def test_the_least_recently_used_goes_first(node: Node, three: list[Pin]) -> None:
    node.fetch(keep_bytes=8_000_000)
    assert here(node, three) == ["a"]
    assert [event["weights"] for event in node.told("evicted")] == ["c@v1", "b@v1"]


def test_what_is_in_use_stays(node: Node, three: list[Pin]) -> None:
    node.fetch(three[2])
    os.utime(Entry.of(node.cache, three[2]).use_lock, (1, 1))
    node.fetch(keep_bytes=8_000_000)
    assert here(node, three) == ["c"]
    let_go(Entry.of(node.cache, three[2]))


def test_too_little_room_beside_what_is_in_use_is_an_error(node: Node, three: list[Pin]) -> None:
    node.fetch(three[0])
    with pytest.raises(WeightsError, match="In use, and so kept: a@v1") as caught:
        node.fetch(keep_bytes=7_000_000)
    assert "weights may take 0.01 GB" in str(caught.value)
    assert here(node, three) == ["a"]
    let_go(Entry.of(node.cache, three[0]))


def test_what_came_from_a_hub_itself_takes_its_part_of_the_limit(node: Node) -> None:
    other = node.cache / "somebody--model@0123"
    other.mkdir(parents=True)
    (other / "model.safetensors").write_bytes(bytes(1_000_000))
    with pytest.raises(WeightsError, match="Of no mirror, and so kept: somebody--model@0123"):
        node.fetch(keep_bytes=7_000_000)
    node.fetch(keep_bytes=8_000_000)


def test_what_was_put_aside_goes_before_other_weights(node: Node, three: list[Pin]) -> None:
    node.entry.quarantine.mkdir(parents=True)
    (node.entry.quarantine / "model.dat").write_bytes(bytes(6_000_000))
    node.fetch(keep_bytes=10_000_000)
    assert here(node, three) == ["a", "b", "c"]
    assert not node.entry.quarantine.exists()


def test_what_was_evicted_is_fetched_again(node: Node, three: list[Pin]) -> None:
    entry = Entry.of(node.cache, three[0])
    assert evict(entry, node.events.append) >= 1_000_000
    assert not entry.folder.exists()
    node.fetch(three[0])
    assert in_use(entry)
    assert evict(entry, node.events.append) == 0
    let_go(entry)


def test_until_the_cache_is_no_larger(node: Node, three: list[Pin]) -> None:
    gone = evict_to(node.cache, 2_500_000, node.events.append)
    assert [entry.label for entry in gone] == ["c@v1"]
    assert here(node, three) == ["a", "b"]
