"""A deployment for each test, and the command line in it."""

import pytest

from tests.cli.invoking import Wan, invoker
from tests.support.project import Project
from tests.support.quick_project import migrated_ledger, no_weights, quick_project

__all__ = ["migrated_ledger", "no_weights", "quick_project"]


@pytest.fixture
def wan(quick_project: Project) -> Wan:
    """`wan` in the deployment of this test."""
    return invoker(quick_project)
