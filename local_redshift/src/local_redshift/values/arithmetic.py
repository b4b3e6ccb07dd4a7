"""Operators: arithmetic, comparison, concatenation, by Redshift's rules of types."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from local_redshift.errors import RedshiftError, raising, refuse
from local_redshift.read.dialect import string
from local_redshift.values.casts import as_text, cast, comparable, compared, convert
from local_redshift.values.subexpressions import balanced, bind, finite
from local_redshift.values.types import (
    BOOLEAN,
    DOUBLE,
    INTEGER,
    INTEGERS,
    INTERVAL,
    MAX_VARCHAR,
    REAL,
    TIMESTAMP,
    Type,
    as_decimal,
    certain,
    decimal,
    doubted,
    unify,
    varchar,
)
from local_redshift.values.value import Value, settle, vary

_TOO_LONG = string(
    f"the local Redshift has no rule for a text of more than {MAX_VARCHAR} bytes, the longest there "
    "is; shorten what it is made of"
)
_CHAIN, _SHORT = 4, 300  # texts that are joined, characters of each
_FOLDED = "+-*"
_DEEP = 24  # operators of a chain that stand inside one another
TOO_LONG = f"CAST({raising('0A000', _TOO_LONG)} AS VARCHAR)"


def divided(sign: str, left: str, right: str, by: Value) -> str:
    """`left sign right`; a divisor of zero is Redshift's error, not NULL or infinity."""
    if by.literal is not None and by.literal.strip("0.") != "":
        return f"({left} {sign} {right})"
    failing = raising("22012", "'division by zero'")
    return bind(
        [left, right],
        lambda t: f"(CASE WHEN {t[1]} = 0 THEN {failing} ELSE {t[0]} {sign} {t[1]} END)",
    )


def arithmetic(sign: str, left: Value, right: Value) -> Value:
    """`left sign right`, for + - * / and %."""
    left, right = _typed(sign, left, right)
    one, two = left.type, right.type
    if not (one.is_number and two.is_number):
        return _times(sign, left, right)
    if one.is_exact and two.is_exact and "exponent" in (one.doubt, two.doubt):
        raise refuse(
            f"{one} {sign} {two}, one of them written with an exponent",
            "cast it: whether it is a float is not documented",
        )
    if one.is_integer and two.is_integer:
        wider = one if INTEGERS[one.kind] >= INTEGERS[two.kind] else two
        a, b = convert(left, wider), convert(right, wider)
        if sign in "/%":
            return Value(divided("//" if sign == "/" else "%", a, b, right), wider)
        return Value(f"({a} {sign} {b})", wider)
    if one.is_exact and two.is_exact:
        return _decimals(sign, left, right)
    if sign == "%":
        raise refuse("% of floating point numbers", "cast both sides to an integer type")
    result = REAL if one.kind == two.kind == "real" else DOUBLE
    a, b = convert(left, result), convert(right, result)
    computed = divided("/", a, b, right) if sign == "/" else f"({a} {sign} {b})"
    return Value(finite(computed), result)


def chained(first: Value, others: Sequence[tuple[str, Value]]) -> Value:
    """`first sign other sign other …`, one after the other, as they are written: each may overflow.

    Of a long one, what leaves the type as it is is folded over a list: DuckDB takes time that grows with
    the cube of the depth of an expression, and reads none of a thousand.
    """
    value, place = first, 0
    while place < len(others):
        run = _steady(value.type, others[place:]) if place >= _DEEP else []
        if len(run) > _DEEP:
            value, place = _folded(settle(value), run), place + len(run)
            continue
        sign, other = others[place]
        value = _combined(sign, value, other)
        place += 1
    return value


def _combined(sign: str, left: Value, right: Value) -> Value:
    return vary(lambda sides: arithmetic(sign, *sides), [left, right])


def _steady(type_: Type, others: Sequence[tuple[str, Value]]) -> list[tuple[str, Value]]:
    """Of what follows a value of this type, the operands that leave it as it is, their digits certain."""
    known: dict[tuple[str, str], bool] = {}

    def steady(one: tuple[str, Value]) -> bool:
        sign, value = one
        if sign not in _FOLDED or value.others or not (type_.is_number and value.type.is_number):
            return False
        key = (sign, repr(value.type))
        if key not in known:
            known[key] = _stays(sign, type_, value.type)
        return known[key]

    return [*takewhile(steady, others)]


def _stays(sign: str, type_: Type, other: Type) -> bool:
    """Whether the result has the type of the left side, and of the right one cast to it as well."""
    one = Value("_a", type_)
    try:
        results = [arithmetic(sign, one, Value("_b", right)) for right in (other, type_)]
    except (
        RedshiftError
    ):  # of types that do not go together: told where they are computed by themselves
        return False
    return all(result.type == type_ and not result.others for result in results)


def _folded(first: Value, others: Sequence[tuple[str, Value]]) -> Value:
    """A chain of operands that leave the type as it is, folded over a list."""
    type_ = first.type
    signs = sorted({sign for sign, _ in others})
    texts = [f"CAST({value.sql} AS {type_.carrier})" for _, value in others]
    if len(signs) == 1:
        step = arithmetic(signs[0], Value("_a", type_), Value("_b", type_)).sql
        listed = ", ".join([first.sql, *texts])
        return Value(f"list_reduce([{listed}], lambda _a, _b: {step})", type_)
    one, two = Value("_a.v", type_), Value("_b.v", type_)
    arms = " ".join(f"WHEN '{sign}' THEN {arithmetic(sign, one, two).sql}" for sign in signs)
    pairs = [
        ("", first.sql),
        *((sign, text) for (sign, _), text in zip(others, texts, strict=True)),
    ]
    listed = ", ".join(f"{{'s': '{sign}', 'v': {text}}}" for sign, text in pairs)
    step = f"{{'s': '', 'v': CASE _b.s {arms} END}}"
    return Value(f"list_reduce([{listed}], lambda _a, _b: {step}).v", type_)


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
        for type_ in (left.type, right.type):
            certain(type_, "a quotient with")
        return quotient(left, right)
    if sign == "*":
        scale, precision = one.scale + two.scale, one.precision + two.precision + 1
    else:
        scale = max(one.scale, two.scale)
        precision = max(one.precision - one.scale, two.precision - two.scale) + 1 + scale
    if precision > 38:
        # A product keeps its scale; what a sum with more than 4 places does is not documented.
        if sign != "*" and 4 < scale < 38:
            return _either_way(sign, left, right, max(38 + scale - precision, 4))
        if scale > 38:
            raise refuse(
                f"{one} {sign} {two} (more than 38 digits)", "cast the operands to fewer digits"
            )
        precision = 38
    result = doubted(decimal(precision, scale), left.type, right.type)
    wide = f"CAST({left.sql} AS DECIMAL(38,{one.scale}))"
    other = convert(right, two)
    return Value(f"CAST(({wide} {sign} {other}) AS {result.carrier})", result)


_PLACES = string(
    "the local Redshift has no rule for a sum of decimals that needs more than 38 digits: whether it "
    "keeps its places is not documented; cast the operands to fewer digits"
)


def _either_way(sign: str, left: Value, right: Value, fewer: int) -> Value:
    """A sum beyond 38 digits where it needs no more, and no more places than the `fewer` of a quotient."""
    scales = [as_decimal(value.type).scale for value in (left, right)]
    places = max(scales)
    room = f"CAST({10 ** (37 - places)} AS DECIMAL(38,0))"
    failing = f"CAST({raising('0A000', _PLACES)} AS DECIMAL(38,{places}))"
    sides = [
        f"CAST({value.sql} AS DECIMAL(38,{scale}))"
        for value, scale in zip((left, right), scales, strict=True)
    ]

    def added(texts: Sequence[str]) -> str:
        fits = " AND ".join(f"abs(trunc({text})) < {room}" for text in texts)
        total = f" {sign} ".join(f"CAST({text} AS DECIMAL(38,{places}))" for text in texts)
        open_ = " OR ".join(f"{text} IS NULL" for text in texts)
        return f"(CASE WHEN {open_} THEN NULL WHEN {fits} THEN {total} ELSE {failing} END)"

    def certain_of(texts: Sequence[str]) -> str:
        (one,) = texts
        kept = f"CAST(round({one}, {fewer}) AS DECIMAL(38,{places})) = {one}"
        return f"(CASE WHEN {one} IS NULL OR {kept} THEN {one} ELSE {failing} END)"

    type_ = replace(decimal(38, places), doubt="scale")
    sql = bind([bind(sides, added)], certain_of)
    return Value(f"CAST({sql} AS {type_.carrier})", type_)


def quotient(left: Value, right: Value) -> Value:
    """The quotient of decimals, by the documented rules of scale."""
    one, two = as_decimal(left.type), as_decimal(right.type)
    scale = max(4, one.scale + two.precision - two.scale + 1)
    precision = one.precision - one.scale + two.scale + scale
    if precision > 38:
        scale, precision = max(38 + scale - precision, 4), 38
    return exact_quotient(left, right, decimal(precision, scale))


def exact_quotient(left: Value, right: Value, result: Type) -> Value:
    """`left / right` in whole numbers of the last place of `result`: cut, and as the other rounded."""
    one, two = as_decimal(left.type), as_decimal(right.type)
    shift = result.scale + two.scale - one.scale
    numerator = units(left, one.scale, max(shift, 0))
    denominator = units(right, two.scale, max(-shift, 0))
    cut = placed(divided("//", numerator, denominator, right), result)

    def rounded(texts: Sequence[str]) -> str:
        one, two = texts
        up = f"abs({one} % {two}) * 2 >= abs({two})"
        return f"(({one} // {two}) + (CASE WHEN {up} THEN sign({one}) * sign({two}) ELSE 0 END))"

    away = placed(bind([numerator, denominator], rounded), result)
    return Value(cut, result, others=(away,), operands=(left.sql, right.sql))


def units(value: Value, scale: int, shift: int) -> str:
    """`value` in units of its last place, as a whole number, times ten to the `shift`."""
    digits = f"CAST({value.sql} AS DECIMAL(38,{scale})) * CAST({10**scale} AS DECIMAL(38,0))"
    return f"(CAST({digits} AS HUGEINT) * CAST({10**shift} AS HUGEINT))"


def placed(units: str, result: Type) -> str:
    """Units of the last place as a decimal again."""
    scale = result.scale
    places = f"0.{'0' * (scale - 1)}1" if scale else "1"
    unit = f"CAST('{places}' AS DECIMAL({scale + 1},{scale}))"
    return f"CAST(CAST({units} AS DECIMAL(38,0)) * {unit} AS {result.carrier})"


def _times(sign: str, left: Value, right: Value) -> Value:
    one, two = left.type.kind, right.type.kind
    if sign in "+-" and one == "date" and right.type.is_integer:
        return Value(f"({left.sql} {sign} CAST({right.sql} AS INTEGER))", left.type)
    if sign == "-" and one == two == "date":
        return Value(f"CAST(({left.sql} - {right.sql}) AS INTEGER)", INTEGER)
    if sign == "+" and {one, two} == {"date", "time"}:
        return Value(f"({left.sql} + {right.sql})", TIMESTAMP)
    if sign in "+-" and one in ("date", "timestamp") and two == "interval":
        return Value(f"({convert(left, TIMESTAMP)} {sign} {right.sql})", TIMESTAMP)
    if sign == "+" and one == "interval" and two in ("date", "timestamp"):
        return _times(sign, right, left)
    if sign == "*" and (one == "interval" or two == "interval"):
        count, span = (right, left) if one == "interval" else (left, right)
        if count.type.is_integer:
            return Value(f"(CAST({count.sql} AS BIGINT) * {span.sql})", INTERVAL)
    raise refuse(f"{left.type} {sign} {right.type}", "use dateadd, datediff or a cast")


def comparison(sign: str, left: Value, right: Value) -> Value:
    """`left sign right`, for = <> < <= > >=."""
    if beyond(left.type, right.type):
        return Value(_in_parts(sign, left, right), BOOLEAN)
    common = compared((left.type, right.type), f"the comparison {sign}")
    return Value(f"({comparable(left, common)} {sign} {comparable(right, common)})", BOOLEAN)


def beyond(one: Type, two: Type) -> bool:
    """Whether two exact numbers have no decimal of 38 digits that holds both."""
    if not (one.is_exact and two.is_exact):
        return False
    left, right = as_decimal(one), as_decimal(two)
    digits = max(left.precision - left.scale, right.precision - right.scale)
    return digits + max(left.scale, right.scale) > 38


def _in_parts(sign: str, left: Value, right: Value) -> str:
    """A comparison of decimals by what stands before the point, then by what stands behind it."""
    sides = [f"CAST({v.sql} AS DECIMAL(38,{as_decimal(v.type).scale}))" for v in (left, right)]
    places = max(as_decimal(v.type).scale for v in (left, right))
    strict = sign.rstrip("=") if sign in ("<=", ">=") else sign

    def make(texts: Sequence[str]) -> str:
        whole = [f"CAST(trunc({text}) AS DECIMAL(38,0))" for text in texts]
        rest = [
            f"CAST(({text} - {floor}) AS DECIMAL(38,{places}))"
            for text, floor in zip(texts, whole, strict=True)
        ]
        same = f"({whole[0]} = {whole[1]} AND {rest[0]} = {rest[1]})"
        if sign in ("=", "<>"):
            return same if sign == "=" else f"(NOT {same})"
        return (
            f"({whole[0]} {strict} {whole[1]} OR "
            f"({whole[0]} = {whole[1]} AND {rest[0]} {sign} {rest[1]}))"
        )

    return bind(sides, make)


def negative(value: Value) -> Value:
    """`-value`."""
    if not value.type.is_number:
        raise refuse(f"- {value.type}", "cast to a number first")
    literal = f"-{value.literal}" if value.literal is not None else None
    return Value(f"(- {value.sql})", value.type, literal=literal)


def joined(*values: Value) -> Value:
    """`a || b || …`: NULL when one of them is."""
    parts = [as_text(value) for value in values]
    length = sum(part.type.length for part in parts)
    if any(value.sql == "NULL" for value in values):  # DuckDB would type it as a number
        return Value("CAST(NULL AS VARCHAR)", varchar(length))
    computed = [part.sql for part in parts if part.literal is None]
    if len(computed) < _CHAIN or any(map(_stands_once, computed)):
        return grown(f"({balanced('||', [part.sql for part in parts])})", length)
    # || would copy the text anew for each part; concat takes them all, but passes over NULLs.
    lengths = balanced("+", [f"strlen({text})" for text in computed])
    whole = f"concat({', '.join(part.sql for part in parts)})"
    return grown(f"(CASE WHEN ({lengths}) IS NULL THEN NULL ELSE {whole} END)", length)


def _stands_once(sql: str) -> bool:
    """Whether a text may not be written twice: it is long, or would be computed twice."""
    return len(sql) > _SHORT or re.search(r"\b(SELECT|OVER|random)\b", sql) is not None


def grown(sql: str, length: int) -> Value:
    """A text of up to `length` bytes; where that is more than there is, longer ones are an error."""
    if length > MAX_VARCHAR:
        sql = bind(
            [sql],
            lambda t: f"(CASE WHEN strlen({t[0]}) > {MAX_VARCHAR} THEN {TOO_LONG} ELSE {t[0]} END)",
        )
    return Value(sql, varchar(length))


def bitwise(sign: str, left: Value, right: Value) -> Value:
    """`left sign right`, for & and | of integers."""
    common = unify((left.type, right.type), f"the operator {sign}")
    if not common.is_integer:
        raise refuse(f"{left.type} {sign} {right.type}", "cast both sides to an integer type")
    return Value(f"({convert(left, common)} {sign} {convert(right, common)})", common)
