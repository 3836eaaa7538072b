"""Fixtures of other folders, for tests of isolation."""

from tests.support.component_types import component_types
from tests.support.quick_project import migrated_ledger, no_weights, quick_project

__all__ = ["component_types", "migrated_ledger", "no_weights", "quick_project"]
