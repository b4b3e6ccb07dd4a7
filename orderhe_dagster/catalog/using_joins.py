"""Joins `using` columns: the one column that they make of several, and what `*` gives beside them."""

from __future__ import annotations

from collections.abc import Mapping
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
from orderhe_dagster.catalog.syntax import line_of
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

    def once(self, source: Table | Scope, name: str, alias: str, node: exp.Expr) -> str:
        """The name, if it is one column of the source. Problem where it is several."""


def read_merges(query: Names, scope: Scope) -> dict[str, Merged]:
    """The columns that `using` makes of several. Problem where a side has none, or two, of the name."""
    sources, found = query.sources(scope), dict[str, Merged]()
    before: list[str] = []
    first = select_of(scope).args.get("from_") or select_of(scope).args.get("from")
    if first is not None:
        before.append(first.this.alias_or_name.lower())
    for join in select_of(scope).args.get("joins") or ():
        alias = join.this.alias_or_name.lower()
        for using in join.args.get("using") or ():
            name, line = using.name.lower(), line_of(using, line_of(join))
            left = [a for a in before if name in query.names(sources[a])]
            merged = found.get(name)
            if merged is not None:
                left = ["", *(a for a in left if a not in merged.owners)]
            if name not in query.names(sources[alias]) or len(left) != 1:
                where = f"{listing(left)}: write on … instead" if len(left) > 1 else "one side"
                what = "is in " if len(left) > 1 else "is not a column of "
                if merged is not None and len(left) > 1:
                    where = "two columns on the left: write on … instead"
                raise Problem(
                    query.path, line, f"using ({using.name}): {using.name!r} {what}{where}"
                )
            theirs = _side(query, scope, alias, name, using)
            if merged is None:
                mine = _side(query, scope, left[0], name, using)
                merged = Merged(scope, name, (left[0],), (mine,), (mine,))
            shown = {"RIGHT": (theirs,), "FULL": (*merged.shown, theirs)}.get(
                join.side, merged.shown
            )
            found[name] = Merged(
                scope, name, (*merged.owners, alias), (*merged.parts, theirs), shown
            )
        before.append(alias)
    return found


def _side(query: Names, scope: Scope, alias: str, name: str, node: exp.Expr) -> Origin:
    source = query.sources(scope)[alias]
    return origin_of(source, query.once(source, query.names(source)[name], alias, node))


def read_star(query: Names, scope: Scope, star: exp.Expr) -> list[tuple[str, tuple[Origin, ...]]]:
    """The columns that `*` or `a.*` stands for, in Redshift's order: those of `using` first."""
    from sqlglot import exp

    sources = query.sources(scope)
    inner = star.this if isinstance(star, exp.Column) else star
    if isinstance(star, exp.Column):
        wanted = star.table.lower()
        if wanted not in sources:
            raise Problem(
                query.path, line_of(star), f"{wanted}.*: nothing in from is called {wanted}"
            )
        sources = {wanted: sources[wanted]}
    excluded = {e.name.lower() for e in inner.args.get("except_") or inner.args.get("except") or ()}
    whole = isinstance(star, exp.Column)
    joins = {
        join.this.alias_or_name.lower(): {u.name.lower() for u in join.args.get("using") or ()}
        for join in select_of(scope).args.get("joins") or ()
    }
    found: list[tuple[str, str]] = []  # name, source; no source where `using` made it one
    for alias, source in sources.items():
        both = set() if whole else joins.get(alias, set())
        kept = [(name, owner) for name, owner in found if name not in both]
        right = [(query.once(source, name, alias, star), alias) for name in query.names(source)]
        found = [(name, "") for name, _ in found if name in both] + kept
        found += [(name, owner) for name, owner in right if name not in both]
    return [
        (name, (Computed(scope, column_node(name, alias, line_of(star))),))
        for name, alias in found
        if name not in excluded
    ]
