"""Queries: SELECT, WITH, set operations and FROM, from Redshift's tree to DuckDB's text.

Nothing of the input passes through: the text is made from what the rules know, so a construct
without a rule cannot run. Stars are expanded, columns qualified, types known everywhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from local_redshift.compile.calls import direction
from local_redshift.compile.catalogue_forms import asks_catalogue, is_array
from local_redshift.compile.ctes import listed_names
from local_redshift.compile.operators import only
from local_redshift.compile.outer_join_marks import Marks
from local_redshift.compile.sources import Lookup
from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.dialect import quote
from local_redshift.values.arguments import Moment
from local_redshift.values.blanks import guarded
from local_redshift.values.casts import cast
from local_redshift.values.scope import Columns, Cte, Query, Scope, Source
from local_redshift.values.types import Type, ordered, unify, varchar
from local_redshift.values.value import Value

if TYPE_CHECKING:
    from sqlglot import exp


_SET_WORDS = {"union": "UNION", "except": "EXCEPT", "intersect": "INTERSECT"}


class Translator(Marks):
    """Translates queries against the tables that `lookup` knows."""

    def __init__(self, lookup: Lookup, moment: Moment) -> None:
        self.lookup, self.moment = lookup, moment

    def raw(self, node: exp.Expression, scope: Scope) -> Value:
        """An expression; = any (query) and <> all (query) are IN and NOT IN."""
        right: Any = node.args.get("expression")
        if getattr(right, "key", "") not in ("any", "all") or is_array(right.this):
            return super().raw(node, scope)
        from sqlglot import exp

        if (node.key, right.key) not in (("eq", "any"), ("neq", "all")):
            raise refuse(f"{node.sql('redshift')[:60]}", "compare with a min() or max() of it")
        inner = right.this if right.this.key == "subquery" else exp.Subquery(this=right.this)
        if inner.unnest().key not in ("select", *_SET_WORDS):
            raise refuse(f"{node.sql('redshift')[:60]}", "give any and all a query")
        found = self._on_in(exp.In(this=node.this.copy(), query=inner.copy()), scope)
        return found if node.key == "eq" else replace(found, sql=f"(NOT {found.sql})")

    def query(self, node: exp.Expression, parent: Scope | None, ctes: dict[str, Cte]) -> Query:
        """Any query: a select, a set operation, or one of them in brackets."""
        key = node.key
        if key == "subquery":
            only(node, "this", "with_", "order", "limit", "offset")
            heading, ctes = self._with(node, parent, ctes)
            inner = self.query(node.this, parent, ctes)
            return Query(f"{heading}({inner.sql}){self._end(node, inner.columns)}", inner.columns)
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
        scope = Scope(ctes, parent, of_catalogue=asks_catalogue(node))
        origin, condition = self._origin(node, scope)
        items = self._items(node, scope)
        # Labels can be used in the select list, in QUALIFY and in GROUP BY, not in WHERE: but clients
        # that ask the catalogue use them there.
        labels, scope.labels = scope.labels, scope.labels if scope.of_catalogue else {}
        where = "" if condition is None else f" WHERE {self.test(condition, scope)}"
        scope.labels = {}
        having = self._clause("HAVING", node.args.get("having"), scope)
        group = self._group(node, items, scope)
        scope.labels = labels
        qualify = self._clause("QUALIFY", node.args.get("qualify"), scope)
        scope.labels = {}
        distinct = node.args.get("distinct")
        if distinct is not None:
            only(distinct)
        columns = tuple((item.label, _settled(item.type)) for item in items)
        word = "SELECT" if distinct is None else "SELECT DISTINCT"
        texts = [item.sql if distinct is None else guarded(item, word) for item in items]
        listed = ", ".join(
            f"{text} AS {quote(label)}"
            for text, label in zip(texts, listed_names(columns), strict=True)
        )
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

    def _tail(self, node: Any, items: list[Value], scope: Scope, *, loose: bool) -> str:
        """ORDER BY, LIMIT and OFFSET. `loose`: ORDER BY may use more than what is selected."""
        tail, order = "", node.args.get("order")
        if order is not None:
            parts = []
            for item in order.expressions:
                only(item, "this", "desc", "nulls_first")
                place = self._place(item.this, items, scope, columns_first=False)
                by = str(place) if place else self._free(item.this, items, scope, loose)
                by_type = items[place - 1].type if place else self.value(item.this, scope).type
                ordered(by_type, "order by of")
                parts.append(by + direction(item))
            tail += f" ORDER BY {', '.join(parts)}"
        for word, key in (("LIMIT", "limit"), ("OFFSET", "offset")):
            clause = node.args.get(key)
            if clause is not None:
                only(clause, "expression")
                count = str(clause.expression.name)
                if word == "LIMIT" and count.lower() == "all":
                    continue
                if clause.expression.key != "literal" or not count.isdigit():
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
        for side in (node.this, node.expression):
            if side.args.get("limit") or side.unnest().args.get("limit"):
                raise RedshiftError(
                    "0A000", "LIMIT may not be used within input to set operations."
                )
        left, right = self.query(node.this, parent, ctes), self.query(node.expression, parent, ctes)
        if len(left.columns) != len(right.columns):
            raise RedshiftError("42601", f"each {word} query must have the same number of columns")
        types = [
            unify((_open(one), _open(two)), word)
            for (_, one), (_, two) in zip(left.columns, right.columns, strict=True)
        ]
        labels = [label for label, _ in left.columns]
        columns = tuple(zip(labels, types, strict=True))
        told = "" if word == "UNION ALL" else word
        sql = f"{heading}{retyped(left, types, told)} {word} {retyped(right, types, told)}"
        return Query(sql + self._end(node, columns), columns)

    def _end(self, node: Any, columns: Columns) -> str:
        """ORDER BY, LIMIT and OFFSET behind the brackets of a query or a set operation."""
        if not any(node.args.get(part) for part in ("order", "limit", "offset")):
            return ""
        items = [Value(quote(label), type_, label) for label, type_ in columns]
        return self._tail(node, items, Scope({}, None, [Source("", columns)]), loose=False)


def exp_window() -> Any:
    """The tree's kind for a window."""
    from sqlglot import exp

    return exp.Window


def retyped(query: Query, types: list[Type], told: str = "") -> str:
    """A query in brackets, its columns cast where their types differ from those wanted.

    `told`: the set operation that tells its rows apart, '' for none.
    """
    names = listed_names(query.columns)
    parts = []
    for column, (_, given), wanted in zip(names, query.columns, types, strict=True):
        value = Value(quote(column), given)
        made = value.sql if given.carrier == wanted.carrier else _taken(value, wanted)
        parts.append(guarded(Value(made, wanted), told) if told else made)
    if parts == list(map(quote, names)):
        return f"({query.sql})"
    listed = ", ".join(f"{text} AS {quote(name)}" for text, name in zip(parts, names, strict=True))
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
