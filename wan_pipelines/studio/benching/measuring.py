"""Renders the videos of a scenario on an engine, and what each of them took."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import mean, median

from wan_pipelines.encoding.fidelity import Scorer
from wan_pipelines.engines.protocol import Engine
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.errors import EngineError
from wan_pipelines.ledger.moments import micros_in
from wan_pipelines.pages.bench import EngineRow
from wan_pipelines.studio.benching.candidates import Candidate
from wan_pipelines.studio.benching.scenarios import Scenario

Price = Callable[[int], int]
"""Micro-dollars of so many microseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """What one video took; see `EngineRow`."""

    scenario: str
    seconds: float
    processor_seconds: float | None
    peak_memory_bytes: int
    fidelity: float | None
    segments: int
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """An engine that is being measured; `memory` is asked where renders are elsewhere."""

    engine: Engine
    release: Release
    tier: str
    scorer: Scorer | None
    compiled: bool = False
    memory: Callable[[], int] | None = None

    def videos(self, scenario: Scenario) -> Iterator[Video]:
        """As they are done; EngineError where the engine has no compiled blocks and should."""
        warm_up, *requests = scenario.requests(self.release, self.tier)
        self._render(warm_up, scenario)
        for request in requests:
            yield self._render(request, scenario)

    def _render(self, request: RenderRequest, scenario: Scenario) -> Video:
        started, spent = time.perf_counter(), time.process_time()
        footage = self.engine.render(request)
        seconds, processor = time.perf_counter() - started, time.process_time() - spent
        if self.compiled and footage.compilation.missed:
            raise EngineError(
                f"no compiled blocks: {footage.compilation.missed}. `--build` compiles them."
            )
        score = self.scorer.score(footage.frames, request.prompt) if self.scorer else None
        return Video(
            scenario=scenario.name,
            seconds=seconds,
            processor_seconds=None if self.memory else processor,
            peak_memory_bytes=self.memory() if self.memory else footage.peak_memory_bytes,
            fidelity=score.overall if score else None,
            segments=len(footage.seams) + 1,
            frames=request.frames,
        )


def row(
    candidate: Candidate,
    scenario: Scenario,
    videos: Sequence[Video],
    *,
    load_seconds: float,
    price: Price,
) -> EngineRow:
    """At least one video, summed up."""
    seconds = sorted(video.seconds for video in videos)
    each = sum(seconds) / len(seconds)
    spent = [video.processor_seconds for video in videos if video.processor_seconds is not None]
    scores = [video.fidelity for video in videos if video.fidelity is not None]
    return EngineRow(
        engine=candidate.engine,
        tier=candidate.tier,
        scenario=scenario.name,
        videos=len(videos),
        segments=max(video.segments for video in videos),
        load_seconds=round(load_seconds, 3),
        latency_p50_seconds=round(median(seconds), 4),
        latency_p95_seconds=round(seconds[ceil(0.95 * len(seconds)) - 1], 4),
        videos_per_hour=round(3600 / each, 1),
        frames_per_second=round(scenario.frames / each, 2),
        processor_seconds=round(median(spent), 4) if spent else None,
        peak_memory_bytes=max(video.peak_memory_bytes for video in videos),
        prompt_fidelity=round(mean(scores), 3) if scores else None,
        cost_micro_usd=price(micros_in(each)),
    )


def missing(candidate: Candidate, scenario: Scenario, reason: str) -> EngineRow:
    return EngineRow(
        engine=candidate.engine, tier=candidate.tier, scenario=scenario.name, missing=reason
    )
