"""Literals and clocks: nodes without operands, and what is written around them. Names: `references`."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

from local_redshift.compile.protocol import Compiler, ValueRule, only
from local_redshift.errors import RedshiftError, refuse
from local_redshift.functions import registry as functions
from local_redshift.functions import times
from local_redshift.read.dialect import string
from local_redshift.values.casts import cast
from local_redshift.values.client_details import OWNER
from local_redshift.values.scope import Scope
from local_redshift.values.types import (
    BIGINT,
    BOOLEAN,
    INTEGER,
    TIMESTAMPTZ,
    UNKNOWN,
    Type,
    decimal,
)
from local_redshift.values.value import Value

_MOST_DIGITS, _FLOAT_DIGITS, _EXACT_POWER = 38, 15, 22


def _literal(compiler: Compiler, node: Any, scope: Scope) -> Value:
    text = str(node.this)
    if node.args.get("is_string"):
        if "\0" in text:
            raise RedshiftError("22021", "a text cannot hold the character 0")
        length = max(len(text.encode("utf-8")), 1)
        return Value(string(text), Type("unknown", length=length), literal=text)
    if text.isdigit():
        number = int(text)
        type_ = INTEGER if number < 2**31 else BIGINT if number < 2**63 else decimal(38, 0)
        return Value(f"CAST({text} AS {type_.carrier})", type_, literal=text)
    whole, _, places = text.partition(".")
    if not (whole + places).isdigit():
        return _scientific(text, node)
    scale = len(places)
    type_ = decimal(max(len(whole.lstrip("0")) + scale, 1), scale)
    return Value(f"CAST('{text}' AS {type_.carrier})", type_, literal=text)


_EXPONENT = re.compile(r"[0-9]*\.?[0-9]*[eE][+-]?[0-9]{1,3}")
_BESIDE = ("eq", "neq", "lt", "lte", "gt", "gte", "between", "cast", "add", "sub", "mul", "div")


def _scientific(text: str, node: Any) -> Value:
    """A number with an exponent, where it is one whether Redshift takes it for a decimal or a float."""
    above = node.parent
    while above is not None and above.key in ("paren", "neg"):
        above = above.parent
    number = Decimal(text) if _EXPONENT.fullmatch(text) else None
    if number is not None and above is not None and above.key in _BESIDE:
        _, digits, exponent = number.as_tuple()
        scale = max(-int(exponent), 0)
        precision = max(len(digits) + max(int(exponent), 0), scale + 1)
        # Half of a place is rounded by the one, and who knows how by the other.
        cut = above.key == "cast" and str(above.to.this.name) not in ("FLOAT", "DOUBLE") and scale
        fits = precision <= _MOST_DIGITS and scale <= _EXACT_POWER
        if fits and len(digits) <= _FLOAT_DIGITS and not cut:
            type_ = replace(decimal(precision, scale), doubt="exponent")
            return Value(f"CAST('{number:f}' AS {type_.carrier})", type_, literal=f"{number:f}")
    raise refuse(f"the number {text}", "write it without an exponent, or as '…'::float8")


def _null(compiler: Compiler, node: Any, scope: Scope) -> Value:
    return Value("NULL", UNKNOWN)


def _boolean(compiler: Compiler, node: Any, scope: Scope) -> Value:
    return Value("true" if node.this else "false", BOOLEAN, "bool")


def _bracketed(compiler: Compiler, node: Any, scope: Scope) -> Value:
    value = compiler.raw(node.this, scope)
    return value if value.literal is not None else replace(value, sql=f"({value.sql})")


def _current_date(compiler: Compiler, node: Any, scope: Scope) -> Value:
    only(node)
    return times.today(compiler.context.now)


def _sysdate(compiler: Compiler, node: Any, scope: Scope) -> Value:
    if not node.args.get("sysdate"):
        return _leader_clock(compiler, node, scope, "timestamptz")
    return replace(times.fixed(compiler.context.began, True), label="timestamp")


def _leader_clock(compiler: Compiler, node: Any, scope: Scope, label: str) -> Value:
    """CURRENT_TIMESTAMP, which runs on the leader node: alone in a query that reads no table."""
    above = node.parent
    if above is not None and above.key == "alias":
        above = above.parent
    began = compiler.context.began
    if above is None or above.key != "select" or above.parent or scope.sources or began is None:
        raise refuse(
            "current_timestamp beside tables or in an expression", "use getdate() or sysdate"
        )
    moment = cast(times.fixed(began, True), TIMESTAMPTZ)
    return replace(moment, type=replace(TIMESTAMPTZ, doubt="leader"), label=label)


def _current_user(compiler: Compiler, node: Any, scope: Scope) -> Value:
    return functions.call("current_user", [], compiler.context)


def _current_schema(compiler: Compiler, node: Any, scope: Scope) -> Value:
    return functions.call("current_schema", [], compiler.context)


def _current_user_id(compiler: Compiler, node: Any, scope: Scope) -> Value:
    only(node)
    return Value(f"CAST({OWNER} AS INTEGER)", INTEGER, "current_user_id")


def _session_user(compiler: Compiler, node: Any, scope: Scope) -> Value:
    only(node)
    return replace(functions.call("current_user", [], compiler.context), label="session_user")


def _interval(compiler: Compiler, node: Any, scope: Scope) -> Value:
    only(node, "this", "unit", "fraction_in_string")
    unit = node.args.get("unit")
    if node.this.key != "literal":
        raise refuse(f"the interval {node.sql('redshift')}", "write it as '3 days'")
    return times.interval(f"{node.this.name} {unit.name if unit else ''}")


def _at_time_zone(compiler: Compiler, node: Any, scope: Scope) -> Value:
    only(node, "this", "zone")
    return times.at_zone(compiler.value(node.this, scope), compiler.value(node.args["zone"], scope))


VALUES: dict[str, ValueRule] = {
    "literal": _literal,
    "null": _null,
    "boolean": _boolean,
    "paren": _bracketed,
    "currentdate": _current_date,
    "currenttimestamp": _sysdate,
    "currentuser": _current_user,
    "currentschema": _current_schema,
    "currentuserid": _current_user_id,
    "sessionuser": _session_user,
    "interval": _interval,
    "attimezone": _at_time_zone,
}
