"""Deployments made for one measurement: shipped release and settings, a campaign of any size."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.places import PROJECT, RESULTS
from wan_pipelines.places import ENVIRONMENT_VARIABLE, ROOT_VARIABLE, STATE_VARIABLE
from wan_pipelines.studio.studio import Studio, open_studio

CAMPAIGN = "benchmark"
EDITION = "first"
COLOURS = ["red", "blue", "green", "yellow", "purple"]
PROMPTS = [
    "a {colour} ball moving left to right on a black background",
    "a {colour} box rising on a white background",
]
SHOTS_OF_A_VARIANT = len(PROMPTS) * len(COLOURS)
BRIEF = {
    "name": CAMPAIGN,
    "tenant": "demo",
    "user": "benchmark",
    "release": "wan-tiny",
    "prompts": PROMPTS,
    "variables": {"colour": COLOURS},
    "shapes": ["landscape"],
    "renditions": ["h264", "h264-half"],
}


@dataclass(frozen=True, slots=True)
class Deployment:
    """A root with `assets/` and `resources/`, and nothing rendered yet."""

    root: Path

    @property
    def state(self) -> Path:
        return self.root / ".wan"

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables by which a process finds it."""
        return {
            ROOT_VARIABLE: str(self.root),
            STATE_VARIABLE: str(self.state),
            ENVIRONMENT_VARIABLE: "local",
        }

    def studio(self) -> Studio:
        return open_studio(self.root, self.state, "local")


@contextmanager
def deployed(
    shots: int, brief: Mapping[str, Any] | None = None, **settings: Any
) -> Iterator[Deployment]:
    """A campaign of `shots` demo-shape shots at the default tier, on the project's own disk.

    `brief` replaces attributes of the campaign, and may name another shipped release; `settings`
    replace attributes of the shipped `resources/local`. ValueError unless the number of shots is a
    multiple of ten.
    """
    variants, rest = divmod(shots, SHOTS_OF_A_VARIANT)
    if rest or not variants:
        raise ValueError(f"{shots} shots: choose a multiple of {SHOTS_OF_A_VARIANT}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS, prefix="deployment-") as folder:
        root = Path(folder)
        campaign = {**BRIEF, "variants": variants, **(brief or {})}
        model = Path("assets/models") / campaign["release"]
        shutil.copytree(PROJECT / model, root / model)
        _write(root / "assets/campaigns" / CAMPAIGN, "Campaign", campaign)
        shipped = yaml.safe_load((PROJECT / "resources/local/defs.yaml").read_text())
        _write(root / "resources/local", "Environment", {**shipped["attributes"], **settings})
        yield Deployment(root)


def _write(folder: Path, component: str, attributes: dict[str, Any]) -> None:
    folder.mkdir(parents=True)
    data = {"type": f"wan_pipelines.components.{component}", "attributes": attributes}
    (folder / "defs.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
