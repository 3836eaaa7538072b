"""Fixtures of other folders, for tests of isolation."""

from tests.support.quick_project import migrated_ledger, no_weights, quick_project

__all__ = ["migrated_ledger", "no_weights", "quick_project"]
