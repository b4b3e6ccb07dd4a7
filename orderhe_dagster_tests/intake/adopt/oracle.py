"""What a table of MariaDB is to be in the warehouse: read by the driver, told apart from the product's code.

Written by what docs/types.md promises; nothing of `orderhe_dagster` is used but the contract's columns.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from orderhe_dagster.catalog.table import Column, Table
from orderhe_dagster_tests.intake.adopt.corpus import quoted

Rows = Counter[tuple[str | None, ...]]
_TEXT_BYTES, _BLOB_BYTES, _DIGITS = 65_535, 1_024_000, 38


class _FaultyError(Exception):
    """The value cannot be carried."""


@dataclass
class Wanted:
    """The rows that are to arrive, and how many may not, with the values that become NULL by column."""

    rows: Rows = field(default_factory=Counter)
    quarantined: int = 0
    nulled: Counter[str] = field(default_factory=Counter)


def wanted(cursor: Any, table: Table) -> Wanted:
    """What is to become of the table's rows, as `cursor` (values as texts) reads them now."""
    columns = table.in_source.columns
    items = [item for column in columns for item in _asked(column)]
    cursor.execute(f"select {', '.join(items)} from {quoted(table.source_name)}")
    result = Wanted()
    for row in cursor.fetchall():
        values, faults = _read(columns, iter(row))
        if any(column.bad_values != "null" for column in faults):
            result.quarantined += 1
            continue
        result.nulled.update(column.name for column in faults)
        result.rows[tuple(map(canonical, values))] += 1
    return result


def canonical(value: Any) -> str | None:
    """A value as a text that two values have in common only if they are one."""
    if value is None:
        return None
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        text = format(Decimal(value), "f")
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return "0" if text == "-0" else text
    return repr(bytes(value) if isinstance(value, (bytearray, memoryview)) else value)


def rows_of(rows: Iterable[Sequence[Any]]) -> Rows:
    """Rows of the warehouse, counted."""
    return Counter(tuple(map(canonical, row)) for row in rows)


def _base(column: Column) -> str:
    match = re.match("[a-z0-9]+", column.type.declared.lower())
    assert match is not None, column
    return match[0]


def _asked(column: Column) -> list[str]:
    name = quoted(column.source_name)
    base = _base(column)
    if base == "float":
        return [f"{name} + 0e0"]  # MySQL prints six digits of it
    return [name, f"{name} + 0"] if base == "enum" else [name]


def _read(columns: Sequence[Column], values: Any) -> tuple[list[Any], list[Column]]:
    """The values as they are to arrive, and the columns whose value cannot."""
    result, faults = [], []
    for column in columns:
        base, value = _base(column), next(values)
        if base == "enum" and next(values) == "0":
            value = _FaultyError()
        try:
            result.append(None if value is None else _READERS.get(base, _text)(column, value))
        except _FaultyError:
            result.append(None)
            faults.append(column)
    return result, faults


def _whole(column: Column, value: str) -> int:
    return int(value)


def _bits(column: Column, value: bytes) -> int | bool:
    number = int.from_bytes(value, "big")
    return bool(number) if column.type.declared.lower() in ("bit", "bit(1)") else number


def _decimal(column: Column, value: str) -> Decimal:
    number = Decimal(value)
    declared = re.findall(r"\d+", column.type.declared)
    scale = int(declared[1]) if len(declared) > 1 else 0
    if number.copy_abs() >= Decimal(10) ** (_DIGITS - scale):  # abs() itself rounds
        raise _FaultyError
    return number


def _moment(column: Column, value: str) -> date | datetime:
    kind = date if _base(column) == "date" else datetime
    try:
        return kind.fromisoformat(value)
    except ValueError:
        raise _FaultyError from None


def _as_it_is(column: Column, value: Any) -> Any:
    if isinstance(value, _FaultyError):
        raise value
    return value


def _text(column: Column, value: str) -> str:
    if "\0" in value or len(value.encode()) > _TEXT_BYTES:
        raise _FaultyError
    return value


def _bytes(column: Column, value: bytes) -> bytes:
    if len(value) > _BLOB_BYTES:
        raise _FaultyError
    return value


_READERS: Mapping[str, Callable[[Column, Any], Any]] = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint", "year"), _whole),
    **dict.fromkeys(("float", "double"), lambda column, value: float(value)),
    **dict.fromkeys(("date", "datetime", "timestamp"), _moment),
    **dict.fromkeys(("time", "enum", "set", "uuid", "inet4", "inet6"), _as_it_is),
    **dict.fromkeys(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"), _bytes),
    "bit": _bits,
    "decimal": _decimal,
}
