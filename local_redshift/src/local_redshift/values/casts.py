"""Casts and assignments between Redshift's types, as DuckDB text. What type a thing has: elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from local_redshift.errors import RedshiftError, raising, refuse
from local_redshift.read.dialect import string
from local_redshift.values.moments import clock, computed, iso
from local_redshift.values.subexpressions import bind
from local_redshift.values.types import (
    FLOATS,
    INTEGERS,
    TIMES,
    TIMESTAMPTZ,
    Type,
    certain,
    typed,
    unify,
    varchar,
)
from local_redshift.values.value import Value

Cast = Callable[[Value, Type], Value]
"""What CAST(value AS type) gives."""


_INTEGER_TEXT = r"\s*[+-]?[0-9]+\s*"
_DECIMAL_TEXT = r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)\s*"
_DOUBLE_TEXT = r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*"
_DATE_TEXT = r"\s*\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?\s*"
_TEXTS = {
    **dict.fromkeys(INTEGERS, _INTEGER_TEXT),
    "decimal": _DECIMAL_TEXT,
    **dict.fromkeys(FLOATS, _DOUBLE_TEXT),
    **dict.fromkeys(TIMES, _DATE_TEXT),
    "time": r"\s*([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?\s*",
}
_OTHER_MOMENT = raising(
    "0A000",
    "'the local Redshift has no rule for a date or timestamp in another form than YYYY-MM-DD, YYYYMMDD "
    "or MM/DD/YYYY with HH:MI:SS; use to_date or to_timestamp'",
)
_TRUE, _FALSE = "('t', 'true', 'y', 'yes', '1')", "('f', 'false', 'n', 'no', '0')"


def convert(value: Value, target: Type) -> str:
    """`value` in the carrier of `target`, where both were found to be the same family: no checks."""
    if value.type.kind == "unknown" and target.kind not in ("unknown", "varchar"):
        return cast(value, target).sql
    if value.type.carrier == target.carrier:
        return value.sql
    return f"CAST({value.sql} AS {target.carrier})"


def cast(value: Value, target: Type) -> Value:
    """What CAST(value AS target) gives on Redshift; of a super: `json_texts`."""
    source = value.type
    if target.kind == "varchar":
        return _to_text(value, target)
    if target.kind == "char":
        return _to_char(value, target)
    if source.kind == "unknown" and value.literal is None:  # NULL
        return Value(f"CAST({value.sql} AS {target.carrier})", target, value.label)
    if source.kind in ("unknown", "varchar", "char"):
        return Value(_from_text(value, target), target, value.label)
    if source.kind == target.kind and source.kind != "decimal" and source.length <= target.length:
        return replace(value, type=target)
    if not _may_cast(value, target):
        remedy = "cast through another type"
        if source.kind in FLOATS and target.is_exact:  # how it would be rounded is not documented
            remedy = f"round it first: round(…, {target.scale})::{target}"
        raise refuse(f"a cast from {source} to {target}", remedy)
    return Value(f"CAST({value.sql} AS {target.carrier})", target, value.label)


def _may_cast(value: Value, target: Type) -> bool:
    source = value.type
    if source.is_exact and target.is_number:
        return True
    if source.kind in FLOATS:
        # How halves are rounded from floating point is not documented: rounded first, there are none.
        if target.is_exact and value.places is not None:
            return value.places <= (target.scale if target.kind == "decimal" else 0)
        return target.kind in FLOATS
    if source.kind == "boolean":
        return target.kind == "integer"
    if target.kind == "boolean":
        return source.is_integer
    return (source.kind, target.kind) in {
        ("date", "timestamp"),
        ("timestamp", "date"),
        ("date", "timestamptz"),
        ("timestamp", "timestamptz"),
        ("timestamptz", "timestamp"),
        ("timestamptz", "date"),
    }


def text_length(type_: Type) -> int:
    """The most bytes that values of this type take as text; 0 where the text is not known."""
    if type_.kind in ("varchar", "char", "unknown"):
        return type_.length
    sizes = {"smallint": 6, "integer": 11, "bigint": 20, "date": 13, "timestamp": 29, "time": 15}
    sizes |= {kind: digits + 8 for kind, digits in _DIGITS.items()}
    if type_.kind == "decimal":  # a sign, a point, and the 0 before it
        return type_.precision + 2 + (type_.scale == type_.precision)
    return sizes.get(type_.kind, 0)


def as_text(value: Value) -> Value:
    """`value` as text of whatever length it has, for `||` and casts; refused where it is not known."""
    if value.type.kind == "unknown" and value.literal is None:  # NULL
        return Value(f"CAST({value.sql} AS VARCHAR)", varchar(1), value.label)
    if value.type.kind in ("varchar", "char", "unknown"):
        return replace(value, type=varchar(value.type.length))
    if value.type.kind in FLOATS:
        return _float_text(value)
    length = text_length(value.type)
    if not length:
        raise refuse(
            f"the text of a {value.type}", "write a case, to_char, or a cast to a type that has one"
        )
    sql = value.sql
    if value.type.kind == "decimal":
        if value.type.doubt == "scale":
            certain(value.type, "the text of")
        if value.type.scale == value.type.precision:  # DuckDB would write .25
            sql = f"CAST({sql} AS DECIMAL({value.type.precision + 1},{value.type.scale}))"
    return Value(f"CAST({sql} AS VARCHAR)", varchar(length), value.label)


_DIGITS = {"real": 6, "double": 15}


def _float_text(value: Value) -> Value:
    """The text of a float that needs no more digits than Redshift shows, has a fraction and no exponent.

    How others are written (2 or 2.0, 1e+20, the 16th digit) Amazon does not say.
    """
    most = _DIGITS[value.type.kind]
    words = string(
        "the local Redshift has no rule for the text of a float that is whole, has an exponent or more "
        f"than {most} digits; round() it and cast it to decimal(p,s)"
    )
    failing = f"CAST({raising('0A000', words)} AS VARCHAR)"

    def make(texts: Sequence[str]) -> str:
        (one,) = texts
        digits = f"strlen(ltrim(translate(CAST(abs({one}) AS VARCHAR), '.', ''), '0'))"
        plain = rf"regexp_full_match(CAST({one} AS VARCHAR), '-?[0-9]+\.[0-9]*[1-9]')"
        known = f"{one} IS NULL OR ({plain} AND {digits} <= {most})"
        return f"(CASE WHEN {known} THEN CAST({one} AS VARCHAR) ELSE {failing} END)"

    return Value(bind([value.sql], make), varchar(most + 8), value.label)


def _to_text(value: Value, target: Type) -> Value:
    text = as_text(value)
    if text.type.length <= target.length:
        return replace(text, type=target)
    if value.type.kind not in ("varchar", "char", "unknown"):
        # What does not fit is an error, not a shorter number or day.
        failing = raising("22001", string(f"Value too long for type {target}"))
        fitting_ = bind(
            [text.sql],
            lambda one: (
                f"(CASE WHEN strlen({one[0]}) > {target.length} THEN {failing} ELSE {one[0]} END)"
            ),
        )
        return Value(fitting_, target)
    return replace(text, sql=first_bytes(text.sql, target.length), type=target, literal=None)


_OF_SINGLE_BYTES = string(
    "the local Redshift has no rule for letters beyond ASCII in a char, which holds single bytes only; "
    "use varchar"
)


def _single_bytes(sql: str) -> str:
    """A text as a char keeps it, without the blanks at its end."""
    failing = f"CAST({raising('0A000', _OF_SINGLE_BYTES)} AS VARCHAR)"
    return bind(
        [sql],
        lambda t: (
            f"(CASE WHEN strlen({t[0]}) > length({t[0]}) THEN {failing} ELSE rtrim({t[0]}, ' ') END)"
        ),
    )


def _to_char(value: Value, target: Type) -> Value:
    """A cast to CHAR(n): what does not fit is cut of texts, and an error of others."""
    text = _to_text(value, varchar(target.length))
    return Value(_single_bytes(text.sql), target, value.label)


def first_bytes(sql: str, length: int) -> str:
    """The longest beginning of a text that is whole characters within so many bytes."""

    def make(texts: Sequence[str]) -> str:
        (one,) = texts
        # Not TRY(decode(…)): DuckDB does not find a column of GROUP BY again inside it.
        cuts = " ".join(
            f"WHEN encode({one})[{size + 1}:{size + 1}] NOT BETWEEN '\\x80'::BLOB AND '\\xBF'::BLOB"
            f" THEN decode(encode({one})[1:{size}])"
            for size in range(length, max(length - 4, 0), -1)
        )
        fits = f"{one} IS NULL OR strlen({one}) <= {length}"
        return f"(CASE WHEN {fits} THEN {one} {cuts} ELSE '' END)"

    return bind([sql], make)


def _from_text(value: Value, target: Type) -> str:
    sql, kind = value.sql, target.kind
    if kind == "boolean":
        return bind(
            [sql],
            lambda t: (
                f"(CASE WHEN {t[0]} IS NULL THEN NULL WHEN lower(trim({t[0]})) IN {_TRUE} THEN true "
                f"WHEN lower(trim({t[0]})) IN {_FALSE} THEN false ELSE {_bad(t[0], 'boolean')} END)"
            ),
        )
    if kind not in _TEXTS:
        raise refuse(f"a cast from text to {target}", "cast to timestamp or another type first")
    plain = f"CAST({sql} AS {target.carrier})"
    if value.literal == "epoch" and kind == "timestamp":
        return "CAST('1970-01-01 00:00:00' AS TIMESTAMP)"
    if value.literal is not None:  # known now: say now what is wrong, and leave no check behind
        import re

        if not re.fullmatch(_TEXTS[kind], value.literal, re.ASCII):
            known = None
            if kind in TIMES or kind == "time":
                known = iso(value.literal, kind) if kind in TIMES else clock(value.literal)
            if known is not None:
                return f"CAST({string(known)} AS {target.carrier})"
            if kind in (*TIMES, "time") and re.search(
                r"\d|now|today|yesterday|tomorrow", value.literal
            ):
                raise refuse(f"the {kind} {value.literal!r}", "write YYYY-MM-DD HH:MI:SS")
            raise RedshiftError(
                "22P02", f'invalid input syntax for type {target}: "{value.literal}"'
            )
        return plain

    def make(texts: Sequence[str]) -> str:
        (one,) = texts
        fits = f"regexp_full_match({one}, {string(_TEXTS[kind])})"
        bad = _OTHER_MOMENT if kind in (*TIMES, "time") else _bad(one, str(target))
        then = f"CAST({one} AS {target.carrier})"
        forms = " ".join(computed(one, kind, target.carrier)) if kind in TIMES else ""
        return f"(CASE WHEN {one} IS NULL OR {fits} THEN {then} {forms} ELSE {bad} END)"

    return bind([sql], make)


def tried(value: Value, target: Type) -> Value:
    """What TRY_CAST(value AS target) gives: NULL where the text is none of that type."""
    known = target.kind in _TEXTS and target.kind != "time"
    if value.type.kind not in ("unknown", "varchar") or not known:
        raise refuse(f"try_cast from {value.type} to {target}", "cast a text to a number or moment")

    def make(texts: Sequence[str]) -> str:
        fits = f"regexp_full_match({texts[0]}, {string(_TEXTS[target.kind])})"
        other = ""
        if target.kind in TIMES:  # what may be a moment in another form is not said to be none
            none = f"NOT regexp_matches({texts[0]}, '[0-9]|now|today|yesterday|tomorrow')"
            other = f" WHEN {texts[0]} IS NULL OR {none} THEN NULL ELSE {_OTHER_MOMENT}"
        return f"(CASE WHEN {fits} THEN TRY_CAST({texts[0]} AS {target.carrier}){other} END)"

    return Value(bind([f"CAST({value.sql} AS VARCHAR)"], make), target)


def _bad(sql: str, name: str) -> str:
    return raising(
        "22P02", f"{string(f'invalid input syntax for type {name}: ')} || '\"' || {sql} || '\"'"
    )


def assign(value: Value, target: Type, column: str, cast: Cast) -> str:
    """`value` as INSERT and UPDATE store it: numbers are cast, text must fit in bytes or is an error."""
    source = value.type
    if target.kind in ("varchar", "char"):
        text = as_text(value)
        fits = text.type.length <= target.length
        sql = text.sql if fits else fitting(text.sql, target, column)
        return sql if target.kind == "varchar" or source == target else _single_bytes(sql)
    if source.kind in ("varchar", "char"):
        raise RedshiftError(
            "42804",
            f'column "{column}" is of type {target} but expression is of type {source}; '
            "You will need to rewrite or cast the expression.",
        )
    return cast(value, target).sql


def fitting(sql: str, target: Type, column: str) -> str:
    """A text that must fit `target`; blanks at its end that do not fit are dropped, as Redshift does."""

    def make(texts: Sequence[str]) -> str:
        (one,) = texts
        name = "character varying" if target.kind == "varchar" else "character"
        long = raising(
            "22001",
            string(f"Value too long for type {name}({target.length}): column {column}, ")
            + f" || strlen({one}) || ' bytes'",
        )
        bare = f"rtrim({one}, ' ')"
        kept = f"left({one}, {target.length} - strlen({bare}) + length({bare}))"
        return (
            f"(CASE WHEN {one} IS NULL OR strlen({one}) <= {target.length} THEN {one} "
            f"WHEN strlen({bare}) <= {target.length} THEN {kept} ELSE {long} END)"
        )

    return bind([sql], make)


def compared(types: Iterable[Type], where: str) -> Type:
    """The type in which values of these types are compared; moments of both kinds with their zone.

    The session's zone is UTC: whichever of the two is converted, they come before one another alike.
    """
    given = [varchar(one.length) if one.kind == "char" else one for one in types]
    kinds = {type_.kind for type_ in given if type_.kind != "unknown"}
    if kinds <= set(TIMES) and "timestamptz" in kinds and len(kinds) > 1:
        return TIMESTAMPTZ
    return unify(given, where)


def comparable(value: Value, common: Type) -> str:
    """`value` as it is compared: trailing blanks of text do not count."""
    typed(value.type, "a comparison with")
    if common.kind != "varchar":
        return convert(value, common)
    if value.literal is not None:
        return string(value.literal.rstrip(" "))
    return f"rtrim({value.sql}, ' ')"
