"""The studio as a Dagster resource: opened in the process that uses it."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import dagster as dg

from wan_pipelines.studio.studio import Studio, open_studio


class StudioResource(dg.ConfigurableResource):
    """Where the deployment's YAML and state lie, and which environment counts."""

    root: str
    state: str
    environment: str

    def open(self) -> Studio:
        """The studio, with its connections kept from call to call and its YAML read anew."""
        return replace(_open(self.root, self.state, self.environment))


@cache
def _open(root: str, state: str, environment: str) -> Studio:
    return open_studio(Path(root), Path(state), environment)
