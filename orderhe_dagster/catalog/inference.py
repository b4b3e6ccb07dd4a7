"""What can be told of a column from its expression: its type, whether it may be null. Sound, not complete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.column_lineage import Query
from orderhe_dagster.catalog.errors import TypeRefused
from orderhe_dagster.catalog.origins import Computed, Merged, Origin, ScopeColumn, TableColumn
from orderhe_dagster.catalog.result_types import NULL_HAS_NONE, Given, computed_type, settled
from orderhe_dagster.catalog.syntax import first_alias, has_subtotals
from orderhe_dagster.catalog.table import ColumnType, Kind
from orderhe_dagster.catalog.types import redshift_text, redshift_type

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope


def type_of(query: Query, origin: Origin) -> ColumnType | None:
    """The type of an origin: of its cast, of the upstream column it is, or by Redshift's rules.

    None where none is known. A cast of an instant (MySQL TIMESTAMP) to timestamp stays an instant: the
    value is the same. TypeRefused where a cast must say which type is meant: the parts of a union or the
    columns of `using` differ, or Amazon's pages leave open what an expression gives.
    """
    if isinstance(origin, TableColumn):
        return origin.table.column(origin.name).type
    if isinstance(origin, ScopeColumn):
        return _of_column(query, origin)
    if isinstance(origin, Merged):
        return type_of_all(query, origin.parts, f"the columns of using ({origin.name})")
    return settled(_given(query, origin.scope, origin.node), origin.node)


def _of_column(query: Query, column: ScopeColumn) -> ColumnType | None:
    key = (id(column.scope), column.name)
    if key not in query.types:
        query.types[key] = None  # a recursive CTE meets itself here
        try:
            query.types[key] = type_of_all(query, _origins(query, column))
        except TypeRefused:
            del query.types[key]  # whoever asks next is told the same
            raise
    return query.types[key]


def _given(query: Query, scope: Scope, node: exp.Expr) -> Given | None:
    """What `result_types` asks: the type of an expression of a scope."""
    from sqlglot import exp

    if isinstance(node, exp.Paren):
        node = node.unnest()
    if isinstance(node, exp.Cast):
        return _of_cast(query, scope, node)
    if isinstance(node, exp.Column):
        return type_of(query, query.resolve(scope, node))
    if isinstance(node, (exp.Subquery, exp.Select)):
        outputs = query.outputs(query.inner(node))
        return type_of_all(query, outputs[0][1]) if len(outputs) == 1 else None
    return computed_type(node, lambda part: _given(query, scope, part))


def _of_cast(query: Query, scope: Scope, node: exp.Cast) -> ColumnType:
    kind = _cast_type(node)
    same = _plain_columns(query, Computed(scope, node))
    upstream = [column.table.column(column.name).type for column in same]
    if kind.kind == "timestamp" and upstream and all(t.kind == "timestamp" for t in upstream):
        return replace(
            kind,
            instant=all(t.instant for t in upstream),
            fraction=max(t.fraction for t in upstream),
        )
    return kind


def type_of_all(
    query: Query, origins: Sequence[Origin], what: str = "the parts of the union"
) -> ColumnType | None:
    """The one type of a column that has several origins; a null has none and asks for none."""
    kinds = [type_of(query, part) for part in origins if not _is_null(part)]
    known = [kind for kind in kinds if kind is not None]
    if origins and not kinds:
        raise TypeRefused(NULL_HAS_NONE)
    if not known:
        return None
    if len(known) < len(kinds):
        raise TypeRefused(f"{what} do not all have a type: write the cast of the first in each")
    return common_type(known, what)


_WIDTHS: tuple[Kind, ...] = ("smallint", "integer", "bigint")


def common_type(kinds: Sequence[ColumnType], what: str) -> ColumnType:
    """The type of a column whose values have these; `what` names them where they differ too much.

    Integers and strings take the widest. Any other difference is refused, since a conversion that
    is not written may change values.
    """
    first = kinds[0]
    names = {kind.kind for kind in kinds}
    if names <= set(_WIDTHS):
        return max(kinds, key=lambda kind: _WIDTHS.index(kind.kind))
    texts = list(dict.fromkeys(redshift_text(kind) for kind in kinds))
    if len(names) > 1 or (first.kind == "decimal" and len(texts) > 1):
        raise TypeRefused(
            f"{what} differ in type ({', '.join(texts)}): write the same cast in each"
        )
    widest = max(kinds, key=lambda kind: kind.length)
    return replace(
        widest,
        instant=all(kind.instant for kind in kinds),
        fraction=max(kind.fraction for kind in kinds),
    )


def _is_null(origin: Origin) -> bool:
    from sqlglot import exp

    return isinstance(origin, Computed) and isinstance(origin.node, exp.Null)


def _origins(query: Query, column: ScopeColumn) -> tuple[Origin, ...]:
    return next((o for n, o in query.outputs(column.scope) if n == column.name), ())


def _cast_type(cast: exp.Cast) -> ColumnType:
    from sqlglot import exp

    to = cast.to
    if to.this == exp.DataType.Type.USERDEFINED:
        return redshift_type(str(to.args.get("kind")))
    name = to.this.value if isinstance(to.this, exp.DataType.Type) else to.sql()
    return redshift_type(name.lower(), [part.name for part in to.expressions])


def plain_column(query: Query, origin: Origin) -> TableColumn | None:
    """The column of a table that an origin is, unchanged but for casts; None where it is computed."""
    columns = _plain_columns(query, origin)
    return columns[0] if len(columns) == 1 else None


def _plain_columns(query: Query, origin: Origin) -> tuple[TableColumn, ...]:
    """The columns of which an origin shows one, unchanged but for casts; none where it is computed."""
    from sqlglot import exp

    if isinstance(origin, TableColumn):
        return (origin,)
    if isinstance(origin, Computed):
        node = origin.node
        while isinstance(node, (exp.Paren, exp.Cast)):
            node = node.this
        if isinstance(node, exp.Column):
            return _plain_columns(query, query.resolve(origin.scope, node))
        return ()
    several = origin.shown if isinstance(origin, Merged) else _origins(query, origin)
    parts = [_plain_columns(query, part) for part in several]
    return tuple(column for part in parts for column in part) if all(parts) else ()


def may_be_null(query: Query, origin: Origin) -> bool:
    """False only where the origin can be told never to be null."""
    if isinstance(origin, TableColumn):
        return origin.table.column(origin.name).nullable
    if isinstance(origin, ScopeColumn):
        origins = _origins(query, origin)
        return not origins or any(may_be_null(query, part) for part in origins)
    if isinstance(origin, Merged):
        return _merged_may_be_null(query, origin)
    return _may_be_null(query, origin.scope, origin.node)


def _merged_may_be_null(query: Query, merged: Merged) -> bool:
    """Follow the joins in order: what one adds, the next may fill with nulls."""
    parts = dict(zip(merged.owners, merged.parts, strict=True))
    select = merged.scope.expression
    before = first_alias(select)
    extended: set[str] = set()
    left: bool | None = None
    for join in select.args.get("joins") or ():
        alias = join.this.alias_or_name.lower()
        if merged.name in {name.name.lower() for name in join.args.get("using") or ()}:
            right = may_be_null(query, parts[alias])
            if left is None:
                owner = merged.owners[0]
                left = owner in extended or may_be_null(query, parts[owner])
            left = {"LEFT": left, "RIGHT": right, "FULL": left or right}.get(join.side, False)
        elif left is not None and join.side in ("RIGHT", "FULL"):
            left = True
        extended |= {alias} if join.side in ("LEFT", "FULL") else set()
        extended |= set(before) if join.side in ("RIGHT", "FULL") else set()
        before.append(alias)
    return left is not False


def _may_be_null(query: Query, scope: Scope, node: exp.Expr) -> bool:
    from sqlglot import exp

    if isinstance(node, exp.Column):
        return _column_may_be_null(query, scope, node)
    if isinstance(node, (exp.Literal, exp.Boolean, exp.Count)):
        return False
    if isinstance(node, exp.Window):
        return not isinstance(node.this, (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Count))
    if isinstance(node, exp.Coalesce):
        return all(_may_be_null(query, scope, part) for part in (node.this, *node.expressions))
    parts = _strict_parts(scope, node)
    return parts is None or any(part is None or _may_be_null(query, scope, part) for part in parts)


def _column_may_be_null(query: Query, scope: Scope, column: exp.Column) -> bool:
    if has_subtotals(scope.expression.args.get("group")):
        return True
    origin = query.resolve(scope, column)
    extended = source_name(query, scope, column) in null_extended(scope)
    return (extended and not isinstance(origin, Merged)) or may_be_null(query, origin)


def _strict_parts(scope: Scope, node: exp.Expr) -> list[exp.Expr | None] | None:
    """The parts of which one is null (or left out) where the expression is; None: it may be by itself."""
    from sqlglot import exp

    if isinstance(node, exp.TryCast):
        return None
    if isinstance(node, (exp.Cast, exp.Paren, exp.Neg)):
        return [node.this]
    if isinstance(node, exp.Case):
        return [node.args.get("default"), *(arm.args["true"] for arm in node.args["ifs"])]
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul)):
        return [node.this, node.expression]
    if isinstance(node, (exp.Sum, exp.Min, exp.Max)):
        grouped = scope.expression.args.get("group")
        return [node.this] if grouped and grouped.expressions else None
    return None


def null_extended(scope: Scope) -> set[str]:
    """The aliases of a select whose columns an outer join may fill with nulls."""
    select = scope.expression
    before = first_alias(select)
    aliases: set[str] = set()
    for join in select.args.get("joins") or ():
        alias = join.this.alias_or_name.lower()
        if join.side in ("LEFT", "FULL"):
            aliases.add(alias)
        if join.side in ("RIGHT", "FULL"):
            aliases |= set(before)
        before.append(alias)
    return aliases


def source_name(query: Query, scope: Scope, column: exp.Column) -> str:
    """The alias a column belongs to; of an unqualified one, the first source that has it (or '')."""
    if column.table:
        return str(column.table.lower())
    name = column.name.lower()
    owners = [a for a, source in query.sources(scope).items() if name in query.names(source)]
    return owners[0] if owners else ""  # of several, the first: `using` shows the left one's value
