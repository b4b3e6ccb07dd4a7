"""Queries: SELECT and set operations, from Redshift's tree to DuckDB's text, clause by clause.

FROM is in `sources`, WITH in `ctes`, GROUP BY in `grouping`; expressions are beside them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from local_redshift.compile.calls import direction
from local_redshift.compile.catalogue_forms import asks_catalogue
from local_redshift.compile.ctes import with_clause
from local_redshift.compile.grouping import group_by, place_of
from local_redshift.compile.outer_join_marks import has_marks, marked_joins
from local_redshift.compile.protocol import Compiler, QueryRule, only
from local_redshift.compile.sources import from_clause
from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.dialect import quote
from local_redshift.values.casts import cast
from local_redshift.values.scope import Columns, Cte, Query, Scope, Source, listed_names
from local_redshift.values.trailing_blanks import guarded
from local_redshift.values.types import Type, ordered, unify, varchar
from local_redshift.values.value import Value

_SET_WORDS = {"union": "UNION", "except": "EXCEPT", "intersect": "INTERSECT"}
_AROUND = ("with_", "order", "limit", "offset")
"""What a set operation may have around it: what has one stands for itself among others."""


def _bracketed(compiler: Compiler, node: Any, parent: Scope | None, ctes: dict[str, Cte]) -> Query:
    """A query in brackets, with what stands before and behind them."""
    only(node, "this", "with_", "order", "limit", "offset")
    heading, ctes = with_clause(compiler, node, parent, ctes)
    inner = compiler.query(node.this, parent, ctes)
    end = _end(compiler, node, inner.columns)
    return Query(f"{heading}({inner.sql}){end}", inner.columns, compiler.uses)


# -- select ----------------------------------------------------------------------------------------


def _select(compiler: Compiler, node: Any, parent: Scope | None, ctes: dict[str, Cte]) -> Query:
    """SELECT: its clauses in the order in which their names come to be known; at last, as written."""
    only(
        node,
        "with_",
        "expressions",
        "from_",
        "joins",
        "where",
        "group",
        "having",
        "qualify",
        "order",
        "limit",
        "offset",
        "distinct",
    )
    with_, ctes = with_clause(compiler, node, parent, ctes)
    scope = Scope(ctes, parent, of_catalogue=asks_catalogue(node))
    from_, condition = _origin(compiler, node, scope)
    items = _items(compiler, node, scope)
    # Labels can be used in the select list, in QUALIFY and in GROUP BY, not in WHERE: but clients
    # that ask the catalogue use them there.
    labels = scope.labels
    scope.labels = labels if scope.of_catalogue else {}
    where = _clause(compiler, "WHERE", condition, scope)
    scope.labels = {}
    having = _clause(compiler, "HAVING", _inside(node, "having"), scope)
    group, tests, apart = group_by(compiler, node, items, scope)
    if tests:
        own = [f"({having.removeprefix(' HAVING ')})"] if having else []
        having = f" HAVING {' AND '.join([*own, *tests])}"
    scope.labels = labels
    qualify = f" QUALIFY {apart}" if apart else ""
    qualify = _clause(compiler, "QUALIFY", _inside(node, "qualify"), scope) or qualify
    scope.labels = {}
    columns = tuple((item.label, _settled(item.type)) for item in items)
    select = _select_list(node, items, columns)
    end = _tail(compiler, node, items, scope, loose=node.args.get("distinct") is None)
    _check_windows(node, scope)
    return Query(
        f"{with_}{select}{from_}{where}{group}{having}{qualify}{end}", columns, compiler.uses
    )


def _origin(compiler: Compiler, node: Any, scope: Scope) -> tuple[str, Any]:
    """FROM's text, and the condition that is left for WHERE."""
    if has_marks(node):
        return marked_joins(compiler, node, scope)
    return from_clause(compiler, node, scope), _inside(node, "where")


def _inside(node: Any, clause: str) -> Any:
    """The condition of a clause, if a query has it."""
    part = node.args.get(clause)
    return None if part is None else part.this


def _clause(compiler: Compiler, word: str, condition: Any, scope: Scope) -> str:
    return "" if condition is None else f" {word} {compiler.test(condition, scope)}"


def _select_list(node: Any, items: list[Value], columns: Columns) -> str:
    """SELECT, or SELECT DISTINCT, and the columns under their names."""
    distinct = node.args.get("distinct")
    word = "SELECT" if distinct is None else "SELECT DISTINCT"
    if distinct is not None:
        only(distinct)
    texts = [item.sql if distinct is None else guarded(item, word) for item in items]
    named = zip(texts, listed_names(columns), strict=True)
    return f"{word} {', '.join(f'{text} AS {quote(label)}' for text, label in named)}"


def _check_windows(node: Any, scope: Scope) -> None:
    from sqlglot import exp

    if scope.correlated and node.find(exp.Window) is not None:
        raise refuse("a window function in a correlated subquery", "join a subquery instead")


def _items(compiler: Compiler, node: Any, scope: Scope) -> list[Value]:
    """The select list, its stars expanded and its labels known."""
    items: list[Value] = []
    for item in node.expressions:
        star = item.this if item.key == "column" and item.this.key == "star" else item
        if star.key == "star":
            items += _star(star, item.args.get("table"), scope)
        elif item.key == "alias":
            label = str(item.args["alias"].name).lower()
            value = replace(compiler.value(item.this, scope), label=label)
            items.append(value)
            scope.labels.setdefault(label, value)
        else:
            items.append(compiler.value(item, scope))
    if not items:
        raise RedshiftError("42601", "a select needs at least one expression")
    for item in items:
        if item.type.kind == "interval":
            raise refuse(f"an interval as the column {item.label}", "use datediff")
    return items


def _star(star: Any, table: Any, scope: Scope) -> list[Value]:
    """The columns that a star means: those of a table, or of all, joined ones once and first."""
    only(star, "except_")
    left_out = {str(column.name).lower() for column in star.args.get("except_") or []}
    if table is not None:
        source = scope.source(str(table.name).lower())
        values = source.all()
    else:
        if not scope.sources:
            raise RedshiftError("42601", "SELECT * with no tables specified is not valid")
        merged = scope.merged
        values = list(merged.values())
        for source in scope.sources:
            values += [value for value in source.all() if value.label not in merged]
    return [value for value in values if value.label not in left_out]


# -- order by, limit, offset -----------------------------------------------------------------------


def _tail(compiler: Compiler, node: Any, items: list[Value], scope: Scope, *, loose: bool) -> str:
    """ORDER BY, LIMIT and OFFSET. `loose`: ORDER BY may use more than what is selected."""
    order, tail = node.args.get("order"), ""
    if order is not None:
        parts = [_ordered(compiler, item, items, scope, loose) for item in order.expressions]
        tail = f" ORDER BY {', '.join(parts)}"
    return tail + _counted(node, "LIMIT") + _counted(node, "OFFSET")


def _ordered(compiler: Compiler, item: Any, items: list[Value], scope: Scope, loose: bool) -> str:
    """One element of ORDER BY: a place in the select list, or an expression."""
    only(item, "this", "desc", "nulls_first")
    place = place_of(item.this, items, scope, columns_first=False)
    value = items[place - 1] if place else compiler.value(item.this, scope)
    by = str(place) if place else _by(value, items, loose)
    ordered(value.type, "order by of")
    return by + direction(item)


def _by(value: Value, items: list[Value], loose: bool) -> str:
    """What orders: the place of an expression that is selected, else its text."""
    for place, item in enumerate(items, 1):
        if item.sql == value.sql:
            return str(place)
    if not loose:
        raise RedshiftError(
            "42P10",
            "for SELECT DISTINCT and set operations, ORDER BY expressions must be selected",
        )
    return value.sql


def _counted(node: Any, word: str) -> str:
    """LIMIT or OFFSET with a literal; LIMIT ALL is none."""
    clause = node.args.get(word.lower())
    if clause is None:
        return ""
    only(clause, "expression")
    count = str(clause.expression.name)
    if word == "LIMIT" and count.lower() == "all":
        return ""
    if clause.expression.key != "literal" or not count.isdigit():
        raise refuse(f"a computed {word.lower()}", "give a literal")
    return f" {word} {count}"


# -- set operations --------------------------------------------------------------------------------


def _set(compiler: Compiler, node: Any, parent: Scope | None, ctes: dict[str, Cte]) -> Query:
    """UNION, EXCEPT and INTERSECT: both sides get the types that they have together.

    What is on the left of one another is compiled without recursion on how many there are.
    """
    only(node, "with_", "this", "expression", "distinct", "order", "limit", "offset")
    heading, ctes = with_clause(compiler, node, parent, ctes)
    links, left = [node], node.this
    while left.key in _SET_WORDS and not any(map(left.args.get, _AROUND)):
        only(left, "this", "expression", "distinct")
        links.append(left)
        left = left.this
    query, before = compiler.query(left, parent, ctes), ""
    for link in reversed(links):
        word = _set_word(link)
        query = _combined(query, compiler.query(link.expression, parent, ctes), word, before)
        before = word
    end = _end(compiler, node, query.columns)
    return Query(f"{heading}{query.sql}{end}", query.columns, compiler.uses)


def _combined(left: Query, right: Query, word: str, before: str) -> Query:
    """`left word right`; what the left was combined by, `before`, goes on without brackets."""
    if len(left.columns) != len(right.columns):
        raise RedshiftError("42601", f"each {word} query must have the same number of columns")
    types = [
        unify((_open(one), _open(two)), word)
        for (_, one), (_, two) in zip(left.columns, right.columns, strict=True)
    ]
    columns = tuple(zip((label for label, _ in left.columns), types, strict=True))
    distinct = "" if word == "UNION ALL" else word
    text = _retyped(left, types, distinct)
    if word == before and text == f"({left.sql})":
        text = left.sql
    return Query(f"{text} {word} {_retyped(right, types, distinct)}", columns, left.uses)


def _set_word(node: Any) -> str:
    word = _SET_WORDS[node.key]
    if not node.args.get("distinct"):
        if word != "UNION":
            raise RedshiftError("0A000", f"{word} ALL is not supported")
        word = "UNION ALL"
    for side in (node.this, node.expression):
        if side.args.get("limit") or side.unnest().args.get("limit"):
            raise RedshiftError("0A000", "LIMIT may not be used within input to set operations.")
    return word


def _end(compiler: Compiler, node: Any, columns: Columns) -> str:
    """ORDER BY, LIMIT and OFFSET behind the brackets of a query or a set operation."""
    if not any(node.args.get(part) for part in ("order", "limit", "offset")):
        return ""
    items = [Value(quote(label), type_, label) for label, type_ in columns]
    return _tail(compiler, node, items, Scope({}, None, [Source("", columns)]), loose=False)


def _retyped(query: Query, types: list[Type], distinct: str) -> str:
    """A query in brackets, its columns cast where their types differ from those wanted.

    `distinct`: the set operation that tells its rows apart, '' for none.
    """
    names = listed_names(query.columns)
    parts = []
    for column, (_, given), wanted in zip(names, query.columns, types, strict=True):
        value = Value(quote(column), given)
        text = value.sql if given.carrier == wanted.carrier else _taken(value, wanted)
        parts.append(guarded(Value(text, wanted), distinct) if distinct else text)
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


QUERIES: dict[str, QueryRule] = {
    "subquery": _bracketed,
    "select": _select,
    **dict.fromkeys(_SET_WORDS, _set),
}
