"""The studio as a Dagster resource: opened in the process that uses it."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import dagster as dg

from wan_pipelines.studio.studio import Studio, open_studio


@dataclass(frozen=True, slots=True)
class StudioDoor:
    """Where the deployment's YAML and state lie, and which environment counts.

    Nothing of it can be configured at launch: a run works for the deployment that it is part of.
    """

    root: Path
    state: Path
    environment: str

    def open(self, gpu_class: str | None = None) -> Studio:
        """The studio, with its connections kept from call to call and its YAML read anew.

        `gpu_class` renders, if it is named; else the environment's own choice.
        """
        return replace(_open(self)).on(gpu_class)


StudioResource = dg.ResourceParam[StudioDoor]


@cache
def _open(door: StudioDoor) -> Studio:
    return open_studio(door.root, door.state, door.environment)
