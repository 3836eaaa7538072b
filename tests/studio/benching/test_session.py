"""What is kept of a benchmark, however it ends."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.support.project import Project
from wan_pipelines.engines.null import NullEngine
from wan_pipelines.engines.protocol import Compilation, Footage
from wan_pipelines.errors import EngineError
from wan_pipelines.pages.render import render_bench_page
from wan_pipelines.studio.benching import session as sessions
from wan_pipelines.studio.benching.candidates import Candidate
from wan_pipelines.studio.benching.child import measured
from wan_pipelines.studio.benching.events import Event, Loaded, Missing, from_line, to_line
from wan_pipelines.studio.benching.measuring import Bench, Video
from wan_pipelines.studio.benching.scenarios import scenarios
from wan_pipelines.studio.benching.session import STOPPED, Session
from wan_pipelines.studio.prices import hourly_price


def video(scenario: str, seconds: float) -> Video:
    return Video(
        scenario=scenario,
        seconds=seconds,
        processor_seconds=seconds / 2,
        peak_memory_bytes=1000,
        fidelity=0.5,
        segments=1,
        frames=9,
    )


def session_of(project: Project) -> Session:
    studio = project.studio()
    release = studio.release("sample")
    return Session(
        studio=studio,
        release=release,
        scenarios=scenarios(release, 4),
        videos=4,
        build=False,
        tell=lambda candidate, event: None,
    )


def test_a_row_sums_up_what_was_measured(
    quick_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(_task: Any) -> Iterator[Event]:
        yield Loaded(1.5)
        yield from (video("short", seconds) for seconds in (1.0, 2.0, 3.0, 10.0))
        yield Missing("the seam does not hold", "long")

    monkeypatch.setattr(sessions, "of_process", told)
    session = session_of(quick_project)
    session.run([Candidate("eager", "draft")])
    short, template, long = session.rows
    assert (short.videos, short.load_seconds) == (4, 1.5)
    assert (short.latency_p50_seconds, short.latency_p95_seconds) == (2.5, 10.0)
    assert (short.videos_per_hour, short.processor_seconds) == (900.0, 1.25)
    assert short.cost_micro_usd == round(hourly_price(session.studio) * 4 / 3600)
    assert (template.missing, long.missing) == (STOPPED, "the seam does not hold")
    view = session.view()
    assert view.complete
    assert set(view.to_json()["rows"][0]) == {
        "engine",
        "tier",
        "scenario",
        "missing",
        "videos",
        "segments",
        "load_seconds",
        "latency_p50_seconds",
        "latency_p95_seconds",
        "videos_per_hour",
        "frames_per_second",
        "processor_seconds",
        "peak_memory_bytes",
        "prompt_fidelity",
        "cost_micro_usd",
    }, "these names are for scripts"


def test_what_was_measured_before_ctrl_c_is_kept(
    quick_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_task: Any) -> Iterator[Event]:
        yield Loaded(1.0)
        yield video("short", 2.0)
        raise KeyboardInterrupt

    monkeypatch.setattr(sessions, "of_process", interrupted)
    session = session_of(quick_project)
    with pytest.raises(KeyboardInterrupt):
        session.run([Candidate("eager", "draft"), Candidate("eager", "standard")])
    view = session.view()
    assert not view.complete
    assert [(row.scenario, row.videos, row.missing) for row in view.rows] == [
        ("short", 1, ""),
        ("template", 0, STOPPED),
        ("long", 0, STOPPED),
    ]
    assert [choice.scenario for choice in view.choices] == ["short"]
    page = render_bench_page(view)
    assert "It was stopped early" in page
    assert page.count(STOPPED) == 2


def test_an_engine_that_cannot_be_had_is_told_in_its_rows(
    quick_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_given: Any) -> Iterator[Event]:
        raise EngineError("The server does not start: no port.")

    monkeypatch.setattr(sessions, "of_server", broken)
    session = session_of(quick_project)
    session.run([Candidate("remote", "draft"), Candidate("compiled", "draft", "it has LoRAs")])
    assert [row.missing for row in session.rows[::3]] == [
        "The server does not start: no port.",
        "it has LoRAs",
    ]
    assert session.view().choices == ()


@pytest.mark.parametrize("event", [Loaded(2.5), Missing("why", "long"), video("short", 0.25)])
def test_events_survive_the_way_between_processes(event: Event) -> None:
    assert from_line(to_line(event)) == event


def test_compiled_blocks_that_are_not_there_are_not_measured_as_if_they_were(
    quick_project: Project,
) -> None:
    class Eager(NullEngine):
        def render(self, *given: Any, **named: Any) -> Footage:
            footage = super().render(*given, **named)
            return replace(footage, compilation=Compilation(missed="none was built"))

    session = session_of(quick_project)
    bench = Bench(
        engine=Eager(session.release),
        release=session.release,
        tier="draft",
        scorer=None,
        compiled=True,
    )
    found = list(measured(bench, session.scenarios[:1]))
    (only,) = found
    assert isinstance(only, Missing)
    assert "none was built. `--build` compiles them" in only.reason
    eager = list(measured(replace(bench, compiled=False), session.scenarios))
    assert len(eager) == 4 + 4 + 1
