"""WITH and FROM: where a query's columns come from. Select lists and set operations: `translate`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orderhe_dagster.redshift_standin.calls import Calls
from orderhe_dagster.redshift_standin.casts import Value, comparable
from orderhe_dagster.redshift_standin.dialect import name, quote
from orderhe_dagster.redshift_standin.errors import RedshiftError, refuse
from orderhe_dagster.redshift_standin.expressions import only
from orderhe_dagster.redshift_standin.scope import Columns, Cte, Scope, Source
from orderhe_dagster.redshift_standin.types import unify

Lookup = Callable[[str | None, str], tuple[str, Columns]]
"""Schema (None: the search path) and name of a table, to its DuckDB text and its columns."""


class Sources(Calls):
    """Reads WITH and FROM into a scope, against the tables that `lookup` knows."""

    lookup: Lookup

    def _with(
        self, node: Any, parent: Scope | None, ctes: dict[str, Cte]
    ) -> tuple[str, dict[str, Cte]]:
        clause = node.args.get("with_")
        if clause is None:
            return "", ctes
        only(clause, "expressions", "recursive")
        if clause.args.get("recursive"):
            raise refuse("with recursive", "run it on Amazon Redshift")
        ctes, parts, seen = dict(ctes), [], set[str]()
        for cte in clause.expressions:
            only(cte, "this", "alias")
            called = name(cte.args["alias"].this)
            if called in seen:
                raise RedshiftError("42712", f'WITH query name "{called}" specified more than once')
            seen.add(called)
            query = self.query(cte.this, parent and Scope({}, parent), ctes)
            columns = _renamed(query.columns, cte.args["alias"], called)
            # The name is made its own, so that a table or an outer query of that name is never meant.
            inside = f"{called}_{len(ctes)}"
            listed = listed_names(columns)
            parts.append(f"{quote(inside)}({', '.join(map(quote, listed))}) AS ({query.sql})")
            ctes[called] = Cte(inside, tuple(listed), columns)
        return f"WITH {', '.join(parts)} ", ctes

    def _from(self, node: Any, scope: Scope) -> str:
        clause = node.args.get("from_")
        if clause is None:
            if node.args.get("joins"):
                raise RedshiftError("42601", "a join needs FROM")
            return ""
        text = self.source(clause.this, scope)
        for join in node.args.get("joins") or []:
            text += self._join(join, scope)
        return f" FROM {text}"

    def source(self, node: Any, scope: Scope) -> str:
        """A table or a subquery in FROM: adds it to the scope and gives its text."""
        if node.args.get("joins"):
            raise refuse("a join in brackets", "write the joins in one row")
        if node.key == "subquery":
            return self._derived(node, scope)
        if node.key != "table" or node.this.key != "identifier":
            raise refuse(
                f"{node.sql('redshift')[:60]} in FROM", "select from tables and subqueries"
            )
        only(node, "this", "db", "alias")
        table, schema = name(node.this), node.args.get("db")
        alias = node.args.get("alias")
        if schema is None and table in scope.ctes:
            cte = scope.ctes[table]
            text, names = quote(cte.inside), list(cte.listed)
            source = self._alias(alias, table, cte.columns)
        else:
            schema = str(schema.name).lower() if schema else None
            text, columns = self.lookup(schema, table)
            source = self._alias(alias, table, columns, schema)
            names = [column for column, _ in columns]
        scope.add(source)
        if names == [column for column, _ in source.columns]:
            return f"{text} AS {quote(source.alias)}"
        return f"{text} AS {quote(source.alias)}({', '.join(map(quote, listed_names(source.columns)))})"

    def _derived(self, node: Any, scope: Scope) -> str:
        only(node, "this", "alias", "with_")
        alias = node.args.get("alias")
        if alias is None:
            raise RedshiftError("42601", "subquery in FROM must have an alias")
        heading, ctes = self._with(node, scope.parent, scope.ctes)
        query = self.query(node.this, scope.parent and Scope({}, scope.parent), ctes)
        source = self._alias(alias, "", query.columns)
        scope.add(source)
        names = ", ".join(map(quote, listed_names(source.columns)))
        return f"({heading}{query.sql}) AS {quote(source.alias)}({names})"

    def _alias(self, alias: Any, table: str, columns: Columns, schema: str | None = None) -> Source:
        if alias is None:
            return Source(table, columns, schema)
        only(alias, "this", "columns")
        called = name(alias.this)
        return Source(called, _renamed(columns, alias, called))

    def _join(self, join: Any, scope: Scope) -> str:
        only(join, "this", "side", "kind", "on", "using")
        side, kind = str(join.args.get("side") or ""), str(join.args.get("kind") or "")
        on, using = join.args.get("on"), join.args.get("using")
        if kind not in ("", "INNER", "OUTER", "CROSS") or side not in ("", "LEFT", "RIGHT", "FULL"):
            raise refuse(f"the join {side} {kind}".strip())
        if on is None and not using and not side and not kind:
            scope.group = len(scope.sources)
            return f", {self.source(join.this, scope)}"
        before = scope.sources[scope.group :]
        text = self.source(join.this, scope)
        if on is None and not using:
            if side or kind != "CROSS":
                raise RedshiftError("42601", "a join needs ON or USING")
            return f" CROSS JOIN {text}"
        word = f"{side} JOIN" if side else "INNER JOIN"
        if on is not None:
            return f" {word} {text} ON {self.test(on, scope.joined(bool(side)))}"
        tests = [self._using(name(column), side, before, scope) for column in using]
        return f" {word} {text} ON {' AND '.join(tests)}"

    def _using(self, column: str, side: str, before: list[Source], scope: Scope) -> str:
        left = Scope({}, None, before, dict(scope.merged)).column(column)
        right = scope.sources[-1].value(column) if scope.sources[-1].has(column) else None
        if right is None:
            raise RedshiftError("42703", f'column "{column}" of USING is not in both tables')
        common = unify((left.type, right.type), "using")
        if common != left.type or common != right.type:
            raise refuse(f"USING ({column}) of {left.type} and {right.type}", "write ON")
        sql = {"RIGHT": right.sql, "FULL": f"coalesce({left.sql}, {right.sql})"}.get(side, left.sql)
        scope.merged[column] = Value(sql, common, column)
        return f"({comparable(left, common)} = {comparable(right, common)})"


def listed_names(columns: Columns) -> list[str]:
    """Names that differ from one another, for DuckDB: it would rename the second of two itself."""
    seen: dict[str, int] = {}
    names = []
    for column, _ in columns:
        seen[column] = seen.get(column, 0) + 1
        names.append(column if seen[column] == 1 else f"{column}\x01{seen[column]}")
    return names


def _renamed(columns: Columns, alias: Any, called: str) -> Columns:
    new = [name(column) for column in alias.args.get("columns") or []]
    if len(new) > len(columns):
        raise RedshiftError(
            "42P10", f'table "{called}" has {len(columns)} columns but {len(new)} are named'
        )
    return tuple(
        (new[at] if at < len(new) else column, type_) for at, (column, type_) in enumerate(columns)
    )
