"""Queries: SELECT, WITH, set operations and FROM, from Redshift's tree to DuckDB's text.

Nothing of the input passes through: the text is made from what the rules know, so a construct
without a rule cannot run. Stars are expanded, columns qualified, types known everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orderhe_dagster.redshift_standin.casts import Value, cast, comparable
from orderhe_dagster.redshift_standin.dialect import name, quote
from orderhe_dagster.redshift_standin.errors import RedshiftError, refuse
from orderhe_dagster.redshift_standin.expressions import Expressions, direction, only
from orderhe_dagster.redshift_standin.functions import Moment
from orderhe_dagster.redshift_standin.scope import Columns, Cte, Query, Scope, Source
from orderhe_dagster.redshift_standin.types import Type, unify, varchar

if TYPE_CHECKING:
    from sqlglot import exp

Lookup = Callable[[str | None, str], tuple[str, Columns]]
"""Schema (None: the search path) and name of a table, to its DuckDB text and its columns."""

_SET_WORDS = {"union": "UNION", "except": "EXCEPT", "intersect": "INTERSECT"}


class Translator(Expressions):
    """Translates queries against the tables that `lookup` knows."""

    def __init__(self, lookup: Lookup, moment: Moment) -> None:
        self.lookup, self.moment = lookup, moment

    def query(self, node: exp.Expression, parent: Scope | None, ctes: dict[str, Cte]) -> Query:
        """Any query: a select, a set operation, or one of them in brackets."""
        key = node.key
        if key == "subquery":
            only(node, "this", "with_", "order", "limit", "offset")
            if any(node.args.get(part) for part in ("order", "limit", "offset")):
                raise refuse("ORDER BY or LIMIT outside the brackets of a query", "move it inside")
            heading, ctes = self._with(node, parent, ctes)
            inner = self.query(node.this, parent, ctes)
            return Query(f"{heading}({inner.sql})", inner.columns)
        if key == "select":
            return self._select(node, parent, ctes)
        if key in _SET_WORDS:
            return self._set(node, parent, ctes)
        raise refuse(f"{key} as a query ({node.sql('redshift')[:60]})", "write a select")

    def _with(
        self, node: Any, parent: Scope | None, ctes: dict[str, Cte]
    ) -> tuple[str, dict[str, Cte]]:
        clause = node.args.get("with_")
        if clause is None:
            return "", ctes
        only(clause, "expressions", "recursive")
        if clause.args.get("recursive"):
            raise refuse("with recursive", "run it on Amazon Redshift")
        ctes, parts = dict(ctes), []
        for cte in clause.expressions:
            only(cte, "this", "alias")
            called = name(cte.args["alias"].this)
            query = self.query(cte.this, parent, ctes)
            columns = _renamed(query.columns, cte.args["alias"], called)
            # The name is made its own, so that a table or an outer query of that name is never meant.
            inside = f"{called}_{len(ctes)}"
            listed = _listed(columns)
            parts.append(f"{quote(inside)}({', '.join(map(quote, listed))}) AS ({query.sql})")
            ctes[called] = Cte(inside, tuple(listed), columns)
        return f"WITH {', '.join(parts)} ", ctes

    # -- select ------------------------------------------------------------------------------------

    def _select(self, node: Any, parent: Scope | None, ctes: dict[str, Cte]) -> Query:
        only(
            node, "with_", "expressions", "from_", "joins", "where", "group", "having", "qualify",
            "order", "limit", "offset", "distinct",
        )  # fmt: skip
        heading, ctes = self._with(node, parent, ctes)
        scope = Scope(ctes, parent)
        origin = self._from(node, scope)
        items = self._items(node, scope)
        # Labels can be used in the select list, in QUALIFY and in GROUP BY, not in WHERE.
        labels, scope.labels = scope.labels, {}
        where = self._clause("WHERE", node.args.get("where"), scope)
        having = self._clause("HAVING", node.args.get("having"), scope)
        group = self._group(node, items, scope)
        scope.labels = labels
        qualify = self._clause("QUALIFY", node.args.get("qualify"), scope)
        scope.labels = {}
        distinct = node.args.get("distinct")
        if distinct is not None:
            only(distinct)
        columns = tuple((item.label, _settled(item.type)) for item in items)
        listed = ", ".join(
            f"{item.sql} AS {quote(label)}"
            for item, label in zip(items, _listed(columns), strict=True)
        )
        word = "SELECT DISTINCT" if distinct is not None else "SELECT"
        tail = self._tail(node, items, scope, loose=distinct is None)
        sql = f"{heading}{word} {listed}{origin}{where}{group}{having}{qualify}{tail}"
        return Query(sql, columns)

    def _items(self, node: Any, scope: Scope) -> list[Value]:
        items: list[Value] = []
        for item in node.expressions:
            star = item.this if item.key == "column" and item.this.key == "star" else item
            if star.key == "star":
                items += self._star(star, item.args.get("table"), scope)
            elif item.key == "alias":
                value = self.value(item.this, scope)
                label = str(item.args["alias"].name).lower()
                items.append(replace(value, label=label))
                scope.labels.setdefault(label, replace(value, label=label))
            else:
                items.append(self.value(item, scope))
        if not items:
            raise RedshiftError("42601", "a select needs at least one expression")
        for item in items:
            if item.type.kind == "interval":
                raise refuse(f"an interval as the column {item.label}", "use datediff")
        return items

    def _star(self, star: Any, table: Any, scope: Scope) -> list[Value]:
        only(star, "except_")
        left_out = {str(column.name).lower() for column in star.args.get("except_") or []}
        if table is not None:
            source = scope.source(str(table.name).lower())
            found = [source.value(column) for column, _ in source.columns]
        else:
            if not scope.sources:
                raise RedshiftError("42601", "SELECT * with no tables specified is not valid")
            merged = scope.merged
            found = list(merged.values())
            for source in scope.sources:
                found += [
                    source.value(column) for column, _ in source.columns if column not in merged
                ]
        return [value for value in found if value.label not in left_out]

    def _clause(self, word: str, node: Any, scope: Scope) -> str:
        return "" if node is None else f" {word} {self.test(node.this, scope)}"

    def _group(self, node: Any, items: list[Value], scope: Scope) -> str:
        group = node.args.get("group")
        if group is None:
            return ""
        only(group, "expressions")
        parts = []
        for item in group.expressions:
            place = self._place(item, items, scope, columns_first=True)
            parts.append(str(place) if place else self.value(item, scope).sql)
        return f" GROUP BY {', '.join(parts)}"

    def _place(self, item: Any, items: list[Value], scope: Scope, *, columns_first: bool) -> int:
        """The 1-based place in the select list that an expression names; 0: none."""
        if item.key == "literal" and not item.args.get("is_string"):
            place = int(item.name) if str(item.name).isdigit() else 0
            if not 1 <= place <= len(items):
                raise RedshiftError("42P10", f"position {item.name} is not in select list")
            return place
        if item.key != "column" or item.args.get("table"):
            return 0
        word = name(item.this)
        if columns_first and (word in scope.merged or any(s.has(word) for s in scope.sources)):
            return 0
        places = [at for at, value in enumerate(items, 1) if value.label == word]
        if len({items[at - 1].sql for at in places}) > 1:
            raise RedshiftError("42702", f'"{word}" is ambiguous: it labels several columns')
        return places[0] if places else 0

    def _tail(self, node: Any, items: list[Value], scope: Scope, *, loose: bool) -> str:
        """ORDER BY, LIMIT and OFFSET. `loose`: ORDER BY may use more than what is selected."""
        tail, order = "", node.args.get("order")
        if order is not None:
            parts = []
            for item in order.expressions:
                only(item, "this", "desc", "nulls_first")
                place = self._place(item.this, items, scope, columns_first=False)
                by = str(place) if place else self._free(item.this, items, scope, loose)
                parts.append(by + direction(item))
            tail += f" ORDER BY {', '.join(parts)}"
        for word, key in (("LIMIT", "limit"), ("OFFSET", "offset")):
            clause = node.args.get(key)
            if clause is not None:
                only(clause, "expression")
                count = str(clause.expression.name)
                if word == "LIMIT" and count.lower() == "all":
                    continue
                if not count.isdigit():
                    raise refuse(f"a computed {word.lower()}", "give a literal")
                tail += f" {word} {count}"
        return tail

    def _free(self, node: Any, items: list[Value], scope: Scope, loose: bool) -> str:
        value = self.value(node, scope)
        for place, item in enumerate(items, 1):
            if item.sql == value.sql:
                return str(place)
        if not loose:
            raise RedshiftError(
                "42P10",
                "for SELECT DISTINCT and set operations, ORDER BY expressions must be selected",
            )
        return value.sql

    # -- from --------------------------------------------------------------------------------------

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
        return f"{text} AS {quote(source.alias)}({', '.join(map(quote, _listed(source.columns)))})"

    def _derived(self, node: Any, scope: Scope) -> str:
        only(node, "this", "alias", "with_")
        alias = node.args.get("alias")
        if alias is None:
            raise RedshiftError("42601", "subquery in FROM must have an alias")
        heading, ctes = self._with(node, scope.parent, scope.ctes)
        query = self.query(node.this, scope.parent, ctes)
        source = self._alias(alias, "", query.columns)
        scope.add(source)
        names = ", ".join(map(quote, _listed(source.columns)))
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
        before = list(scope.sources)
        text = self.source(join.this, scope)
        if on is None and not using:
            if side or kind == "INNER":
                raise RedshiftError("42601", "a join needs ON or USING")
            return f" CROSS JOIN {text}"
        word = f"{side} JOIN" if side else "INNER JOIN"
        if on is not None:
            return f" {word} {text} ON {self.test(on, scope)}"
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

    # -- set operations ----------------------------------------------------------------------------

    def _set(self, node: Any, parent: Scope | None, ctes: dict[str, Cte]) -> Query:
        only(node, "with_", "this", "expression", "distinct", "order", "limit", "offset")
        heading, ctes = self._with(node, parent, ctes)
        word = _SET_WORDS[node.key]
        if not node.args.get("distinct"):
            if word != "UNION":
                raise RedshiftError("0A000", f"{word} ALL is not supported")
            word = "UNION ALL"
        left, right = self.query(node.this, parent, ctes), self.query(node.expression, parent, ctes)
        if len(left.columns) != len(right.columns):
            raise RedshiftError("42601", f"each {word} query must have the same number of columns")
        types = [
            unify((one, two), word)
            for (_, one), (_, two) in zip(left.columns, right.columns, strict=True)
        ]
        labels = [label for label, _ in left.columns]
        columns = tuple(zip(labels, types, strict=True))
        sql = f"{heading}{retyped(left, types)} {word} {retyped(right, types)}"
        if any(node.args.get(part) for part in ("order", "limit", "offset")):
            items = [Value(quote(label), type_, label) for label, type_ in columns]
            scope = Scope(ctes, None, [Source("", columns)])
            sql += self._tail(node, items, scope, loose=False)
        return Query(sql, columns)


def retyped(query: Query, types: list[Type]) -> str:
    """A query in brackets, its columns cast where their types differ from those wanted."""
    names = _listed(query.columns)
    same = all(
        given.carrier == wanted.carrier
        for (_, given), wanted in zip(query.columns, types, strict=True)
    )
    if same:
        return f"({query.sql})"
    listed = ", ".join(
        f"{cast(Value(quote(column), given), wanted).sql} AS {quote(column)}"
        for column, (_, given), wanted in zip(names, query.columns, types, strict=True)
    )
    return f'(SELECT {listed} FROM ({query.sql}) AS "_q"({", ".join(map(quote, names))}))'


def _settled(type_: Type) -> Type:
    """A bare literal that leaves a query is text."""
    return varchar(type_.length) if type_.kind == "unknown" else type_


def _listed(columns: Columns) -> list[str]:
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
