"""The warm loop of one worker against a plain loop, and what its time goes into.

Both are fresh processes with one thread for the engine, on the same two cores. The worker keeps to
one core with its engine and to the other with its encoding; the plain loop may use both.
"""

import json
import sys
from collections.abc import Mapping

from benchmarks.deployment import Deployment, deployed
from benchmarks.graph_vs_loop import SINGLE_THREAD, run_loop
from benchmarks.places import PROJECT
from benchmarks.processes import Timing, timed
from benchmarks.results import Row, show_and_keep

BUSY = ("text", "denoise", "decode")
MEANINGS = {
    "load": "start of the process, its imports, admission of the shots, the engine",
    "text": "busy: texts encoded",
    "denoise": "busy: forwards and solver",
    "decode": "busy: latents to frames",
    "wait": "for room in the queue of the tail, and for its end",
    "idle": "leases, and handing over",
}


def run(shots: int) -> None:
    """Measures both, one after the other."""
    one_worker = {"count": 1, "threads": 1, "shard_minutes": 24 * 60}
    with deployed(shots) as deployment:
        loop = run_loop(deployment, SINGLE_THREAD)
    with deployed(shots, workers=one_worker) as deployment:
        worker = run_worker(deployment)
    summary = json.loads(worker.output.splitlines()[-1])
    if summary["accepted"] != shots:
        raise RuntimeError(f"the worker made {summary['accepted']} of {shots} videos")
    seconds = summary["seconds"]
    warm = (sum(seconds.values()) - seconds["load"], float(loop.output))
    whole = (worker.wall_seconds, loop.wall_seconds)
    show_and_keep(
        "warm_loop",
        {
            f"{shots} shots, wall seconds": [
                _ratio("process, start to end", *whole),
                _ratio("once loaded", *warm),
                _ratio("processor time of all", worker.cpu_seconds, loop.cpu_seconds),
            ],
            "What the worker's paid seconds went into": _spent(seconds),
        },
    )


def run_worker(deployment: Deployment) -> Timing:
    module = [sys.executable, "-m", "benchmarks.warm_worker"]
    return timed([*module, deployment.root], deployment.variables, PROJECT)


def _ratio(what: str, worker: float, loop: float) -> Row:
    return {
        "seconds": what,
        "warm_loop": round(worker, 2),
        "plain_loop": round(loop, 2),
        "ratio": round(worker / loop, 3),
    }


def _spent(seconds: Mapping[str, float]) -> list[Row]:
    paid, load = sum(seconds.values()), seconds["load"]
    rows = [_share(kind, seconds[kind], paid, load, MEANINGS[kind]) for kind in MEANINGS]
    busy = sum(seconds[kind] for kind in BUSY)
    return [*rows, _share("engine busy", busy, paid, load, "text, denoise and decode")]


def _share(kind: str, seconds: float, paid: float, load: float, meaning: str) -> Row:
    after = "" if kind == "load" else f"{seconds / (paid - load):.1%}"
    return {
        "kind": kind,
        "seconds": round(seconds, 2),
        "of_all": f"{seconds / paid:.1%}",
        "once_loaded": after,
        "what": meaning,
    }
