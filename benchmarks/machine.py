"""The machine that figures were taken on, in words that fit any."""

import os
import platform
from dataclasses import dataclass
from importlib import metadata

import psutil

PACKAGES = ("torch", "diffusers", "transformers", "dagster", "sqlalchemy")


@dataclass(frozen=True, slots=True)
class Machine:
    """`load_average` is that of the last minute when the benchmark began: above 1, be wary."""

    cores: int
    memory_gib: float
    system: str
    python: str
    packages: dict[str, str]
    load_average: float


def this_machine() -> Machine:
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(psutil.virtual_memory().total / 1024**3, 1),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        packages={name: metadata.version(name) for name in PACKAGES},
        load_average=round(os.getloadavg()[0], 2),
    )
