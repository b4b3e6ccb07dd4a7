"""Small questions about a statement or its syntax tree. Nothing here knows tables, days or files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from orderhe_dagster.catalog.errors import Problem
from orderhe_dagster.catalog.tokens import tokenize

if TYPE_CHECKING:
    from sqlglot import exp


def is_reading(sql: str) -> bool:
    """Whether a Redshift statement surely only reads: a select without `into`, or a show.

    Comments count for nothing. What cannot be cut into words is not sure to read.
    """
    try:
        words = [word.upper for word in tokenize("the statement", sql, "redshift")]
    except Problem:
        return False
    first = next((word for word in words if word != "("), "")
    return first in ("SELECT", "WITH", "SHOW") and "INTO" not in words


def line_of(node: exp.Expr, default: int = 1) -> int:
    """The line of the first word of a node that knows its place."""
    for part in node.walk():
        if "line" in part.meta:
            return int(part.meta["line"])
    parent = node.parent
    return line_of(parent, default) if parent is not None and parent.parent is not None else default


def walk_here(node: exp.Expr, personal: bool = False, *, top: bool = False) -> Iterator[Any]:
    """The nodes of an expression, nested queries included but not entered (`top` enters the first).

    With `personal`, what stands inside count() is left out.
    """
    from sqlglot import exp

    counted = (exp.Count, exp.ApproxDistinct)
    stack: list[exp.Expr] = [node]
    while stack:
        here = stack.pop()
        if personal and isinstance(here, counted):
            continue
        yield here
        if here is node and top:
            stack += [c for c in here.iter_expressions(reverse=True) if not isinstance(c, exp.With)]
        elif not isinstance(here, exp.Query):
            stack += list(here.iter_expressions(reverse=True))


def parents(node: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes above a node, nearest first."""
    while node.parent is not None:
        node = node.parent
        yield node


def is_query(node: object) -> bool:
    """Whether a node is a select, a union or one in brackets."""
    from sqlglot import exp

    return isinstance(node, exp.Query)


def is_column(node: object) -> bool:
    """Whether a node is the name of a column."""
    from sqlglot import exp

    return isinstance(node, exp.Column)


def is_table(source: object) -> bool:
    """Whether a source of a scope is a table, not another query."""
    from sqlglot import exp

    return isinstance(source, exp.Table)


def conjuncts_of(node: exp.Expr) -> Iterator[exp.Expr]:
    """The parts of `a and b and c`."""
    from sqlglot import exp

    if isinstance(node, exp.Paren):
        yield from conjuncts_of(node.this)
    elif isinstance(node, exp.And):
        yield from conjuncts_of(node.this)
        yield from conjuncts_of(node.expression)
    else:
        yield node


def in_window(node: exp.Expr, select: exp.Expr) -> bool:
    """Whether an aggregate is the function of a window (`sum(x) over (…)`)."""
    from sqlglot import exp

    parent = node.parent
    while isinstance(parent, (exp.IgnoreNulls, exp.RespectNulls, exp.Filter)):
        node, parent = parent, parent.parent
    return isinstance(parent, exp.Window) and parent.this is node and parent is not select


def first_alias(select: exp.Expr) -> list[str]:
    """The name of what stands first in the FROM of a select, alone in a list; [] where nothing does."""
    first = select.args.get("from_") or select.args.get("from")
    return [first.this.alias_or_name.lower()] if first is not None else []


def has_subtotals(group: exp.Expr | None) -> bool:
    """Whether a group by has rollup, cube or grouping sets: they put nulls into the keys."""
    from sqlglot import exp

    kinds = (exp.Rollup, exp.Cube, exp.GroupingSets)
    return group is not None and any(isinstance(key, kinds) for key in group.walk())
