"""The deployments that these tests work on."""

import pytest

from tests.support.component_types import component_types
from tests.support.postgres import postgres_server
from tests.support.project import Project, module_project
from tests.support.quick_project import migrated_ledger, no_weights, quick_project
from tests.support.tiny_pipeline import tiny_folder

__all__ = [
    "component_types",
    "migrated_ledger",
    "module_project",
    "no_weights",
    "postgres_server",
    "quick_project",
    "tiny_folder",
]


@pytest.fixture
def project(quick_project: Project) -> Project:
    """A deployment of its own for one test, with weights that no engine could load."""
    return quick_project
