"""FROM: where a query's columns come from. WITH: `withs`; select lists and set operations: `translate`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_redshift.compile.ctes import listed_names, renamed
from local_redshift.compile.operators import only
from local_redshift.compile.pivots import Pivots
from local_redshift.errors import RedshiftError, refuse
from local_redshift.functions.natives import native
from local_redshift.read.dialect import name, quote
from local_redshift.values.casts import comparable
from local_redshift.values.scope import Columns, Scope, Source
from local_redshift.values.types import unify
from local_redshift.values.value import Value

Lookup = Callable[[str | None, str], tuple[str, Columns]]
"""Schema (None: the search path) and name of a table, to its DuckDB text and its columns."""


class Sources(Pivots):
    """Reads FROM into a scope, against the tables that `lookup` knows."""

    lookup: Lookup

    def _from(self, node: Any, scope: Scope) -> str:
        clause = node.args.get("from_")
        if clause is None:
            if node.args.get("joins"):
                raise RedshiftError("42601", "a join needs FROM")
            return ""
        return f" FROM {self.tables(clause.this, node.args.get('joins') or [], scope)}"

    def tables(self, first: Any, joins: list[Any], scope: Scope) -> str:
        """A table and what is joined to it: adds them to the scope and gives their text."""
        text = self.source(first, scope)
        for join in joins:
            text += self._join(join, scope)
        return text

    def source(self, node: Any, scope: Scope) -> str:
        """A table or a subquery in FROM: adds it to the scope and gives its text."""
        if node.key == "unnest":
            return self._unnested(node, scope)
        if node.key not in ("table", "subquery"):
            raise refuse(
                f"{node.sql('redshift')[:60]} in FROM", "select from tables and subqueries"
            )
        if node.key == "subquery" and node.this.key == "table":
            return self._bracketed(node, scope)
        if node.args.get("joins"):
            raise refuse("a join here", "write the joins in one row, or in brackets")
        if node.args.get("pivots"):
            return self._turned(node, scope)
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

    def _bracketed(self, node: Any, scope: Scope) -> str:
        """Joins in brackets: their ON sees nothing of what stands before."""
        only(node, "this")
        first, joins = node.this.copy(), node.this.args.get("joins") or []
        if not joins:
            raise RedshiftError("42601", "syntax error: a table alone in brackets")
        first.set("joins", None)
        before, scope.group = scope.group, len(scope.sources)
        text = self.tables(first, joins, scope)
        scope.group = before
        return f"({text})"

    def _derived(self, node: Any, scope: Scope) -> str:
        only(node, "this", "alias", "with_")
        alias = node.args.get("alias")
        heading, ctes = self._with(node, scope.parent, scope.ctes)
        query = self.query(node.this, scope.parent and Scope({}, scope.parent), ctes)
        # Without an alias the columns have no table's name: one that nobody can write.
        source = self._alias(alias, f"\x01{len(scope.sources)}", query.columns)
        scope.add(source)
        names = ", ".join(map(quote, listed_names(source.columns)))
        return f"({heading}{query.sql}) AS {quote(source.alias)}({names})"

    def _unnested(self, node: Any, scope: Scope) -> str:
        """The elements of an array in a super column: `from t, t.items as item`."""
        only(node, "expressions", "alias")
        given, alias = node.expressions, node.args.get("alias")
        names = [name(column) for column in alias.args.get("columns") or []] if alias else []
        if len(given) != 1 or len(names) != 1:
            raise refuse(f"{node.sql('redshift')[:60]} in FROM", "write t.items as item")
        value = self.value(given[0], scope)
        if value.type.kind != "super":
            raise refuse(f"{value.type} in FROM", "only arrays of a super have elements")
        (called,) = names
        scope.add(Source(called, ((called, value.type),)))
        inside = f"SELECT unnest({native('super_elements', value.sql)})"
        return f"LATERAL ({inside}) AS {quote(called)}({quote(called)})"

    def _alias(self, alias: Any, table: str, columns: Columns, schema: str | None = None) -> Source:
        if alias is None:
            return Source(table, columns, schema)
        only(alias, "this", "columns")
        called = name(alias.this)
        return Source(called, renamed(columns, alias, called))

    def _join(self, join: Any, scope: Scope) -> str:
        only(join, "this", "side", "kind", "on", "using", "method")
        side, kind = str(join.args.get("side") or ""), str(join.args.get("kind") or "")
        on, using = join.args.get("on"), join.args.get("using")
        natural = str(join.args.get("method") or "")
        if kind not in ("", "INNER", "OUTER", "CROSS") or side not in ("", "LEFT", "RIGHT", "FULL"):
            raise refuse(f"the join {side} {kind}".strip())
        if natural not in ("", "NATURAL"):
            raise refuse(f"the join {natural}", "join with on")
        if on is None and not using and not side and not kind and not natural:
            scope.group = len(scope.sources)
            return f", {self.source(join.this, scope)}"
        before = scope.sources[scope.group :]
        text = self.source(join.this, scope)
        shared = [name(column) for column in using or []]
        if natural:
            if on is not None or using or kind == "CROSS":
                raise RedshiftError("42601", "a natural join takes neither ON nor USING nor CROSS")
            shared = self._shared(before, scope)
        if on is None and not shared:
            if not natural and (side or kind != "CROSS"):
                raise RedshiftError("42601", "a join needs ON or USING")
            if side:
                raise refuse(
                    f"a natural {side.lower()} join without common columns", "join with on"
                )
            return f" CROSS JOIN {text}"
        word = f"{side} JOIN" if side else "INNER JOIN"
        if on is not None:
            return f" {word} {text} ON {self.test(on, scope.joined(bool(side)))}"
        tests = [self._using(column, side, before, scope) for column in shared]
        return f" {word} {text} ON {' AND '.join(tests)}"

    def _shared(self, before: list[Source], scope: Scope) -> list[str]:
        """The columns of a natural join, in the order of the left side."""
        left = [*scope.merged, *(column for source in before for column, _ in source.columns)]
        return [column for column in dict.fromkeys(left) if scope.sources[-1].has(column)]

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
