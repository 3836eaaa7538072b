"""Reads a statement: does it name the tenant of every row that it could touch?

A table's rows are tied to a tenant where the statement demands, by conditions that all must hold,

- that their tenant is a parameter's value (which the guard compares, each time it runs),
- or that they hang on rows that are tied, by a key,
- or that their private number is a parameter's value, or one of a tied sub-select.

Conditions of an outer join tie only what may be missing, those of a sub-select only its own
tables; those about columns of a sub-select in FROM count as its own. What
cannot be read so is not tied: the guard is wrong only in being too strict.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import (
    Alias,
    BindParameter,
    Column,
    CompoundSelect,
    Delete,
    Insert,
    Join,
    Select,
    Subquery,
    Table,
    TextClause,
    Update,
)
from sqlalchemy.sql import operators
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.elements import (
    BinaryExpression,
    BooleanClauseList,
    ClauseElement,
    ColumnElement,
    Grouping,
)
from sqlalchemy.sql.selectable import CTE, FromClause, ScalarSelect, SelectBase

from wan_pipelines.ledger.guard.ties import is_private, is_tenants, names, names_tenant


@dataclass(frozen=True, slots=True)
class Reading:
    """What a statement says about tenants.

    `loose` are tables whose rows may be anybody's, `named` the keys of the parameters that must
    be the tenant's name, `writes` whether rows are written that name their tenant themselves.
    """

    touches: bool
    loose: tuple[str, ...]
    named: tuple[str, ...]
    writes: bool


@dataclass(eq=False, slots=True)
class _Rows:
    """The rows of one table in one select."""

    table: Table
    tied: bool = False
    hangs_on: list["_Rows"] = field(default_factory=list)


_Known = Mapping[FromClause, _Rows]
_Asked = Mapping[str, BindParameter[Any]]
"""What is demanded of a sub-select's columns from outside."""


def read(statement: Executable) -> Reading:
    """What it says; for statements that are built once, worth keeping."""
    if isinstance(statement, TextClause):
        return Reading(touches=True, loose=("raw SQL",), named=(), writes=False)
    reader = _Reader()
    reader.read(cast("ClauseElement", statement), {})
    rows = reader.settled()
    target = statement.table if isinstance(statement, (Insert, Update)) else None
    return Reading(
        touches=bool(rows) or (isinstance(target, Table) and is_tenants(target)),
        loose=tuple(sorted({each.table.name for each in rows if not each.tied})),
        named=tuple(dict.fromkeys(reader.named)),
        writes=isinstance(target, Table) and any(map(names_tenant, target.columns)),
    )


class _Reader:
    def __init__(self) -> None:
        self._rows: list[_Rows] = []
        self.named: list[str] = []

    def settled(self) -> list[_Rows]:
        """All rows, after what hangs on tied ones is tied as well."""
        moved = True
        while moved:
            moved = False
            for rows in self._rows:
                if not rows.tied and any(each.tied for each in rows.hangs_on):
                    rows.tied = moved = True
        return self._rows

    def read(self, statement: ClauseElement, around: _Known, asked: _Asked | None = None) -> None:
        if isinstance(statement, CompoundSelect):
            for part in statement.selects:
                self.read(part, around, asked)
        elif isinstance(statement, Select):
            self._read_select(statement, around, asked or {})
        elif isinstance(statement, (Update, Delete)):
            self._read_change(statement, around)
        else:
            self._read_below(statement, around)

    def _read_select(self, select: Select[Any], around: _Known, asked: _Asked) -> None:
        froms = select.get_final_froms()
        known = {part: rows for part, rows in around.items() if _may_mean(select, part)}
        own = [each for each in froms if each not in known] or froms
        joins: list[Join] = []
        for each in own:
            self._enter(each, known, joins)
        ours = {rows for part, rows in known.items() if around.get(part) is not rows}
        self._demand(select.whereclause, known, ours)
        for column in select.selected_columns:
            rows = known.get(column.table) if isinstance(column, Column) else None
            parameter = asked.get(column.key or "")
            if rows is not None and parameter is not None:
                self._tie(rows, cast("Column[object]", column), parameter, known)
        for join in joins:
            both = set() if join.full else ours
            may_be_missing = {known[leaf] for leaf in _leaves(join.right) if leaf in known}
            self._demand(join.onclause, known, may_be_missing & both if join.isouter else both)
        self._read_below(select, known, _asked_of_parts(select.whereclause))

    def _read_change(self, change: Update | Delete, around: _Known) -> None:
        known = dict(around)
        self._enter(cast("FromClause", change.table), known, [])
        self._demand(change.whereclause, known, set(known.values()))
        self._read_below(change, known)

    def _enter(self, part: FromClause, known: dict[FromClause, _Rows], joins: list[Join]) -> None:
        """Note the tables of a FROM clause, and its joins."""
        if isinstance(part, Join):
            joins.append(part)
            self._enter(part.left, known, joins)
            self._enter(part.right, known, joins)
            return
        table = part.element if isinstance(part, Alias) else part
        if isinstance(table, Table) and is_tenants(table):
            known[part] = _Rows(table)
            self._rows.append(known[part])

    def _demand(self, condition: ColumnElement[Any] | None, known: _Known, of: set[_Rows]) -> None:
        """Tie what a condition ties, as far as that is rows of those."""
        for term in _terms(condition):
            for here, there in _sides(term):
                rows = known.get(here.table) if isinstance(here, Column) else None
                if rows is not None and rows in of:
                    self._tie(rows, cast("Column[object]", here), there, known)

    def _tie(
        self, rows: _Rows, column: Column[object], value: ClauseElement, known: _Known
    ) -> None:
        if isinstance(value, Column):
            other = known.get(value.table)
            if other is not None and names(column) and names(column) == names(value):
                rows.hangs_on.append(other)
        elif isinstance(value, SelectBase):  # its own tables must be tied as well
            named = names(column)
            rows.tied = rows.tied or (named is not None and _named_by(value) == {named})
        elif isinstance(value, BindParameter):
            if names_tenant(column):
                self.named.append(value.key)
                rows.tied = True
            rows.tied = rows.tied or is_private(column)

    def _read_below(
        self,
        element: ClauseElement,
        known: _Known,
        asked: Mapping[ClauseElement, _Asked] | None = None,
    ) -> None:
        for part, select in _selects_below(element):
            sees = {} if isinstance(part, (Subquery, CTE)) else known
            self.read(select, sees, (asked or {}).get(part))


def _may_mean(select: Select[Any], part: FromClause) -> bool:
    """May a select within another mean the other's table, rather than one of its own?"""
    explicit = select._correlate
    return part in explicit if explicit else select._auto_correlate


def _named_by(select: SelectBase) -> set[str | None]:
    """What the values of a sub-select name."""
    parts = select.selects if isinstance(select, CompoundSelect) else [select]
    columns = [column for part in parts for column in part.selected_columns]
    return {names(column) if isinstance(column, Column) else None for column in columns}


def _leaves(part: FromClause) -> Iterator[FromClause]:
    if isinstance(part, Join):
        yield from _leaves(part.left)
        yield from _leaves(part.right)
    else:
        yield part


def _terms(condition: ClauseElement | None) -> Iterator[BinaryExpression[Any]]:
    """Comparisons that must all hold."""
    if isinstance(condition, Grouping):
        yield from _terms(condition.element)
    elif isinstance(condition, BooleanClauseList) and condition.operator is operators.and_:
        for clause in condition.clauses:
            yield from _terms(clause)
    elif isinstance(condition, BinaryExpression):
        yield condition


def _sides(term: BinaryExpression[Any]) -> Iterator[tuple[ClauseElement, ClauseElement]]:
    """What is equal to what; what is among what."""
    left, right = _bare(term.left), _bare(term.right)
    if term.operator is operators.eq:
        yield left, right
        yield right, left
    elif term.operator is operators.in_op:
        is_list_of_tenants = isinstance(left, Column) and names_tenant(left)
        if not (is_list_of_tenants and isinstance(right, BindParameter)):
            yield left, right


def _asked_of_parts(condition: ClauseElement | None) -> dict[ClauseElement, dict[str, Any]]:
    """By sub-select in FROM, the columns of which a condition says what they are."""
    asked: dict[ClauseElement, dict[str, Any]] = {}
    for term in _terms(condition):
        for here, there in _sides(term):
            if not isinstance(here, Column) or not isinstance(there, BindParameter):
                continue
            if isinstance(here.table, Subquery):
                asked.setdefault(here.table, {})[here.key] = there
    return asked


def _bare(element: ClauseElement) -> ClauseElement:
    while isinstance(element, (Grouping, ScalarSelect)):
        element = element.element
    return element


def _selects_below(element: ClauseElement) -> Iterator[tuple[ClauseElement, ClauseElement]]:
    """Selects within it that are in no other, those in FROM included, and as what they are."""
    for child in element.get_children():
        if isinstance(child, SelectBase):
            yield child, child
        elif isinstance(child, (Subquery, CTE)):
            yield child, cast("ClauseElement", child.element)
        elif not isinstance(child, Table):
            yield from _selects_below(cast("ClauseElement", child))
