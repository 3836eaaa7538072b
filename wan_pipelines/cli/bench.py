"""`wan engine bench`: how fast, how large and how good engines are on this machine."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from click import Choice

from wan_pipelines.cli.output import AsJson, console, examples, note, print_json
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.cli.tables import Column, print_table
from wan_pipelines.errors import InputError
from wan_pipelines.hints import did_you_mean
from wan_pipelines.ledger.money import usd
from wan_pipelines.pages.bench import BenchView, EngineRow
from wan_pipelines.pages.render import render_bench_page
from wan_pipelines.storage.atomic import atomic_write
from wan_pipelines.studio.benching.candidates import ENGINES, Candidate, candidates
from wan_pipelines.studio.benching.events import Event, Loaded, Missing
from wan_pipelines.studio.benching.scenarios import SCENARIOS, scenarios
from wan_pipelines.studio.benching.session import Session
from wan_pipelines.studio.studio import Studio

INTERRUPTED = 130
COLUMNS = (
    Column("scenario", "Scenario"),
    Column("engine", "Engine"),
    Column("tier", "Tier"),
    Column("latency_p50_seconds", "p50 s", numeric=True),
    Column("latency_p95_seconds", "p95 s", numeric=True),
    Column("videos_per_hour", "Videos/h", numeric=True),
    Column("frames_per_second", "Frames/s", numeric=True),
    Column("peak_memory_gb", "GB", numeric=True),
    Column("prompt_fidelity", "Fidelity", numeric=True),
    Column("cost_usd", "USD", numeric=True),
    Column("missing", "Not measured", beneath=True),
)


def bench(
    release: Annotated[str, typer.Argument(help="A release of assets/models.")] = "wan-tiny",
    engine: Annotated[
        list[str] | None,
        typer.Option(click_type=Choice(ENGINES), help="Only these ways to run it; repeatable."),
    ] = None,
    tier: Annotated[
        list[str] | None,
        typer.Option(help="Only these tiers; else all, eagerly, and the default one otherwise."),
    ] = None,
    scenario: Annotated[
        list[str] | None,
        typer.Option(click_type=Choice(SCENARIOS), help="Only these; repeatable."),
    ] = None,
    videos: Annotated[
        int, typer.Option(min=1, help="Videos that are measured of each; of long ones a quarter.")
    ] = 8,
    build: Annotated[
        bool, typer.Option("--build", help="Compile blocks that are not built yet: minutes.")
    ] = False,
    folder: Annotated[
        Path | None, typer.Option(help="Where JSON and page are left; else in the state.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure engines of a release here: latency, throughput, memory, quality, price.

    Each engine is loaded in a process of its own; `remote` starts a server and renders on that.
    Ctrl-C ends it and keeps what was measured.
    """
    studio = this_studio()
    found = studio.release(release)
    for name in tier or ():
        if name not in found.tiers:
            raise InputError(
                f"tier {name!r} is not offered.",
                where=f"release {release}",
                remedy=did_you_mean(name, found.tiers),
            )
    wanted = scenario or SCENARIOS
    session = Session(
        studio=studio,
        release=found,
        scenarios=[each for each in scenarios(found, videos) if each.name in wanted],
        videos=videos,
        build=build,
        tell=_tell,
    )
    chosen = candidates(found, engines=engine or ENGINES, tiers=tier or ())
    stopped = _run(session, tuple(chosen))
    _leave(studio, session.view(), folder, as_json=as_json)
    if stopped:
        raise typer.Exit(INTERRUPTED)


def register(group: typer.Typer) -> None:
    group.command(
        epilog=examples(
            "wan engine bench",
            "wan engine bench wan-tiny --engine eager --tier standard --tier standard-cached",
            "wan engine bench wan-tiny --scenario template --videos 40 --json",
            "wan engine bench wan-tiny --engine compiled --build",
        )
    )(bench)


def _run(session: Session, chosen: Sequence[Candidate]) -> bool:
    """Was it stopped?"""
    try:
        session.run(chosen)
    except KeyboardInterrupt:
        note("Stopped. What was measured is kept.")
        return True
    return False


def _tell(candidate: Candidate, event: Event) -> None:
    name = f"{candidate.engine}, {candidate.tier}"
    match event:
        case Loaded(seconds):
            note(f"{name}: loaded in {seconds:.1f} s")
        case Missing(reason, scenario):
            note(f"{name}: {f'{scenario}: ' if scenario else ''}not measured: {reason}", "yellow")
        case _:
            note(f"{name}: {event.scenario}: {event.seconds:.2f} s")


def _leave(studio: Studio, view: BenchView, folder: Path | None, *, as_json: bool) -> None:
    """A page and JSON in files, and one of the two, as a table, on standard output."""
    place = (folder or studio.state / "benchmarks").resolve()
    page, data = (place / f"engines-{view.release}.{suffix}" for suffix in ("html", "json"))
    for path, text in ((page, render_bench_page(view)), (data, _text(view))):
        with atomic_write(path) as draft:
            draft.write(text.encode())
    if as_json:
        print_json(view.to_json())
    else:
        rows = [_record(row) for scenario in view.scenarios for row in view.of(scenario.name)]
        print_table(console(), rows, COLUMNS)
        for choice in view.choices:
            console().print(f"{choice.scenario}: {choice.engine}, {choice.tier} ({choice.why})")
    note(f"{page.as_uri()}\n{data.as_uri()}")


def _text(view: BenchView) -> str:
    return json.dumps(view.to_json(), indent=2) + "\n"


def _record(row: EngineRow) -> dict[str, Any]:
    shown = {name: _rounded(value) for name, value in asdict(row).items()}
    return {
        **shown,
        "peak_memory_gb": _rounded(row.peak_memory_bytes / 1e9 or None),
        "cost_usd": None if row.cost_micro_usd is None else usd(row.cost_micro_usd),
        "missing": row.missing or None,
    }


def _rounded(value: Any) -> Any:
    return f"{value:.2f}" if isinstance(value, float) else value
