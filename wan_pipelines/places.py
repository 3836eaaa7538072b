"""Where a deployment's YAML lies, which environment it is, and where it keeps its state."""

import os
from pathlib import Path

ROOT_VARIABLE = "WAN_PIPELINES_ROOT"
ENVIRONMENT_VARIABLE = "WAN_PIPELINES_ENV"
STATE_VARIABLE = "WAN_PIPELINES_STATE"


def project_root() -> Path:
    """The folder that holds `assets/` and `resources/`: a checkout, or what is named."""
    named = os.environ.get(ROOT_VARIABLE)
    return Path(named).resolve() if named else Path(__file__).resolve().parents[1]


def environment_name() -> str:
    """Which folder of `resources/` is run against."""
    return os.environ.get(ENVIRONMENT_VARIABLE, "local")


def state_folder() -> Path:
    """Where everything lands that is made here: `.wan` below the root unless it is named."""
    named = os.environ.get(STATE_VARIABLE)
    return Path(named).resolve() if named else project_root() / ".wan"


def below(state: Path, place: str) -> str:
    """URLs stand as they are; paths are relative to the folder of what is made here."""
    return place if "://" in place else str(state / place)
