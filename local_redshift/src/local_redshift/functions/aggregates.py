"""Aggregates and window functions: Redshift's result types, DuckDB's text. Plain functions: `functions`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from local_redshift.errors import RedshiftError, raising, refuse
from local_redshift.functions import percentiles
from local_redshift.read.dialect import string
from local_redshift.values import arithmetic
from local_redshift.values.casts import as_text, convert
from local_redshift.values.subexpressions import bind, finite
from local_redshift.values.trailing_blanks import alike
from local_redshift.values.types import (
    BIGINT,
    BOOLEAN,
    DOUBLE,
    INTEGER,
    MAX_VARCHAR,
    Type,
    certain,
    decimal,
    doubted,
    ordered,
    varchar,
)
from local_redshift.values.value import Value

_RANKS_TEXT = """
    row_number rank dense_rank percent_rank cume_dist ntile
"""
RANKS = frozenset(_RANKS_TEXT.split())
_NEIGHBOURS_TEXT = """
    lag lead first_value last_value nth_value
"""
NEIGHBOURS = frozenset(_NEIGHBOURS_TEXT.split())


@dataclass(frozen=True)
class Over:
    """The text of OVER (...), and what rules ask of it; `sql` is empty for a plain aggregate."""

    sql: str = ""
    ordered: bool = False
    framed: bool = False


@dataclass(frozen=True)
class Call:
    """One call: `within` is the text of WITHIN GROUP's order, `value` what it orders by."""

    name: str
    arguments: list[Value]
    star: bool = False
    distinct: bool = False
    ignore_nulls: bool = False
    within: str = ""
    ordered_by: list[Value] = field(default_factory=list)
    estimate: bool = False  # APPROXIMATE stands before it


def aggregate(call: Call, over: Over) -> Value:
    """The compiled call; RedshiftError where there is no rule for this use."""
    if over.sql and over.ordered and not over.framed:
        raise RedshiftError(
            "42601", "Aggregate window functions with an ORDER BY clause require a frame clause"
        )
    if over.sql and call.distinct:
        raise refuse(f"{call.name}(distinct …) over a window", "aggregate in a subquery first")
    _comparing(call)
    rule = _OF_CALLS.get(call.name)
    if rule is not None:
        return rule(call, over)
    if call.within or call.star:
        raise refuse(f"this use of {call.name}", "see docs/reference.md of local-redshift")
    return _OF_VALUES[call.name](_only(call), call, over)


def _comparing(call: Call) -> None:
    """Refuse to compare values whose order and equality are not those of their text."""
    if call.distinct or call.name in ("min", "max"):
        for value in call.arguments:
            ordered(value.type, f"{call.name}(distinct …) of" if call.distinct else call.name)


def _count(call: Call, over: Over) -> Value:
    inside = "*" if call.star else _distinct(call, _compared(call, _only(call)))
    return Value(f"count({inside}){over.sql}", BIGINT, "count")


def _continuous(call: Call, over: Over) -> Value:
    return percentiles.continuous(_by(call), _share(call), over.sql, call.name)


def _discrete(call: Call, over: Over) -> Value:
    if not over.sql and not call.estimate:
        raise refuse("percentile_disc without a window", "write approximate percentile_disc")
    return percentiles.discrete(_by(call), _share(call), over.sql, call.name)


def _extreme(value: Value, call: Call, over: Over) -> Value:
    """MIN and MAX."""
    if value.type.kind in ("boolean", "interval"):
        raise refuse(f"{call.name} of {value.type}", "use bool_or or bool_and")
    return _any_value(value, call, over)


def _any_value(value: Value, call: Call, over: Over) -> Value:
    value = as_text(value) if value.type.kind == "unknown" else value
    return Value(f"{call.name}({_distinct(call, value.sql)}){over.sql}", value.type, call.name)


def _bits(value: Value, call: Call, over: Over) -> Value:
    if not value.type.is_integer:
        raise refuse(f"{call.name} of {value.type}", "give an integer")
    return Value(f"{call.name}({_distinct(call, value.sql)}){over.sql}", value.type, call.name)


def _truth(value: Value, call: Call, over: Over) -> Value:
    """BOOL_AND and BOOL_OR."""
    if value.type.kind != "boolean":
        raise refuse(f"{call.name} of {value.type}", "give a boolean")
    return Value(f"{call.name}({value.sql}){over.sql}", BOOLEAN, call.name)


def _deviation(value: Value, call: Call, over: Over) -> Value:
    """STDDEV, VARIANCE and their kind, as floats."""
    function = {"stddev": "stddev_samp", "variance": "var_samp"}.get(call.name, call.name)
    number = convert(_number(value, call.name), DOUBLE)
    return Value(f"{function}({_distinct(call, number)}){over.sql}", DOUBLE, call.name)


def _only(call: Call) -> Value:
    if len(call.arguments) != 1:
        raise refuse(f"{call.name} of {len(call.arguments)} arguments", "give one")
    return call.arguments[0]


def _number(value: Value, name: str) -> Value:
    if not value.type.is_number:
        raise refuse(f"{name} of {value.type}", "cast the argument to a number")
    return value


def _compared(call: Call, value: Value) -> str:
    """The argument's text; where values are told apart, without blanks at its end."""
    return alike(value, f"{call.name}(distinct …)") if call.distinct else value.sql


def _distinct(call: Call, sql: str) -> str:
    return f"DISTINCT {sql}" if call.distinct else sql


def sum_type(type_: Type) -> Type:
    """What SUM gives."""
    if type_.kind in ("smallint", "integer"):
        return BIGINT
    if type_.kind == "bigint":  # Amazon's pages name BIGINT in one place, NUMERIC in another
        return Type("decimal", 38, 0, doubt="precision")
    return doubted(decimal(38, type_.scale), type_) if type_.is_exact else DOUBLE


def _sum(value: Value, call: Call, over: Over) -> Value:
    result = sum_type(_number(value, "sum").type)
    total = f"sum({_distinct(call, value.sql)}){over.sql}"
    if result == DOUBLE:
        return Value(finite(f"CAST({total} AS DOUBLE)"), result, "sum")
    return Value(f"CAST({total} AS {result.carrier})", result, "sum")


def _avg(value: Value, call: Call, over: Over) -> Value:
    _number(value, "avg")
    inside = _distinct(call, value.sql)
    total, count = f"sum({inside}){over.sql}", f"count({inside}){over.sql}"
    if value.type.is_integer:  # cut to a whole number, as Redshift does
        quotient = f"CAST(({total} // nullif({count}, 0)) AS BIGINT)"
        return Value(quotient, BIGINT, "avg")
    if value.type.kind == "decimal":
        certain(value.type, "avg of")
        result = decimal(38, value.type.scale)
        number = Value(f"nullif({count}, 0)", BIGINT)  # an empty group is NULL
        return replace(arithmetic.exact_quotient(Value(total, result), number, result), label="avg")
    return Value(finite(f"avg({convert_distinct(call, value)}){over.sql}"), DOUBLE, "avg")


def convert_distinct(call: Call, value: Value) -> str:
    """The argument as double, distinct where asked."""
    return _distinct(call, convert(value, DOUBLE))


def _listagg(call: Call, over: Over) -> Value:
    value = as_text(call.arguments[0])
    mark = as_text(call.arguments[1]).sql if len(call.arguments) == 2 else "''"
    if len(call.arguments) > 2 or (len(call.arguments) == 2 and call.arguments[1].literal is None):
        raise refuse("listagg with a computed delimiter", "give a literal")
    if call.distinct and call.within and [by.sql for by in call.ordered_by] != [value.sql]:
        raise refuse(
            "listagg(distinct …) ordered by something else", "order by the same expression"
        )
    joined = f"string_agg({_distinct(call, value.sql)}, {mark} {call.within}){over.sql}"
    if not call.within:
        joined = _of_one_value(joined, value.sql, over)
    failing = "error('RS54000:Result size exceeds LISTAGG limit')"
    sql = bind(
        [joined],
        lambda one: (
            f"(CASE WHEN strlen({one[0]}) > {MAX_VARCHAR} THEN {failing} ELSE {one[0]} END)"
        ),
    )
    return Value(sql, varchar(MAX_VARCHAR), "listagg")


def _of_one_value(joined: str, value: str, over: Over) -> str:
    """What is listed without an order: certain where all values are the same."""
    words = string(
        "the local Redshift has no rule for listagg of several values without an order; add within "
        "group (order by …)"
    )
    failing = f"CAST({raising('0A000', words)} AS VARCHAR)"
    least, most = (f"{name}({value}){over.sql}" for name in ("min", "max"))
    return f"(CASE WHEN {least} IS DISTINCT FROM {most} THEN {failing} ELSE {joined} END)"


def _by(call: Call) -> Value:
    """What a percentile is taken of."""
    if "DESC" in call.within:
        raise refuse(f"{call.name} in descending order", "give 1 - share")
    return call.ordered_by[0] if call.ordered_by else _only(call)


def _share(call: Call) -> str:
    """The share of a percentile: a literal between 0 and 1."""
    if call.name == "median":
        return "0.5"
    share = _only(call).literal
    if share is None or not re.fullmatch(r"[01]?(\.[0-9]{1,6})?", share) or float(share or 2) > 1:
        raise refuse(f"{call.name} of a computed share", "give a literal from 0 to 1")
    return share


_OF_CALLS: dict[str, Callable[[Call, Over], Value]] = {
    "count": _count,
    "listagg": _listagg,
    **dict.fromkeys(("median", "percentile_cont"), _continuous),
    "percentile_disc": _discrete,
}
"""Aggregates that read more of a call than one argument."""
_OF_VALUES: dict[str, Callable[[Value, Call, Over], Value]] = {
    "sum": _sum,
    "avg": _avg,
    **dict.fromkeys(("min", "max"), _extreme),
    "any_value": _any_value,
    **dict.fromkeys(("bit_and", "bit_or"), _bits),
    **dict.fromkeys(("bool_and", "bool_or"), _truth),
    **dict.fromkeys(
        ("stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop"), _deviation
    ),
}
"""Aggregates of one value."""
AGGREGATES = frozenset((*_OF_CALLS, *_OF_VALUES))
WINDOWS = AGGREGATES | RANKS | NEIGHBOURS | {"ratio_to_report"}


# -- windows ---------------------------------------------------------------------------------------


def window(call: Call, over: Over) -> Value:
    """A function that exists only over a window, or an aggregate over one."""
    name = call.name
    if name in AGGREGATES:
        return aggregate(call, over)
    if call.distinct or call.star or call.within:
        raise refuse(f"this use of {name}", "see docs/reference.md of local-redshift")
    if name in RANKS:
        return _rank(call, over)
    if name == "ratio_to_report":
        value = convert(_number(_only(call), name), DOUBLE)
        total = Value(f"sum({value}){over.sql}", DOUBLE)
        return Value(arithmetic.divided("/", value, total.sql, total), DOUBLE, name)
    if name in ("first_value", "last_value", "nth_value") and over.ordered and not over.framed:
        raise RedshiftError("42601", f"{name} with an ORDER BY clause requires a frame clause")
    return _neighbour(call, over)


def _rank(call: Call, over: Over) -> Value:
    name = call.name
    if over.framed:
        raise RedshiftError("42601", f"{name} takes no frame clause")
    if name == "ntile":
        groups = _only(call)
        if groups.literal is None or not groups.literal.isdigit() or groups.literal == "0":
            raise refuse("ntile of a computed number", "give a literal")
        return Value(f"ntile({groups.literal}){over.sql}", BIGINT, name)
    if call.arguments:
        raise RedshiftError("42883", f"function {name} takes no arguments")
    result = DOUBLE if name in ("percent_rank", "cume_dist") else BIGINT
    return Value(f"{name}(){over.sql}", result, name)


def _neighbour(call: Call, over: Over) -> Value:
    name, arguments = call.name, call.arguments
    if over.framed and name in ("lag", "lead"):
        raise RedshiftError("42601", f"{name} takes no frame clause")
    most = 1 if name in ("first_value", "last_value") else 2
    if not 1 <= len(arguments) <= most or (name == "nth_value" and len(arguments) != 2):
        raise RedshiftError("42883", f"function {name} does not take {len(arguments)} arguments")
    value = as_text(arguments[0]) if arguments[0].type.kind == "unknown" else arguments[0]
    inside = value.sql
    if len(arguments) == 2:
        step = arguments[1].literal
        if step is None or not step.isdigit() or arguments[1].type != INTEGER:
            raise refuse(f"{name} by a computed number of rows", "give a literal")
        inside += f", {step}"
    nulls = " IGNORE NULLS" if call.ignore_nulls else ""
    return Value(f"{name}({inside}{nulls}){over.sql}", value.type, name)
