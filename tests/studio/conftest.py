"""The deployments that these tests work on."""

from tests.support.postgres import postgres_server
from tests.support.quick_project import migrated_ledger, no_weights, quick_project
from tests.support.seaweed import s3, s3_server

__all__ = [
    "migrated_ledger",
    "no_weights",
    "postgres_server",
    "quick_project",
    "s3",
    "s3_server",
]
