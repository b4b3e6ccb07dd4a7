"""A MySQL as a session of ours finds it: version, TLS, zone, modes, what can be read. No row is read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from orderhe_dagster.catalog.ddl import quoted, quoted_names
from orderhe_dagster.catalog.source_rows import own_rows
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.source import Look
from orderhe_dagster.resources.mysql.connection import close, connect
from orderhe_dagster.resources.mysql.errors import code_of, mysql_error
from orderhe_dagster.resources.mysql.survey import limit_time
from orderhe_dagster.settings.config import MySQLSettings

_SESSION = (
    "select version(), @@session.time_zone, @@global.time_zone, @@session.sql_mode, "
    "@@session.character_set_connection, utc_timestamp(6)"
)
_INDEXES = (
    "select table_name, index_name, column_name from information_schema.statistics where "
    "table_schema = database() order by table_name, index_name, seq_in_index"
)
_ROWS = (
    "select table_name, coalesce(table_rows, 0) from information_schema.tables where "
    "table_schema = database()"
)
_PATIENCE_S = 5.0
_LATEST = 20_000  # rows that are looked at where all take too long
_TIMED_OUT = (1969, 3024)


def look(settings: MySQLSettings, tables: Sequence[Table]) -> Look:
    """Log in, and see what there is. MySQLError where that is not possible."""
    import pymysql

    connection = connect(settings)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_SESSION)
            version, zone, own_zone, modes, charset, clock = cursor.fetchone()
            cursor.execute("show session status like 'Ssl_cipher'")
            cipher = cursor.fetchone()
            refused = _refused(cursor, tables, settings)
            cursor.execute(_ROWS)
            rows = {str(name): int(count) for name, count in cursor.fetchall()}
            return Look(
                str(version),
                str(cipher[1]) if cipher else "",
                str(zone),
                str(own_zone),
                str(modes),
                str(charset),
                clock if isinstance(clock, datetime) else datetime.fromisoformat(str(clock)),
                refused,
                rows,
                _indexes(cursor),
            )
    except pymysql.MySQLError as error:
        raise mysql_error(error, settings.where, settings.user, what="look around") from None
    finally:
        close(connection)


def commonest(
    settings: MySQLSettings, table: Table, columns: Sequence[str], most: int
) -> list[tuple[tuple[str | None, ...], int]]:
    """The commonest values of columns together: of all rows, or of the latest where that takes too long."""
    import pymysql

    names, there = quoted_names(columns, "mysql"), own_rows(table, "mysql")
    keys = ", ".join(f"{quoted(name, 'mysql')} desc" for name in table.grain)
    latest = (
        f"(select {names} from {there}{f' order by {keys}' if keys else ''} limit {_LATEST}) as t"
    )
    connection = connect(settings, texts=True)
    try:
        with connection.cursor() as cursor:
            limit_time(cursor, _PATIENCE_S)
            for relation in (there, latest):
                try:
                    cursor.execute(
                        f"select {names}, count(*) as n from {relation} group by {names} "
                        f"order by n desc, {names} limit {most}"
                    )
                except pymysql.MySQLError as error:
                    if code_of(error) in _TIMED_OUT:
                        continue
                    raise
                return [(tuple(map(_text, row[:-1])), int(row[-1])) for row in cursor.fetchall()]
            return []
    except pymysql.MySQLError as error:
        raise mysql_error(
            error, settings.where, settings.user, what=f"look at the values of {table.source_name}"
        ) from None
    finally:
        close(connection)


def _text(value: Any) -> str | None:
    """A value as MySQL prints it; bytes in hexadecimal digits where they are no text."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.hex()
    return None if value is None else str(value)


def _refused(cursor: Any, tables: Sequence[Table], settings: MySQLSettings) -> dict[str, PortError]:
    """The tables whose columns cannot be read, and why."""
    import pymysql

    refused: dict[str, PortError] = {}
    for table in tables:
        names = quoted_names(table.in_source.column_names, "mysql")
        try:
            cursor.execute(f"select {names} from {own_rows(table, 'mysql')} limit 0")
        except pymysql.err.OperationalError as error:
            refused[table.name] = mysql_error(error, settings.where, settings.user)
        except pymysql.err.ProgrammingError as error:
            refused[table.name] = mysql_error(error, settings.where, settings.user)
    return refused


def _indexes(cursor: Any) -> dict[str, list[tuple[str, ...]]]:
    cursor.execute(_INDEXES)
    columns: dict[tuple[str, str], list[str]] = {}
    for table, index, column in cursor.fetchall():
        columns.setdefault((str(table), str(index)), []).append(str(column))
    indexes: dict[str, list[tuple[str, ...]]] = {}
    for (table, _), names in columns.items():
        indexes.setdefault(table, []).append(tuple(names))
    return indexes
