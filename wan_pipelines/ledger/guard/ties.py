"""Which tables are tenants', and which of their columns tie one row to another of the same tenant.

All of it is read from the tables themselves, so that a new table is guarded from its first day: it
is tenants' when it names a tenant, or refers to a row of a table that is.
"""

from functools import cache

from sqlalchemy import BigInteger, Column, ForeignKey, Table

TENANTS, TENANT = "tenants", "tenant"
RESERVATION = {"names": "reservation", "private": True}
"""`info` of a column that names a reservation, which never leaves the ledger."""
OF_TAKE = {"names": "takes.id"}
"""The same of one that names a take without being a foreign key."""


def names_tenant(column: Column[object]) -> bool:
    """Is it the column that says whose a row is?"""
    return column.name == TENANT or (column.table.name == TENANTS and column.primary_key)


@cache
def is_tenants(table: Table) -> bool:
    """Does each row belong to a tenant?"""
    return any(names_tenant(each) or _key_of(each) for each in table.columns)


@cache
def names(column: Column[object]) -> str | None:
    """What of a tenant's a value names: rows of which it is the same are the same tenant's.

    A take, a shot, a reservation, the tenant itself; None where nothing of theirs is named.
    """
    if names_tenant(column):
        return TENANT
    if "names" in column.info:
        return column.info["names"]
    key = _key_of(column)
    if key:
        return names(key.column)
    is_own_key = column.primary_key and len(column.table.primary_key.columns) == 1
    return str(column) if is_own_key and is_tenants(column.table) else None


@cache
def is_private(column: Column[object]) -> bool:
    """Does a value alone tie a row to its tenant? Row numbers are looked up by tenant and name.

    No function takes one from outside, and no record carries one there.
    """
    if "private" in column.info:
        return True
    named = names(column)
    return named not in (None, TENANT) and isinstance(column.type, BigInteger)


def _key_of(column: Column[object]) -> ForeignKey | None:
    """The foreign key to a tenants' table that the column alone is, if any."""
    keys = (key for key in column.foreign_keys if _of_one_column(key))
    return next((key for key in keys if is_tenants(key.column.table)), None)


def _of_one_column(key: ForeignKey) -> bool:
    """A part of a longer key names nothing alone: users of two tenants may share a name."""
    return key.constraint is None or len(key.constraint.elements) == 1
