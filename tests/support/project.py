"""A whole deployment in a folder: YAML of a release, a campaign and an environment, and its state.

Use it by importing the fixtures into a `conftest.py`: `from tests.support.project import project,
module_project`, with `tiny_folder` of `tests.support.tiny_pipeline`, whose noise it renders.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.releases import ARCHITECTURE
from wan_pipelines.places import ENVIRONMENT_VARIABLE, ROOT_VARIABLE, STATE_VARIABLE
from wan_pipelines.studio.studio import Studio, open_studio

RELEASE: Mapping[str, Any] = {
    "name": "sample",
    "title": "Sample",
    "licence": "Apache-2.0",
    "dtype": "float32",
    "vae_dtype": "float32",
    "boundary_ratio": 0.875,
    "max_sequence_length": 16,
    "sizes": {
        "multiple_of": 16,
        "offered": [
            {"name": "square", "width": 32, "height": 32},
            {"name": "landscape", "width": 64, "height": 32},
        ],
    },
    "frames": {"min": 5, "max": 17, "default": 5},
    "fps": 8,
    "tiers": {"draft": {"steps": 2, "guidance": 1.0}, "standard": {"steps": 3, "guidance": 2.0}},
    "default_tier": "draft",
    "architecture": ARCHITECTURE,
}
CAMPAIGN: Mapping[str, Any] = {
    "name": "balls",
    "title": "Balls",
    "tenant": "demo",
    "user": "mira",
    "release": "sample",
    "prompts": ["a red ball rising", "a blue box falling"],
    "seeds": [1],
}
ENVIRONMENT: Mapping[str, Any] = {
    "name": "local",
    "links": "http://127.0.0.1:3070",
    "gpu_class": "laptop-cpu",
    "gpu_classes": {"laptop-cpu": {"device": "cpu", "price_usd_per_hour": "0.10"}},
    "workers": {"count": 2, "threads": 1, "shard_minutes": 15, "lease_seconds": 10},
    "prompts": {"release": "sample", "tenant": "demo", "user": "mira"},
    "plans": {"free": {"shots_per_user_and_day": 5}, "studio": {}},
    "tenants": {
        "demo": {"plan": "studio", "time_zone": "Europe/Berlin"},
        "small": {"plan": "free"},
    },
}


@dataclass(frozen=True, slots=True)
class Project:
    """A root with `assets/` and `resources/`, and a state folder beside them.

    What is written with `campaign`, `release` and `environment` takes the attributes above, with
    the given changes; `None` removes an attribute.
    """

    root: Path
    weights: Path

    @property
    def state(self) -> Path:
        return self.root / ".wan"

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables by which a process finds this deployment."""
        return {
            ROOT_VARIABLE: str(self.root),
            STATE_VARIABLE: str(self.state),
            ENVIRONMENT_VARIABLE: "local",
            "DAGSTER_HOME": str(self.state / "dagster"),
            "OMP_NUM_THREADS": "1",
        }

    def enter(self, patch: pytest.MonkeyPatch) -> None:
        """Make it the deployment that this process stands in."""
        for name, value in self.variables.items():
            patch.setenv(name, value)

    def campaign(self, name: str = "balls", **changes: Any) -> Path:
        """Write a brief; returns its path."""
        folder = self.root / "assets" / "campaigns" / name
        return _write(folder, "Campaign", CAMPAIGN, {"name": name, **changes})

    def release(self, name: str = "sample", **changes: Any) -> Path:
        """Write a release; returns its path."""
        folder = self.root / "assets" / "models" / name
        source = {"folder": str(self.weights)}
        return _write(folder, "ModelRelease", RELEASE, {"name": name, "source": source, **changes})

    def environment(self, name: str = "local", **changes: Any) -> Path:
        """Write an environment; returns its path."""
        return _write(
            self.root / "resources" / name, "Environment", ENVIRONMENT, {"name": name, **changes}
        )

    def studio(self) -> Studio:
        """The studio over this deployment, opened anew."""
        return open_studio(self.root, self.state, "local")

    def start(self, *argv: str, **variables: str) -> subprocess.Popen[str]:
        """A process in this deployment; `wan` and other scripts are those beside this Python."""
        program = Path(sys.executable).with_name(argv[0])
        return subprocess.Popen(
            [program, *argv[1:]],
            env={**os.environ, **self.variables, **variables},
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wan(self, *arguments: str, seconds: float = 170) -> subprocess.CompletedProcess[str]:
        """A `wan` command in this deployment, and what it printed."""
        process = self.start("wan", *arguments)
        try:
            out, err = process.communicate(timeout=seconds)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def new_project(root: Path, weights: Path) -> Project:
    """A deployment of one release, one campaign of two shots, and the environment `local`."""
    made = Project(root, weights)
    made.release()
    made.campaign()
    made.environment()
    return made


@pytest.fixture
def project(tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A deployment of its own for one test, which this process stands in."""
    made = new_project(tmp_path / "project", tiny_folder)
    made.enter(monkeypatch)
    return made


@pytest.fixture(scope="module")
def module_project(
    tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path
) -> Iterator[Project]:
    """One deployment for all tests of a module."""
    made = new_project(tmp_path_factory.mktemp("project"), tiny_folder)
    with pytest.MonkeyPatch.context() as patch:
        made.enter(patch)
        yield made


def _write(
    folder: Path, component: str, attributes: Mapping[str, Any], changes: Mapping[str, Any]
) -> Path:
    merged = {**attributes, **changes}
    kept = {name: value for name, value in merged.items() if value is not None}
    path = folder / "defs.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    data = {"type": f"wan_pipelines.components.{component}", "attributes": kept}
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return path
