"""Calls: functions, aggregates and windows in the tree. What they mean: `functions`, `aggregates`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from local_redshift.compile import grouping
from local_redshift.compile.protocol import Compiler, ValueRule, only
from local_redshift.errors import RedshiftError, refuse
from local_redshift.functions import aggregates, texts, times
from local_redshift.functions import registry as functions
from local_redshift.functions.aggregates import Call, Over
from local_redshift.values.scope import Scope
from local_redshift.values.trailing_blanks import alike
from local_redshift.values.types import INTEGER, UNKNOWN, ordered
from local_redshift.values.value import Value, vary

_PARTS_FIRST = (
    "dateadd",
    "date_add",
    "datediff",
    "date_diff",
    "date_part",
    "datepart",
    "date_trunc",
)


def _called(compiler: Compiler, node: Any, scope: Scope) -> Value:
    """A call: GROUPING first, then aggregates, then the functions by name."""
    only(node, "this", "expressions")
    called = str(node.this).lower()
    if called in grouping.NAMES:
        return grouping.grouping(compiler, node, scope)
    if called == "approximate":
        return _approximate(compiler, node.expressions[0], scope)
    if called in aggregates.AGGREGATES:
        return aggregates.aggregate(call_of(compiler, node, scope), Over())
    if called in aggregates.WINDOWS:
        raise RedshiftError("42809", f"window function {called} needs an OVER clause")
    functions.known(called)
    given = _arguments(compiler, called, node, scope)
    return vary(lambda values: functions.call(called, values, compiler.context), given)


def _approximate(compiler: Compiler, node: Any, scope: Scope) -> Value:
    """The exact answer, which lies within what an estimate may be."""
    call = call_of(compiler, node, scope)
    if not (call.name == "percentile_disc" or (call.name == "count" and call.distinct)):
        raise refuse(f"approximate {call.name}", "leave approximate out")
    return aggregates.aggregate(replace(call, estimate=True), Over())


def _arguments(compiler: Compiler, called: str, node: Any, scope: Scope) -> list[Value]:
    given = list(node.expressions)
    values: list[Value] = []
    if called in _PARTS_FIRST and given and given[0].key in ("column", "var"):
        values.append(Value("", UNKNOWN, str(given.pop(0).name)))
    return values + [compiler.raw(item, scope) for item in given]


def _substring(compiler: Compiler, node: Any, scope: Scope) -> Value:
    only(node, "this", "start", "length")
    one = Value("CAST(1 AS INTEGER)", INTEGER, literal="1")
    given = [compiler.value(node.this, scope)]
    given.append(compiler.value(node.args["start"], scope) if node.args.get("start") else one)
    if node.args.get("length"):
        given.append(compiler.value(node.args["length"], scope))
    return replace(texts.substring(given), label="substring")


def _trim(compiler: Compiler, node: Any, scope: Scope) -> Value:
    only(node, "this", "position", "expression")
    side = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position")), "trim")
    given = [compiler.value(node.this, scope)]
    if node.args.get("expression"):
        given.append(compiler.value(node.expression, scope))
    return replace(texts.trim(side, given), label="btrim")


def _position(compiler: Compiler, node: Any, scope: Scope) -> Value:
    only(node, "this", "substr")
    given = [compiler.value(node.this, scope), compiler.value(node.args["substr"], scope)]
    return replace(functions.call("strpos", given, compiler.context), label="position")


def _extract(compiler: Compiler, node: Any, scope: Scope) -> Value:
    only(node, "this", "expression")
    return times.extract(str(node.name), compiler.value(node.expression, scope))


def call_of(compiler: Compiler, node: Any, scope: Scope) -> Call:
    """An aggregate's call with what stands around its arguments."""
    ignore, within = False, ""
    by: list[Value] = []
    if node.key == "withingroup":
        within, by = order_by(compiler, node.expression, scope)
        node = node.this
    if node.key in ("ignorenulls", "respectnulls"):
        ignore, node = node.key == "ignorenulls", node.this
    if node.key != "anonymous":
        raise refuse(f"{node.key} ({node.sql('redshift')[:80]})")
    given, distinct, star = list(node.expressions), False, False
    if given and given[0].key in ("ignorenulls", "respectnulls"):
        ignore, given[0] = given[0].key == "ignorenulls", given[0].this
    if given and given[0].key == "distinct":
        only(given[0], "expressions")
        distinct, given = True, [*given[0].expressions, *given[1:]]
    if given and given[0].key == "star":
        only(given[0])
        star, given = True, given[1:]
    values = [compiler.value(item, scope) for item in given]
    return Call(str(node.this).lower(), values, star, distinct, ignore, within, by)


def _within_group(compiler: Compiler, node: Any, scope: Scope) -> Value:
    call = call_of(compiler, node, scope)
    if call.name not in ("listagg", "percentile_cont", "percentile_disc"):
        raise refuse(f"within group of {call.name}")
    return aggregates.aggregate(call, Over())


def _window(compiler: Compiler, node: Any, scope: Scope) -> Value:
    only(node, "this", "partition_by", "order", "spec", "over")
    call = call_of(compiler, node.this, scope)
    if call.name not in aggregates.WINDOWS:
        raise refuse(f"the window function {call.name}")
    parts, by = [], node.args.get("partition_by") or []
    if by:
        word = "PARTITION BY"
        keys = [compiler.value(item, scope) for item in by]
        parts.append(f"{word} {', '.join(alike(key, word) for key in keys)}")
    order = node.args.get("order")
    if order is not None:
        parts.append(order_by(compiler, order, scope)[0])
    spec = node.args.get("spec")
    if spec is not None:
        parts.append(_frame(spec))
    over = Over(f" OVER ({' '.join(parts)})", order is not None, spec is not None)
    return aggregates.window(call, over)


def _frame(spec: Any) -> str:
    only(spec, "kind", "start", "start_side", "end", "end_side")
    if str(spec.args["kind"]).lower() != "rows":
        raise refuse(f"a {spec.args['kind']} frame", "use rows between … and …")
    sides = [_bound(spec, "start")]
    sides.append(_bound(spec, "end") if spec.args.get("end") else "CURRENT ROW")
    return f"ROWS BETWEEN {sides[0]} AND {sides[1]}"


def _bound(spec: Any, key: str) -> str:
    bound, side = spec.args[key], str(spec.args.get(f"{key}_side") or "")
    if not isinstance(bound, str) and str(bound.name).isdigit():
        return f"{bound.name} {side}"
    if str(bound).upper() in ("UNBOUNDED", "CURRENT ROW"):
        return f"{bound} {side}".strip()
    raise refuse(f"the frame bound {bound}", "give a literal number of rows")


def order_by(compiler: Compiler, node: Any, scope: Scope) -> tuple[str, list[Value]]:
    """ORDER BY over expressions: its text and what it orders by. NULL is the highest value."""
    parts, values = [], []
    for item in node.expressions:
        only(item, "this", "desc", "nulls_first")
        value = compiler.value(item.this, scope)
        ordered(value.type, "order by of")
        values.append(value)
        parts.append(value.sql + direction(item))
    return f"ORDER BY {', '.join(parts)}", values


def direction(item: Any) -> str:
    """DESC and the place of NULLs, written out."""
    nulls = "FIRST" if item.args.get("nulls_first") else "LAST"
    return f"{' DESC' if item.args.get('desc') else ''} NULLS {nulls}"


VALUES: dict[str, ValueRule] = {
    "anonymous": _called,
    "substring": _substring,
    "trim": _trim,
    "strposition": _position,
    "extract": _extract,
    "withingroup": _within_group,
    "window": _window,
}
