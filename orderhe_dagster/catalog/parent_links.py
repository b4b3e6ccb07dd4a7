"""By which columns a daily select joins tables without days: which days a row of one of them reaches.

A row of such a table, its parent, can change only the days on which the partitioned table, the child, has
rows with its key. Only plain equality is followed, of columns as they are; what is joined otherwise has
no link, and a change of it counts for every day. What @partition promises is judged by `partition_rules`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.column_lineage import Query
from orderhe_dagster.catalog.origins import (
    Computed,
    Merged,
    Origin,
    ScopeColumn,
    TableColumn,
    select_of,
)
from orderhe_dagster.catalog.syntax import conjuncts_of, is_query, walk_here
from orderhe_dagster.catalog.table import ParentLink, Table, TableRef

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

_PLAIN = frozenset({"expressions", "from_", "where", "with_"})
"""The clauses of a select that only hands on rows of its one source."""


def parent_links(query: Query) -> tuple[ParentLink, ...]:
    """The links of every table without days whose every use in the select has one."""
    links: dict[TableRef, set[ParentLink] | None] = {}
    for scope in query.scopes_under(query.root):
        for alias, source in query.sources(scope).items():
            if not isinstance(source, Table) or source.partition is not None:
                continue
            known = links.setdefault(source.read_as, set())
            found = _links(query, scope, alias, source)
            if known is not None:
                links[source.read_as] = None if found is None else known | found
    return tuple(sorted((link for some in links.values() for link in some or ()), key=str))


def _links(query: Query, scope: Scope, alias: str, parent: Table) -> set[ParentLink] | None:
    """The links of one use of a table, or of what hands on its rows; None where it has none."""
    if _hands_on(query, scope):
        links: set[ParentLink] = set()
        for reader in query.scopes_under(query.root):
            for name, source in query.sources(reader).items():
                if source is scope:
                    found = _links(query, reader, name, parent)
                    if found is None:
                        return None
                    links |= found
        return links
    pairs = [
        pair
        for pair in _equal_columns(query, scope, alias)
        if pair.mine.table.read_as == parent.read_as and pair.theirs.table.partition is not None
    ]
    if not pairs:
        return None
    # By its key, where there is one: the fewest rows have that. Others hold of the same row only where
    # they stand in the same source, which is the child itself.
    first = min(pairs, key=lambda pair: (pair.mine.name not in parent.grain, pair.names))
    same = [pair for pair in pairs if first.is_whole and pair.source == first.source]
    columns = dict(pair.names for pair in sorted(same or [first], key=lambda pair: pair.names))
    child = first.theirs.table.read_as
    return {ParentLink(parent.read_as, child, tuple(sorted(columns.items())))}


@dataclass(frozen=True)
class _Pair:
    """Columns that are equal: of the parent, and of another source of the same join.

    `is_whole`: that source is a table, or hands on its rows; else its columns may stem from several rows.
    """

    mine: TableColumn
    theirs: TableColumn
    source: str
    is_whole: bool

    @property
    def names(self) -> tuple[str, str]:
        """The child's column and the parent's."""
        return self.theirs.name, self.mine.name


def _hands_on(query: Query, scope: Scope) -> bool:
    """Whether a query is the source of others, and gives them rows of its one source as they are."""
    from sqlglot import exp

    select = select_of(scope)
    if not isinstance(select, exp.Select) or not (scope.is_cte or scope.is_derived_table):
        return False
    clauses = {name for name, value in select.args.items() if value}
    return (
        clauses <= _PLAIN
        and len(query.sources(scope)) == 1
        and not any(
            isinstance(node, (exp.AggFunc, exp.Window)) or (is_query(node) and node is not select)
            for node in walk_here(select, top=True)
        )
    )


def _equal_columns(query: Query, scope: Scope, alias: str) -> Iterator[_Pair]:
    """The columns of `alias` that every row of a join has equal to one of another source."""
    from sqlglot import exp

    select = select_of(scope)
    if not isinstance(select, exp.Select):
        return
    for condition in _conditions(select, alias):
        if not isinstance(condition, exp.EQ):
            continue
        sides = [condition.this, condition.expression]
        for mine, theirs in (sides, sides[::-1]):
            other = _owner(query, scope, theirs)
            if _owner(query, scope, mine) == alias and other != alias:
                columns = _bare(query, scope, mine), _bare(query, scope, theirs)
                yield from _pair(query, scope, other, *columns)
    for merged in query.merges(scope).values():
        if alias in merged.owners and len(merged.owners) == 2:
            parts = dict(zip(merged.owners, merged.parts, strict=True))
            mine_part = parts.pop(alias)
            ((other, part),) = parts.items()
            columns = _bare_origin(query, mine_part), _bare_origin(query, part)
            yield from _pair(query, scope, other, *columns)


def _pair(
    query: Query, scope: Scope, other: str, mine: TableColumn | None, theirs: TableColumn | None
) -> Iterator[_Pair]:
    if mine is None or theirs is None:
        return
    source = query.sources(scope).get(other)
    is_whole = isinstance(source, Table) or (
        source is not None
        and _hands_on(query, source)
        and all(isinstance(one, Table) for one in query.sources(source).values())
    )
    yield _Pair(mine, theirs, other, is_whole)


def _conditions(select: exp.Select, alias: str) -> Iterator[exp.Expr]:
    """What holds of every row of the join that has a row of `alias`."""
    for join in select.args.get("joins") or ():
        # An outer join's condition binds the rows that it adds, and those alone.
        binds = (
            not join.side
            or join.this.alias_or_name.lower() == alias
            or (join.side == "RIGHT" and _is_first(select, alias))
        )
        if binds and join.args.get("on") is not None:
            yield from conjuncts_of(join.args["on"])
    where = select.args.get("where")
    if where is not None:
        yield from conjuncts_of(where.this)


def _is_first(select: exp.Select, alias: str) -> bool:
    first = select.args.get("from_") or select.args.get("from")
    return first is not None and first.this.alias_or_name.lower() == alias


def _owner(query: Query, scope: Scope, node: exp.Expr) -> str:
    """The source that a bare column stands in; '' where it is none, or a merged one."""
    from sqlglot import exp

    if not isinstance(node, exp.Column):
        return ""
    if node.table:
        return str(node.table.lower())
    if isinstance(query.resolve(scope, node), Merged):
        return ""
    owners = [
        name for name, s in query.sources(scope).items() if node.name.lower() in query.names(s)
    ]
    return owners[0] if len(owners) == 1 else ""


def _bare(query: Query, scope: Scope, node: exp.Expr) -> TableColumn | None:
    from sqlglot import exp

    if not isinstance(node, exp.Column):
        return None
    return _bare_origin(query, query.resolve(scope, node))


def _bare_origin(query: Query, origin: Origin) -> TableColumn | None:
    """The column of a table that an origin is, just as it is; None where it may be anything else."""
    from sqlglot import exp

    if isinstance(origin, TableColumn):
        return origin
    if isinstance(origin, ScopeColumn):
        parts = [p for name, ps in query.outputs(origin.scope) if name == origin.name for p in ps]
        return _bare_origin(query, parts[0]) if len(parts) == 1 else None
    if isinstance(origin, Computed):
        node = origin.node
        while isinstance(node, exp.Paren):
            node = node.this
        if isinstance(node, exp.Column):
            return _bare_origin(query, query.resolve(origin.scope, node))
    return None
