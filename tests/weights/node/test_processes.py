"""Several processes of a node, some of which are killed."""

import multiprocessing
import os
import signal
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from tests.weights.node.conftest import SIZES, Node, same
from wan_pipelines.weights.node.entry import Entry
from wan_pipelines.weights.node.eviction import evict
from wan_pipelines.weights.node.locks import in_use
from wan_pipelines.weights.node.ready import known

FORK = multiprocessing.get_context("fork")
LARGE = "transformer/model.dat"
PATIENCE_SECONDS = 60


def fetch_and_tell(node: Node, pipe: Connection) -> None:
    """Tells where the weights are, then uses them until it is told to end."""
    pipe.send(node.fetch()[0])
    pipe.recv()


def fetch_and_stand_still(node: Node, pipe: Connection) -> None:
    """Stands still in the middle of the large file; what is written by then is on the disk."""

    def stand_still(key: str, count: int) -> None:
        if key.endswith(LARGE) and count > 4 << 20:
            while len(known(node.entry)) < len(SIZES) - 1:
                time.sleep(0.01)
            pipe.send("in the middle")
            signal.pause()

    node.store.passing = stand_still
    node.fetch()


def test_killed_in_the_middle_the_next_goes_on(node: Node, tmp_path: Path) -> None:
    ours, theirs = FORK.Pipe()
    process = FORK.Process(target=fetch_and_stand_still, args=(node, theirs))
    process.start()
    assert ours.poll(PATIENCE_SECONDS)
    assert in_use(node.entry)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join(PATIENCE_SECONDS)
    assert not in_use(node.entry)
    kept = node.entry.part(LARGE).stat().st_size
    assert 4 << 20 < kept < SIZES[LARGE]
    with pytest.MonkeyPatch.context() as patch:  # files that were whole are not even read
        patch.setattr("wan_pipelines.weights.node.checking.file_sha256", None)
        folder, _ = node.fetch()
    assert same(folder, tmp_path / "weights")
    assert node.told("ready")[-1]["fetched_bytes"] <= sum(SIZES.values()) - kept


def test_eight_at_once_fetch_once_and_share(node: Node, tmp_path: Path) -> None:
    pipes = [FORK.Pipe() for _ in range(8)]
    processes = [FORK.Process(target=fetch_and_tell, args=(node, theirs)) for _, theirs in pipes]
    for process in processes:
        process.start()
    folders = {ours.recv() for ours, _ in pipes if ours.poll(PATIENCE_SECONDS)}
    assert folders == {node.entry.files}
    assert same(node.entry.files, tmp_path / "weights")
    assert set(Counter(node.store.opened).values()) == {1}
    assert len(node.store.opened) == len(SIZES)
    assert evict(Entry.of(node.cache, node.pin), node.events.append) == 0
    for ours, _ in pipes:
        ours.send("end")
    for process in processes:
        process.join(PATIENCE_SECONDS)
    assert evict(Entry.of(node.cache, node.pin), node.events.append) > 0


def test_those_who_wait_see_how_far_it_is(node: Node) -> None:
    """And one of them fetches when the one that did is killed."""
    ours, theirs = FORK.Pipe()
    process = FORK.Process(target=fetch_and_stand_still, args=(node, theirs))
    process.start()
    assert ours.poll(PATIENCE_SECONDS)

    def kill_when_told(event: object) -> None:
        node.events.append(event)  # pyright: ignore[reportArgumentType] (an event)
        if node.told("waiting"):
            os.kill(process.pid or 0, signal.SIGKILL)

    node.fetch(tell=kill_when_told)
    waiting = node.told("waiting")[0]
    assert (4 << 20) <= waiting["done_bytes"] < waiting["size_bytes"] == sum(SIZES.values())
    process.join(PATIENCE_SECONDS)
