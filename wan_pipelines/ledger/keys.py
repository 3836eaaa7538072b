"""The names of things in the ledger."""

from dataclasses import dataclass

from sqlalchemy import ScalarSelect, select
from sqlalchemy.orm import Session

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.tables import EditionRow


@dataclass(frozen=True, slots=True)
class EditionKey:
    """Names an edition. `user` is who asks for it; it does not tell editions apart."""

    tenant: str
    user: str
    campaign: str
    edition: str

    @property
    def names(self) -> dict[str, str]:
        """What tells it from all others, as rows and questions name it."""
        return {"tenant": self.tenant, "campaign": self.campaign, "edition": self.edition}

    def __str__(self) -> str:
        return f"{self.campaign}/{self.edition} of tenant {self.tenant}"


def edition_row_id(edition: EditionKey) -> ScalarSelect[int]:
    """The row of an edition, as a part of a query."""
    return select(EditionRow.id).filter_by(**edition.names).scalar_subquery()


def edition_id_of(session: Session, edition: EditionKey) -> int:
    """The row of an edition; `LedgerError` when it was never admitted."""
    found = session.scalar(select(edition_row_id(edition)))
    if found is None:
        raise LedgerError(f"The ledger has no edition {edition}. Admit its shots first.")
    return found
