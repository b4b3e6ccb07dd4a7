"""What tables a MySQL has, and how it prints them. What becomes of them is not decided here."""

from __future__ import annotations

from typing import Any

from orderhe_dagster.catalog.ddl import quoted
from orderhe_dagster.ports.source import FoundTable
from orderhe_dagster.resources.mysql.connection import close, connected
from orderhe_dagster.resources.mysql.errors import mysql_error
from orderhe_dagster.settings.config import MySQLSettings

_TABLES = (
    "select table_name, table_type, coalesce(table_rows, 0) from information_schema.tables "
    "where table_schema = database() order by table_name"
)
_INDEXED_DAYS = (
    "select distinct s.table_name, s.column_name from information_schema.statistics s "
    "join information_schema.columns c on c.table_schema = s.table_schema "
    "and c.table_name = s.table_name and c.column_name = s.column_name "
    "where s.table_schema = database() and s.seq_in_index = 1 "
    "and c.data_type in ('date', 'datetime', 'timestamp')"
)
_TAKEN = ("BASE TABLE", "SYSTEM VERSIONED")


def read_schema(settings: MySQLSettings) -> list[FoundTable]:
    """Every table of the database, by name; views and sequences with the reason why they are not read."""
    import pymysql

    connection = connected(settings)
    try:
        with connection.cursor() as cursor:
            cursor.execute("set sql_quote_show_create = 1")
            cursor.execute(_TABLES)
            tables = [(str(name), str(kind), int(rows)) for name, kind, rows in cursor.fetchall()]
            cursor.execute(_INDEXED_DAYS)
            indexed: dict[str, list[str]] = {}
            for table, column in cursor.fetchall():
                indexed.setdefault(str(table), []).append(str(column))
            return [_found(cursor, *table, indexed.get(table[0], [])) for table in tables]
    except pymysql.MySQLError as error:
        raise mysql_error(error, settings.where, settings.user, what="read the schema") from None
    finally:
        close(connection)


def _found(cursor: Any, name: str, kind: str, rows: int, indexed: list[str]) -> FoundTable:
    if kind not in _TAKEN:
        return FoundTable(name, rows, refused=f"it is a {kind.lower()}, no table")
    cursor.execute(f"show create table {quoted(name, 'mysql')}")
    text = str(cursor.fetchone()[1])
    spans = {}
    for column in indexed:
        here = quoted(column, "mysql")
        # Both ends come from the index; zero dates stand before the bound.
        cursor.execute(
            f"select datediff(max({here}), min({here})) from {quoted(name, 'mysql')} "
            f"where {here} >= '0001-01-01'"
        )
        ((days,),) = cursor.fetchall()
        spans[column] = 0 if days is None else int(days) + 1
    return FoundTable(name, rows, text, spans)
