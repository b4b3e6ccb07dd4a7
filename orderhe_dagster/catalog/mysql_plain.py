"""Columns as MySQL has them, for reads that convert nothing: what each must arrive as, and be free of.

MySQL's binary protocol gives most types exactly, and an expression a column costs more than all else of a
read. What cannot be carried is then looked for in DuckDB, as conditions that no sound row meets; a table
whose values only MySQL can judge is not read like this. How such rows are carried: `mysql_projection`.
"""

from __future__ import annotations

from dataclasses import dataclass

from orderhe_dagster.catalog.ddl import quoted
from orderhe_dagster.catalog.mysql_projection import PLAIN_TEXTS, in_hex, value
from orderhe_dagster.catalog.mysql_types import (
    DECIMAL_DIGITS,
    VARCHAR_BYTES,
    arguments_of,
    base_of,
)
from orderhe_dagster.catalog.table import Column, Table

_WHOLE = ("tinyint", "smallint", "mediumint", "int", "bigint", "serial")
_INTEGERS = (
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
)
_BYTES = "BLOB"


@dataclass(frozen=True)
class Plain:
    """A column to be read as it is: MySQL's expression, and what DuckDB makes of what arrives.

    `types` are those it must arrive in, by DuckDB's names; none: whatever it is, it is cast.
    """

    column: Column
    sql: str
    types: tuple[str, ...] = ()

    def text(self, arrived: str) -> str | None:
        """DuckDB's expression of the column that arrived in this type; None where that is none for it."""
        name = quoted(self.column.name)
        if self.column.type.kind == "varchar" and arrived == _BYTES:
            return f"decode({name})"  # MySQL marks a text with a collation called _bin as bytes
        return name if not self.types or arrived in self.types else None


def columns(table: Table) -> list[Plain] | None:
    """The table's columns in their order; None where one must be judged in MySQL."""
    plain = [_plain(column) for column in table.columns]
    return None if None in plain else [one for one in plain if one is not None]


def silent(table: Table) -> list[Column]:
    """The columns whose zero dates would arrive as NULLs among others: it is counted in MySQL."""
    return [
        column
        for column in table.columns
        if column.nullable and _is_moment(column) and not column.is_added
    ]


def nulls(table: Table) -> str:
    """MySQL's count of the NULLs of a row in the `silent` columns: `is null` is true of a zero date."""
    names = [quoted(column.name, "mysql") for column in silent(table)]
    return " + ".join(f"({name} <=> null)" for name in names)


def faults(table: Table, nulls_name: str) -> list[str]:
    """Conditions in DuckDB, each of a fault that a row may have; `nulls_name`: the column of `nulls`."""
    conditions = [text for column in table.in_source.columns for text in _faults(column)]
    if moments := silent(table):
        count = " + ".join(f"cast({quoted(one.name)} is null as integer)" for one in moments)
        conditions.append(f"{count} <> {quoted(nulls_name)}")
    return conditions


def _is_moment(column: Column) -> bool:
    return column.type.kind in ("date", "timestamp")


def _plain(column: Column) -> Plain | None:
    kind, base = column.type.kind, base_of(column.type)
    many = base == "decimal" and max(arguments_of(column.type), default=0) > DECIMAL_DIGITS
    # Which of two empty texts it is, and how long the longest bytes are, only MySQL knows.
    if many or in_hex(column) or (base == "enum" and "''" in column.type.declared):
        return None
    types: tuple[str, ...] = ()
    if base in _WHOLE:
        types = _INTEGERS
    elif base == "decimal" and column.type.scale:
        types = (f"DECIMAL({column.type.precision},{column.type.scale})",)
    elif base in PLAIN_TEXTS:
        types = ("VARCHAR",)
    elif kind == "varbyte":
        types = (_BYTES,)
    elif _is_moment(column):
        types = (kind.upper(),)
    if not types or "zerofill" in column.type.declared.lower():
        return Plain(column, value(column))
    return Plain(column, quoted(column.name, "mysql"), types)


def _faults(column: Column) -> list[str]:
    name, base = quoted(column.name), base_of(column.type)
    if _is_moment(column):
        before = f"{name} < {column.type.kind} '0001-01-01'"
        return [before] if column.nullable else [f"{name} is null", before]
    if base == "enum":
        return [f"{name} = ''"]
    if column.type.kind != "varchar":
        return []
    conditions = [f"contains({name}, chr(0))"] if base in PLAIN_TEXTS else []
    if column.type.length == VARCHAR_BYTES:
        conditions.append(f"strlen({name}) > {VARCHAR_BYTES}")
    return conditions
