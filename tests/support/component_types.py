"""The types of components, described once: Dagster does it anew whenever YAML is loaded."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import dagster as dg
import pytest
from dagster.components.core import load_defs

_described = load_defs.get_library_json_enriched_defs


@pytest.fixture(scope="session", autouse=True)
def component_types() -> Iterator[None]:
    """That takes two thirds of the time of a load, and no test changes what there is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load_defs, _described.__name__, _described_once)
        yield


def _described_once(tree: dg.ComponentTree | None) -> dg.Definitions:
    return dg.Definitions(metadata=_types(), component_tree=tree)


@cache
def _types() -> Any:
    return _described(None).metadata
