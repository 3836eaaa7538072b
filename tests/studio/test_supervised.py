"""Messages between a supervisor and its worker; `tests/survival/test_supervised.py` runs them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from wan_pipelines.errors import FingerprintMismatch, InputError, RenderError, WanError
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.rendering.clock import Instant
from wan_pipelines.rendering.progress import Progress
from wan_pipelines.rendering.takes import RunReference
from wan_pipelines.studio.shard_records import ShardReference, ShardSummary, nothing_done
from wan_pipelines.studio.supervised.messages import (
    Ending,
    Failure,
    Message,
    Said,
    Told,
    WorkerTask,
    from_json,
    to_json,
)
from wan_pipelines.studio.supervised.supervisor import following

SHARD = ShardReference("shard_1", EditionKey("demo", "anna", "balls", "one"), ("a", "b", "c"))
TASK = WorkerTask(
    Path("/root"),
    Path("/state"),
    "local",
    "laptop-cpu",
    SHARD,
    RunReference("run", "step"),
    Instant.of_birth(),
)
SUMMARY = ShardSummary("shard_1", 1, 0, ("b",), ("c",), {"c": "withdrawn"}, {"load": 1.5})


def carried(message: Message) -> Message:
    return from_json(json.loads(json.dumps(to_json(message))))


@pytest.mark.parametrize(
    "message",
    [
        Said("kept after step 2"),
        Told(Progress("a", "take", 1, 4, 0, 3)),
        Told(None),
        Ending("recycle", SUMMARY),
    ],
    ids=lambda message: type(message).__name__,
)
def test_messages_arrive_as_they_were_sent(message: Message) -> None:
    assert carried(message) == message


@pytest.mark.parametrize(
    "error",
    [
        InputError("is wrong.", where="defs.yaml", remedy="Mend it."),
        RenderError("Shot after shot failed.", stage="decode"),
        FingerprintMismatch("CUDA differs."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_are_raised_as_what_they_were(error: WanError) -> None:
    arrived = carried(Failure(error))
    assert isinstance(arrived, Failure)
    assert type(arrived.error) is type(error)
    assert str(arrived.error) == str(error)
    assert vars(arrived.error) == vars(error)


def test_a_task_arrives_as_it_was_given() -> None:
    assert WorkerTask.from_json(json.loads(json.dumps(TASK.to_json()))) == TASK


def test_a_fresh_worker_gets_what_a_recycled_one_left() -> None:
    task = following(TASK, Ending("recycle", SUMMARY))
    assert task == replace(TASK, shard=replace(SHARD, shots=("c",)))
    assert following(TASK, Ending("recycle", replace(SUMMARY, left=()))) is None
    assert following(TASK, Ending("done", SUMMARY)) is None


def test_summaries_of_workers_after_one_another_make_one() -> None:
    first = replace(SUMMARY, artifact_hits=1, artifact_misses={"none was built": 2})
    last = replace(
        SUMMARY,
        failed=(),
        left=(),
        declined={},
        seconds={"load": 0.5, "idle": 1.0},
        artifact_misses={"none was built": 1, "damaged": 1},
    )
    whole = nothing_done(SHARD).joined(first).joined(last)
    assert whole == ShardSummary(
        "shard_1",
        2,
        0,
        ("b",),
        (),
        {"c": "withdrawn"},
        {"load": 2.0, "idle": 1.0},
        artifact_hits=1,
        artifact_misses={"none was built": 3, "damaged": 1},
    )
    assert ShardSummary.from_json(whole.to_json()) == whole
