"""A table of the embedded source held against its contract, as far as DuckDB knows what MySQL would.

DuckDB has no enums, display widths, character sets or foreign keys of ours: their rules are checks,
made by `catalog.ddl`, and are read back from there. What a difference means is `catalog.drift`'s.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.column_names import spelling_of
from orderhe_dagster.catalog.ddl import quoted
from orderhe_dagster.catalog.drift import (
    Change,
    Field,
    Keys,
    compare,
    contract_keys,
    parents_stop,
    sentence,
)
from orderhe_dagster.catalog.mysql_types import characters, integer_range
from orderhe_dagster.catalog.table import Column, ColumnType, Table
from orderhe_dagster.catalog.types import duckdb_text
from orderhe_dagster.ports.errors import PortError

if TYPE_CHECKING:
    import duckdb

_BITS = {"smallint": 16, "integer": 32, "bigint": 64}
_BOUND = re.compile(r"(>=|<=) (-?\d+)\)$")
_LENGTH = re.compile(r"\(length\(.*\) <= (\d+)\)$", re.DOTALL)
_MEMBERS = re.compile(r" IN \((.*)\)\)$", re.DOTALL)
_MEMBER = re.compile(r"'((?:[^']|'')*)'")


def check_columns(
    connection: duckdb.DuckDBPyConnection, table: Table, identity: str, rebuild: str
) -> None:
    """See that nothing of the table's columns stops an extract, by the policy of `catalog.drift`.

    PortError names every column that differs; `rebuild` says how the file is made anew.
    """
    stops = [change for change in _compared(connection, table, keys=False) if change.stops]
    if stops:
        raise PortError(
            f"{table.ref}: the table in {identity} is not what its contract {table.path} says: "
            f"{'; '.join(sentence(change, table, identity) for change in stops)}. Nothing was read. "
            "Write the contract as the table is, or alter the table as the contract has it "
            f"({rebuild})."
        )
    _check_parents(connection, table, identity, rebuild)


def _check_parents(
    connection: duckdb.DuckDBPyConnection, table: Table, identity: str, rebuild: str
) -> None:
    """See that the parents of a child tell the days of its rows as their contracts have it."""

    def differing(parent: Table) -> tuple[list[Change], Keys | None]:
        return _compared(connection, parent, keys=False), _keys(parent, _rules(connection, parent))[
            1
        ]

    if table.day_through and (wrong := parents_stop(table, differing, identity)):
        raise PortError(
            f"{table.ref}: its days are told by `@partition {table.day_text}`, and {'; '.join(wrong)}. "
            "Nothing was read. Write the parent's contract as the table is, and @partition in "
            f"{table.path} so that it holds (without it the table is copied whole), or alter the parent as "
            f"its contract has it ({rebuild})."
        )


def drift(connection: duckdb.DuckDBPyConnection, table: Table) -> list[Change]:
    """All that differs between the contract and the table. DuckDB's error where there is none."""
    return _compared(connection, table, keys=True)


def _compared(connection: duckdb.DuckDBPyConnection, table: Table, *, keys: bool) -> list[Change]:
    named = _named(table)
    columns = connection.execute(
        "select column_name, data_type, is_nullable from duckdb_columns() where database_name = "
        f"current_database() and schema_name = 'main' and {named} order by column_index"
    ).fetchall()
    if not columns and keys:
        connection.execute(
            f"select 1 from {quoted(table.source_name)} limit 0"
        )  # no such table: its error
    if not columns:
        return []  # the extract itself says so
    rules = _rules(connection, table)
    checks: dict[str, list[str]] = {}
    for kind, text, names in rules:
        if kind == "CHECK" and len(names) == 1:
            checks.setdefault(names[0].lower(), []).append(text)
    ours = {column.source_name.lower(): column for column in table.columns}
    live = [
        _live(name, data_type, nullable, checks.get(name.lower(), []), ours.get(name.lower()))
        for name, data_type, nullable in columns
    ]
    return compare(
        table,
        list(map(_promised, table.in_source.columns)),
        live,
        _keys(table, rules) if keys else None,
    )


def _named(table: Table) -> str:
    # As text, not as a parameter: for one of those, DuckDB loads pandas.
    return "lower(table_name) = lower('{}')".format(table.source_name.replace("'", "''"))


def _rules(connection: duckdb.DuckDBPyConnection, table: Table) -> list[tuple[str, str, list[str]]]:
    """The table's constraints: their kind, text and columns."""
    return connection.execute(
        "select constraint_type, expression, constraint_column_names from duckdb_constraints() "
        f"where database_name = current_database() and schema_name = 'main' and {_named(table)}"
    ).fetchall()


def _keys(table: Table, rules: list[tuple[str, str, list[str]]]) -> tuple[Keys, Keys]:
    """The contract's keys and the file's. It has no foreign keys, so that children may come first."""
    by_kind: dict[str, list[tuple[str, ...]]] = {}
    ours = spelling_of(table.columns)
    for kind, _, names in rules:
        key = tuple(ours.get(name.lower(), name).lower() for name in names)
        by_kind.setdefault(kind, []).append(key)
    primary = by_kind.get("PRIMARY KEY", [()])[0]
    held = Keys(primary, frozenset(by_kind.get("UNIQUE", [])))
    return replace(contract_keys(table), foreign=frozenset()), held


def _promised(column: Column) -> Field:
    """A column of the contract, as `catalog.ddl` makes it in DuckDB."""
    bounds = integer_range(column.type)
    return _field(
        column.source_name,
        column.type,
        bounds=bounds,
        characters=characters(column.type),
        members=column.values,
        nullable=column.nullable,
    )


def _live(
    name: str, data_type: str, nullable: bool, checks: list[str], column: Column | None
) -> Field:
    text = data_type.lower().replace(",", ", ")
    if column is not None and not checks and _plain(text) == _plain(duckdb_text(column.type)):
        # DuckDB adds columns without checks: what it would refuse is not known.
        return replace(_promised(column), name=name, nullable=nullable)
    kind = _carried(text)
    if kind is None:
        return Field(name, text, "", nullable=nullable)
    lengths = [match for check in checks if (match := _LENGTH.search(check))]
    listed = [match for check in checks if (match := _MEMBERS.search(check))]
    members = [one.replace("''", "'") for one in _MEMBER.findall(listed[0][1])] if listed else []
    return _field(
        name,
        kind,
        bounds=_bounds(kind, checks),
        characters=int(lengths[0][1]) if lengths else None,
        members=tuple(members),
        nullable=nullable,
    )


def _field(
    name: str,
    kind: ColumnType,
    *,
    bounds: tuple[int, int] | None,
    characters: int | None,
    members: tuple[str, ...],
    nullable: bool,
) -> Field:
    family = _family(kind, bounds, members)
    length = max(map(len, members)) if members else characters or 0
    return Field(
        name,
        _shown(kind, characters, members),
        family,
        ColumnType(kind.kind, kind.precision, kind.scale),
        bounds=bounds,
        digits=(kind.precision, kind.scale) if family.startswith("decimal") else None,
        length=length or (2**31 if family == "text" else 0),
        members=members,
        nullable=nullable,
    )


def _family(kind: ColumnType, bounds: tuple[int, int] | None, members: tuple[str, ...]) -> str:
    if members:
        return "enum"
    if bounds is not None:
        return "integer"
    # The file's measure prints as many digits behind the point as its own type has.
    return {"varchar": "text", "decimal": f"decimal {kind.scale}"}.get(kind.kind, kind.kind)


def _shown(kind: ColumnType, characters: int | None, members: tuple[str, ...]) -> str:
    if kind.declared:
        return kind.declared
    if members:
        listed = ",".join("'" + one.replace("'", "''") + "'" for one in members)
        return f"enum({listed})"
    return f"varchar({characters})" if characters is not None else duckdb_text(kind)


def _carried(text: str) -> ColumnType | None:
    """The type of a column of DuckDB; None for one that no contract has."""
    decimal = re.fullmatch(r"decimal\((\d+), (\d+)\)", text)
    if decimal:
        return ColumnType("decimal", precision=int(decimal[1]), scale=int(decimal[2]))
    kinds: tuple[ColumnType, ...] = (
        *(ColumnType("boolean"), ColumnType("smallint"), ColumnType("integer")),
        *(ColumnType("bigint"), ColumnType("real"), ColumnType("double"), ColumnType("date")),
        *(ColumnType("timestamp"), ColumnType("varchar"), ColumnType("varbyte")),
    )
    return next((kind for kind in kinds if duckdb_text(kind) == text), None)


def _bounds(kind: ColumnType, checks: list[str]) -> tuple[int, int] | None:
    bits = _BITS.get(kind.kind)
    matches = [match for check in checks if (match := _BOUND.search(check))]
    limits: dict[str, str] = {match[1]: match[2] for match in matches}
    if bits is None and len(limits) < 2:
        return None
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if bits else (0, 0)
    return int(limits.get(">=", low)), int(limits.get("<=", high))


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", text.lower())
