"""What it costs to load the code location, as Dagster's code server does."""

import json
import sys
from statistics import median

from benchmarks.places import PROJECT
from benchmarks.processes import timed
from benchmarks.results import show_and_keep

ROUNDS = 5
HEAVY = ("torch", "transformers", "diffusers", "kubernetes", "boto3")
LOAD = f"""
import json, resource, sys
from wan_pipelines.definitions import defs
assets = defs().resolve_asset_graph().get_all_asset_keys()
print(json.dumps({{
    "assets": len(assets),
    "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "heavy": [name for name in {HEAVY!r} if name in sys.modules],
}}))
"""


def run() -> None:
    """A fresh interpreter each time; RuntimeError if it imports what it must not."""
    timings = [timed([sys.executable, "-c", LOAD], {}, PROJECT) for _ in range(ROUNDS)]
    bare = [timed([sys.executable, "-c", "import dagster"], {}, PROJECT) for _ in range(ROUNDS)]
    found = [json.loads(timing.output) for timing in timings]
    if found[0]["heavy"]:
        raise RuntimeError(f"the definitions import {found[0]['heavy']}")
    row = {
        "assets": found[0]["assets"],
        "wall_s": round(median(timing.wall_seconds for timing in timings), 2),
        "cpu_s": round(median(timing.cpu_seconds for timing in timings), 2),
        "of_which_import_dagster_cpu_s": round(median(t.cpu_seconds for t in bare), 2),
        "peak_memory_mib": round(median(record["peak_mib"] for record in found)),
        "not_imported": ", ".join(HEAVY),
    }
    show_and_keep("definitions", {"Loading the definitions (fresh process, medians)": [row]})
