"""Compiled code that this deployment has built, and therefore loads."""

from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from wan_pipelines.ledger.tables.base import Base, RowId


class ArtifactRow(Base):
    """Append-only: an artifact was signed off; the latest one of a key holds.

    `fits` is the key in words, of which `key_digest` is the digest.
    """

    __tablename__ = "artifacts"
    __table_args__ = (Index("ix_artifacts_key_digest", "key_digest"),)

    id: Mapped[RowId]
    key_digest: Mapped[str]
    release: Mapped[str] = mapped_column(index=True)
    sha256: Mapped[str]
    size_bytes: Mapped[int]
    place: Mapped[str] = mapped_column(Text())
    built_by: Mapped[str]
    fits: Mapped[list[list[str]]] = mapped_column(JSON())
    provenance: Mapped[dict[str, Any]] = mapped_column(JSON())
