"""How shots are rendered: among how many workers, for how long, and what is kept on the way."""

from pydantic import Field

from wan_pipelines.from_environment import Secret
from wan_pipelines.records import Record


class Workers(Record):
    """How an edition is cut up and how many workers render it at a time."""

    count: int = Field(default=1, ge=1, description="Shards rendered at the same time.")
    threads: int = Field(default=1, ge=1, description="CPU threads of a worker.")
    shard_minutes: float = Field(
        default=30, gt=0, description="GPU-minutes of work a worker is given at a time."
    )
    tail_depth: int = Field(
        default=2, ge=1, description="Takes that may wait to be encoded while the next renders."
    )
    tail_gib: float = Field(
        default=4,
        gt=0,
        description="Footage that may wait or be encoded, in memory; a single take always may.",
    )
    lease_seconds: float = Field(
        default=60,
        gt=0,
        le=86_400,
        description="After this long without a sign of life a shot is free again.",
    )
    recycle_after_videos: int | None = Field(
        default=None,
        ge=1,
        description="After so many videos a fresh process goes on with a shard; empty: never.",
    )
    recycle_above_gib: float | None = Field(
        default=None,
        gt=0,
        description="A process that holds more main memory than this after a video makes way for "
        "a fresh one; empty: never.",
    )
    restarts: int = Field(
        default=3,
        ge=0,
        description="So often a worker process that dies is replaced, before its shard fails.",
    )
    memory_limit_gib: float | None = Field(
        default=None,
        gt=0,
        description="Address space that a worker process may take where the CPU renders: a shot "
        "that needs more is out of memory before the machine is. Empty: no limit.",
    )


class Ladders(Record):
    """How long the environment stays on a lower rung."""

    probe_minutes: float = Field(
        default=60,
        gt=0,
        le=525_600,
        description="After so long on a rung one shot is tried on the rung above; twice as long "
        "after each try that failed, up to 32 times.",
    )


class Deadlines(Record):
    """How long a shot may render: a multiple of what it is estimated to take."""

    times_estimate: float = Field(
        default=10, ge=1, description="A shot that renders for longer than this has timed out."
    )
    at_least_seconds: float = Field(
        default=900, gt=0, description="Less is never a time-out, however short the estimate."
    )
    grace_seconds: float = Field(
        default=20,
        gt=0,
        description="A worker that hangs inside a step is told to stop when its shot has timed "
        "out, and killed after so long.",
    )


class Checkpoints(Record):
    """What is kept of shots whose rendering was cut short, so that the next attempt goes on."""

    store: Secret = Field(
        default="checkpoints",
        description="Where: a folder or an URL. Attempts on machines that reach it go on there.",
    )
    every_seconds: float | None = Field(
        default=60,
        gt=0,
        description="Between two checkpoints of a shot: what a killed worker loses at most, plus a "
        "step. Empty: none are made or used.",
    )
    keep_hours: float = Field(
        default=72,
        gt=0,
        le=87_600,
        description="After so long a checkpoint is removed that nobody went on from.",
    )
