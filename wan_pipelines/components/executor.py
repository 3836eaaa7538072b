"""How the steps of a run become processes on one machine."""

import dagster as dg

PRELOADED = ["wan_pipelines.definitions", "wan_pipelines.components"]


def local_executor(workers: int) -> dg.ExecutorDefinition:
    """One process per step, forked from a server that has Dagster and our components imported.

    The server never imports torch: a process forked after torch's thread pools exist can hang.
    """
    return dg.multiprocess_executor.configured(
        {
            "max_concurrent": workers,
            "start_method": {"forkserver": {"preload_modules": PRELOADED}},
        }
    )
