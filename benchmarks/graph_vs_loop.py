"""Shots through the graph, as a user launches them, against a plain loop over one pipeline.

Both start as fresh processes and are timed from launch to end: imports, loading and encoding
included. The graph additionally probes, publishes and describes every video, makes a second
rendition, a poster and a preview of each, keeps the ledger, and writes the page and the statement.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.deployment import CAMPAIGN, EDITION, Deployment, deployed
from benchmarks.places import PROJECT, WEIGHTS
from benchmarks.processes import Timing, timed
from benchmarks.results import Row, show_and_keep
from wan_pipelines.campaigns.shots import Shot

DEFAULT_THREADS = 0
SINGLE_THREAD = 1
REPEATED_UP_TO = 100


@dataclass(frozen=True, slots=True)
class Sample:
    """One size: the graph, and the loop by number of threads (0: torch's default)."""

    shots: int
    graph: list[Timing]
    loops: dict[int, list[Timing]]

    @property
    def best_threads(self) -> int:
        return min(self.loops, key=lambda threads: _wall(self.loops[threads]))

    def row(self) -> Row:
        best = self.loops[self.best_threads]
        graph, loop = _wall(self.graph), _wall(best)
        return {
            "shots": self.shots,
            "runs": len(self.graph),
            "graph_s": round(graph, 2),
            "loop_s": round(loop, 2),
            "ratio": round(graph / loop, 3),
            "loop_threads": self.best_threads or "default",
            "graph_cpu_s": round(_cpu(self.graph), 2),
            "loop_cpu_s": round(_cpu(best), 2),
        }


def run(sizes: Sequence[int], repeats: int) -> None:
    """Measures each size, the two in turn; larger sizes once, against the quicker loop."""
    _warm_up()
    threads: tuple[int, ...] = (DEFAULT_THREADS, SINGLE_THREAD)
    rows: list[Row] = []
    for shots in sizes:
        rounds = repeats if shots <= REPEATED_UP_TO else 1
        sample = measure(shots, threads, rounds)
        if shots >= REPEATED_UP_TO:
            threads = (sample.best_threads,)
        rows.append(sample.row())
        show_and_keep("graph_vs_loop", {"Graph versus plain loop, wall time (medians)": rows})


def measure(shots: int, threads: Sequence[int], rounds: int) -> Sample:
    sample = Sample(shots, [], {number: [] for number in threads})
    for _ in range(rounds):
        for number in threads:
            with deployed(shots) as deployment:
                sample.loops[number].append(run_loop(deployment, number))
        with deployed(shots) as deployment:
            sample.graph.append(run_graph(deployment, shots))
    return sample


def run_graph(deployment: Deployment, shots: int) -> Timing:
    """`wan run` in a deployment without any state; RuntimeError unless every video is there."""
    wan = Path(sys.executable).with_name("wan")
    argv = [wan, "run", CAMPAIGN, "--edition", EDITION, "--json"]
    timing = timed(argv, deployment.variables, deployment.root)
    made = json.loads(timing.output)["accepted"]
    if made != shots:
        raise RuntimeError(f"the graph made {made} of {shots} videos")
    return timing


def run_loop(deployment: Deployment, threads: int) -> Timing:
    requests, videos = deployment.root / "requests.json", deployment.root / "videos"
    videos.mkdir()
    requests.write_text(
        json.dumps([_request(shot) for shot in deployment.studio().shots(CAMPAIGN)])
    )
    module = [sys.executable, "-m", "benchmarks.plain_loop"]
    return timed([*module, requests, WEIGHTS, videos, str(threads)], {}, PROJECT)


def _request(shot: Shot) -> dict[str, object]:
    """Arguments of the pipeline's call, and what the loop does beside it."""
    request, sampling = shot.request, shot.request.sampling
    return {
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "width": request.width,
        "height": request.height,
        "num_frames": request.frames,
        "num_inference_steps": sampling.steps,
        "guidance_scale": sampling.guidance,
        "guidance_scale_2": sampling.guidance_2,
        "max_sequence_length": sampling.max_sequence_length,
        "seed": request.seed,
        "fps": shot.fps,
    }


def _warm_up() -> None:
    """Both once, so that neither pays for the disk's cache."""
    measure(10, [SINGLE_THREAD], 1)


def _wall(timings: Sequence[Timing]) -> float:
    return median(timing.wall_seconds for timing in timings)


def _cpu(timings: Sequence[Timing]) -> float:
    return median(timing.cpu_seconds for timing in timings)
