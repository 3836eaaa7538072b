"""What the page of a benchmark of engines shows; also its JSON."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioView:
    """What was asked for: `videos` of a shape, of which each is `segments` clips."""

    name: str
    title: str
    what: str
    width: int
    height: int
    frames: int
    videos: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRow:
    """An engine in a tier, measured in a scenario; nothing but `missing` where it was not.

    videos: that were measured, after a first one that is not counted.
    latency_*: wall seconds from a request to its frames.
    processor_seconds: of all threads, a video; None where another process renders.
    peak_memory_bytes: of the GPU; without one, of the process up to then. 0: not known.
    prompt_fidelity: 0..1, by the release's scorer; None without one.
    cost_micro_usd: of a video, at this environment's price; only the time of rendering.
    """

    engine: str
    tier: str
    scenario: str
    missing: str = ""
    videos: int = 0
    segments: int = 1
    load_seconds: float | None = None
    latency_p50_seconds: float | None = None
    latency_p95_seconds: float | None = None
    videos_per_hour: float | None = None
    frames_per_second: float | None = None
    processor_seconds: float | None = None
    peak_memory_bytes: int = 0
    prompt_fidelity: float | None = None
    cost_micro_usd: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The engine and tier for a scenario, and why."""

    scenario: str
    engine: str
    tier: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchView:
    """`complete` says whether everything was measured that was to be; `load_average` is that of
    the last minute when it began, on `cores` processors.
    """

    release: str
    release_identity: str
    gpu_class: str
    at: datetime
    complete: bool
    cores: int
    load_average: float
    machine: dict[str, Any]
    scenarios: tuple[ScenarioView, ...]
    rows: tuple[EngineRow, ...]
    choices: tuple[Choice, ...]
    schema_version: int = 1

    def of(self, scenario: str) -> tuple[EngineRow, ...]:
        """Its rows: what was measured, the fastest first, then what was not."""
        rows = [row for row in self.rows if row.scenario == scenario]
        return tuple(sorted(rows, key=lambda row: (row.missing, row.latency_p50_seconds or 0.0)))

    def slowest(self, scenario: str) -> float:
        """Seconds that the longest bar of its chart stands for."""
        return max((row.latency_p95_seconds or 0.0 for row in self.of(scenario)), default=0.0)

    def choice(self, scenario: str) -> Choice | None:
        return next((choice for choice in self.choices if choice.scenario == scenario), None)

    def to_json(self) -> dict[str, Any]:
        """Plain data, with stable names."""
        return {**asdict(self), "at": self.at.isoformat()}
