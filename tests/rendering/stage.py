"""Everything a worker stands on in these tests: an engine with hooks, a clock, a tail."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from threading import Event
from typing import Any

from tests.rendering.memory_book import MemoryBook
from tests.support.releases import hub_release, shot_for
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.engines.ladder.footings import Footing
from wan_pipelines.engines.null import NullEngine
from wan_pipelines.engines.protocol import Engine, Footage, Keeper, OnStep
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.rendering.clock import Clock
from wan_pipelines.rendering.progress import Progress
from wan_pipelines.rendering.reports import ShardReport, WorkerSettings
from wan_pipelines.rendering.takes import RunReference, Span, Take
from wan_pipelines.rendering.worker import render_shard

RELEASE = hub_release()
RUN = RunReference("run", "render[shard_1]")
QUICK = WorkerSettings(renew_seconds=0.02, busy_poll_seconds=0.01, busy_patience_seconds=5.0)
STEPS = 4


def shots(*prompts: str) -> tuple[Shot, ...]:
    """One shot per prompt, named like it."""
    return tuple(shot_for(RELEASE, prompt) for prompt in prompts)


class HookedEngine(NullEngine):
    """Calls `hooks[prompt](step)` before each step is reported, and with step -1 at the end."""

    def __init__(self, hooks: dict[str, Callable[[int], None]]) -> None:
        super().__init__(RELEASE)
        self.hooks = hooks
        self.rendered: list[str] = []

    def render(
        self, request: RenderRequest, on_step: OnStep | None = None, keeper: Keeper | None = None
    ) -> Footage:
        self.rendered.append(request.prompt)
        hook = self.hooks.get(request.prompt, lambda step: None)

        def both(step: int, steps: int) -> None:
            hook(step)
            if on_step:
                on_step(step, steps)

        footage = super().render(request, both, keeper)
        hook(-1)
        return footage


@dataclass
class SteppedClock:
    """Stands still until it is moved; both clocks move together."""

    ns: int = 1_000_000_000_000

    def advance(self, seconds: float) -> None:
        self.ns += int(seconds * 1e9)

    @property
    def clock(self) -> Clock:
        start = datetime(2026, 1, 1, tzinfo=UTC)
        return Clock(lambda: self.ns, lambda: start + timedelta(microseconds=self.ns // 1000))


@dataclass
class Stage:
    """A worker's surroundings; `render` runs one shard on them."""

    book: MemoryBook = field(default_factory=MemoryBook)
    hooks: dict[str, Callable[[int], None]] = field(default_factory=dict)
    tails: dict[str, Callable[[], None]] = field(default_factory=dict)
    settings: WorkerSettings = QUICK
    stop: Event = field(default_factory=Event)
    progress: list[Progress | None] = field(default_factory=list)
    loads: int = 0
    load: Callable[[], None] = lambda: None
    engine: HookedEngine = field(init=False)
    encoded: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = HookedEngine(self.hooks)

    def open_engine(self, footing: Footing) -> Engine:
        self.loads += 1
        self.load()
        return self.engine

    def tail(self, shot: Shot, take: Take, footage: Footage) -> tuple[str, ...]:
        self.tails.get(shot.request.prompt, lambda: None)()
        self.encoded.append(shot.name)
        return (f"{take.id}.mp4",)

    def render(self, shots: Sequence[Shot], **settings: Any) -> ShardReport:
        return render_shard(
            shots,
            self.open_engine,
            self.book,
            self.tail,
            run=RUN,
            settings=replace(self.settings, **settings),
            stop=self.stop,
            on_progress=self.progress.append,
        )


def raises(error: BaseException) -> Callable[..., None]:
    """A hook that raises it, whatever it is called with."""

    def hook(*_: object) -> None:
        raise error

    return hook


def assert_tiled(spans: Sequence[Span]) -> None:
    """Each span begins where the one before it ended; none is empty."""
    for before, after in pairwise(spans):
        assert before.ended_ns == after.started_ns
    assert all(span.ended_ns > span.started_ns for span in spans)


def outcomes(report: ShardReport) -> dict[str, str]:
    """Outcome of each render key's last take."""
    return {take.render_key: take.outcome for take in report.takes}
