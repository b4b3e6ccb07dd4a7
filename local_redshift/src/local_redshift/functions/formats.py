"""Functions with format strings: TO_CHAR, TO_DATE, TO_TIMESTAMP, TO_NUMBER. Other times: `times`."""

from __future__ import annotations

import re

from local_redshift.errors import RedshiftError, refuse
from local_redshift.functions import udf_formats
from local_redshift.functions.times import moment_of
from local_redshift.functions.udfs import udf
from local_redshift.read.dialect import string
from local_redshift.values.arguments import Context, Rule
from local_redshift.values.casts import as_text
from local_redshift.values.types import (
    DATE,
    TIMESTAMPTZ,
    Type,
    decimal,
    varchar,
)
from local_redshift.values.value import Value

_FORMATS = {
    "YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d", "DDD": "%j", "HH24": "%H", "HH12": "%I",
    "HH": "%I", "MI": "%M", "SS": "%S", "MS": "%g", "US": "%f", "AM": "%p", "PM": "%p",
    "Mon": "%b", "Dy": "%a", "IW": "%V", "IYYY": "%G",
}  # fmt: skip
_COMPUTED = {
    "Q": "CAST(quarter({at}) AS VARCHAR)",
    "D": "CAST(dayofweek({at}) + 1 AS VARCHAR)",
    "ID": "CAST(isodow({at}) AS VARCHAR)",
    "W": "CAST((day({at}) - 1) // 7 + 1 AS VARCHAR)",
    "WW": "lpad(CAST((dayofyear({at}) - 1) // 7 + 1 AS VARCHAR), 2, '0')",
    "CC": "lpad(CAST(century({at}) AS VARCHAR), 2, '0')",
    "MON": "upper(strftime({at}, '%b'))",
    "mon": "lower(strftime({at}, '%b'))",
    "DY": "upper(strftime({at}, '%a'))",
    "dy": "lower(strftime({at}, '%a'))",
    "MONTH": "rpad(upper(strftime({at}, '%B')), 9, ' ')",
    "Month": "rpad(strftime({at}, '%B'), 9, ' ')",
    "month": "rpad(lower(strftime({at}, '%B')), 9, ' ')",
    "DAY": "rpad(upper(strftime({at}, '%A')), 9, ' ')",
    "Day": "rpad(strftime({at}, '%A'), 9, ' ')",
    "day": "rpad(lower(strftime({at}, '%A')), 9, ' ')",
    "am": "lower(strftime({at}, '%p'))",
    "pm": "lower(strftime({at}, '%p'))",
}
# Digits look the same in either case; of names and halves of the day, the case is that of the result.
_LOWER = {
    word.lower(): word
    for word in (*_FORMATS, *_COMPUTED)
    if word.isupper() and word.lower() not in _COMPUTED
}
_KNOWN = {*_FORMATS, *_COMPUTED, *_LOWER}
_TOKEN = re.compile("|".join(sorted(_KNOWN, key=len, reverse=True)) + r'|"[^"]*"|[^A-Za-z"]+|.')


def _pieces(words: str, at: str, name: str) -> list[str]:
    """The DuckDB texts that make a moment's text by a format, in order: as few calls as may be."""
    pieces: list[str] = []
    plain = ""  # of strftime, and not called yet

    def call() -> None:
        nonlocal plain
        if "%" in plain.replace("%%", ""):
            pieces.append(f"strftime({at}, {string(plain)})")
        elif plain:
            pieces.append(string(plain.replace("%%", "%")))
        plain = ""

    for word in _TOKEN.findall(words):
        token = _LOWER.get(word, word)
        if token in _COMPUTED:
            call()
            pieces.append(_COMPUTED[token].format(at=at))
        elif token in _FORMATS:
            plain += _FORMATS[token]
        elif token.startswith('"') and len(token) > 1:
            plain += token[1:-1].replace("%", "%%")
        elif not re.search(r'[A-Za-z"]', token):
            plain += token.replace("%", "%%")
        else:
            raise refuse(
                f"{token!r} in the format {words!r} of {name}",
                f"use {', '.join(sorted({*_FORMATS, *_COMPUTED}))}, signs and text in double quotes",
            )
    call()
    return pieces


def _to_char(name: str, given: list[Value], context: Context) -> Value:
    words = given[1].literal
    if words is None:
        raise refuse(f"{name} with a computed format", "give a literal")
    if given[0].type.is_exact:
        if udf_formats.number_format(words) is None:
            raise refuse(
                f"the format {words!r} of {name}",
                "use 9, 0, a point, commas, S or MI, and FM before them",
            )
        if given[0].type.precision > 19:
            raise refuse(f"{name} of {given[0].type}", "cast it to at most 18 digits")
        digits = udf(
            context.uses, "number_to_text", f"CAST({given[0].sql} AS VARCHAR)", string(words)
        )
        return Value(digits, varchar(len(words) + 2))
    if given[0].type.kind not in ("date", "timestamp"):
        raise refuse(
            f"{name} of {given[0].type}",
            "give a date, a timestamp, an integer or a decimal, and a literal format",
        )
    pieces = _pieces(words, moment_of(given[0], name), name)
    return Value(f"({' || '.join(pieces) or string('')})", varchar(256))


def _read(name: str, given: list[Value], context: Context) -> str:
    """A text read by a format, as a DuckDB timestamp."""
    value, words = given[0], given[1].literal
    if value.type.kind not in ("varchar", "unknown", "timestamp") or words is None:
        raise refuse(f"{name} of {given[0].type}", "give a text and a literal format")
    if "Y" not in words.upper():
        raise RedshiftError("22007", f"{name}: the format {words!r} has no year")
    if udf_formats.moment_format(words) is None:
        raise refuse(
            f"the format {words!r} in {name}",
            "use YYYY MM Mon DD HH24 HH12 MI SS MS US AM, each once, and signs",
        )
    if len(given) == 3 and given[2].type.kind != "boolean":
        raise refuse(f"{name} with {given[2].type} for is_strict", "give true or false")
    strict = given[2].sql if len(given) == 3 else "false"
    return udf(context.uses, "text_to_moment", as_text(value).sql, string(words), strict)


def _to_date(name: str, given: list[Value], context: Context) -> Value:
    if given[0].type.kind == "timestamp":
        raise refuse(f"{name} of a timestamp", "write trunc(…)")
    return Value(f"CAST({_read(name, given, context)} AS DATE)", DATE)


def _to_timestamp(name: str, given: list[Value], context: Context) -> Value:
    return Value(f"({_read(name, given, context)} AT TIME ZONE 'UTC')", TIMESTAMPTZ)


def _to_number(name: str, given: list[Value], context: Context) -> Value:
    words = given[1].literal
    shape = udf_formats.number_format(words) if words is not None else None
    if shape is None or given[0].type.kind not in ("varchar", "unknown"):
        raise refuse(
            f"{name} of {given[0].type} by the format {words!r}",
            "give a text, and a literal format of 9, 0, a point, commas and S",
        )
    scale = len(shape[6] or "")
    result = decimal(min(max(len(re.findall("[09]", shape[4])) + scale, 1), 38), scale)
    read = udf(context.uses, "text_to_number", given[0].sql, string(str(words)))
    # The digits are certain; how many the type has is not documented.
    return Value(f"CAST({read} AS {result.carrier})", Type(**{**vars(result), "doubt": "scale"}))


RULES: dict[str, tuple[int, int, Rule]] = {
    "to_char": (2, 2, _to_char),
    "to_date": (2, 3, _to_date),
    "to_timestamp": (2, 3, _to_timestamp),
    "to_number": (2, 2, _to_number),
}
