"""What all tests have in common."""

import gc
import os
import shutil
import warnings
from pathlib import Path

import pytest
from hypothesis import settings

from wan_pipelines.places import ENVIRONMENT_VARIABLE, ROOT_VARIABLE, STATE_VARIABLE

MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 4 << 30
LONG = 120

# Tests write and flush small files all the time: in memory that costs nothing.
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# The deployment that somebody works on in this shell is none of the tests' business.
for name in (ENVIRONMENT_VARIABLE, ROOT_VARIABLE, STATE_VARIABLE, "DAGSTER_HOME"):
    os.environ.pop(name, None)

# A busy machine is no reason to fail: tests of speed measure the processor's time themselves.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


@pytest.fixture(scope="module", autouse=True)
def what_is_imported_is_no_garbage() -> None:
    """Else, with all that tests import, half of their time goes into looking it through.

    What is found is of the file before: its first test would be blamed for it here.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    gc.freeze()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A long value is not its test's name: it may differ between the processes that collect it."""
    if isinstance(val, str | bytes) and len(val) > LONG:
        return f"{argname} of {len(val)}"
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Several processes share the files between them, and begin with what may take longest.

    Tests of a file share fixtures; so do files that are marked as one group.
    """
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.as_posix()))
    items.sort(key=_patience_seconds, reverse=True)


def _patience_seconds(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    return marker.args[0] if marker else 0
