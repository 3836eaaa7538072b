"""From a run that is queued to the first denoise step of its shards, on a real control plane.

The API server, the controllers and the scheduler are Kubernetes'; the kubelet is the one of the
tests, whose pods are fresh processes of this machine: there is no image to fetch, no container to
set up, and no GPU. So the figures say what the graph, the control plane and our own processes take,
and nothing of what a cluster adds to that.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.results import Row, keep, show

STEP = "balls__takes.balls__takes__render"
CAMPAIGN = {
    "prompts": ["a red ball moving left to right on a black background", "a blue box rising"],
    "shapes": ["square"],
    "frames": 9,
    "tier": "draft",
}


@dataclass(frozen=True, slots=True)
class Timeline:
    """Moments of one shard, in seconds since the epoch."""

    queued: float
    run_bound: float
    cut: float
    asked: float
    bound: float
    imported: float
    loaded: float
    first_step: float

    def parts(self) -> dict[str, float]:
        """Where the time went; the parts add up to the whole."""
        return {
            "run pod made and bound": self.run_bound - self.queued,
            "run pod: imports, definitions, plan": self.cut - self.run_bound,
            "step that cuts shards": self.asked - self.cut,
            "shard's pod made and bound": self.bound - self.asked,
            "shard's pod: Dagster's imports": self.imported - self.bound,
            "shard's pod: definitions, plan": self.loaded - self.imported,
            "worker: torch, diffusers, weights": self.first_step - self.loaded,
        }


def run(rounds: int) -> None:
    """Measure some runs of two shards each, one after the other, and print the medians."""
    with _deployment() as scene:
        lines = [line for number in range(rounds) for line in _measured(scene, number)]
    rows = [*_rows(lines), _total(lines)]
    show(f"From queued to the first step, medians of {len(lines)} shards", rows)
    keep("queue_to_step", {"shards": rows})


def _rows(lines: Sequence[Timeline]) -> list[Row]:
    parts = [line.parts() for line in lines]
    return [_row(name, [each[name] for each in parts]) for name in parts[0]]


def _total(lines: Sequence[Timeline]) -> Row:
    return _row("all", [line.first_step - line.queued for line in lines])


def _row(name: str, seconds: Sequence[float]) -> Row:
    return {"cause": name, "seconds": median(seconds), "most": max(seconds)}


@contextmanager
def _deployment() -> Iterator[Any]:
    """wan-tiny on the test cluster, in processes that import everything anew."""
    import pytest

    from tests.cluster.scene import Scene
    from tests.support import cluster_deployment as cluster
    from tests.support.control_plane import programs, running_control_plane
    from tests.support.kubelet import running_kubelet
    from tests.support.pod_image import running_image
    from tests.support.postgres import running_postgres
    from tests.support.project import new_project
    from wan_pipelines.engines.releases import read_release
    from wan_pipelines.places import project_root
    from wan_pipelines.weights.sources import PackagedSource

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        plane = stack.enter_context(running_control_plane(folder, programs()))
        server = stack.enter_context(running_postgres())
        cluster.grant_rights(plane)
        image = stack.enter_context(running_image(folder, warm=False))
        kubelet = stack.enter_context(running_kubelet(plane, image, folder, cluster.BASE))
        cluster.add_nodes(kubelet)
        project = new_project(folder / "project", PackagedSource("wan-tiny").path)
        shipped = read_release(project_root() / "assets" / "models" / "wan-tiny" / "defs.yaml")
        attributes = shipped.model_dump(mode="json", exclude_none=True, exclude={"name"})
        project.release(**attributes, architecture=None)
        project.environment(**cluster.environment(folder, checkpoints={"every_seconds": None}))
        databases = cluster.Databases(server.new_database(), server.new_database())
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        instance = stack.enter_context(cluster.deployed(project, plane, databases, patch))
        yield Scene(project, plane, kubelet, instance, plane.api())


def _measured(scene: Any, number: int) -> Iterator[Timeline]:
    edition = f"round-{number}"
    scene.project.campaign(**CAMPAIGN, seeds=[number])
    scene.admit(edition=edition)
    run_id = scene.launch(edition=edition, assets=["takes"])
    scene.until_success(run_id)
    events = scene.instance.all_logs(run_id)
    (run_pod,) = scene.run_pods(run_id)
    queued = next(e.timestamp for e in events if _is(e, "PIPELINE_STARTING"))
    cut = next(e.timestamp for e in events if _is(e, "STEP_WORKER_STARTING"))
    for pod in scene.kubelet.labelled(**{"run-id": run_id, "gpu-class": "h100"}):
        key = next(
            e.step_key
            for e in events
            if _is(e, "STEP_WORKER_STARTING") and pod.labels["job-name"] in e.message
        )
        own = [e for e in events if e.step_key == key]
        yield Timeline(
            queued=queued,
            run_bound=run_pod.seen_at,
            cut=cut,
            asked=_first(own, "STEP_WORKER_STARTING"),
            bound=pod.seen_at,
            imported=_first(own, "STEP_WORKER_STARTED"),
            loaded=_first(own, "STEP_START"),
            first_step=next(e.timestamp for e in own if "step 0 of" in e.user_message),
        )


def _is(event: Any, kind: str) -> bool:
    found = event.dagster_event
    return found is not None and found.event_type_value == kind


def _first(events: Sequence[Any], kind: str) -> float:
    return next(event.timestamp for event in events if _is(event, kind))
