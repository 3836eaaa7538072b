"""The server from which the steps of a run on this machine are forked.

It imports once what every step would import again. On a CPU that includes the libraries of the
engine: importing them starts no thread of torch's and touches no device, so that forking is safe.
The workers of the run are forked from a server of their own then, which is a fork of this one.
On a GPU machine they are left out: some of them look for the GPU, and CUDA must not be forked.
"""

from multiprocessing import forkserver
from pathlib import Path
from typing import Final, Literal

from wan_pipelines.streams import stderr_to

STEPS: Final = (
    "dagster._core.executor.multiprocess",
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
)
ENGINE: Final = ("diffusers.pipelines.wan.pipeline_wan", "wan_pipelines.engines.reference")
FROZEN: Final = "wan_pipelines.frozen"
NURSERY: Final = "wan_pipelines.studio.supervised.at_hand"


def preloaded(device: Literal["cpu", "cuda"]) -> list[str]:
    """The modules that the server imports for workers that compute on `device`."""
    return [*STEPS, *ENGINE, FROZEN, NURSERY] if device == "cpu" else [*STEPS, FROZEN]


def start(device: Literal["cpu", "cuda"], log: Path) -> None:
    """Start the server of this process's runs now, while there are other things to do.

    What it says goes to `log`. The run finds it running, and would otherwise start it itself.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with stderr_to(log):
        forkserver.set_forkserver_preload(preloaded(device))
        forkserver.ensure_running()
