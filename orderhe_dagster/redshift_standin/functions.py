"""The functions there are, by name: typed arguments to DuckDB text. Aggregates: `aggregates`.

A function that is not in the table is refused by name; so is a use of it whose answer is uncertain.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from orderhe_dagster.redshift_standin import arithmetic, times
from orderhe_dagster.redshift_standin.casts import Value, as_text, cast, convert
from orderhe_dagster.redshift_standin.dialect import string
from orderhe_dagster.redshift_standin.errors import RedshiftError, raising, refuse
from orderhe_dagster.redshift_standin.types import (
    BIGINT,
    DOUBLE,
    INTEGER,
    MAX_VARCHAR,
    Type,
    unify,
    varchar,
)


@dataclass(frozen=True)
class Moment:
    """What functions know of the session: None means "not fixed yet", as inside a view."""

    now: datetime | None = None  # UTC, start of the statement
    began: datetime | None = None  # UTC, start of the transaction
    user: str = "admin"
    schema: str = "public"
    process_id: int = 0
    last_copy_count: int = 0


Arguments = list[Value]
Rule = Callable[[str, Arguments, Moment], Value]


def known(name: str) -> None:
    """Refuse a function that has no rule, by name."""
    if name not in RULES:
        raise refuse(f"the function {name}", "see docs/standin.md for those that have one")


def call(name: str, arguments: Arguments, moment: Moment) -> Value:
    """The translated call; RedshiftError where the arguments are not those of the function."""
    least, most, make = RULES[name]
    if not least <= len(arguments) <= most:
        raise RedshiftError("42883", f"function {name} does not take {len(arguments)} arguments")
    return replace(make(name, arguments, moment), label=name)


def text(value: Value, name: str) -> Value:
    """An argument that must be text."""
    if value.type.kind not in ("varchar", "unknown"):
        raise refuse(f"{name} of {value.type}", "cast the argument to varchar(n)")
    return as_text(value)


def whole(value: Value, name: str) -> str:
    """An argument that must be an integer."""
    if not value.type.is_integer:
        raise refuse(f"{name} with {value.type}", "give an integer")
    return convert(value, BIGINT)


def constant(value: Value, name: str) -> str:
    """An argument that must be a literal: its text."""
    if value.literal is None:
        raise refuse(f"{name} with a computed argument", "give a literal")
    return value.literal


def _number(value: Value, name: str) -> Value:
    if value.type.kind == "unknown":
        return cast(value, DOUBLE)
    if not value.type.is_number:
        raise refuse(f"{name} of {value.type}", "cast the argument to a number")
    return value


# -- text ------------------------------------------------------------------------------------------


def _same_text(name: str, given: Arguments, moment: Moment) -> Value:
    value = text(given[0], name)
    return Value(f"{name}({value.sql})", value.type, hexadecimal=value.hexadecimal)


def _length(name: str, given: Arguments, moment: Moment) -> Value:
    made = "strlen" if name == "octet_length" else "length"
    return Value(f"CAST({made}({text(given[0], name).sql}) AS INTEGER)", INTEGER)


def _end(name: str, given: Arguments, moment: Moment) -> Value:
    value, size = text(given[0], name), whole(given[1], name)
    if given[1].literal is None:
        failing = raising("22023", string(f"{name}: negative length"))
        size = f"(CASE WHEN {size} < 0 THEN {failing} ELSE {size} END)"
        bytes_ = value.type.length
    elif int(given[1].literal) < 0:
        raise refuse(f"{name} with a negative length", "give a length of 0 or more")
    else:
        bytes_ = min(value.type.length, 4 * int(given[1].literal))
    return Value(f"{name}({value.sql}, {size})", varchar(bytes_), hexadecimal=value.hexadecimal)


def substring(given: Arguments) -> Value:
    """SUBSTRING(text, start[, length]): a start before the text takes from the length."""
    value, start = text(given[0], "substring"), whole(given[1], "substring")
    if len(given) == 2:
        return Value(
            f"substring({value.sql}, greatest({start}, 1))",
            value.type,
            hexadecimal=value.hexadecimal,
        )
    size = whole(given[2], "substring")
    if given[2].literal is not None and int(given[2].literal) < 0:
        raise refuse("substring with a negative length", "give a length of 0 or more")
    made = (
        f"substring({value.sql}, greatest({start}, 1), greatest({size} + least({start} - 1, 0), 0))"
    )
    return Value(made, value.type, hexadecimal=value.hexadecimal)


def trim(side: str, given: Arguments) -> Value:
    """TRIM, LTRIM, RTRIM and BTRIM: of blanks, or of any of the characters given."""
    value = text(given[0], side)
    taken = text(given[1], side).sql if len(given) == 2 else "' '"
    return Value(f"{side}({value.sql}, {taken})", value.type)


def _replace(name: str, given: Arguments, moment: Moment) -> Value:
    one, two, three = (text(value, name) for value in given)
    if not given[1].literal:
        raise refuse(f"{name} of a computed or empty text", "give the text to replace as a literal")
    grows = max(1, -(-three.type.length // max(two.type.length, 1)))
    made = f"{name}({one.sql}, {two.sql}, {three.sql})"
    return Value(made, varchar(one.type.length * grows))


def _concat(name: str, given: Arguments, moment: Moment) -> Value:
    return arithmetic.joined(given[0], given[1])


def _position(name: str, given: Arguments, moment: Moment) -> Value:
    inside, sought = (given[1], given[0]) if name == "charindex" else (given[0], given[1])
    made = f"strpos({text(inside, name).sql}, {text(sought, name).sql})"
    return Value(f"CAST({made} AS INTEGER)", INTEGER)


def _split_part(name: str, given: Arguments, moment: Moment) -> Value:
    value, mark = text(given[0], name), text(given[1], name)
    if not constant(given[1], name) or int(constant(given[2], name)) < 1:
        raise refuse("split_part with an empty delimiter or a part before 1", "count parts from 1")
    return Value(f"split_part({value.sql}, {mark.sql}, {given[2].literal})", value.type)


def _pad(name: str, given: Arguments, moment: Moment) -> Value:
    value, size = text(given[0], name), constant(given[1], name)
    fill = text(given[2], name) if len(given) == 3 else Value("' '", varchar(1), literal=" ")
    if fill.literal == "" or not size.isdigit():
        raise refuse(f"{name} with an empty filler or a negative length", "give a filler")
    return Value(f"{name}({value.sql}, {size}, {fill.sql})", varchar(4 * int(size)))


def _repeat(name: str, given: Arguments, moment: Moment) -> Value:
    value, times_ = text(given[0], name), constant(given[1], name)
    if not times_.isdigit():
        raise refuse(f"{name} of a negative count", "count from 0")
    return Value(f"repeat({value.sql}, {times_})", varchar(value.type.length * int(times_)))


def _translate(name: str, given: Arguments, moment: Moment) -> Value:
    one, two, three = (text(value, name) for value in given)
    return Value(f"translate({one.sql}, {two.sql}, {three.sql})", varchar(4 * one.type.length))


def _digest(name: str, given: Arguments, moment: Moment) -> Value:
    value = text(given[0], name)
    if name == "sha2" and constant(given[1], name) not in ("256", "0"):
        raise refuse("sha2 of other than 256 bits", "use sha2(text, 256)")
    made, length = {"md5": ("md5", 32), "sha2": ("sha256", 64)}.get(name, ("sha1", 40))
    return Value(f"{made}({value.sql})", varchar(length), hexadecimal=True)


def _strtol(name: str, given: Arguments, moment: Moment) -> Value:
    if constant(given[1], name) != "16":
        raise refuse("strtol of other than base 16", "cast the text to bigint")
    value = text(given[0], name)
    made = f"CAST(('0x' || {value.sql}) AS BIGINT)"
    if value.hexadecimal and value.type.length >= 1:
        return Value(made, BIGINT)
    bad = raising(
        "22023", f"'The input ' || {value.sql} || ' is not valid to be converted to base 16'"
    )
    fits = f"regexp_full_match({value.sql}, '[0-9a-fA-F]{{1,15}}')"
    return Value(f"(CASE WHEN {value.sql} IS NULL OR {fits} THEN {made} ELSE {bad} END)", BIGINT)


def _ascii(name: str, given: Arguments, moment: Moment) -> Value:
    return Value(f"ascii({text(given[0], name).sql})", INTEGER)


def _chr(name: str, given: Arguments, moment: Moment) -> Value:
    code = int(constant(given[0], name))
    if not 1 <= code <= 127:
        raise refuse("chr beyond 127", "write the character itself")
    return Value(f"chr({code})", varchar(1), literal=chr(code))


_ATOM = r"(?:[\w \-,;:/@#%&=_'\"<>~!]|\[\^?(?:\[:[a-z]+:\]|[^\[\]\\])+\]|\.)"
_PLAIN = re.compile(rf"\^?(?:{_ATOM})*(?:{_ATOM}(?:[*+?]|\{{\d+(?:,\d*)?\}}))?(?:{_ATOM})*\$?")
_TESTED = re.compile(rf"(?:\^|\$|\(|\)|\||{_ATOM}(?:[*+?]|\{{\d+(?:,\d*)?\}})?)+")


def pattern(value: Value, name: str, *, test: bool = False) -> str:
    """A POSIX pattern that means the same to DuckDB: with one repetition at most, or only tested."""
    words = constant(value, name)
    if not (_TESTED if test else _PLAIN).fullmatch(words):
        raise refuse(
            f"the pattern {words!r} in {name}",
            "use plain characters, classes in brackets and one repetition, no backslash",
        )
    return string(words)


def _regexp_replace(name: str, given: Arguments, moment: Moment) -> Value:
    value, found = text(given[0], name), pattern(given[1], name)
    put = constant(given[2], name) if len(given) == 3 else ""
    if "$" in put or "\\" in put:
        raise refuse("regexp_replace with a back-reference", "use substring or split_part")
    length = value.type.length if not put else MAX_VARCHAR
    made = f"regexp_replace({value.sql}, {found}, {string(put)}, 'gs')"
    return Value(made, varchar(length))


def _regexp_substr(name: str, given: Arguments, moment: Moment) -> Value:
    value, found = text(given[0], name), pattern(given[1], name)
    return Value(f"regexp_extract({value.sql}, {found}, 0, 's')", value.type)


def _regexp_count(name: str, given: Arguments, moment: Moment) -> Value:
    value, found = text(given[0], name), pattern(given[1], name)
    made = f"len(regexp_extract_all({value.sql}, {found}, 0, 's'))"
    return Value(f"CAST({made} AS INTEGER)", INTEGER)


# -- numbers ---------------------------------------------------------------------------------------


def _abs(name: str, given: Arguments, moment: Moment) -> Value:
    value = _number(given[0], name)
    return Value(f"abs({value.sql})", value.type)


def _sign(name: str, given: Arguments, moment: Moment) -> Value:
    value = _number(given[0], name)
    return Value(f"CAST(sign({value.sql}) AS {value.type.carrier})", value.type)


def _round(name: str, given: Arguments, moment: Moment) -> Value:
    value = _number(given[0], name)
    digits = int(constant(given[1], name)) if len(given) == 2 else 0
    if value.type.is_integer and digits >= 0:
        return value
    if digits < 0 or digits > 15:
        raise refuse(f"{name} to {digits} places", "divide and multiply instead")
    made = f"{name}({value.sql}, {digits})" if digits else f"{name}({value.sql})"
    whole_ = not digits and value.type.kind in ("real", "double")
    return Value(f"CAST({made} AS {value.type.carrier})", value.type, whole=whole_)


def _trunc(name: str, given: Arguments, moment: Moment) -> Value:
    if given[0].type.kind in ("timestamp", "date") and len(given) == 1:
        return cast(given[0], Type("date"))
    return _round("trunc", given, moment)


def _floor(name: str, given: Arguments, moment: Moment) -> Value:
    value = _number(given[0], name)
    if value.type.is_integer:
        return value
    made = "floor" if name == "floor" else "ceil"
    whole_ = value.type.kind != "decimal"
    return Value(f"CAST({made}({value.sql}) AS {value.type.carrier})", value.type, whole=whole_)


def _mod(name: str, given: Arguments, moment: Moment) -> Value:
    return arithmetic.arithmetic("%", given[0], given[1])


def _float(name: str, given: Arguments, moment: Moment) -> Value:
    made = {"log": "log10", "power": "pow", "dexp": "exp"}.get(name, name)
    arguments = ", ".join(convert(_number(value, name), DOUBLE) for value in given)
    return Value(f"{made}({arguments})", DOUBLE)


def _extreme(name: str, given: Arguments, moment: Moment) -> Value:
    common = unify((value.type for value in given), name)
    if common.kind == "varchar":
        raise refuse(f"{name} of texts", "use case: trailing blanks do not count")
    return Value(f"{name}({', '.join(convert(value, common) for value in given)})", common)


# -- choices ---------------------------------------------------------------------------------------


def _coalesce(name: str, given: Arguments, moment: Moment) -> Value:
    common = unify((value.type for value in given), name)
    return Value(f"coalesce({', '.join(convert(value, common) for value in given)})", common)


def _nvl2(name: str, given: Arguments, moment: Moment) -> Value:
    common = unify((value.type for value in given[1:]), name)
    yes, no = (convert(value, common) for value in given[1:])
    return Value(f"(CASE WHEN {given[0].sql} IS NOT NULL THEN {yes} ELSE {no} END)", common)


def _nullif(name: str, given: Arguments, moment: Moment) -> Value:
    same = arithmetic.comparison("=", given[0], given[1])
    value = as_text(given[0]) if given[0].type.kind == "unknown" else given[0]
    return Value(f"(CASE WHEN {same.sql} THEN NULL ELSE {value.sql} END)", value.type)


def _decode(name: str, given: Arguments, moment: Moment) -> Value:
    subject, rest = given[0], given[1:]
    pairs = list(zip(rest[::2], rest[1::2], strict=False))
    default = [rest[-1]] if len(rest) % 2 else []
    common = unify([value.type for _, value in pairs] + [value.type for value in default], name)
    cases = []
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


def _session(name: str, given: Arguments, moment: Moment) -> Value:
    words = {"current_user": moment.user, "current_schema": moment.schema}.get(name)
    if words is not None:
        return Value(string(words), varchar(127))
    if name == "version":
        return Value(string("PostgreSQL 8.0.2, Redshift 1.0 (the local stand-in)"), varchar(256))
    number = moment.last_copy_count if name == "pg_last_copy_count" else moment.process_id
    kind = BIGINT if name == "pg_last_copy_count" else INTEGER
    return Value(f"CAST({number} AS {kind.carrier})", kind)


_MANY = 1000
RULES: dict[str, tuple[int, int, Rule]] = {
    **dict.fromkeys(("lower", "upper", "reverse"), (1, 1, _same_text)),
    **dict.fromkeys(
        ("len", "length", "char_length", "character_length", "octet_length"), (1, 1, _length)
    ),
    **dict.fromkeys(("left", "right"), (2, 2, _end)),
    **{
        name: (2, 3, lambda name, given, moment: substring(given))
        for name in ("substr", "substring")
    },
    "btrim": (1, 2, lambda name, given, moment: trim("trim", given)),
    **{name: (1, 2, lambda name, given, moment: trim(name, given)) for name in ("ltrim", "rtrim")},
    "replace": (3, 3, _replace),
    "concat": (2, 2, _concat),
    **dict.fromkeys(("strpos", "charindex"), (2, 2, _position)),
    "split_part": (3, 3, _split_part),
    **dict.fromkeys(("lpad", "rpad"), (2, 3, _pad)),
    **dict.fromkeys(("repeat", "replicate"), (2, 2, _repeat)),
    "translate": (3, 3, _translate),
    **dict.fromkeys(("md5", "sha1", "sha", "func_sha1"), (1, 1, _digest)),
    "sha2": (2, 2, _digest),
    "strtol": (2, 2, _strtol),
    "ascii": (1, 1, _ascii),
    "chr": (1, 1, _chr),
    "regexp_replace": (2, 3, _regexp_replace),
    "regexp_substr": (2, 2, _regexp_substr),
    "regexp_count": (2, 2, _regexp_count),
    "abs": (1, 1, _abs),
    "sign": (1, 1, _sign),
    "round": (1, 2, _round),
    "trunc": (1, 2, _trunc),
    **dict.fromkeys(("ceil", "ceiling", "floor"), (1, 1, _floor)),
    "mod": (2, 2, _mod),
    **dict.fromkeys(("pow", "power"), (2, 2, _float)),
    **dict.fromkeys(("sqrt", "exp", "dexp", "ln", "log"), (1, 1, _float)),
    **dict.fromkeys(("greatest", "least"), (1, _MANY, _extreme)),
    **dict.fromkeys(("coalesce", "nvl"), (1, _MANY, _coalesce)),
    "nvl2": (3, 3, _nvl2),
    "nullif": (2, 2, _nullif),
    "decode": (3, _MANY, _decode),
    **dict.fromkeys(
        ("current_user", "current_schema", "version", "pg_backend_pid", "pg_last_copy_count"),
        (0, 0, _session),
    ),
    **times.RULES,
}
