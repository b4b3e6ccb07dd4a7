"""Where the columns of a select come from: names resolved through CTEs, subqueries, unions and stars.

A memoised walk over sqlglot's scopes. It judges names only; types, days and personal data are
judged by those who ask it. Names are compared without regard to capitals, as Redshift does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

from orderhe_dagster.catalog.errors import Problem, Problems, close_to, listing
from orderhe_dagster.catalog.origins import (
    Computed,
    Merged,
    Origin,
    ScopeColumn,
    TableColumn,
    column_node,
    origin_of,
    select_of,
    table_ref,
)
from orderhe_dagster.catalog.syntax import (
    is_column,
    is_query,
    is_table,
    line_of,
    parents,
    walk_here,
)
from orderhe_dagster.catalog.table import ColumnRef, ColumnType, Table, TableRef
from orderhe_dagster.catalog.using_joins import read_merges, read_star

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope


class Query:
    """A parsed select whose names are resolved against the tables it reads."""

    def __init__(self, path: str, expression: exp.Query, tables: Mapping[TableRef, Table]) -> None:
        from sqlglot.optimizer.scope import build_scope

        root = build_scope(expression)
        if root is None:
            raise Problem(path, 1, "a select is expected")
        self.path, self.root, self.tables = path, root, tables
        self._scopes = {id(scope.expression): scope for scope in root.traverse()}
        self._sources: dict[int, dict[str, Table | Scope]] = {}
        self._outputs: dict[int, list[tuple[str, tuple[Origin, ...]]]] = {}
        self._merges: dict[int, dict[str, Merged]] = {}
        self._reached: dict[tuple[int, str, bool], frozenset[ColumnRef]] = {}
        self.types: dict[tuple[int, str], ColumnType | None] = {}
        """What `inference` has found of the columns of its queries, by scope and name."""

    # ---- names

    def sources(self, scope: Scope) -> dict[str, Table | Scope]:
        """What stands in FROM and JOIN of a query, by alias, in order."""
        key = id(scope)
        if key not in self._sources:
            sources: dict[str, Table | Scope] = {}
            for alias, (node, source) in scope.selected_sources.items():
                sources[alias.lower()] = (
                    self.tables[table_ref(node)] if is_table(source) else cast("Scope", source)
                )
            self._sources[key] = sources
        return self._sources[key]

    def names(self, source: Table | Scope) -> dict[str, str]:
        """The column names of a source: lower case -> as spelt."""
        if isinstance(source, Table):
            return {name.lower(): name for name in source.column_names}
        return {name: name for name, _ in self.outputs(source)}

    def outputs(self, scope: Scope) -> list[tuple[str, tuple[Origin, ...]]]:
        """The output columns of a query in order; a union's columns have an origin in each branch."""
        key = id(scope)
        if key not in self._outputs:
            self._outputs[key] = []  # a recursive CTE meets itself here
            columns = self._read_outputs(scope)
            renamed = [name.lower() for name in scope.outer_columns]
            names = renamed + [name for name, _ in columns][len(renamed) :]
            self._outputs[key] = [
                (name, origins) for name, (_, origins) in zip(names, columns, strict=False)
            ]
        return self._outputs[key]

    def _read_outputs(self, scope: Scope) -> list[tuple[str, tuple[Origin, ...]]]:
        from sqlglot import exp

        if isinstance(select_of(scope), exp.SetOperation):
            branches = [self.outputs(branch) for branch in scope.set_operation_scopes]
            widths = {len(branch) for branch in branches if branch}
            if len(widths) > 1:
                line = line_of(scope.expression)
                raise Problem(
                    self.path, line, "the parts of a union differ in their number of columns"
                )
            first = next((branch for branch in branches if branch), [])
            return [
                (name, tuple(o for branch in branches if branch for o in branch[place][1]))
                for place, (name, _) in enumerate(first)
            ]
        columns: list[tuple[str, tuple[Origin, ...]]] = []
        for projection in select_of(scope).selects:
            if projection.is_star:
                columns += read_star(self, scope, projection)
            else:
                name = projection.alias_or_name.lower()
                columns.append((name, (Computed(scope, projection.unalias()),)))
        return columns

    def resolve(self, scope: Scope, column: exp.Column) -> Origin:
        """What a column name stands for. Problem, with the names there are, if it stands for nothing."""
        origin = self._resolve(scope, column)
        if origin is not None:
            return origin
        known = [name for source in self.sources(scope).values() for name in self.names(source)]
        hint = close_to(column.name.lower(), known)
        place = column.table or listing(list(self.sources(scope)))
        raise Problem(
            self.path,
            line_of(column),
            f"there is no column {column.name!r} in {place or 'this select'}{hint}",
        )

    def _resolve(  # noqa: PLR0911 (a table of rules, in order of precedence)
        self, scope: Scope, column: exp.Column
    ) -> Origin | None:
        name, qualifier = column.name.lower(), column.table.lower()
        sources = self.sources(scope)
        if qualifier:
            if qualifier in sources:
                spelt = self.names(sources[qualifier]).get(name)
                if spelt is None:
                    return None
                source = sources[qualifier]
                return origin_of(source, self.unique_name(source, spelt, qualifier, column))
        else:
            having = {a: s for a, s in sources.items() if name in self.names(s)}
            merged = self.merges(scope).get(name)
            if merged is not None and set(having) <= set(merged.owners):
                return merged
            if len(having) > 1:
                raise Problem(
                    self.path,
                    line_of(column),
                    f"column {column.name!r} is in {listing(list(having))}: write which one",
                )
            for alias, source in having.items():
                return origin_of(
                    source, self.unique_name(source, self.names(source)[name], alias, column)
                )
            named = self._alias(scope, name, column)
            if named is not None:
                return named
        if (scope.is_subquery or scope.is_set_operation) and scope.parent is not None:
            return self._resolve(scope.parent, column)
        return None

    def unique_name(self, source: Table | Scope, name: str, alias: str, node: exp.Expr) -> str:
        """The name of a column of a source. Problem where two of its columns are called so."""
        if isinstance(source, Table):
            return name
        if sum(name == other for other, _ in self.outputs(source)) > 1:
            raise Problem(
                self.path,
                line_of(node),
                f"{alias} has two columns called {name!r}: list its columns instead of *, "
                "each with a name of its own",
            )
        return name

    def merges(self, scope: Scope) -> dict[str, Merged]:
        """The columns that `using` makes of several, by name."""
        key = id(scope)
        if key not in self._merges:
            self._merges[key] = {}
            self._merges[key] = read_merges(self, scope)
        return self._merges[key]

    def _alias(self, scope: Scope, name: str, column: exp.Column) -> Origin | None:
        """The output column of that name, as order by, group by and later columns may call it."""
        from sqlglot import exp

        if isinstance(select_of(scope), exp.SetOperation):
            return next((o[0] for n, o in self.outputs(scope) if n == name), None)
        for projection in select_of(scope).selects:
            if projection is column or any(parent is projection for parent in parents(column)):
                break  # only columns before it
            if isinstance(projection, exp.Alias) and projection.alias.lower() == name:
                return Computed(scope, projection.this)
        return None

    # ---- lineage

    def lineage(self, *, personal: bool = False) -> dict[str, frozenset[ColumnRef]]:
        """The upstream columns of each output column; `personal` leaves out what is only counted."""
        return {
            name: frozenset().union(*(self.upstream(origin, personal) for origin in origins))
            for name, origins in self.outputs(self.root)
        }

    def upstream(self, origin: Origin, personal: bool = False) -> frozenset[ColumnRef]:
        """The columns of tables that an origin is made of."""
        if isinstance(origin, TableColumn):
            return frozenset({ColumnRef(origin.table.read_as, origin.name)})
        if isinstance(origin, ScopeColumn):
            key = (id(origin.scope), origin.name, personal)
            if key not in self._reached:
                self._reached[key] = frozenset()
                self._reached[key] = frozenset().union(
                    *(
                        self.upstream(part, personal)
                        for name, parts in self.outputs(origin.scope)
                        if name == origin.name
                        for part in parts
                    )
                )
            return self._reached[key]
        reached: set[ColumnRef] = set()
        parts = origin.parts if isinstance(origin, Merged) else self.parts(origin, personal)
        for part in parts:
            reached |= self.upstream(part, personal)
        return frozenset(reached)

    def parts(
        self, origin: Computed, personal: bool = False, *, inside: bool = False
    ) -> Iterator[Origin]:
        """The origins of the columns in an expression; of a subquery, those of its output columns.

        With `personal`, also those of a subquery's conditions, since its answer tells of them;
        `inside` leaves those out, as they have been given already.
        """
        for node in walk_here(origin.node, personal):
            if is_query(node):
                inner = self.inner(node)
                for _, origins in self.outputs(inner):
                    yield from origins
                if personal and not inside:
                    for scope, condition in self._conditions(inner):
                        yield from self.parts(Computed(scope, condition), True, inside=True)
            elif is_column(node):
                yield self.resolve(origin.scope, node)

    def _conditions(self, scope: Scope) -> Iterator[tuple[Scope, exp.Expr]]:
        """What chooses, joins and groups the rows of a query and of every query under it."""
        for part in self.scopes_under(scope):
            select = select_of(part)
            for key in ("where", "having", "qualify", "group", "order", "distinct"):
                clause = select.args.get(key)
                if clause is not None and not isinstance(clause, bool):
                    yield part, clause
            for join in select.args.get("joins") or ():
                if join.args.get("on") is not None:
                    yield part, join.args["on"]
                for name in join.args.get("using") or ():
                    yield part, column_node(name.name.lower(), "", line_of(join))

    def scopes_under(self, scope: Scope) -> list[Scope]:
        """A query and every query it is made of: nested ones, and CTEs wherever they are written."""
        scopes: dict[int, Scope] = {}
        todo = [scope]
        while todo:
            for part in todo.pop().traverse():
                if id(part) not in scopes:
                    scopes[id(part)] = part
                    todo += [s for s in self.sources(part).values() if not isinstance(s, Table)]
        return list(scopes.values())

    def inner(self, node: exp.Expr) -> Scope:
        """The scope of a subquery met in an expression."""
        while id(node) not in self._scopes and node.args.get("this") is not None:
            node = node.this
        try:
            return self._scopes[id(node)]
        except KeyError:
            raise Problem(self.path, line_of(node), "this kind of subquery is not read") from None

    def check_names(self, problems: Problems) -> bool:
        """Resolve every column of every query, wherever it stands; unknown names go to `problems`."""
        before = len(problems.items)
        for scope in self.root.traverse():
            if problems.attempt(lambda scope=scope: self.outputs(scope)) is None:  # type: ignore[misc]
                return False  # its columns are unknown, so nothing that reads it can be judged
            problems.attempt(lambda scope=scope: self.merges(scope))  # type: ignore[misc]
            for node in walk_here(scope.expression, top=True):
                if is_column(node) and not node.is_star:
                    problems.attempt(lambda s=scope, n=node: self.resolve(s, n))  # type: ignore[misc]
        return len(problems.items) == before
