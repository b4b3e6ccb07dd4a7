"""PIVOT and UNPIVOT: a table in FROM that is turned. Other tables in FROM: `sources`."""

from __future__ import annotations

from typing import Any

from local_redshift.compile.aliases import renamed
from local_redshift.compile.calls import call_of
from local_redshift.compile.protocol import Compiler
from local_redshift.errors import RedshiftError, refuse
from local_redshift.functions import aggregates
from local_redshift.functions.aggregates import Call, Over
from local_redshift.read.dialect import name, quote, string
from local_redshift.values import arithmetic
from local_redshift.values.casts import convert
from local_redshift.values.scope import Columns, Scope, Source, listed_names
from local_redshift.values.trailing_blanks import guard
from local_redshift.values.types import INTEGER, typed, unify, varchar
from local_redshift.values.value import Value, settle

_AGGREGATES = ("count", "sum", "min", "max", "avg")


def turned(compiler: Compiler, node: Any, scope: Scope) -> str:
    """A table or subquery with PIVOT or UNPIVOT behind it: its text, added to the scope."""
    (pivot, *more) = node.args["pivots"]
    if more:
        raise RedshiftError("0A000", "PIVOT of a PIVOT or UNPIVOT is not supported")
    bare = node.copy()
    bare.set("pivots", None)
    within = Scope(scope.ctes, scope.parent and Scope({}, scope.parent))
    origin = compiler.source(bare, within)
    if node.key == "table" and not node.args.get("db"):
        cte = scope.ctes.get(name(node.this))
        if cte is not None and cte.recursive:
            raise RedshiftError("0A000", "PIVOT of a recursive query is not supported")
    turn = _unpivot if pivot.args.get("unpivot") else _pivot
    sql, columns = turn(compiler, pivot, origin, within)
    alias = pivot.args.get("alias")
    called = name(alias.this) if alias is not None else f"\x01{len(scope.sources)}"
    if alias is not None:
        columns = renamed(columns, alias, called)
    scope.add(Source(called, columns))
    names = ", ".join(map(quote, listed_names(columns)))
    return f"({sql}) AS {quote(called)}({names})"


def _left(within: Scope, used: set[str], use: str) -> list[Value]:
    """The columns that the definition does not name: they stay, and what they are must be certain."""
    (source,) = within.sources
    values = [source.value(column) for column, _ in source.columns if column not in used]
    for value in values:
        typed(value.type, use)
    return values


def _listed(texts: list[str]) -> str:
    return ", ".join(f"{text} AS {quote(f'c{at}')}" for at, text in enumerate(texts))


# -- pivot -----------------------------------------------------------------------------------------


def _pivot(compiler: Compiler, pivot: Any, origin: str, within: Scope) -> tuple[str, Columns]:
    """The text of PIVOT and its columns: an aggregate for each value of the IN list."""
    from sqlglot import exp

    call, suffix, by, items = _pivoted(pivot)
    subject = within.column(by)
    typed(subject.type, "a pivot by")
    used = {by} | {name(column.this) for column in call.find_all(exp.Column)}
    kept = _left(within, used, "a pivot beside")
    given = call_of(compiler, call, within)
    values: list[Value] = []
    for item in items:
        label, test = _chosen(compiler, item, subject, within)
        values.append(_where(given, test, label + suffix))
    tests = [text for value in kept if (text := guard(value, "PIVOT"))]
    keys = [*(value.sql for value in kept), *tests]
    group = f" GROUP BY {', '.join(keys)}" if keys else ""
    every = kept + values
    columns = tuple((value.label, value.type) for value in every)
    return f"SELECT {_listed([value.sql for value in every])} FROM {origin}{group}", columns


def _pivoted(pivot: Any) -> tuple[Any, str, str, list[Any]]:
    """The aggregate's call and what its alias adds to labels; the column it is parted by, its values."""
    if len(pivot.expressions) != 1 or len(pivot.args["fields"]) != 1:
        raise refuse("a pivot of several aggregates or columns", "write sum(case …) for each")
    call, suffix = pivot.expressions[0], ""
    if call.key == "alias":
        call, suffix = call.this, f"_{name(call.args['alias'])}"
    if call.key != "anonymous" or str(call.this).lower() not in _AGGREGATES:
        raise refuse(f"{call.sql('redshift')[:60]} in PIVOT", f"use {', '.join(_AGGREGATES)}")
    chosen = pivot.args["fields"][0]
    if chosen.key != "in" or chosen.this.key not in ("column", "identifier"):
        raise refuse("this form of PIVOT", "write pivot (sum(a) for b in ('x', 'y'))")
    by = chosen.this if chosen.this.key == "identifier" else chosen.this.this
    return call, suffix, name(by), chosen.expressions


def _chosen(compiler: Compiler, item: Any, subject: Value, within: Scope) -> tuple[str, str]:
    """The column's name and the test for one value of the IN list."""
    from sqlglot import exp

    label = ""
    if item.key == "pivotalias":
        label, item = _alias(item), item.this
    if item.find(exp.Column, exp.Select):
        raise RedshiftError("0A000", "the IN list of PIVOT cannot hold columns or subqueries")
    if item.key == "null":
        return label or "null", f"{subject.sql} IS NULL"
    value = compiler.value(item, within)
    if not label:
        label = value.literal or ""
        if not label or label != label.lower() or "." in label:
            raise refuse(f"the column's name for {item.sql('redshift')[:40]}", "give it an alias")
    return label, arithmetic.comparison("=", subject, value).sql


def _where(call: Call, test: str, label: str) -> Value:
    """The aggregate over the rows that fulfil the test."""
    if call.star:
        given = [Value(f"(CASE WHEN {test} THEN 1 END)", INTEGER)]
    else:
        given = [
            Value(f"(CASE WHEN {test} THEN {one.sql} END)", one.type, one.label)
            for one in call.arguments
        ]
    result = settle(aggregates.aggregate(Call(call.name, given, distinct=call.distinct), Over()))
    return Value(result.sql, result.type, label)


# -- unpivot ---------------------------------------------------------------------------------------


def _unpivot(compiler: Compiler, pivot: Any, origin: str, within: Scope) -> tuple[str, Columns]:
    """The text of UNPIVOT and its columns: a part for each column of the IN list, one below another."""
    target, into, items = _unpivoted(pivot)
    turned = [_labelled(item, within) for item in items]
    kept = _left(within, {value.label for _, value in turned}, "an unpivot beside")
    common = unify((value.type for _, value in turned), "unpivot")
    parts = []
    for label, value in turned:
        texts = [*(one.sql for one in kept), string(label), convert(value, common)]
        where = "" if pivot.args.get("include_nulls") else f" WHERE {value.sql} IS NOT NULL"
        parts.append(f"SELECT {_listed(texts)} FROM {_once(within)}{where}")
    heading = f'WITH "\x01u" AS MATERIALIZED (SELECT * FROM {origin})'
    columns = (*((one.label, one.type) for one in kept), (into, varchar(256)), (target, common))
    return f"{heading} {' UNION ALL '.join(parts)}", columns


def _unpivoted(pivot: Any) -> tuple[str, str, list[Any]]:
    """What the values and what their names are called, and the columns that are turned."""
    if len(pivot.expressions) != 1 or len(pivot.args["fields"]) != 1:
        raise refuse("an unpivot into several columns", "unpivot one by one")
    target, chosen = pivot.expressions[0], pivot.args["fields"][0]
    if target.key == "column":
        target = target.this
    into = chosen.this.this if chosen.this.key == "column" else chosen.this
    if target.key != "identifier" or into.key != "identifier":
        raise refuse("this form of UNPIVOT", "write unpivot (value for name in (a, b))")
    return name(target), name(into), chosen.expressions


def _labelled(item: Any, within: Scope) -> tuple[str, Value]:
    """A column of the IN list and the name under which its values stand."""
    label = ""
    if item.key == "pivotalias":
        label, item = _alias(item), item.this
    if item.key != "column" or item.args.get("table"):
        raise RedshiftError("0A000", "the IN list of UNPIVOT must hold columns only")
    value = within.column(name(item.this))
    return label or value.label, value


def _once(within: Scope) -> str:
    (source,) = within.sources
    return f'"\x01u" AS {quote(source.alias)}'


def _alias(item: Any) -> str:
    alias = item.args["alias"]
    return name(alias) if alias.key == "identifier" else str(alias.name)
