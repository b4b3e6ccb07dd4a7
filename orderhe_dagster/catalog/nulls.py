"""What can be told of a column from its expression: its type, whether it may be null. Sound, not complete."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.lineage import Computed, Origin, Query, ScopeColumn, TableColumn
from orderhe_dagster.catalog.syntax import has_subtotals
from orderhe_dagster.catalog.table import ColumnType
from orderhe_dagster.catalog.types import redshift_type

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope


def type_of(query: Query, origin: Origin) -> ColumnType | None:
    """The type of an origin: of its cast, or of the upstream column it is; None where neither is.

    A cast of an instant (MySQL TIMESTAMP) to timestamp stays an instant: the value is the same.
    """
    from sqlglot import exp

    if isinstance(origin, TableColumn):
        return origin.table.column(origin.name).type
    if isinstance(origin, ScopeColumn):
        return next(
            (type_of(query, o[0]) for n, o in query.outputs(origin.scope) if n == origin.name), None
        )
    node = origin.node.unnest() if isinstance(origin.node, exp.Paren) else origin.node
    if isinstance(node, exp.Cast):
        kind = _cast_type(node)
        same = plain_column(query, Computed(origin.scope, node))
        if kind.kind == "timestamp" and same is not None:
            upstream = same.table.column(same.name).type
            if upstream.kind == "timestamp":
                return replace(kind, instant=upstream.instant, fraction=upstream.fraction)
        return kind
    if isinstance(node, exp.Column):
        return type_of(query, query.resolve(origin.scope, node))
    return None


def _cast_type(cast: exp.Cast) -> ColumnType:
    from sqlglot import exp

    to = cast.to
    if to.this == exp.DataType.Type.USERDEFINED:
        return redshift_type(str(to.args.get("kind")))
    name = to.this.value if isinstance(to.this, exp.DataType.Type) else to.sql()
    return redshift_type(name.lower(), [part.name for part in to.expressions])


def plain_column(query: Query, origin: Origin) -> TableColumn | None:
    """The column of a table that an origin is, unchanged but for casts; None where it is computed."""
    from sqlglot import exp

    if isinstance(origin, TableColumn):
        return origin
    if isinstance(origin, ScopeColumn):
        origins = next((o for n, o in query.outputs(origin.scope) if n == origin.name), ())
        return plain_column(query, origins[0]) if len(origins) == 1 else None
    node = origin.node
    while isinstance(node, (exp.Paren, exp.Cast)):
        node = node.this
    if isinstance(node, exp.Column):
        return plain_column(query, query.resolve(origin.scope, node))
    return None


def may_be_null(query: Query, origin: Origin) -> bool:
    """False only where the origin can be told never to be null."""
    if isinstance(origin, TableColumn):
        return origin.table.column(origin.name).nullable
    if isinstance(origin, ScopeColumn):
        origins = next((o for n, o in query.outputs(origin.scope) if n == origin.name), ())
        return not origins or any(may_be_null(query, part) for part in origins)
    return _may_be_null(query, origin.scope, origin.node)


def _may_be_null(  # noqa: PLR0911 (a table of rules, one a kind of expression)
    query: Query, scope: Scope, node: exp.Expr
) -> bool:
    from sqlglot import exp

    def here(part: exp.Expr | None) -> bool:
        return part is None or _may_be_null(query, scope, part)

    if isinstance(node, exp.Column):
        if source_name(query, scope, node) in null_extended(scope) or has_subtotals(
            scope.expression.args.get("group")
        ):
            return True
        return may_be_null(query, query.resolve(scope, node))
    if isinstance(node, exp.TryCast):
        return True
    if isinstance(node, (exp.Cast, exp.Paren, exp.Neg)):
        return here(node.this)
    if isinstance(node, (exp.Literal, exp.Boolean)):
        return False
    if isinstance(node, exp.Count):
        return False
    if isinstance(node, exp.Window):
        return not isinstance(node.this, (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Count))
    if isinstance(node, exp.Coalesce):
        return all(here(part) for part in (node.this, *node.expressions))
    if isinstance(node, exp.Case):
        return here(node.args.get("default")) or any(
            here(arm.args["true"]) for arm in node.args["ifs"]
        )
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul)):
        return here(node.this) or here(node.expression)
    if isinstance(node, (exp.Sum, exp.Min, exp.Max)):
        grouped = scope.expression.args.get("group")
        return not (grouped and grouped.expressions) or here(node.this)
    return True


def null_extended(scope: Scope) -> set[str]:
    """The aliases of a select whose columns an outer join may fill with nulls."""
    select = scope.expression
    first = select.args.get("from_") or select.args.get("from")
    before = [first.this.alias_or_name.lower()] if first is not None else []
    found: set[str] = set()
    for join in select.args.get("joins") or ():
        alias = join.this.alias_or_name.lower()
        if join.side in ("LEFT", "FULL"):
            found.add(alias)
        if join.side in ("RIGHT", "FULL"):
            found |= set(before)
        before.append(alias)
    return found


def source_name(query: Query, scope: Scope, column: exp.Column) -> str:
    """The alias a column belongs to; of an unqualified one, the first source that has it (or '')."""
    if column.table:
        return str(column.table.lower())
    name = column.name.lower()
    owners = [a for a, source in query.sources(scope).items() if name in query.names(source)]
    return owners[0] if owners else ""  # of several, the first: `using` shows the left one's value
