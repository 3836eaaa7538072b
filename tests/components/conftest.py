"""The deployments that these tests work on."""

from tests.support.project import module_project, project
from tests.support.tiny_pipeline import tiny_folder

__all__ = ["module_project", "project", "tiny_folder"]
