"""The functions there are, by name: typed arguments to DuckDB text. Aggregates: `aggregates`.

A function that is not in the table is refused by name; so is a use of it whose answer is uncertain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from local_redshift.errors import RedshiftError, raising, refuse
from local_redshift.functions import client_functions, formats, json_texts, texts, times
from local_redshift.read.dialect import DATABASE, string
from local_redshift.values import arithmetic
from local_redshift.values.arguments import (
    Arguments,
    Context,
    Rule,
    constant,
    number,
)
from local_redshift.values.casts import as_text, cast, convert
from local_redshift.values.subexpressions import bind, finite
from local_redshift.values.types import (
    BIGINT,
    DOUBLE,
    INTEGER,
    Type,
    ordered,
    unify,
    varchar,
)
from local_redshift.values.value import Value


def known(name: str) -> None:
    """Refuse a function that has no rule, by name."""
    if name not in RULES:
        raise refuse(
            f"the function {name}",
            "see docs/reference.md of local-redshift for those that have one",
        )


def call(name: str, arguments: Arguments, context: Context) -> Value:
    """The compiled call; RedshiftError where the arguments are not those of the function."""
    least, most, make = RULES[name]
    if not least <= len(arguments) <= most:
        raise RedshiftError("42883", f"function {name} does not take {len(arguments)} arguments")
    return replace(make(name, arguments, context), label=name)


# -- numbers ---------------------------------------------------------------------------------------


def _abs(name: str, given: Arguments, context: Context) -> Value:
    value = number(given[0], name)
    return Value(f"abs({value.sql})", value.type)


def _sign(name: str, given: Arguments, context: Context) -> Value:
    value = number(given[0], name)
    return Value(f"CAST(sign({value.sql}) AS {value.type.carrier})", value.type)


def _round(name: str, given: Arguments, context: Context) -> Value:
    value = number(given[0], name)
    digits = int(constant(given[1], name)) if len(given) == 2 else 0
    if value.type.is_integer and digits >= 0:
        return value
    if value.type.kind == "decimal" and name == "round":  # round(9.9) has a digit more
        value = _wider(value)
    if digits < 0 and value.type.is_exact:
        return _tens(name, value, -digits)
    if digits < 0 or digits > 15:
        raise refuse(f"{name} of {value.type} to {digits} places", "cast it to decimal(p,s)")
    rounded = f"{name}({value.sql}, {digits})" if digits else f"{name}({value.sql})"
    places = digits if value.type.kind in ("real", "double") else None
    return Value(f"CAST({rounded} AS {value.type.carrier})", _shown(value.type), places=places)


def _tens(name: str, value: Value, zeros: int) -> Value:
    """An exact number rounded, or cut, to so many zeros before the point; halves away from zero."""
    scale = value.type.scale if value.type.kind == "decimal" else 0
    if zeros + scale > 30:
        raise refuse(f"{name} to {-zeros} places", "divide and multiply instead")
    step = f"CAST({10 ** (zeros + scale)} AS HUGEINT)"
    half = f" + CAST({5 * 10 ** (zeros + scale - 1)} AS HUGEINT)" if name == "round" else ""

    def make(texts: Sequence[str]) -> str:
        return f"(sign({texts[0]}) * ((abs({texts[0]}){half}) // {step}) * {step})"

    units = bind([arithmetic.units(value, scale, 0)], make)
    return Value(arithmetic.placed(units, value.type), _shown(value.type))


def _wider(value: Value) -> Value:
    """A decimal with room for one more digit before the point."""
    type_ = replace(value.type, precision=min(value.type.precision + 1, 38))
    return Value(f"CAST({value.sql} AS {type_.carrier})", type_)


def _shown(type_: Type) -> Type:
    """The type of a rounded number. Of decimals, Amazon's examples show fewer places than went in."""
    return replace(type_, doubt="scale") if type_.kind == "decimal" else type_


def _trunc(name: str, given: Arguments, context: Context) -> Value:
    if given[0].type.kind in ("timestamp", "date") and len(given) == 1:
        return cast(given[0], Type("date"))
    return _round("trunc", given, context)


def _floor(name: str, given: Arguments, context: Context) -> Value:
    value = number(given[0], name)
    if value.type.is_integer:
        return value
    function = "floor" if name == "floor" else "ceil"
    if value.type.kind == "decimal":
        value = _wider(value)
    places = None if value.type.kind == "decimal" else 0
    sql = f"CAST({function}({value.sql}) AS {value.type.carrier})"
    return Value(sql, _shown(value.type), places=places)


def _mod(name: str, given: Arguments, context: Context) -> Value:
    return arithmetic.arithmetic("%", given[0], given[1])


def _float(name: str, given: Arguments, context: Context) -> Value:
    function = {
        "log": "log10",
        "power": "pow",
        "dexp": "exp",
        "dlog1": "ln",
        "dlog10": "log10",
    }.get(name, name)
    arguments = ", ".join(convert(number(value, name), DOUBLE) for value in given)
    sql = f"{function}({arguments})"
    if function == "pow":
        failing = raising(
            "0A000",
            "'the local Redshift has no rule for a negative number to a power that is not whole; "
            "use abs(…)'",
        )
        sql = bind([sql], lambda t: f"(CASE WHEN isnan({t[0]}) THEN {failing} ELSE {t[0]} END)")
    return Value(finite(sql), DOUBLE)


def _extreme(name: str, given: Arguments, context: Context) -> Value:
    common = unify((value.type for value in given), name)
    ordered(common, f"{name} of")
    if common.kind in ("varchar", "char"):
        raise refuse(f"{name} of texts", "use case: trailing blanks do not count")
    return Value(f"{name}({', '.join(convert(value, common) for value in given)})", common)


# -- choices ---------------------------------------------------------------------------------------


def _coalesce(name: str, given: Arguments, context: Context) -> Value:
    common = unify((value.type for value in given), name)
    return Value(f"coalesce({', '.join(convert(value, common) for value in given)})", common)


def _nvl2(name: str, given: Arguments, context: Context) -> Value:
    common = unify((value.type for value in given[1:]), name)
    yes, no = (convert(value, common) for value in given[1:])
    return Value(f"(CASE WHEN {given[0].sql} IS NOT NULL THEN {yes} ELSE {no} END)", common)


def _nullif(name: str, given: Arguments, context: Context) -> Value:
    value = as_text(given[0]) if given[0].type.kind == "unknown" else given[0]

    def make(texts: Sequence[str]) -> str:
        one, two = (replace(v, sql=sql) for v, sql in zip(given, texts, strict=True))
        same = arithmetic.comparison("=", one, two)
        return f"(CASE WHEN {same.sql} THEN NULL ELSE {one.sql} END)"

    return Value(bind([given[0].sql, given[1].sql], make), value.type)


def _decode(name: str, given: Arguments, context: Context) -> Value:
    subject, rest = given[0], given[1:]
    pairs = list(zip(rest[::2], rest[1::2], strict=False))
    default = [rest[-1]] if len(rest) % 2 else []
    common = unify([value.type for _, value in pairs] + [value.type for value in default], name)
    cases: list[str] = []
    for wanted, value in pairs:
        if wanted.type.kind == "unknown" and wanted.literal is None:
            test = f"{subject.sql} IS NULL"
        else:
            both_null = f"({subject.sql} IS NULL AND {wanted.sql} IS NULL)"
            test = arithmetic.comparison("=", subject, wanted).sql
            test = test if wanted.literal is not None else f"{test} OR {both_null}"
        cases.append(f"WHEN {test} THEN {convert(value, common)}")
    other = f" ELSE {convert(default[0], common)}" if default else ""
    return Value(f"(CASE {' '.join(cases)}{other} END)", common)


# -- the session -----------------------------------------------------------------------------------


def _session(name: str, given: Arguments, context: Context) -> Value:
    words = {
        "current_database": DATABASE,
        "current_schema": context.schema,
        "current_user": context.user,
    }.get(name)
    if words is not None:
        return Value(string(words), varchar(127))
    if name == "version":
        return Value(string("PostgreSQL 8.0.2, Redshift 1.0 (the local stand-in)"), varchar(256))
    number = {
        "pg_backend_pid": context.process_id,
        "pg_last_copy_count": context.last_copy_count,
        "pg_last_query_id": context.last_query_id,
        "pg_last_copy_id": context.last_copy_id,
    }[name]
    kind = BIGINT if name == "pg_last_copy_count" else INTEGER
    return Value(f"CAST({number} AS {kind.carrier})", kind)


def _random(name: str, given: Arguments, context: Context) -> Value:
    return Value("random()", DOUBLE)


def _pi(name: str, given: Arguments, context: Context) -> Value:
    return Value("pi()", DOUBLE)


_MANY = 1000
RULES: dict[str, tuple[int, int, Rule]] = {
    **client_functions.RULES,
    **texts.RULES,
    "abs": (1, 1, _abs),
    "sign": (1, 1, _sign),
    "round": (1, 2, _round),
    "trunc": (1, 2, _trunc),
    **dict.fromkeys(("ceil", "ceiling", "floor"), (1, 1, _floor)),
    "mod": (2, 2, _mod),
    **dict.fromkeys(("pow", "power"), (2, 2, _float)),
    **dict.fromkeys(
        (
            "sqrt",
            "exp",
            "dexp",
            "ln",
            "dlog1",
            "log",
            "dlog10",
            "sin",
            "cos",
            "tan",
            "asin",
            "acos",
            "atan",
            "degrees",
            "radians",
        ),
        (1, 1, _float),
    ),
    "atan2": (2, 2, _float),
    "random": (0, 0, _random),
    "pi": (0, 0, _pi),
    **dict.fromkeys(("greatest", "least"), (1, _MANY, _extreme)),
    **dict.fromkeys(("coalesce", "nvl", "isnull"), (1, _MANY, _coalesce)),
    "nvl2": (3, 3, _nvl2),
    "nullif": (2, 2, _nullif),
    "decode": (3, _MANY, _decode),
    **dict.fromkeys(
        (
            "current_user",
            "current_schema",
            "current_database",
            "version",
            "pg_backend_pid",
            "pg_last_copy_count",
            "pg_last_query_id",
            "pg_last_copy_id",
        ),
        (0, 0, _session),
    ),
    **times.RULES,
    **formats.RULES,
    **json_texts.RULES,
}
