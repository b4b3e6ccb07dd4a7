"""The tables of a MySQL: made from their contracts, and held against them. No row is read here."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any

from orderhe_dagster.catalog.ddl import quoted
from orderhe_dagster.catalog.errors import TypeRefused
from orderhe_dagster.catalog.mysql_types import DECIMAL_DIGITS, arguments_of, base_of, mysql_type
from orderhe_dagster.catalog.table import Column, Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.mysql.connection import STRICT, close, connected
from orderhe_dagster.resources.mysql.errors import MySQLError, code_of, mysql_error
from orderhe_dagster.settings.config import MySQLSettings

_NO_DATABASE, _THERE_ALREADY, _NO_PARENT = 1049, 1050, (1005, 1824)
OURS = "orderhe_simulation"
"""The table by which a database is the simulation's; `shop.simulate.MARKER`."""
_NAMED = 10  # tables that an error names, at most
_TAKING_ZEROS = ",".join(mode for mode in STRICT if not mode.startswith("NO_ZERO"))
_PRINTED_APART = frozenset({"bit", "json", "set", "time", "year"})
"""Types whose values the measure prints in a way of their own: the table must have the very type."""


def create(settings: MySQLSettings, tables: Sequence[Table]) -> None:
    """Create the database and the tables that are not there, parents first. PortError."""
    import pymysql

    connection = _with_database(settings)
    try:
        with connection.cursor() as cursor:
            cursor.execute("show tables")
            there = {str(name).lower() for (name,) in cursor.fetchall()}
            # An old contract may have 0000-00-00 as a default. Strict besides: no type is changed.
            cursor.execute(f"set sql_mode = '{_TAKING_ZEROS}'")
            todo = [table for table in parents_first(tables) if table.name.lower() not in there]
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
    waiting, done = list(tables), dict[str, Table]()
    names = {table.name for table in tables}
    while waiting:
        ready = [
            table
            for table in waiting
            if all(
                key.parent in done or key.parent == table.name or key.parent not in names
                for key in table.foreign_keys
            )
        ]
        done |= {table.name: table for table in ready or waiting[:1]}
        waiting = [table for table in waiting if table.name not in done]
    return list(done.values())


def check_columns(cursor: Any, table: Table, where: str) -> None:
    """See that the table has the contract's columns, with types that the contract's hold.

    It may have more columns. PortError names every column that differs, or the table; so it does where
    rows have no day, which would be in no backup.
    """
    cursor.execute(
        "select column_name, column_type, is_nullable from information_schema.columns "
        "where table_schema = database() and table_name = %s",
        (table.name,),
    )
    columns = [(str(name).lower(), str(kind), null) for name, kind, null in cursor.fetchall()]
    found = {name: kind for name, kind, _ in columns}
    if not found:
        raise MySQLError(
            f"{table.ref}: mysql://{where} has no table {table.name} that this user may read"
            f"{_missing(cursor, table)}",
            1146,
        )
    wrong = []
    for column in table.columns:
        kind = found.get(column.name.lower())
        if kind is None:
            wrong.append(f"column {column.name} is not there")
        elif not _holds(column, kind):
            wrong.append(f"column {column.name} is {kind}, not {column.type.declared}")
    if wrong:
        raise PortError(
            f"{table.ref}: the table in mysql://{where} is not what its contract {table.path} says: "
            f"{'; '.join(wrong)}. Nothing was read. Write the contract as the table is, or alter the "
            "table as the contract has it."
        )
    day = table.partition
    if day is not None and (day.lower(), "YES") in [(name, null) for name, _, null in columns]:
        _check_days(cursor, table, day, where)


def _missing(cursor: Any, table: Table) -> str:
    """What to do about a table that is not there: `create` is for a database that is ours or empty."""
    cursor.execute("show tables")
    there = {str(name).lower(): str(name) for (name,) in cursor.fetchall()}
    if not there or OURS in there:
        return ". Run `orderhe create`, or grant the user `select` on the table"
    near = difflib.get_close_matches(table.name.lower(), there, n=3, cutoff=0.6)
    names = sorted(there.values())
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return (
        f"; did you mean {' or '.join(there[name] for name in near)}? Rename"
        if near
        else f"; there are {', '.join(names[:_NAMED])}{more}. Rename"
    ) + (
        f" or delete {table.path}, or grant the user `select` on the table; `orderhe adopt` writes the "
        "contracts of the tables that there are"
    )


def _check_days(cursor: Any, table: Table, day: str, where: str) -> None:
    """See that every row has a day, where the table does not promise it as its contract does."""
    name = quoted(table.name, "mysql")
    cursor.execute(f"select count(*) from {name} where {quoted(day, 'mysql')} is null")
    ((rows,),) = cursor.fetchall()
    if int(rows):
        there = f"{counted(int(rows), 'row')} in mysql://{where}"
        raise PortError(
            f"{table.ref}: {there} without {day}, which is not null in "
            f"{table.path}: they would be in no day's backup. Nothing was read. Give them a day and alter "
            "the column to not null, or take @partition out of the contract."
        )


def _holds(column: Column, found: str) -> bool:
    """Whether the contract's type holds every value of the type that the table has."""
    match = re.match(r"(\w+)(?:\((.*?)\))?(?!')([^']*)$", found, re.DOTALL)
    wanted = base_of(column.type)
    base = found.split("(", 1)[0].split(" ", 1)[0].lower()
    if wanted == "json" and base == "longtext":
        return True  # MariaDB's JSON
    if base in ("enum", "set") or wanted in ("enum", "set"):
        return base == wanted
    if match is None or (base != wanted and {base, wanted} & _PRINTED_APART):
        return False
    arguments = [part.strip() for part in (match[2] or "").split(",") if part.strip()]
    if base in ("tinyint", "smallint", "mediumint", "int", "bigint", "year", "float", "double"):
        arguments = []  # how wide it is shown
    try:
        kind = mysql_type(base, arguments, unsigned="unsigned" in match[3])
    except TypeRefused:
        return False
    promised = column.type
    if base == "decimal" and arguments and int(arguments[0]) > DECIMAL_DIGITS:
        # `mysql_projection` looks for values of too many digits only where the contract allows for them.
        return column.type.scale == kind.scale and arguments_of(promised)[:1] >= (
            int(arguments[0]),
        )
    same = (kind.kind, kind.precision, kind.scale, kind.instant) == (
        *(promised.kind, promised.precision, promised.scale, promised.instant),
    )
    return same and kind.fraction == promised.fraction and kind.length <= promised.length


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
        return connected(settings)
    except MySQLError as error:
        if error.code != _NO_DATABASE:
            raise
        missing = error
    connection = connected(settings, with_database=False)
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
