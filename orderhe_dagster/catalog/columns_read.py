"""Which columns of the tables it reads a select's answer can depend on. Unsure is: all of them.

A change in any other column of a table leaves the answer as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.column_lineage import Query
from orderhe_dagster.catalog.origins import Origin, select_of
from orderhe_dagster.catalog.syntax import is_column, walk_here
from orderhe_dagster.catalog.table import ColumnRef, TableRef

if TYPE_CHECKING:
    from sqlglot.optimizer.scope import Scope

_PLAIN = frozenset({"expressions", "from_", "joins", "where", "with_"})
"""The clauses of a select whose `*` hands columns on and does nothing else with them."""


def columns_read(query: Query, depends_on: tuple[TableRef, ...]) -> tuple[ColumnRef, ...]:
    """The columns that stand anywhere in the select, or behind a `*` and are used from there.

    A table of which none is returned is read for its number of rows alone. The names of the query
    are known to be right.
    """
    try:
        columns = {
            column
            for scope in query.scopes_under(query.root)
            for origin in _origins(query, scope)
            for column in query.upstream(origin)
        }
    except _UnsureError:
        columns = {
            ColumnRef(ref, name) for ref in depends_on for name in query.tables[ref].column_names
        }
    return tuple(sorted(columns, key=str))


class _UnsureError(Exception):
    """What is read here cannot be told column by column."""


def _origins(query: Query, scope: Scope) -> Iterator[Origin]:
    """What the columns of one query stand for, conditions and `using` included."""
    from sqlglot import exp

    if scope.pivots:
        raise _UnsureError
    yield from query.merges(scope).values()
    for node in walk_here(scope.expression, top=True):
        if is_column(node) and node.is_star and node.parent is not scope.expression:
            raise _UnsureError  # count(t.*)
        if is_column(node) and not node.is_star:
            yield query.resolve(scope, node)
    select = select_of(scope)
    if isinstance(select, exp.Select) and select.is_star and not _hands_on(scope):
        for _, origins in query.outputs(scope):
            yield from origins


def _hands_on(scope: Scope) -> bool:
    """Whether the query is the source of another, to which its `*` gives columns that it may use."""
    clauses = {name for name, value in select_of(scope).args.items() if value}
    return (scope.is_cte or scope.is_derived_table) and clauses <= _PLAIN
