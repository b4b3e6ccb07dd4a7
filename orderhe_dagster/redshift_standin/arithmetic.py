"""Operators: arithmetic, comparison, concatenation, by Redshift's rules of types."""

from __future__ import annotations

from collections.abc import Callable

from orderhe_dagster.redshift_standin.casts import Value, as_text, cast, comparable, convert
from orderhe_dagster.redshift_standin.errors import raising, refuse
from orderhe_dagster.redshift_standin.types import (
    BIGINT,
    BOOLEAN,
    DOUBLE,
    INTEGER,
    INTEGERS,
    INTERVAL,
    TIMESTAMP,
    Type,
    as_decimal,
    decimal,
    unify,
    varchar,
)


def divisor(value: Value) -> Callable[[str], str]:
    """Wraps a quotient so that a divisor of zero is Redshift's error, not NULL or infinity."""
    if value.literal is not None and value.literal.strip("0.") != "":
        return lambda quotient: f"({quotient})"
    failing = raising("22012", "'division by zero'")
    return lambda quotient: f"(CASE WHEN {value.sql} = 0 THEN {failing} ELSE {quotient} END)"


def arithmetic(sign: str, left: Value, right: Value) -> Value:
    """`left sign right`, for + - * / and %."""
    left, right = _typed(sign, left, right)
    one, two = left.type, right.type
    if not (one.is_number and two.is_number):
        return _times(sign, left, right)
    if one.is_integer and two.is_integer:
        wider = one if INTEGERS[one.kind] >= INTEGERS[two.kind] else two
        a, b = convert(left, wider), convert(right, wider)
        if sign in "/%":
            return Value(divisor(right)(f"{a} {'//' if sign == '/' else '%'} {b}"), wider)
        return Value(f"({a} {sign} {b})", wider)
    if one.is_exact and two.is_exact:
        return _decimals(sign, left, right)
    if sign == "%":
        raise refuse("% of floating point numbers", "cast both sides to an integer type")
    a, b = convert(left, DOUBLE), convert(right, DOUBLE)
    if sign == "/":
        return Value(divisor(right)(f"{a} / {b}"), DOUBLE)
    return Value(f"({a} {sign} {b})", DOUBLE)


def _typed(sign: str, left: Value, right: Value) -> tuple[Value, Value]:
    """A bare literal beside a number is read as that number's type."""
    if left.type.kind == "unknown" and right.type.is_number:
        return cast(left, right.type), right
    if right.type.kind == "unknown" and left.type.is_number:
        return left, cast(right, left.type)
    if "unknown" in (left.type.kind, right.type.kind):
        raise refuse(
            f"{left.type} {sign} {right.type}", "cast the literal: its type decides the result's"
        )
    return left, right


def _decimals(sign: str, left: Value, right: Value) -> Value:
    one, two = as_decimal(left.type), as_decimal(right.type)
    if sign == "%":
        raise refuse("% of decimals", "cast both sides to an integer type")
    if sign == "/":
        return quotient(left, right, None)
    if sign == "*":
        scale, precision = one.scale + two.scale, one.precision + two.precision + 1
    else:
        scale = max(one.scale, two.scale)
        precision = max(one.precision - one.scale, two.precision - two.scale) + 1 + scale
    if precision > 38:
        # A product keeps its scale; what a sum with more than 4 places does is not documented.
        if scale > (38 if sign == "*" else 4):
            raise refuse(
                f"{one} {sign} {two} (more than 38 digits)", "cast the operands to fewer digits"
            )
        precision = 38
    result = decimal(precision, scale)
    wide = f"CAST({left.sql} AS DECIMAL(38,{one.scale}))"
    other = convert(right, two)
    return Value(f"CAST(({wide} {sign} {other}) AS {result.carrier})", result)


def quotient(left: Value, right: Value, digits: int | None) -> Value:
    """The quotient of decimals; `digits`: it is at once rounded to so many places.

    Whether Redshift rounds or cuts the last digit is not documented. So a quotient that comes out
    even is given, one that is rounded is given when both ways agree, and any other fails.
    """
    one, two = as_decimal(left.type), as_decimal(right.type)
    scale = max(4, one.scale + two.precision - two.scale + 1)
    precision = one.precision - one.scale + two.scale + scale
    if precision > 38:
        scale, precision = max(38 + scale - precision, 4), 38
    return even_quotient(left, right, scale, decimal(precision, scale), digits)


def even_quotient(left: Value, right: Value, scale: int, result: Type, digits: int | None) -> Value:
    """`left / right` at `scale`, computed in whole numbers of the last place."""
    one, two = as_decimal(left.type), as_decimal(right.type)
    numerator = _units(left, one.scale, scale + two.scale - one.scale)
    denominator = _units(right, two.scale, 0)
    cut = f"({numerator} // {denominator})"
    rest = f"({numerator} % {denominator})"
    failing = raising(
        "0A000",
        f"'the local Redshift cannot tell the last digit of {one} / {two}: "
        "Amazon Redshift does not document whether it is rounded or cut; "
        "cast one side to float8, or round() the quotient to fewer places'",
    )
    guard = divisor(right)
    if digits is None:
        even = f"CASE WHEN {rest} = 0 THEN {_placed(cut, scale, result)} "
        even += f"WHEN {left.sql} IS NULL OR {right.sql} IS NULL THEN NULL ELSE {failing} END"
        return Value(guard(f"({even})"), result)
    away = (
        f"({cut} + (CASE WHEN abs({rest}) * 2 >= abs({denominator}) "
        f"THEN sign({numerator}) * sign({denominator}) ELSE 0 END))"
    )
    low = f"round({_placed(cut, scale, result)}, {digits})"
    high = f"round({_placed(away, scale, result)}, {digits})"
    same = f"CASE WHEN {low} = {high} THEN CAST({low} AS {result.carrier}) "
    same += f"WHEN {left.sql} IS NULL OR {right.sql} IS NULL THEN NULL ELSE {failing} END"
    return Value(guard(f"({same})"), result)


def _units(value: Value, scale: int, shift: int) -> str:
    """`value` in units of its last place, as a whole number, times ten to the `shift`."""
    digits = f"CAST({value.sql} AS DECIMAL(38,{scale})) * CAST({10**scale} AS DECIMAL(38,0))"
    return f"(CAST({digits} AS HUGEINT) * CAST({10**shift} AS HUGEINT))"


def _placed(units: str, scale: int, result: Type) -> str:
    """Units of the last place as a decimal again."""
    places = f"0.{'0' * (scale - 1)}1" if scale else "1"
    unit = f"CAST('{places}' AS DECIMAL({scale + 1},{scale}))"
    return f"CAST(CAST({units} AS DECIMAL(38,0)) * {unit} AS {result.carrier})"


def _times(sign: str, left: Value, right: Value) -> Value:
    one, two = left.type.kind, right.type.kind
    if sign in "+-" and one == "date" and right.type.is_integer:
        return Value(f"({left.sql} {sign} CAST({right.sql} AS INTEGER))", left.type)
    if sign == "-" and one == two == "date":
        return Value(f"CAST(({left.sql} - {right.sql}) AS BIGINT)", BIGINT)
    if sign in "+-" and one in ("date", "timestamp") and two == "interval":
        return Value(f"({convert(left, TIMESTAMP)} {sign} {right.sql})", TIMESTAMP)
    if sign == "+" and one == "interval" and two in ("date", "timestamp"):
        return _times(sign, right, left)
    if sign == "*" and {one, two} == {"interval", "integer"}:
        return Value(f"({left.sql} * {right.sql})", INTERVAL)
    raise refuse(f"{left.type} {sign} {right.type}", "use dateadd, datediff or a cast")


def comparison(sign: str, left: Value, right: Value) -> Value:
    """`left sign right`, for = <> < <= > >=."""
    common = unify((left.type, right.type), f"the comparison {sign}")
    return Value(f"({comparable(left, common)} {sign} {comparable(right, common)})", BOOLEAN)


def negative(value: Value) -> Value:
    """`-value`."""
    if not value.type.is_number:
        raise refuse(f"- {value.type}", "cast to a number first")
    literal = f"-{value.literal}" if value.literal is not None else None
    return Value(f"(- {value.sql})", value.type, literal=literal)


def joined(left: Value, right: Value) -> Value:
    """`left || right`: NULL when either is."""
    one, two = as_text(left), as_text(right)
    return Value(f"({one.sql} || {two.sql})", varchar(one.type.length + two.type.length))


def bitwise(sign: str, left: Value, right: Value) -> Value:
    """`left sign right`, for & and | of integers."""
    common = unify((left.type, right.type), f"the operator {sign}")
    if not common.is_integer:
        raise refuse(f"{left.type} {sign} {right.type}", "cast both sides to an integer type")
    return Value(f"({convert(left, common)} {sign} {convert(right, common)})", common)


__all__ = [
    "INTEGER",
    "arithmetic",
    "bitwise",
    "comparison",
    "divisor",
    "even_quotient",
    "joined",
    "negative",
    "quotient",
]
