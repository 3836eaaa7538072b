"""Which tables are tenants', and which of their columns tie one row to another of the same tenant.

All of it is read from the tables themselves, so that a new table is guarded from its first day: it
is tenants' when it names a tenant, or refers to a row of a table that is.
"""

from functools import cache

from sqlalchemy import BigInteger, Column, ForeignKey, Table

TENANTS, TENANT = "tenants", "tenant"
PRIVATE = {"ties": "private"}
"""`info` of a column that names a row, and never leaves the ledger."""
PUBLIC = {"ties": "public"}
"""The same of one that does, so that it may come from somebody else's hands."""


def names_tenant(column: Column[object]) -> bool:
    """Is it the column that says whose a row is?"""
    return column.name == TENANT or (column.table.name == TENANTS and column.primary_key)


@cache
def is_tenants(table: Table) -> bool:
    """Does each row belong to a tenant?"""
    return any(names_tenant(each) or _refers_to_tenants(each) for each in table.columns)


@cache
def ties(column: Column[object]) -> bool:
    """Are two rows with the same value in such columns the same tenant's?"""
    if names_tenant(column) or "ties" in column.info:
        return True
    is_own_key = column.primary_key and len(column.table.primary_key.columns) == 1
    return _refers_to_tenants(column) or (is_own_key and is_tenants(column.table))


@cache
def is_private(column: Column[object]) -> bool:
    """Does a value alone tie a row to its tenant? Row numbers are looked up by tenant and name.

    No function takes one from outside, and no record carries one there.
    """
    if column.info == PRIVATE:
        return True
    return ties(column) and not names_tenant(column) and isinstance(column.type, BigInteger)


def _refers_to_tenants(column: Column[object]) -> bool:
    return any(_of_one_column(key) and is_tenants(key.column.table) for key in column.foreign_keys)


def _of_one_column(key: ForeignKey) -> bool:
    """A part of a longer key names nothing alone: users of two tenants may share a name."""
    return key.constraint is None or len(key.constraint.elements) == 1
