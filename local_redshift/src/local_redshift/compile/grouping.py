"""GROUP BY: lists, ALL, ROLLUP, CUBE and GROUPING SETS, and GROUPING(). Aggregates: `aggregates`."""

from __future__ import annotations

from typing import Any

from local_redshift.compile.protocol import Compiler, only
from local_redshift.errors import RedshiftError, refuse
from local_redshift.functions.aggregates import AGGREGATES
from local_redshift.read.dialect import name
from local_redshift.values.scope import Scope
from local_redshift.values.trailing_blanks import guard, single
from local_redshift.values.types import INTEGER, typed
from local_redshift.values.value import Value

NAMES = ("grouping", "grouping_id")
_EXTENSIONS = {"rollup": "ROLLUP", "cube": "CUBE", "groupingsets": "GROUPING SETS"}
_QUERIES = ("select", "subquery", "union", "except", "intersect")


def grouping(compiler: Compiler, node: Any, scope: Scope) -> Value:
    """GROUPING(a, b): which of them are not grouped by, in this row."""
    called = str(node.this).lower()
    only(node, "this", "expressions")
    given = [compiler.value(item, scope).sql for item in node.expressions]
    if not 1 <= len(given) <= 31:
        raise RedshiftError("42883", f"function {called} takes 1 to 31 grouping columns")
    scope.grouping += given
    return Value(f"CAST(grouping({', '.join(given)}) AS INTEGER)", INTEGER, called)


def group_by(
    compiler: Compiler, node: Any, items: list[Value], scope: Scope
) -> tuple[str, list[str], str]:
    """The clause, against a select list that was compiled before, and tests for HAVING and QUALIFY.

    '' where there is none. Whether two groups are one for Redshift, as their texts differ in blanks at
    their end, a window says where nothing is computed of groups that are not whole. Elsewhere a test of
    each row stands among the keys; beside grouping sets it would give the empty set a group that is
    none where there are no rows.
    """
    group = node.args.get("group")
    keys: list[Value] = []
    text, having, qualify = "", list[str](), ""
    if group is not None:
        only(group, "expressions", "all")
        if group.args.get("all"):
            parts = _all(node, items, keys)
        else:
            parts = [_grouped(compiler, item, items, scope, keys) for item in group.expressions]
        for key in keys:
            typed(key.type, "group by of")
        tests = list(filter(None, dict.fromkeys(guard(key, "GROUP BY") for key in keys)))
        if any(item.key in _EXTENSIONS for item in group.expressions):
            having = [f"count({test}) = 0" for test in tests]
        elif any(node.args.get(one) for one in ("having", "qualify")) or _windows(node, scope):
            parts += tests
        else:
            qualify = single(keys)
        text = f" GROUP BY {', '.join(parts)}"
    if set(scope.grouping) - {key.sql for key in keys}:
        raise RedshiftError(
            "42803", "arguments to GROUPING must be grouping expressions of this query"
        )
    return text, having, qualify


def _windows(node: Any, scope: Scope) -> bool:
    """Whether a query has windows of its own, or could have none."""
    from sqlglot import exp

    return scope.correlated or node.find(exp.Window) is not None


def _grouped(
    compiler: Compiler, item: Any, items: list[Value], scope: Scope, keys: list[Value]
) -> str:
    """One element of GROUP BY; what it groups by is added to `keys`."""
    if item.key in _EXTENSIONS:
        only(item, "expressions")
        inside = [_set_of(compiler, part, items, scope, keys) for part in item.expressions]
        return f"{_EXTENSIONS[item.key]} ({', '.join(inside)})"
    if item.key == "tuple":
        raise refuse("a list in brackets in GROUP BY", "leave the brackets out")
    place = place_of(item, items, scope, columns_first=True)
    keys.append(items[place - 1] if place else compiler.value(item, scope))
    return str(place) if place else keys[-1].sql


def _set_of(
    compiler: Compiler, item: Any, items: list[Value], scope: Scope, keys: list[Value]
) -> str:
    if item.key in _EXTENSIONS:
        return _grouped(compiler, item, items, scope, keys)
    inside = item.expressions if item.key == "tuple" else [item.unnest()]
    values = []
    for part in inside:
        place = place_of(part, items, scope, columns_first=True)
        value = items[place - 1] if place else compiler.value(part, scope)
        if value.literal is not None:
            raise refuse(f"the literal {value.literal} in a grouping set", "group by a column")
        values.append(value)
    keys += values
    return f"({', '.join(value.sql for value in values)})"


def place_of(item: Any, items: list[Value], scope: Scope, *, columns_first: bool) -> int:
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


def _all(node: Any, items: list[Value], keys: list[Value]) -> list[str]:
    """GROUP BY ALL: the places of what is selected and holds no aggregate."""
    if len(node.expressions) != len(items) or any(_star(item) for item in node.expressions):
        raise refuse("a star with GROUP BY ALL", "name the columns")
    parts = []
    for place, (item, value) in enumerate(zip(node.expressions, items, strict=True), 1):
        if not _aggregated(item):
            parts.append(str(place))
            keys.append(value)
    if not parts:
        raise refuse("GROUP BY ALL where every column is an aggregate", "leave GROUP BY out")
    return parts


def _star(item: Any) -> bool:
    return bool(item.key == "star" or (item.key == "column" and item.this.key == "star"))


def _aggregated(item: Any) -> bool:
    """Whether an expression holds an aggregate of its own query."""
    aggregated, waiting = False, [item]
    while waiting:
        one = waiting.pop()
        if one.key == "window":
            raise refuse("a window function with GROUP BY ALL", "name the columns to group by")
        if one.key in _QUERIES:
            continue
        aggregated = aggregated or (one.key == "anonymous" and str(one.this).lower() in AGGREGATES)
        waiting += one.iter_expressions()
    return aggregated
