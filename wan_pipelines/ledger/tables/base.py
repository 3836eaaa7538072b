"""What all tables share: names of constraints, types, and the creation time."""

from typing import Annotated

from sqlalchemy import BigInteger, CheckConstraint, Integer, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

RowId = Annotated[
    int, mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
]


class Base(DeclarativeBase):
    """Times are microseconds since 1970 (UTC), money is micro-dollars, both 64-bit integers."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {int: BigInteger(), str: String()}  # noqa: RUF012 (SQLAlchemy reads it)

    created_at: Mapped[int] = mapped_column(sort_order=100)


def one_of(column: str, *values: str) -> CheckConstraint:
    """A CHECK that keeps a text column to its words."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=column)
