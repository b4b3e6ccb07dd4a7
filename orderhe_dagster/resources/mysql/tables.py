"""The tables of a MySQL: listed, and made from their contracts. They are held against them in `drift`."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from orderhe_dagster.catalog.ddl import quoted
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.source import ListedTable
from orderhe_dagster.resources.mysql.connection import STRICT, close, connect
from orderhe_dagster.resources.mysql.errors import MySQLError, code_of, mysql_error
from orderhe_dagster.settings.config import MySQLSettings

_NO_DATABASE, _THERE_ALREADY, _NO_PARENT = 1049, 1050, (1005, 1824)
OURS = "orderhe_simulation"
"""The table by which a database is the simulation's; `shop.marker.MARKER`."""
_TAKING_ZEROS = ",".join(mode for mode in STRICT if not mode.startswith("NO_ZERO"))
_TABLES = (
    "select table_name, table_type, coalesce(table_rows, 0) from information_schema.tables "
    "where table_schema = database() order by table_name"
)
_INDEXED = (
    "select distinct table_name, column_name from information_schema.statistics "
    "where table_schema = database() and seq_in_index = 1"
)
_UNSEEN = (1142, 1143, 1146, 1194, 1932)  # no right to it, gone meanwhile, or damaged
_TAKEN = ("BASE TABLE", "SYSTEM VERSIONED")


def create(settings: MySQLSettings, tables: Sequence[Table]) -> None:
    """Create the database and the tables that are not there, parents first. PortError."""
    import pymysql

    connection = _with_database(settings)
    try:
        with connection.cursor() as cursor:
            there = _there(cursor)
            # An old contract may have 0000-00-00 as a default. Strict besides: no type is changed.
            cursor.execute(f"set sql_mode = '{_TAKING_ZEROS}'")
            todo = [table for table in parents_first(tables) if table.source_name not in there]
            for table in todo:
                try:
                    cursor.execute(create_text(table))
                except pymysql.MySQLError as error:
                    if code_of(error) == _THERE_ALREADY:  # somebody was quicker
                        continue
                    what = f"{table.ref}: the table of {table.path} was not made"
                    raise mysql_error(
                        error, settings.where, settings.user, what=what, ddl=True
                    ) from None
    finally:
        close(connection)


def _there(cursor: Any) -> Container[str]:
    """The names of the tables that are there, as this server tells them apart: by capitals or not."""
    cursor.execute("select @@lower_case_table_names")
    ((folds,),) = cursor.fetchall()
    cursor.execute("show tables")
    names = [str(name) for (name,) in cursor.fetchall()]
    return _Folded(name.lower() for name in names) if int(folds) else frozenset(names)


class _Folded(frozenset[str]):
    """Names in small letters that are asked for in any."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())


def create_text(table: Table) -> str:
    """The contract's own `create table`, with InnoDB and utf8mb4 where it names no others."""
    text = re.sub(r"\s+$", "", table.sql)
    options = text[_end_of_columns(text) :].lower()
    more = [
        words
        for words, sign in (
            ("engine=InnoDB", r"\bengine\b"),
            ("default charset=utf8mb4", r"\b(charset|character\s+set|collate)\b"),
        )
        if not re.search(sign, options)
    ]
    # On a line of their own: the text may end in a comment.
    return "\n".join([text, *more])


def parents_first(tables: Sequence[Table]) -> list[Table]:
    """The tables such that a foreign key's parent comes before its child, as far as that can be."""
    waiting, ordered = list(tables), dict[str, Table]()
    names = {table.name for table in tables}
    while waiting:
        ready = [
            table
            for table in waiting
            if all(
                key.parent in ordered or key.parent == table.name or key.parent not in names
                for key in table.foreign_keys
            )
        ]
        ordered |= {table.name: table for table in ready or waiting[:1]}
        waiting = [table for table in waiting if table.name not in ordered]
    return list(ordered.values())


def _end_of_columns(text: str) -> int:
    """Where the bracket of a `create table` closes."""
    marks = re.compile(
        r"--[^\n]*|\#[^\n]*|/\*.*?\*/|'(?:[^'\\]|''|\\.)*'|\"(?:[^\"\\]|\"\"|\\.)*\"|`[^`]*`|[()]",
        re.S,
    )
    depth = 0
    for mark in marks.finditer(text):
        depth += {"(": 1, ")": -1}.get(mark[0], 0)
        if mark[0] == ")" and depth == 0:
            return mark.end()
    return len(text)


def _with_database(settings: MySQLSettings) -> Any:
    """A connection to the database, which is made where it is not there and the user may."""
    import pymysql

    try:
        return connect(settings)
    except MySQLError as error:
        if error.code != _NO_DATABASE:
            raise
        missing = error
    connection = connect(settings, with_database=False)
    name = quoted(settings.database, "mysql")
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"create database if not exists {name} character set utf8mb4")
        connection.select_db(settings.database)
    except BaseException as error:
        close(connection)
        if isinstance(error, pymysql.MySQLError):
            raise PortError(f"{missing} ({code_of(error)}: this user may not)") from None
        raise
    return connection


def read_schema(settings: MySQLSettings) -> list[ListedTable]:
    """Every table of the database, by name; views and sequences with the reason why they are not read."""
    with _asking(settings, "read the schema") as cursor:
        cursor.execute(_TABLES)
        return [
            ListedTable(
                str(name),
                int(rows),
                refused="" if kind in _TAKEN else f"it is a {str(kind).lower()}, no table",
            )
            for name, kind, rows in cursor.fetchall()
        ]


def describe(settings: MySQLSettings, tables: Sequence[ListedTable]) -> list[ListedTable]:
    """These tables with their texts and indexes; with the reason where the user may not see one."""
    import pymysql

    described: list[ListedTable] = []
    with _asking(settings, "read the schema") as cursor:
        cursor.execute("set sql_quote_show_create = 1")
        cursor.execute(_INDEXED)
        indexed: dict[str, set[str]] = {}
        for table, column in cursor.fetchall():
            indexed.setdefault(str(table), set()).add(str(column))
        for table in tables:
            if table.refused:
                described.append(table)
                continue
            try:
                cursor.execute(f"show create table {quoted(table.name, 'mysql')}")
                text = str(cursor.fetchone()[1])
            except pymysql.MySQLError as error:
                if code_of(error) not in _UNSEEN:
                    raise
                why = f"MySQL does not show it (error {code_of(error)})"
                described.append(replace(table, refused=why))
                continue
            own = frozenset(indexed.get(table.name, ()))
            described.append(replace(table, text=text, indexed=own))
    return described


@contextmanager
def _asking(settings: MySQLSettings, what: str) -> Iterator[Any]:
    """A cursor of a connection of its own; its errors as ours."""
    import pymysql

    connection = connect(settings)
    try:
        with connection.cursor() as cursor:
            yield cursor
    except pymysql.MySQLError as error:
        raise mysql_error(error, settings.where, settings.user, what=what) from None
    finally:
        close(connection)
