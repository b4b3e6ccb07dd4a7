"""The tables of a MySQL: listed, made from their contracts, and held against them. No row is read here."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any

from orderhe_dagster.catalog.ddl import quoted
from orderhe_dagster.catalog.errors import TypeRefused
from orderhe_dagster.catalog.mysql_types import DECIMAL_DIGITS, arguments_of, base_of, mysql_type
from orderhe_dagster.catalog.table import Column, ColumnType, Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.source import ListedTable
from orderhe_dagster.resources.mysql.connection import STRICT, close, connect
from orderhe_dagster.resources.mysql.errors import MySQLError, code_of, mysql_error
from orderhe_dagster.settings.config import MySQLSettings

_NO_DATABASE, _THERE_ALREADY, _NO_PARENT = 1049, 1050, (1005, 1824)
OURS = "orderhe_simulation"
"""The table by which a database is the simulation's; `shop.marker.MARKER`."""
_NAMED = 10  # tables that an error names, at most
_TAKING_ZEROS = ",".join(mode for mode in STRICT if not mode.startswith("NO_ZERO"))
_PRINTED_APART = frozenset({"bit", "json", "set", "time", "year"})
"""Types whose values the measure prints in a way of their own: the table must have the very type."""
_WITH_DISPLAY_WIDTH = frozenset(
    {"tinyint", "smallint", "mediumint", "int", "bigint", "year", "float", "double"}
)
"""Types whose numbers in brackets tell how wide a value is shown, and no more."""
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


def check_columns(cursor: Any, table: Table, where: str) -> None:
    """See that the table has the contract's columns, with types that the contract's hold.

    It may have more columns. PortError names every column that differs, or the table; so it does where
    rows have no day and the contract says that all have.
    """
    cursor.execute(
        "select column_name, column_type, is_nullable from information_schema.columns "
        "where table_schema = database() and table_name = %s",
        (table.name,),
    )
    columns = [(str(name).lower(), str(kind), null) for name, kind, null in cursor.fetchall()]
    types = {name: kind for name, kind, _ in columns}
    if not types:
        raise MySQLError(
            f"{table.ref}: mysql://{where} has no table {table.name} that this user may read"
            f"{_missing(cursor, table)}",
            1146,
        )
    differences = []
    for column in table.columns:
        kind = types.get(column.name.lower())
        if kind is None:
            differences.append(f"column {column.name} is not there")
        elif not _holds(column, kind):
            differences.append(f"column {column.name} is {kind}, not {column.type.declared}")
    if differences:
        raise PortError(
            f"{table.ref}: the table in mysql://{where} is not what its contract {table.path} says: "
            f"{'; '.join(differences)}. Nothing was read. Write the contract as the table is, or alter the "
            "table as the contract has it."
        )
    day = table.partition
    if day is None or table.column(day).nullable:
        return
    if (day.lower(), "YES") in [(name, null) for name, _, null in columns]:
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
            f"{table.path}. Nothing was read. Give them a day and alter the column to not null, or take "
            "its `not null` out of the contract: they then lie outside of the days."
        )


def _holds(column: Column, declared: str) -> bool:
    """Whether the contract's type holds every value of the type that the table has."""
    match = re.match(r"(\w+)(?:\((.*?)\))?(?!')([^']*)$", declared, re.DOTALL)
    promised = base_of(column.type)
    base = declared.split("(", 1)[0].split(" ", 1)[0].lower()
    if promised == "json" and base == "longtext":
        return True  # MariaDB's JSON
    if base in ("enum", "set") or promised in ("enum", "set"):
        return base == promised
    if match is None or (base != promised and {base, promised} & _PRINTED_APART):
        return False
    arguments = [part.strip() for part in (match[2] or "").split(",") if part.strip()]
    if base in _WITH_DISPLAY_WIDTH:
        arguments = []
    try:
        kind = mysql_type(base, arguments, unsigned="unsigned" in match[3])
    except TypeRefused:
        return False
    digits = int(arguments[0]) if base == "decimal" and arguments else 0
    return _covers(column.type, kind, digits)


def _covers(promised: ColumnType, actual: ColumnType, digits: int) -> bool:
    """Whether a carried type holds what another holds; `digits`: how many MySQL's decimal has."""
    if digits > DECIMAL_DIGITS:
        # `mysql_projection` looks for values of too many digits only where the contract allows for them.
        return promised.scale == actual.scale and arguments_of(promised)[:1] >= (digits,)
    same = (actual.kind, actual.precision, actual.scale, actual.instant, actual.fraction) == (
        *(promised.kind, promised.precision, promised.scale, promised.instant, promised.fraction),
    )
    return same and actual.length <= promised.length


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
    import pymysql

    connection = connect(settings)
    try:
        with connection.cursor() as cursor:
            cursor.execute("set sql_quote_show_create = 1")
            cursor.execute(_TABLES)
            tables = [(str(name), str(kind), int(rows)) for name, kind, rows in cursor.fetchall()]
            cursor.execute(_INDEXED_DAYS)
            indexed: dict[str, list[str]] = {}
            for table, column in cursor.fetchall():
                indexed.setdefault(str(table), []).append(str(column))
            return [_listed_table(cursor, *table, indexed.get(table[0], [])) for table in tables]
    except pymysql.MySQLError as error:
        raise mysql_error(error, settings.where, settings.user, what="read the schema") from None
    finally:
        close(connection)


def _listed_table(cursor: Any, name: str, kind: str, rows: int, indexed: list[str]) -> ListedTable:
    if kind not in _TAKEN:
        return ListedTable(name, rows, refused=f"it is a {kind.lower()}, no table")
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
    return ListedTable(name, rows, text, spans)
