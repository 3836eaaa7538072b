"""How the steps of a run become processes on one machine."""

import dagster as dg

PRELOADED = [
    "wan_pipelines.cli",
    "wan_pipelines.components.preload",
    "wan_pipelines.components.launch",
    "wan_pipelines.pages.render",
    "PIL.Image",
    "pandas",
    "safetensors",
    # What Dagster imports in every step; a name that is gone one day is passed over.
    "alembic.command",
    "dagster._core.remote_representation.external",
    "dagster._core.storage.fs_io_manager",
    "dagster._core.storage.legacy_storage",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.storage.sqlite_storage",
    "dagster._grpc.impl",
    "dagster._utils.test",
    "dotenv",
    "structlog",
    "upath.implementations.local",
    "watchdog.observers.polling",
]


def local_executor(workers: int) -> dg.ExecutorDefinition:
    """One process per step, forked from a server that has imported what steps need.

    The server never imports torch: a process forked after torch's thread pools exist can hang.
    """
    return dg.multiprocess_executor.configured(
        {
            "max_concurrent": workers,
            "start_method": {"forkserver": {"preload_modules": PRELOADED}},
        }
    )
