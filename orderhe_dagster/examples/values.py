"""Cells of an example: text to a value of a column's type, and a value to SQL. No table is read here.

A value is what the warehouse gives for the type: int, Decimal, float, bool, str, bytes, date, datetime.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.table import Column, ColumnType
from orderhe_dagster.catalog.types import redshift_text

FIRST_DAY = date(2000, 1, 1)
"""The day that a date is when nothing else is said of it."""
_BITS = {"smallint": 16, "integer": 32, "bigint": 64}
_NUMBER = re.compile(r"-?\d+(?:\.(\d+))?")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?")


def read_value(column: Column, text: str) -> Any:
    """The value that a cell says. ValueError says what a cell of this column looks like."""
    if not text:
        raise ValueError("an empty cell says nothing: write null, or '' for an empty text")
    if text == "null":
        return None
    value = _READERS.get(column.type.kind, _integer)(text, column.type)
    if column.values and value not in column.values:
        raise ValueError(f"{text!r} is not accepted: write {' or '.join(column.values)}")
    return value


def _integer(text: str, kind: ColumnType) -> int:
    if not re.fullmatch(r"-?\d+", text):
        raise _unlike(text, kind, "12000 or -5, without separators")
    half = 2 ** (_BITS[kind.kind] - 1)
    if not -half <= int(text) < half:
        raise ValueError(f"{text} is beyond what {kind.kind} holds")
    return int(text)


def _decimal(text: str, kind: ColumnType) -> Decimal:
    number = _NUMBER.fullmatch(text)
    if not number:
        raise _unlike(text, kind, "33.33 or -5, without separators")
    value = Decimal(text)
    if len(number[1] or "") > kind.scale or abs(value) >= 10 ** (kind.precision - kind.scale):
        raise ValueError(f"{text} is beyond what {redshift_text(kind)} holds")
    return value


def _float(text: str, kind: ColumnType) -> float:
    try:
        return float(text)
    except ValueError:
        raise _unlike(text, kind, "0.5 or 1e-9") from None


def _boolean(text: str, kind: ColumnType) -> bool:
    if text not in ("true", "false"):
        raise _unlike(text, kind, "true or false")
    return text == "true"


def _date(text: str, kind: ColumnType) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise _unlike(text, kind, "2026-11-21") from None


def _timestamp(text: str, kind: ColumnType) -> datetime:
    if not _TIMESTAMP.fullmatch(text):
        raise _unlike(text, kind, "2026-11-21, 2026-11-21 09:30 or 2026-11-21 09:30:00.5")
    day, _, time = text.partition(" ")
    clock, _, fraction = time.partition(".")
    try:
        moment = datetime.fromisoformat(f"{day} {clock}".strip())
    except ValueError:
        raise ValueError(f"{text!r} is no moment of the calendar") from None
    return moment.replace(microsecond=int(fraction.ljust(6, "0")) if fraction else 0)


def _text(text: str, kind: ColumnType) -> str:
    quoted = re.fullmatch(r"'((?:[^']|'')*)'", text)
    if text[0] == "'" and not quoted:
        raise ValueError(f"{text} ends like no text in quotes: write 'it''s' or it's")
    value = quoted[1].replace("''", "'") if quoted else text
    if len(value.encode()) > kind.length:
        raise ValueError(f"{value!r} has more bytes than {redshift_text(kind)} holds")
    return value


def _bytes(text: str, kind: ColumnType) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        raise _unlike(text, kind, "48656c6c6f, in hexadecimal digits") from None
    if len(value) > kind.length:
        raise ValueError(f"{text} has more bytes than {redshift_text(kind)} holds")
    return value


_READERS = {
    "decimal": _decimal,
    "real": _float,
    "double": _float,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
    "varchar": _text,
    "varbyte": _bytes,
}


def _unlike(text: str, kind: ColumnType, like: str) -> ValueError:
    return ValueError(f"{text!r} is no {redshift_text(kind)}: write it like {like}, or null")


def plain_value(column: Column) -> Any:
    """What a column that is not written holds: NULL; where it may not be, something plain of its type.

    That is 0, false, an empty text, 2000-01-01, or the first of the accepted values.
    """
    if column.nullable:
        return None
    return column.values[0] if column.values else counted_value(column, 0)


def counted_value(column: Column, number: int) -> Any:
    """The value of a key that is not written: the number of its row, as the column's type has it."""
    kind = column.type.kind
    day = FIRST_DAY + timedelta(days=number)
    values: dict[str, Any] = {
        "decimal": Decimal(number),
        "real": float(number),
        "double": float(number),
        "boolean": bool(number % 2),
        "date": day,
        "timestamp": datetime(day.year, day.month, day.day),
        "varchar": str(number) if number else "",
        "varbyte": number.to_bytes(1 + number.bit_length() // 8, "big"),
    }
    return values.get(kind, number)


def sql_value(value: Any, kind: ColumnType) -> str:
    """A value as a Redshift literal of its type."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, bytes):
        return f"from_hex('{value.hex()}')"
    if isinstance(value, str):  # a backslash is written so that no reader takes it for an escape
        return " || chr(92) || ".join(map(ddl.string, value.split("\\")))
    if isinstance(value, (date, datetime)):
        return f"'{value}'"
    if isinstance(value, float):
        return f"'{value!r}'::{redshift_text(kind)}"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
