"""A table of a MySQL held against its contract: its columns before every read, all of it once a run.

What a difference means is `catalog.drift`'s. No row is read here, but to see that each has a day.
"""

from __future__ import annotations

import difflib
from typing import Any

from orderhe_dagster.catalog.ddl import quoted
from orderhe_dagster.catalog.drift import (
    Change,
    Field,
    Keys,
    as_json,
    compare,
    contract_fields,
    contract_keys,
    keys_of,
    mysql_field,
    parents_stop,
    sentence,
)
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.mysql.errors import MySQLError, code_of
from orderhe_dagster.resources.mysql.tables import OURS

_NAMED = 10  # tables that an error names, at most
_REFUSED = (1142, 1143)  # codes of a right that is missing
_COLUMNS = (
    "select column_name, column_type, is_nullable, character_set_name, collation_name "
    "from information_schema.columns where table_schema = database() and table_name = %s "
    "order by ordinal_position"
)


def check_columns(cursor: Any, table: Table, where: str) -> None:
    """See that nothing of the table's columns stops an extract, by the policy of `catalog.drift`.

    It may have more columns. PortError names every column that differs, or the table; so it does where
    rows have no day and the contract says that all have.
    """
    live = _live(cursor, table, where)
    stops = [change for change in _compared(table, live, None) if change.stops]
    if stops:
        source = f"mysql://{where}"
        raise PortError(
            f"{table.ref}: the table in {source} is not what its contract {table.path} says: "
            f"{'; '.join(sentence(change, table, source) for change in stops)}. Nothing was read. "
            f"Write the contract as the table is (`orderhe adopt --update {table.name}` shows the lines, "
            "and writes them with --write), or alter the table as the contract has it."
        )
    _check_parents(cursor, table, where)
    day = table.partition
    if day is None or table.column(day).nullable:
        return
    there = table.source_column(day)
    if any(one.nullable for one in live if one.name.lower() == there.lower()):
        _check_days(cursor, table, there, where)


def _check_parents(cursor: Any, table: Table, where: str) -> None:
    """See that the parents of a child tell the days of its rows as their contracts have it."""

    def differing(parent: Table) -> tuple[list[Change], Keys | None]:
        return _compared(parent, _live(cursor, parent, where), None), _keys(cursor, parent)

    if table.day_through and (wrong := parents_stop(table, differing, f"mysql://{where}")):
        raise PortError(
            f"{table.ref}: its days are told by `@partition {table.day_text}`, and {'; '.join(wrong)}. "
            "Nothing was read. Write the parent's contract as the table is (`orderhe adopt --update` shows "
            f"the lines), and @partition in {table.path} so that it holds; without it the table is copied "
            "whole."
        )


def drift(cursor: Any, table: Table, where: str) -> list[Change]:
    """All that differs between the contract and the table. PortError where there is no table."""
    live = _live(cursor, table, where)
    keys = _keys(cursor, table)
    return _compared(table, live, keys)


def _compared(table: Table, live: list[Field], keys: Keys | None) -> list[Change]:
    promised = contract_fields(table)
    both = None if keys is None else (contract_keys(table), keys)
    return compare(table, promised, as_json(promised, live), both)


def _live(cursor: Any, table: Table, where: str) -> list[Field]:
    """The columns that this user may read, in their order."""
    cursor.execute(_COLUMNS, (table.source_name,))
    columns = [
        mysql_field(
            str(name),
            str(declared),
            nullable=str(null) == "YES",
            charset=str(charset or ""),
            collation=str(collation or ""),
        )
        for name, declared, null, charset, collation in cursor.fetchall()
    ]
    if columns:
        return columns
    raise MySQLError(
        f"{table.ref}: mysql://{where} has no table {table.source_name} that this user may read"
        f"{_missing(cursor, table)}",
        1146,
    )


def _keys(cursor: Any, table: Table) -> Keys | None:
    """The table's keys; None where the user may read its columns but not how it was made."""
    import pymysql

    try:
        cursor.execute("set sql_quote_show_create = 1")
        cursor.execute(f"show create table {quoted(table.source_name, 'mysql')}")
    except pymysql.MySQLError as error:
        if code_of(error) in _REFUSED:
            return None
        raise
    return keys_of(table.path, table.name, str(cursor.fetchone()[1]))


def _missing(cursor: Any, table: Table) -> str:
    """What to do about a table that is not there: `create` is for a database that is ours or empty."""
    cursor.execute("show tables")
    names = sorted(str(name) for (name,) in cursor.fetchall())
    if not names or OURS in {name.lower() for name in names}:
        return ". Run `orderhe create`, or grant the user `select` on the table"
    wanted = table.source_name.lower()
    alike = [name for name in names if name.lower() == wanted]  # other capitals: another table
    close = difflib.get_close_matches(wanted, {name.lower() for name in names}, n=3, cutoff=0.6)
    near = alike or [name for lower in close for name in names if name.lower() == lower]
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return (
        f"; did you mean {' or '.join(near)}? Write"
        if near
        else f"; there are {', '.join(names[:_NAMED])}{more}. Write"
    ) + (
        f" its name in the `create table` of {table.path}, or delete the file, or grant the user `select` on "
        "the table; `orderhe adopt` writes the contracts of the tables that there are"
    )


def _check_days(cursor: Any, table: Table, day: str, where: str) -> None:
    """See that every row has a day, where the table does not promise it as its contract does."""
    name = quoted(table.source_name, "mysql")
    cursor.execute(f"select count(*) from {name} where {quoted(day, 'mysql')} is null")
    ((rows,),) = cursor.fetchall()
    if int(rows):
        there = f"{counted(int(rows), 'row')} in mysql://{where}"
        raise PortError(
            f"{table.ref}: {there} without {day}, which is not null in "
            f"{table.path}. Nothing was read. Give them a day and alter the column to not null, or take "
            "its `not null` out of the contract: they then lie outside of the days."
        )
