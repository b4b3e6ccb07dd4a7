"""The statements that make and fill a Table, for DuckDB (the embedded source) and Redshift. None is run here.

MySQL needs none: a contract's own text (`Table.sql`) is what MySQL runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from orderhe_dagster.catalog.mysql_types import characters, integer_range
from orderhe_dagster.catalog.table import Column, Table, TableRef
from orderhe_dagster.catalog.types import duckdb_text, redshift_text

Dialect = Literal["duckdb", "redshift", "mysql"]

_STORED_RANGES = {"smallint": 16, "integer": 32, "bigint": 64}
_NOW = re.compile(r"(current_timestamp|now|localtime|localtimestamp)\s*(\(\s*\d?\s*\))?", re.I)
_LITERAL = re.compile(r"null|true|false|[-+]?\d+(\.\d+)?(e[-+]?\d+)?|'(?:[^'\\]|'')*'", re.I)


def quoted(name: str, dialect: Dialect = "redshift") -> str:
    """A name in quotes: backticks for MySQL, double quotes for the others."""
    mark = "`" if dialect == "mysql" else '"'
    return mark + name.replace(mark, mark * 2) + mark


def quoted_names(names: Iterable[str], dialect: Dialect = "redshift") -> str:
    """Names in quotes, separated by commas."""
    return ", ".join(quoted(name, dialect) for name in names)


def string(value: str) -> str:
    """A string literal, as DuckDB and Redshift read it (a backslash is a character like any other)."""
    return "'" + value.replace("'", "''") + "'"


def qualified(ref: TableRef) -> str:
    """`"mart"."daily_sales"`."""
    return f"{quoted(ref.layer)}.{quoted(ref.name)}"


def duckdb_create(table: Table) -> str:
    """A contract as a DuckDB table that takes what the MySQL table takes.

    Primary key, unique keys, nulls and literal defaults are MySQL's; checks hold the values of
    enums, the length of texts and the ranges that are narrower than DuckDB's type. No foreign keys:
    parents may be written after children. A default that is an expression stays with MySQL.
    """
    lines = [_duckdb_column(column) for column in table.columns]
    keys = [("primary key", table.grain)] if table.grain else []
    keys += [("unique", key) for key in table.unique if key != table.grain]
    lines += [f"{kind} ({quoted_names(map(table.source_column, names))})" for kind, names in keys]
    return _create(f"create table if not exists {quoted(table.source_name)}", lines)


def _duckdb_column(column: Column) -> str:
    name = quoted(column.source_name)
    words = [name, duckdb_text(column.type)]
    if not column.nullable:
        words.append("not null")
    default = _duckdb_default(column)
    if default is not None:
        words.append(f"default {default}")
    words += [f"check ({rule})" for rule in _rules(column)]
    return " ".join(words)


def _rules(column: Column) -> list[str]:
    """What MySQL refuses and DuckDB's type would take."""
    name = quoted(column.source_name)
    if column.values:
        return [f"{name} in ({', '.join(map(string, column.values))})"]
    length = characters(column.type)
    if length is not None:
        return [f"length({name}) <= {length}"]
    bounds = integer_range(column.type)
    if bounds is None:
        return []
    bits = _STORED_RANGES.get(column.type.kind, 128)
    low, high = bounds
    rules = [f"{name} >= {low}"] if low > -(2 ** (bits - 1)) else []
    return rules + ([f"{name} <= {high}"] if high < 2 ** (bits - 1) - 1 else [])


def _duckdb_default(column: Column) -> str | None:
    """The contract's default in DuckDB's words; None for none, and for expressions only MySQL knows."""
    if column.default is None:
        return None
    text = column.default.strip()
    if column.type.kind == "timestamp" and _NOW.fullmatch(text):
        return "make_timestamp(epoch_us(now()))"  # UTC, whatever the session's zone is
    bits = re.fullmatch(r"b'([01]+)'", text, re.I)
    if bits and column.type.kind == "boolean":
        return "true" if int(bits[1], 2) else "false"
    if bits:
        return str(int(bits[1], 2))
    return text if _LITERAL.fullmatch(text) else None


def redshift_create(table: Table, ref: TableRef | None = None) -> str:
    """`create table if not exists`, for `ref` (else: where SQL reads the table from).

    No primary, unique or foreign keys: Redshift does not hold them, yet its planner trusts them.
    Rows are sorted by @sortkey, or by the partition column where there is none.
    """
    lines = [
        f"{quoted(column.name)} {redshift_text(column.type)}{'' if column.nullable else ' not null'}"
        for column in table.columns
    ]
    sort = table.sortkey or ((table.partition,) if table.partition else ())
    options = [f"distkey({quoted(table.distkey)})" if table.distkey else "diststyle auto"]
    if sort:
        options.append(f"sortkey({quoted_names(sort)})")
    text = _create(f"create table if not exists {qualified(ref or table.read_as)}", lines)
    return "\n".join([text, *options])


def redshift_stage(table: Table, name: str) -> str:
    """The temporary table that takes what is to be loaded: any column may be NULL until it is judged."""
    lines = [f"{quoted(column.name)} {redshift_text(column.type)}" for column in table.columns]
    return _create(f"create temp table {name}", lines)


def redshift_insert(table: Table, where: str = "", into: str = "") -> str:
    """The insert that fills a modelled table, or `into` another; its select stands as its file has it.

    `where`, with its blank before it, chooses among the rows of the select.
    """
    columns = quoted_names(table.column_names)
    return (
        f"insert into {into or qualified(table.ref)} ({columns})\n"
        f"select {columns} from {redshift_model(table)}{where}"
    )


def redshift_model(table: Table) -> str:
    """The rows of a modelled table as its select gives them now, as a relation."""
    return f"(\n{table.sql}\n) as model"


def _create(head: str, lines: list[str]) -> str:
    return head + " (\n    " + ",\n    ".join(lines) + "\n)"
