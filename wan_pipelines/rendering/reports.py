"""How a worker is set up, and what it reports at its end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.processes import resident_bytes
from wan_pipelines.rendering.clock import Clock
from wan_pipelines.rendering.ladders import Ladders, NoLadders
from wan_pipelines.rendering.ports import Checkpoints
from wan_pipelines.rendering.spans import NANOSECONDS
from wan_pipelines.rendering.takes import SpanKind, Take


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a deployment may tune; times in seconds.

    tail_depth: takes that may wait to be encoded, or be encoded, while the next one renders.
    tail_bytes: footage that may wait there or be encoded, in all; a single take always may.
    renew_seconds: between two signs of life; well below the lease's length.
    span_seconds: a longer denoising is reported in pieces, at step boundaries.
    busy_poll_seconds: between two looks at shots that another worker renders.
    busy_patience_seconds: so long the worker, which is paid for, waits for others in all.
    checkpoint_seconds: between two checkpoints of a shot, at least.
    checkpoints: where they are kept; without, an interrupted shot starts over.
    same_failures: so many failures of the same kind in a row stop the shard.
    recycle_after_shots: after so many renders the worker ends, for a fresh process to go on.
    recycle_above_bytes: after a render it ends, too, when the process holds more memory than that.
    shot_seconds: a shot that renders for longer than it says has timed out.
    ladders: what is done when memory or time gives out; without, the shot fails.
    paid_since_ns: monotonic start of the worker if that was before the loop's.
    """

    tail_depth: int = 2
    tail_bytes: int | None = None
    renew_seconds: float = 15.0
    span_seconds: float = 30.0
    busy_poll_seconds: float = 0.5
    busy_patience_seconds: float = 1800.0
    checkpoint_seconds: float = 60.0
    checkpoints: Checkpoints | None = None
    same_failures: int = 3
    recycle_after_shots: int | None = None
    recycle_above_bytes: int | None = None
    shot_seconds: Callable[[Shot], float] | None = None
    ladders: Ladders = field(default_factory=NoLadders)
    paid_since_ns: int | None = None
    clock: Clock = field(default_factory=Clock)

    def is_worn_after(self, shots: int) -> bool:
        """Whether a process that has rendered so many shots should make way for a fresh one."""
        many, large = self.recycle_after_shots, self.recycle_above_bytes
        return shots > 0 and (
            (many is not None and shots >= many) or (large is not None and resident_bytes() > large)
        )


DEFAULT_SETTINGS = WorkerSettings()


@dataclass(frozen=True, slots=True)
class ShardReport:
    """How a shard ended; the book knows the same and more, shot by shot.

    `takes` are in the order in which they began. The other fields are names of shots: `reused` had
    an accepted take already, `busy` were left to another worker, `unfinished` were not begun or not
    ended, because the worker was told to stop, because it has to be `recycled`, because memory or
    time gave out (`exhausted`), or because of the reason that `declined` names. A shot that is to
    be tried again on a lower rung is unfinished, and `fell` says why.
    """

    takes: tuple[Take, ...]
    reused: tuple[str, ...]
    failed: tuple[str, ...]
    busy: tuple[str, ...]
    unfinished: tuple[str, ...]
    declined: Mapping[str, str]
    stopped: bool
    recycled: bool
    exhausted: bool
    fell: Mapping[str, str]
    nanoseconds: Mapping[SpanKind, int]

    @property
    def seconds(self) -> dict[SpanKind, float]:
        """Paid seconds by kind."""
        return {kind: value / NANOSECONDS for kind, value in self.nanoseconds.items()}
