"""What the product does per shot beside rendering and encoding, in milliseconds.

The campaign's own Dagster job runs from the brief to the statement, in one process and against a
fresh state, with an engine that draws in no time and a tail that encodes nothing: all takes are
given the same four files. Everything else is what happens in production: the brief is expanded,
screened and admitted; every shot is leased, accepted and charged; every manifest is written,
completed and read again; every file is looked at; page, posters and statement are written; Dagster
records its events.

As the server has from which steps are forked, this process has imported what steps need before it
measures.
"""

import gc
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from itertools import pairwise
from time import perf_counter, process_time
from typing import Any
from unittest.mock import patch

import dagster as dg

from benchmarks.deployment import CAMPAIGN, EDITION, Deployment, deployed
from benchmarks.null_tail import NullTail, NullTails, sample_files
from benchmarks.results import show_and_keep
from benchmarks.stopwatch import Part, Stopwatch
from wan_pipelines.components.campaign_keys import CampaignKeys
from wan_pipelines.components.campaign_schedule import editions_name
from wan_pipelines.components.instance import open_instance
from wan_pipelines.engines.null import NullEngine
from wan_pipelines.engines.protocol import Footage, Keeper, OnStep
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.step_server import ENGINE, FROZEN, STEPS
from wan_pipelines.streams import stderr_to
from wan_pipelines.studio import costs, planning, render_here, shards, videos
from wan_pipelines.studio.books import LedgerBook
from wan_pipelines.studio.estimates import Estimator
from wan_pipelines.studio.shard_records import ShardSummary
from wan_pipelines.studio.studio import Studio

PARTS = (
    Part(Studio, "prepare", "prepare engine"),
    Part(Studio, "shots", "expand"),
    Part(planning, "screen_shots", "screen"),
    Part(planning, "admit_in_ledger", "admit"),
    Part(Estimator, "shards", "cut"),
    Part(LedgerBook, "lease", "lease"),
    Part(LedgerBook, "accept", "accept"),
    Part(LedgerBook, "beat", "spans and charges"),
    Part(LedgerBook, "close", "spans and charges"),
    Part(NullTail, "__call__", "write manifest"),
    Part(videos, "complete_manifest", "complete manifest"),
    Part(videos, "broken_outputs", "look at files"),
    Part(videos, "write_sheet", "pages"),
    Part(videos, "write_pages", "pages"),
    Part(costs, "write_pages", "pages"),
    Part(planning, "forget_broken", "reports"),
    Part(shards, "missing_shots", "reports"),
    Part(render_here, "shots_named", "reports"),
    Part(shards, "edition_shots_view", "reports"),
    Part(shards, "edition_totals", "reports"),
    Part(videos, "edition_shots_view", "reports"),
    Part(videos, "edition_totals", "reports"),
    Part(videos, "take_charges", "reports"),
    Part(costs, "edition_shots_view", "reports"),
    Part(costs, "edition_totals", "reports"),
    Part(costs, "run_costs", "reports"),
    Part(costs, "shots_frame", "statement"),
)
UNLIMITED = {"plans": {"studio": {}, "free": {}}}
REST = "Dagster and the rest"


def run(sizes: Sequence[int], ledger: str | None = None) -> None:
    """Measures each size; `ledger` is an SQLAlchemy URL of an empty database instead of SQLite."""
    settings = UNLIMITED if ledger is None else {**UNLIMITED, "ledger": ledger}
    for module in (*STEPS, *ENGINE, FROZEN):
        with suppress(ImportError):
            import_module(module)
    found = [measure(shots, settings) for shots in sizes]
    labels = list(dict.fromkeys(part.label for part in PARTS))
    split = [
        {"part": label, **{f"{row['shots']:,} shots": row["parts"][label] for row in found}}
        for label in (*labels, REST)
    ]
    further = ["", *(_per_further_shot(less, more) for less, more in pairwise(found))]
    totals = [
        {key: value for key, value in row.items() if key != "parts"} | {"ms_per_further_shot": each}
        for row, each in zip(found, further, strict=True)
    ]
    show_and_keep(
        "bookkeeping",
        {"Bookkeeping per shot": totals, "Of which, in milliseconds per shot": split},
    )


def _per_further_shot(less: dict[str, Any], more: dict[str, Any]) -> float:
    seconds = more["seconds"] - less["seconds"]
    return round(1000 * seconds / (more["shots"] - less["shots"]), 2)


def measure(shots: int, settings: dict[str, Any]) -> dict[str, Any]:
    with deployed(shots, **settings) as deployment, patch.dict("os.environ", deployment.variables):
        return _measure(deployment, shots)


def _measure(deployment: Deployment, shots: int) -> dict[str, Any]:
    studio = deployment.studio()
    files = sample_files(studio, studio.shots(CAMPAIGN)[0])
    watch = Stopwatch()
    gc.collect()
    with (
        patch.object(shards, "render_supervised", render_still),
        patch.object(render_here, "EncodingTail", NullTails(files)),
        watch.over(PARTS),
        open_instance(deployment.state) as instance,
        stderr_to(deployment.state / "dagster.log"),
    ):
        job = _job(instance)
        started, cpu_started = perf_counter(), process_time()
        result = job.execute_in_process(instance=instance, partition_key=EDITION)
        wall, cpu = perf_counter() - started, process_time() - cpu_started
    if not result.success:
        raise RuntimeError("the run failed")
    parts = {label: 1000 * seconds / shots for label, seconds in watch.seconds.items()}
    parts[REST] = max(0.0, 1000 * wall / shots - sum(parts.values()))
    return {
        "shots": shots,
        "ms_per_shot": round(1000 * wall / shots, 2),
        "cpu_ms_per_shot": round(1000 * cpu / shots, 2),
        "seconds": round(wall, 2),
        "parts": {label: round(value, 3) for label, value in parts.items()},
    }


def _job(instance: dg.DagsterInstance) -> dg.JobDefinition:
    from wan_pipelines.definitions import load

    instance.add_dynamic_partitions(editions_name(CAMPAIGN), [EDITION])
    return load().resolve_job_def(CampaignKeys(CAMPAIGN).job)


class StillEngine(NullEngine):
    """A null engine that draws once, and hands out the same frames for every shot."""

    def __init__(self, release: Release) -> None:
        super().__init__(release)
        self._footage: Footage | None = None

    def render(
        self,
        request: RenderRequest,
        on_step: OnStep | None = None,
        keeper: Keeper | None = None,  # noqa: ARG002 (it draws once, in no steps)
    ) -> Footage:
        self._footage = self._footage or super().render(request)
        for step in range(request.sampling.steps + 1):
            if on_step:
                on_step(step, request.sampling.steps)
        return self._footage


def null_engine(studio: Studio, release: str) -> NullEngine:
    return StillEngine(studio.release(release))


def render_still(*shard: Any, **listener: Any) -> ShardSummary:
    """As `render_supervised`, in this process, where it can be timed."""
    return render_here.render_here(*shard, **listener, open_engine=null_engine).summary
