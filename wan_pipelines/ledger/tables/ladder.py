"""What was drawn with less than its shot asks for, and where others begin since."""

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from wan_pipelines.ledger.tables.base import Base


class DescentRow(Base):
    """Append-only: a take was drawn on rungs of its release's ladder, the last one the lowest.

    `drawn_key` is the render key of what was drawn: pixels are those of the shot's own key if it
    is the same. `release` is the actual one, `tier` the lighter one, if there was any.
    """

    __tablename__ = "descents"

    take_id: Mapped[str] = mapped_column(ForeignKey("takes.id"), primary_key=True)
    tenant: Mapped[str] = mapped_column(ForeignKey("tenants.name"))
    rungs: Mapped[list[str]] = mapped_column(JSON())
    drawn_key: Mapped[str]
    release: Mapped[str]
    tier: Mapped[str]


class FootholdRow(Base):
    """On which rung shots of a bucket begin, `since` when; an empty rung is what is asked for.

    `misses` counts the probes of a higher rung that failed in a row. The other columns say in
    words what `bucket` is the digest of.
    """

    __tablename__ = "footholds"

    bucket: Mapped[str] = mapped_column(primary_key=True)
    release: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    frames: Mapped[int]
    gpu_class: Mapped[str]
    gpu_count: Mapped[int]
    exact: Mapped[bool]
    rung: Mapped[str]
    misses: Mapped[int]
    since: Mapped[int]
