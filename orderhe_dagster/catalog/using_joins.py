"""Joins `using` columns: the one column that they make of several, and what `*` gives beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from orderhe_dagster.catalog.errors import Problem, listing
from orderhe_dagster.catalog.origins import (
    Computed,
    Merged,
    Origin,
    column_node,
    origin_of,
    select_of,
)
from orderhe_dagster.catalog.syntax import first_alias, line_of
from orderhe_dagster.catalog.table import Table

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope


class Names(Protocol):
    """What is needed of a query: where it was read, and what stands in its FROM under which names."""

    path: str

    def sources(self, scope: Scope) -> Mapping[str, Table | Scope]:
        """What stands in FROM and JOIN of a query, by alias, in order."""

    def names(self, source: Table | Scope) -> Mapping[str, str]:
        """The column names of a source: lower case -> as spelt."""

    def unique_name(self, source: Table | Scope, name: str, alias: str, node: exp.Expr) -> str:
        """The name, if it is one column of the source. Problem where it is several."""


def read_merges(query: Names, scope: Scope) -> dict[str, Merged]:
    """The columns that `using` makes of several. Problem where a side has none, or two, of the name."""
    columns: dict[str, Merged] = {}
    before = first_alias(select_of(scope))
    for join in select_of(scope).args.get("joins") or ():
        for using in join.args.get("using") or ():
            name = using.name.lower()
            columns[name] = _merge(query, scope, join, using, before, columns.get(name))
        before.append(join.this.alias_or_name.lower())
    return columns


def _merge(
    query: Names,
    scope: Scope,
    join: exp.Join,
    using: exp.Expr,
    before: Sequence[str],
    merged: Merged | None,
) -> Merged:
    """The column that one name of a `using` makes; `merged` is what earlier joins made of the name."""
    alias, name, sources = join.this.alias_or_name.lower(), using.name.lower(), query.sources(scope)
    left = [a for a in before if name in query.names(sources[a])]
    if merged is not None:
        left = ["", *(a for a in left if a not in merged.owners)]
    if name not in query.names(sources[alias]) or len(left) != 1:
        if len(left) <= 1:
            fault = "is not a column of one side"
        elif merged is not None:
            fault = "is in two columns on the left: write on … instead"
        else:
            fault = f"is in {listing(left)}: write on … instead"
        line = line_of(using, line_of(join))
        raise Problem(query.path, line, f"using ({using.name}): {using.name!r} {fault}")
    theirs = _side(query, scope, alias, name, using)
    if merged is None:
        mine = _side(query, scope, left[0], name, using)
        merged = Merged(scope, name, (left[0],), (mine,), (mine,))
    shown = {"RIGHT": (theirs,), "FULL": (*merged.shown, theirs)}.get(join.side, merged.shown)
    return Merged(scope, name, (*merged.owners, alias), (*merged.parts, theirs), shown)


def _side(query: Names, scope: Scope, alias: str, name: str, node: exp.Expr) -> Origin:
    source = query.sources(scope)[alias]
    return origin_of(source, query.unique_name(source, query.names(source)[name], alias, node))


def read_star(query: Names, scope: Scope, star: exp.Expr) -> list[tuple[str, tuple[Origin, ...]]]:
    """The columns that `*` or `a.*` stands for, in Redshift's order: those of `using` first."""
    from sqlglot import exp

    if isinstance(star, exp.Column):
        columns = _columns_of_one(query, scope, star)
        inner = star.this
    else:
        columns = _columns_of_all(query, scope, star)
        inner = star
    excluded = {e.name.lower() for e in inner.args.get("except_") or inner.args.get("except") or ()}
    return [
        (name, (Computed(scope, column_node(name, alias, line_of(star))),))
        for name, alias in columns
        if name not in excluded
    ]


def _columns_of_one(query: Names, scope: Scope, star: exp.Column) -> list[tuple[str, str]]:
    """Name and source of each column of the one source that `a.*` names."""
    sources, alias = query.sources(scope), star.table.lower()
    if alias not in sources:
        raise Problem(query.path, line_of(star), f"{alias}.*: nothing in from is called {alias}")
    source = sources[alias]
    return [(query.unique_name(source, name, alias, star), alias) for name in query.names(source)]


def _columns_of_all(query: Names, scope: Scope, star: exp.Expr) -> list[tuple[str, str]]:
    """Name and source of each column of all sources; no source where `using` made it one."""
    joins = {
        join.this.alias_or_name.lower(): {u.name.lower() for u in join.args.get("using") or ()}
        for join in select_of(scope).args.get("joins") or ()
    }
    columns: list[tuple[str, str]] = []
    for alias, source in query.sources(scope).items():
        both = joins.get(alias, set())
        left = [(name, owner) for name, owner in columns if name not in both]
        right = [
            (query.unique_name(source, name, alias, star), alias) for name in query.names(source)
        ]
        columns = [(name, "") for name, _ in columns if name in both] + left
        columns += [(name, owner) for name, owner in right if name not in both]
    return columns
