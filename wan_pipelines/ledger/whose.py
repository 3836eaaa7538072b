"""Whose data a transaction is about: one tenant's, nobody's, or the whole house's for a reason.

Every transaction of a ledger says so when it begins, and `ledger.guard` holds it to its word: a
statement that is not tied to that tenant is an error, not everybody's data.
"""

from dataclasses import dataclass
from typing import Literal

from wan_pipelines.errors import LedgerError

Reason = Literal[
    "audit",
    "configuration",
    "estimates",
    "invoice",
    "metrics",
    "migration",
    "operator",
    "scheduling",
    "upkeep",
]


@dataclass(frozen=True, slots=True)
class House:
    """All tenants at once, and why: for those who run the house, never on a tenant's behalf.

    `operator` is a person who asks for all tenants by name, `estimates` what is no secret of
    anybody's (how long takes last), `upkeep` what dead workers and vanished runs left.
    """

    reason: Reason


@dataclass(frozen=True, slots=True)
class Shared:
    """No tenant at all: prices, plans, artifacts, footholds."""


SHARED = Shared()

Whose = str | House | Shared
"""A tenant by name, the whole house, or nobody."""

Asked = str | House
"""Whom a report is about, as far as tenants go."""


def checked(whose: Whose) -> Whose:
    """LedgerError for a tenant without a name: it was forgotten, and nobody is not everybody."""
    if not whose:
        raise LedgerError("Whose data that is was not said: name a tenant.")
    return whose


def tenant_of(whose: Asked) -> str | None:
    """The tenant's name; None for the whole house."""
    return None if isinstance(whose, House) else whose
