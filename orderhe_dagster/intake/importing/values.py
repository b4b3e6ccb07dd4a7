"""Text to typed values, exactly or with the reason why not. Files, keys and lines are not known here.

A column is first tried as a whole in Arrow; only when that leaves a doubt is each text looked at by
itself. Both ways take the same texts and give the same values.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orderhe_dagster.catalog.mysql_limits import (
    FIRST_DATE,
    FIRST_YEAR,
    LAST_DATE,
    LAST_YEAR,
    fixed_bytes,
    is_unsigned,
    is_year,
    text_limit,
    timestamp_range,
)
from orderhe_dagster.catalog.mysql_types import integer_range
from orderhe_dagster.catalog.table import Column, ColumnType
from orderhe_dagster.catalog.types import arrow_type
from orderhe_dagster.intake.importing.mysql_texts import text_rule
from orderhe_dagster.intake.importing.problems import WrongValue

if TYPE_CHECKING:
    import pyarrow as pa

_WHOLE = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?")
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SMALL = re.compile(
    r"[+-]?[0-9]+(\.[0-9]+)?[eE]-[0-9]{1,2}"
)  # 1E-10, as programs write 0.0000000001
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,6}))?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_BOOLEANS = {"0": False, "1": True, "false": False, "true": True}
_CARRIED = {"smallint": 16, "integer": 32, "bigint": 64}
LACKING = "empty, and the column needs a value in every row; fill it in, or take the row out"
_EMPTY = r"an empty text; write \N where there is no value"


def convert(column: Column, text: pa.Array) -> tuple[pa.Array, list[tuple[int, str]]]:
    """The values of an array of text (NULLs stay NULL), and (row, reason) of each that is none."""
    import pyarrow as pa

    whole = _as_a_whole(column.type, text)
    if whole is not None:
        return whole, []
    read = _READERS[column.type.kind]
    values: list[Any] = []
    wrong: list[tuple[int, str]] = []
    for row, one in enumerate(text.to_pylist()):
        value = None
        if one is not None:
            try:
                value = read(column.type, one)
            except WrongValue as error:
                lacks = not one and column.required and column.default is None
                wrong.append((row, LACKING if lacks else str(error)))
        values.append(value)
    return pa.array(values, arrow_type(column.type)), wrong


def _as_a_whole(kind: ColumnType, text: pa.Array) -> pa.Array | None:
    """The typed array, or None where any value is wrong or merely out of the ordinary."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def every(mask: pa.Array) -> bool:
        return bool(pc.all(mask, min_count=0).as_py())

    def between(values: pa.Array, low: object, high: object | None) -> bool:
        # Compared in Arrow, which holds years that Python has no datetime for.
        inside = pc.greater_equal(values, pa.scalar(low, values.type))
        if high is not None:
            inside = pc.and_(inside, pc.less_equal(values, pa.scalar(high, values.type)))
        return every(inside)

    if kind.kind in {"varchar", "varbyte"}:
        if kind.kind == "varbyte" or text_rule(kind):
            return None
        limit, unit = text_limit(kind)
        measure = pc.utf8_length if unit == "characters" else pc.binary_length
        return text if between(measure(text), 0, limit) else None
    pattern = None if is_year(kind) else _pattern(kind)
    if pattern is None or not every(pc.match_substring_regex(text, pattern)):
        return None
    try:
        values = pc.cast(text, arrow_type(kind))
    except pa.ArrowInvalid:
        return None
    bounds = integer_range(kind)
    if kind.kind == "date":
        bounds_hold = between(values, FIRST_DATE, LAST_DATE)
    elif kind.kind == "timestamp":
        bounds_hold = between(values, *timestamp_range(kind))
    elif bounds is not None:
        bounds_hold = between(values, *bounds)
    else:
        bounds_hold = not is_unsigned(kind) or between(values, 0, None)
    return values if bounds_hold else None


def _pattern(kind: ColumnType) -> str | None:
    """The plain spelling of a value, as a regular expression; None: each is read by itself."""
    if kind.kind in _CARRIED:
        return r"^-?[0-9]{1,18}$"
    if kind.kind == "decimal":
        whole = kind.precision - kind.scale
        if not whole:
            return None
        tail = rf"(\.[0-9]{{1,{kind.scale}}})?" if kind.scale else ""
        return rf"^-?[0-9]{{1,{whole}}}{tail}$"
    if kind.kind == "date":
        return r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
    if kind.kind == "timestamp":
        tail = rf"(\.[0-9]{{1,{kind.fraction}}})?" if kind.fraction else ""
        return rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[ T][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}{tail}$"
    return None


def _integer(kind: ColumnType, text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise WrongValue(_EMPTY if not text else "no whole number; write digits only, like -1200")
    if is_year(kind):
        return _year(text)
    bits = _CARRIED[kind.kind]
    low, high = integer_range(kind) or (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    digits = text.lstrip("+-").lstrip("0")
    value = int(text) if len(digits) < 40 else None
    if value is None or not low <= value <= high:
        raise WrongValue(f"out of range for {_name(kind)} ({low} to {high})")
    return value


def _year(text: str) -> int:
    if len(text) != 4 or not text.isdigit():  # MySQL would make 24 into 2024
        raise WrongValue("no year of four digits; write it like 2024")
    if text != "0000" and not FIRST_YEAR <= int(text) <= LAST_YEAR:
        raise WrongValue(f"out of range for year ({FIRST_YEAR} to {LAST_YEAR}, or 0000)")
    return int(text)


def _decimal(kind: ColumnType, text: str) -> Decimal:
    negative, whole, fraction = _digits(text)
    if len(fraction) > kind.scale:
        raise WrongValue(
            f"more than {kind.scale} digits after the point; {_name(kind)} would have to round it"
        )
    bounds = integer_range(kind)
    if len(whole) > kind.precision - kind.scale or (bounds and int(whole or "0") > bounds[1]):
        raise WrongValue(f"too large for {_name(kind)}")
    if negative and is_unsigned(kind) and (whole or fraction):
        raise WrongValue(f"below zero, which {_name(kind)} does not take")
    return Decimal(f"{'-' if negative else ''}{whole or '0'}.{fraction or '0'}")


def _digits(text: str) -> tuple[bool, str, str]:
    """Whether a number has a minus sign, and its digits before and behind the point, outer zeros away."""
    match = _NUMBER.fullmatch(format(Decimal(text), "f") if _SMALL.fullmatch(text) else text)
    if match is None:
        raise WrongValue(_EMPTY if not text else "no number; write plain digits, like -1200.50")
    return match[1] == "-", match[2].lstrip("0"), (match[3] or "").rstrip("0")


def _floating(kind: ColumnType, text: str) -> float:
    if not _FLOAT.fullmatch(text):
        raise WrongValue(_EMPTY if not text else "no number; write digits, like -0.25 or 1e-7")
    value = float(text)
    if math.isinf(value) or (kind.kind == "real" and abs(value) > 3.4028234663852886e38):
        raise WrongValue(f"too large for {_name(kind)}")
    kept = struct.unpack("f", struct.pack("f", value))[0] if kind.kind == "real" else value
    if not kept and re.search("[1-9]", re.split("[eE]", text)[0]):
        raise WrongValue(f"too small for {_name(kind)}, which would make it 0; write 0")
    if value < 0 and is_unsigned(kind):
        raise WrongValue(f"below zero, which {_name(kind)} does not take")
    return value


def _boolean(kind: ColumnType, text: str) -> bool:
    value = _BOOLEANS.get(text.lower())
    if value is None:
        raise WrongValue(_EMPTY if not text else "neither 0 nor 1")
    return value


def _date(kind: ColumnType, text: str) -> date:
    if not _DATE.fullmatch(text):
        raise WrongValue(_EMPTY if not text else "no date; write YYYY-MM-DD")
    try:
        value = date.fromisoformat(text)
    except ValueError:
        raise WrongValue("no day of the calendar") from None
    if not FIRST_DATE <= value <= LAST_DATE:
        raise WrongValue(f"out of range for a date ({FIRST_DATE} to {LAST_DATE})")
    return value


def _timestamp(kind: ColumnType, text: str) -> datetime:
    match = _TIMESTAMP.fullmatch(text)
    if not match:
        shape = "YYYY-MM-DD HH:MM:SS[.ffffff]"
        if _DATE.fullmatch(text):
            shape += ", or take midnight by --map 'NAME=COLUMN (day)'"
        raise WrongValue(_EMPTY if not text else f"no date with time; write {shape}")
    day, clock, fraction, offset = match.groups()
    if fraction and len(fraction.rstrip("0")) > kind.fraction:
        raise WrongValue(f"more digits of a second than {_name(kind)} keeps ({kind.fraction})")
    if offset and not kind.instant:
        raise WrongValue("an offset from UTC that there is not; write one such as +09:00")
    try:
        value = datetime.fromisoformat(
            f"{day} {clock}.{(fraction or '').ljust(6, '0')}{'+00:00' if offset == 'Z' else offset or ''}"
        )
        if offset:
            value = value.astimezone(timezone.utc).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise WrongValue("no moment of the calendar") from None
    first, last = timestamp_range(kind)
    if not first <= value <= last:
        raise WrongValue(
            f"out of range for {_name(kind)} ({first} to {last}{' UTC' * kind.instant})"
        )
    return value


def _text(kind: ColumnType, text: str) -> str:
    rule = text_rule(kind)
    if rule:
        text = rule(kind, text)
    limit, unit = text_limit(kind)
    length = len(text) if unit == "characters" else len(text.encode())
    if length > limit:
        raise WrongValue(f"{length} {unit} long; {_name(kind)} takes {limit}")
    return text


def _bytes(kind: ColumnType, text: str) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        raise WrongValue("no hexadecimal digits; write bytes like 00ff") from None
    if len(value) > kind.length:
        raise WrongValue(f"{len(value)} bytes long; {_name(kind)} takes {kind.length}")
    if len(value) < (fixed_bytes(kind) or 0):
        raise WrongValue(
            f"{len(value)} bytes long, which MySQL would fill up; write all {kind.length}, with 00"
        )
    return value


def _name(kind: ColumnType) -> str:
    return kind.declared or kind.kind


_READERS: dict[str, Callable[[ColumnType, str], Any]] = {
    "boolean": _boolean,
    "smallint": _integer,
    "integer": _integer,
    "bigint": _integer,
    "decimal": _decimal,
    "real": _floating,
    "double": _floating,
    "date": _date,
    "timestamp": _timestamp,
    "varchar": _text,
    "varbyte": _bytes,
}
