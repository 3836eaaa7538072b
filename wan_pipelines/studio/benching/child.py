"""The process that measures one engine, so that its memory is its own."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from wan_pipelines.encoding.fidelity import scorer_named
from wan_pipelines.engines.prepare import load
from wan_pipelines.errors import WanError
from wan_pipelines.streams import STDERR
from wan_pipelines.studio.artifacts import workshop
from wan_pipelines.studio.benching.candidates import Candidate, run_as
from wan_pipelines.studio.benching.events import Event, Loaded, Missing, to_line
from wan_pipelines.studio.benching.measuring import Bench
from wan_pipelines.studio.benching.scenarios import Scenario, ScenarioName, scenarios
from wan_pipelines.studio.studio import open_studio

STDOUT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What one process is to measure, in which deployment."""

    root: str
    state: str
    environment: str
    release: str
    candidate: Candidate
    scenarios: tuple[ScenarioName, ...]
    videos: int
    build: bool

    def to_text(self) -> str:
        return json.dumps(asdict(self))


def read_task(text: str) -> Task:
    """What `Task.to_text` wrote."""
    fields = json.loads(text)
    candidate = Candidate(**fields.pop("candidate"))
    return Task(candidate=candidate, **fields)


def events(task: Task) -> Iterator[Event]:
    """Loads the engine and measures it; WanError when it cannot be had."""
    studio = open_studio(Path(task.root), Path(task.state), task.environment)
    release = run_as(studio.release(task.release), task.candidate, build=task.build)
    prepared = replace(studio.prepare(task.release), release=release)
    blocks = workshop(studio, f"a benchmark of {release.name}")
    engine = load(prepared, release.sampling(task.candidate.tier).engine, workshop=blocks)
    yield Loaded(engine.load_seconds)
    bench = Bench(
        engine=engine,
        release=release,
        tier=task.candidate.tier,
        scorer=scorer_named(release.scorer) if release.scorer else None,
        compiled=task.candidate.engine == "compiled",
    )
    chosen = [each for each in scenarios(release, task.videos) if each.name in task.scenarios]
    yield from measured(bench, chosen)


def measured(bench: Bench, chosen: Sequence[Scenario]) -> Iterator[Event]:
    """The videos of each scenario; one that fails does not keep the others from being measured."""
    for scenario in chosen:
        reason = bench.release.why_not_long(bench.tier)
        if reason and scenario.frames > bench.release.frames.max:
            yield Missing(reason, scenario.name)
            continue
        try:
            yield from bench.videos(scenario)
        except WanError as error:
            yield Missing(str(error), scenario.name)


def main() -> None:
    """Reads a task from standard input, tells events on standard output."""
    with os.fdopen(os.dup(STDOUT), "w") as told:
        os.dup2(STDERR, STDOUT)  # what libraries print is no event
        try:
            for event in events(read_task(sys.stdin.read())):
                print(to_line(event), file=told, flush=True)
        except WanError as error:
            print(to_line(Missing(str(error))), file=told, flush=True)


if __name__ == "__main__":
    main()
