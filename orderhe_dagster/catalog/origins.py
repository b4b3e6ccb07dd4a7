"""What a column name may stand for, as values. Names are resolved in `column_lineage`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from orderhe_dagster.catalog.table import Table, TableRef

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope


@dataclass(frozen=True)
class TableColumn:
    """A column of a table of the catalogue."""

    table: Table
    name: str


@dataclass(frozen=True)
class ScopeColumn:
    """An output column of another query: a CTE or a derived table."""

    scope: Scope
    name: str


@dataclass(frozen=True)
class Computed:
    """An expression inside a query."""

    scope: Scope
    node: exp.Expr


@dataclass(frozen=True)
class Merged:
    """The one column that `join … using` makes of several: the sources, in order, and what they give.

    `shown` holds those whose value it has: of an inner or left join the left one's, of a right join
    the right one's, of a full join either.
    """

    scope: Scope
    name: str
    owners: tuple[str, ...]
    parts: tuple[Origin, ...]
    shown: tuple[Origin, ...]


Origin: TypeAlias = "TableColumn | ScopeColumn | Computed | Merged"


def select_of(scope: Scope) -> Any:
    """The select (or union) of a scope, untyped: sqlglot types it as any expression."""
    return scope.expression


def table_ref(node: Any) -> TableRef:
    """The table that a node of FROM names."""
    return TableRef(node.db.lower(), node.name.lower())


def column_node(name: str, alias: str, line: int) -> exp.Expr:
    """A column's name as if it stood on that line."""
    from sqlglot import exp

    column = exp.column(name, table=alias or None)
    column.meta["line"] = line
    return column


def origin_of(source: Table | Scope, name: str) -> Origin:
    """The column of that name, as the source spells it."""
    return TableColumn(source, name) if isinstance(source, Table) else ScopeColumn(source, name)
