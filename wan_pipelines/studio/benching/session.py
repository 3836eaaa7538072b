"""A benchmark: engine after engine, and what was measured of them, whenever it is stopped."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from wan_pipelines.engines.releases import Release
from wan_pipelines.errors import WanError
from wan_pipelines.ledger.money import price_of
from wan_pipelines.pages.bench import BenchView, EngineRow
from wan_pipelines.studio.benching.candidates import Candidate
from wan_pipelines.studio.benching.child import Task
from wan_pipelines.studio.benching.choosing import choose
from wan_pipelines.studio.benching.elsewhere import of_process, of_server
from wan_pipelines.studio.benching.events import Event, Loaded, Missing
from wan_pipelines.studio.benching.measuring import Video, missing, row
from wan_pipelines.studio.benching.scenarios import Scenario
from wan_pipelines.studio.prices import hourly_price
from wan_pipelines.studio.studio import Studio

STOPPED = "it was stopped before this was measured"


@dataclass(kw_only=True)
class Session:
    """Measures candidates in scenarios of `videos` each; `tell` is told of each video.

    `rows` has what was measured up to now, also when `run` is left by Ctrl-C.
    """

    studio: Studio
    release: Release
    scenarios: Sequence[Scenario]
    videos: int
    build: bool
    tell: Callable[[Candidate, Event], None]
    rows: list[EngineRow] = field(default_factory=list)
    complete: bool = False
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    load_average: float = field(default_factory=lambda: os.getloadavg()[0])

    def run(self, candidates: Sequence[Candidate]) -> None:
        """An engine that cannot be had is told in its rows."""
        for candidate in candidates:
            tally = _Tally(candidate)
            try:
                for event in self._events(candidate):
                    tally.add(event)
                    self.tell(candidate, event)
            finally:
                self.rows += (self._row(tally, scenario) for scenario in self.scenarios)
        self.complete = True

    def view(self) -> BenchView:
        """What there is, for a page and for scripts."""
        settings = self.studio.settings
        prepared = self.studio.prepare(self.release.name, digests=False)
        cores = len(os.sched_getaffinity(0))
        busy = self.load_average > cores
        chosen = (choose(scenario.name, self.rows, busy=busy) for scenario in self.scenarios)
        return BenchView(
            release=self.release.name,
            release_identity=self.release.identity,
            gpu_class=settings.gpu_class,
            at=self.at,
            complete=self.complete,
            cores=cores,
            load_average=round(self.load_average, 2),
            machine=prepared.fingerprint.to_json(),
            scenarios=tuple(scenario.view() for scenario in self.scenarios),
            rows=tuple(self.rows),
            choices=tuple(choice for choice in chosen if choice),
        )

    def _events(self, candidate: Candidate) -> Iterator[Event]:
        if candidate.unfit:
            yield Missing(candidate.unfit)
            return
        task = self._task(candidate)
        if candidate.engine != "remote":
            yield from of_process(task)
            return
        try:
            yield from of_server(self.studio, task, self.scenarios)
        except WanError as error:
            yield Missing(str(error))

    def _task(self, candidate: Candidate) -> Task:
        return Task(
            root=str(self.studio.root),
            state=str(self.studio.state),
            environment=self.studio.settings.name,
            release=self.release.name,
            candidate=candidate,
            scenarios=tuple(scenario.name for scenario in self.scenarios),
            videos=self.videos,
            build=self.build,
        )

    def _row(self, tally: "_Tally", scenario: Scenario) -> EngineRow:
        videos = [video for video in tally.videos if video.scenario == scenario.name]
        if not videos:
            return missing(tally.candidate, scenario, tally.reason(scenario))
        return row(
            tally.candidate,
            scenario,
            videos,
            load_seconds=tally.load_seconds,
            price=self._price,
        )

    def _price(self, microseconds: int) -> int:
        return price_of(
            gpu_count=self.studio.settings.rendering_class.gpu_count,
            microseconds=microseconds,
            micro_usd_per_gpu_hour=hourly_price(self.studio),
        )


@dataclass
class _Tally:
    """What was told of one candidate."""

    candidate: Candidate
    load_seconds: float = 0.0
    videos: list[Video] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        match event:
            case Loaded(seconds):
                self.load_seconds = seconds
            case Missing(reason, scenario):
                self.reasons[scenario] = reason
            case Video():
                self.videos.append(event)

    def reason(self, scenario: Scenario) -> str:
        """Why there is nothing of a scenario."""
        return self.reasons.get(scenario.name) or self.reasons.get("") or STOPPED
