"""What all tests have in common."""

import os

import pytest
from hypothesis import settings

from wan_pipelines.places import ENVIRONMENT_VARIABLE, ROOT_VARIABLE, STATE_VARIABLE

# The deployment that somebody works on in this shell is none of the tests' business.
for name in (ENVIRONMENT_VARIABLE, ROOT_VARIABLE, STATE_VARIABLE, "DAGSTER_HOME"):
    os.environ.pop(name, None)

# A busy machine is no reason to fail: tests of speed measure the processor's time themselves.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


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
