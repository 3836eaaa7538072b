"""The code location: what `assets/` and `resources/<environment>/` declare, and nothing else."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import dagster as dg

from wan_pipelines.components.yaml_check import check_yaml
from wan_pipelines.places import environment_name, project_root

_kept: list[dg.Definitions] = []


def component_tree(folder: Path) -> dg.ComponentTree:
    """The components of `folder`, loaded by path: the folders are no Python packages."""
    module = ModuleType(folder.name)
    module.__file__ = os.fspath(folder / "__init__.py")
    return dg.ComponentTree.from_module(defs_module=module, project_root=folder.parent)


def load() -> dg.Definitions:
    """Read the YAML as it stands now; InputError names file, line, field and remedy."""
    root, environment = project_root(), environment_name()
    check_yaml(root, environment)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # Dagster's own use of beta features
        return dg.Definitions.merge(
            component_tree(root / "assets").build_defs(),
            component_tree(root / "resources").build_defs(environment),
        )


def keep() -> None:
    """Read the YAML now and never again, in this process and those that are forked from it."""
    _kept[:] = [load()]


@contextmanager
def kept() -> Iterator[None]:
    """Read the YAML once for everything that is done in the block."""
    keep()
    try:
        yield
    finally:
        _kept.clear()


@dg.definitions
def defs() -> dg.Definitions:
    return _kept[0] if _kept else load()
