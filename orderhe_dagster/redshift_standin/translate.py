"""Queries: SELECT, WITH, set operations and FROM, from Redshift's tree to DuckDB's text.

Nothing of the input passes through: the text is made from what the rules know, so a construct
without a rule cannot run. Stars are expanded, columns qualified, types known everywhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orderhe_dagster.redshift_standin.arguments import Moment
from orderhe_dagster.redshift_standin.calls import direction
from orderhe_dagster.redshift_standin.casts import Value, cast
from orderhe_dagster.redshift_standin.dialect import name, quote
from orderhe_dagster.redshift_standin.errors import RedshiftError, refuse
from orderhe_dagster.redshift_standin.expressions import only
from orderhe_dagster.redshift_standin.scope import Cte, Query, Scope, Source
from orderhe_dagster.redshift_standin.sources import Lookup, Sources, listed_names
from orderhe_dagster.redshift_standin.types import Type, typed, unify, varchar

if TYPE_CHECKING:
    from sqlglot import exp


_SET_WORDS = {"union": "UNION", "except": "EXCEPT", "intersect": "INTERSECT"}


class Translator(Sources):
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
            for item, label in zip(items, listed_names(columns), strict=True)
        )
        word = "SELECT DISTINCT" if distinct is not None else "SELECT"
        tail = self._tail(node, items, scope, loose=distinct is None)
        if scope.correlated and any(True for _ in node.find_all(exp_window())):
            raise refuse("a window function in a correlated subquery", "join a subquery instead")
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
            value = items[place - 1] if place else self.value(item, scope)
            typed(value.type, "group by of")
            parts.append(str(place) if place else value.sql)
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
            unify((_open(one), _open(two)), word)
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


def exp_window() -> Any:
    """The tree's kind for a window."""
    from sqlglot import exp

    return exp.Window


def retyped(query: Query, types: list[Type]) -> str:
    """A query in brackets, its columns cast where their types differ from those wanted."""
    names = listed_names(query.columns)
    same = all(
        given.carrier == wanted.carrier
        for (_, given), wanted in zip(query.columns, types, strict=True)
    )
    if same:
        return f"({query.sql})"
    listed = ", ".join(
        f"{_taken(Value(quote(column), given), wanted)} AS {quote(column)}"
        for column, (_, given), wanted in zip(names, query.columns, types, strict=True)
    )
    return f'(SELECT {listed} FROM ({query.sql}) AS "_q"({", ".join(map(quote, names))}))'


def _settled(type_: Type) -> Type:
    """A bare literal that leaves a query: a text, which Redshift gives no type to compare it by."""
    if type_.kind != "unknown":
        return type_
    return replace(varchar(type_.length), doubt="literal" if type_.length else "null")


def _open(type_: Type) -> Type:
    """An untyped column as UNION reads it: it takes the type of the other side."""
    return Type("unknown", length=type_.length) if type_.doubt in ("literal", "null") else type_


def _taken(value: Value, wanted: Type) -> str:
    if value.type.doubt == "null":
        return f"CAST({value.sql} AS {wanted.carrier})"
    return cast(value, wanted).sql
