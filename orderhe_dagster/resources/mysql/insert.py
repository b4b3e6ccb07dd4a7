"""How rows enter MySQL: judged as the embedded source judges them, then inserted many at a time.

Very many go by the server's own bulk load (`bulk_load`), where it takes one. The transaction is
`transaction`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orderhe_dagster.catalog.ddl import quoted, quoted_names, string
from orderhe_dagster.catalog.table import Column, Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.extract.engine import bounded, spill_of
from orderhe_dagster.resources.insert.strict_insert import (
    cast_list,
    checked_columns,
    parquet_relation,
    shown_value,
    written_columns,
)
from orderhe_dagster.resources.mysql import bulk_load
from orderhe_dagster.resources.mysql.bulk_load import ZERO_DATE, is_empty_enum, is_zero_date
from orderhe_dagster.settings.config import MEMORY_MB
from orderhe_dagster.settings.interrupts import interruptible

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_NO_ZEROS = ("NO_ZERO_DATE", "NO_ZERO_IN_DATE", "TRADITIONAL")
_STRICT = ("STRICT_TRANS_TABLES", "STRICT_ALL_TABLES", "TRADITIONAL")
BULK_ROWS = 5_000
"""So many rows are loaded in bulk."""
_STATEMENT_CHARACTERS = 1_000_000
_DUPLICATE = re.compile(r"Duplicate entry '(.*)' for key '(.*)'", re.DOTALL)


def insert(cursor: Any, table: Table, rows: pa.Table) -> None:
    """Insert a batch by column name. PortError names table, column, key and value (personal data masked).

    The session must take backslashes as they are (`connection.LIKE_DUCKDB`). pymysql's errors pass,
    but for duplicate keys.
    """
    import duckdb
    import pymysql

    with closing(duckdb.connect()) as judge, interruptible(judge.interrupt):
        judge.execute("set TimeZone = 'UTC'")
        judge.register("__rows", rows)
        columns = checked_columns(judge, table, rows)
        if not rows.num_rows:
            return
        cursor.execute("select @@max_allowed_packet, @@local_infile")
        packet, takes_bulk = map(int, cursor.fetchone())
        try:
            if takes_bulk and rows.num_rows >= BULK_ROWS:
                _load(cursor, judge, table, columns, rows.num_rows)
            else:
                _insert(cursor, judge, table, columns, packet)
        except pymysql.err.IntegrityError as error:
            match = _DUPLICATE.search(str(error.args[-1]))
            if match is None:
                raise
            message = _duplicate(cursor, judge, table, columns, *match.groups())
            raise PortError(message) from None


def insert_files(
    cursor: Any, table: Table, paths: Sequence[Path], memory_mb: int = MEMORY_MB
) -> int:
    """Insert the rows of Parquet parts that an extract has written, as they were; how many.

    Rows pass through DuckDB, which holds `memory_mb`. Of duplicate keys, PortError as of `insert`. A server
    may make other values of some where it keeps the empty value of an enum: the caller measures them.
    """
    import duckdb
    import pymysql

    options = bounded(memory_mb, spill_of(paths[0].parent))
    with closing(duckdb.connect(config=options)) as judge, interruptible(judge.interrupt):
        judge.execute("set TimeZone = 'UTC'")
        judge.execute(f"create view __rows as select * from {parquet_relation(paths)}")
        columns = written_columns(table)
        row = judge.execute("select count(*) from __rows").fetchone()
        rows = int(row[0]) if row else 0
        cursor.execute("select @@sql_mode")
        usual = str(cursor.fetchone()[0])
        modes = [mode for mode in usual.split(",") if mode]
        if any(map(is_zero_date, columns)):
            modes = [mode for mode in modes if mode not in _NO_ZEROS]
        if any(map(is_empty_enum, columns)):
            modes = [mode for mode in modes if mode not in _STRICT]
        _check_promised(cursor, judge, table, columns)
        # A zero is a key like any other, and parents may come later.
        mode = ",".join((*modes, "NO_AUTO_VALUE_ON_ZERO"))
        cursor.execute(f"set sql_mode = '{mode}', foreign_key_checks = 0")
        cursor.execute("select @@max_allowed_packet, @@local_infile")
        packet, takes_bulk = map(int, cursor.fetchone())
        try:
            if takes_bulk:
                _load(cursor, judge, table, columns, rows)
            else:
                _insert(cursor, judge, table, columns, packet)
        except pymysql.err.IntegrityError as error:
            match = _DUPLICATE.search(str(error.args[-1]))
            if match is None:
                raise
            raise PortError(_duplicate(cursor, judge, table, columns, *match.groups())) from None
        cursor.execute(f"set sql_mode = '{usual}'")  # the next table may have no such values
        return rows


def _load(
    cursor: Any,
    judge: duckdb.DuckDBPyConnection,
    table: Table,
    columns: Sequence[Column],
    rows: int,
) -> None:
    """Load the batch in bulk, all of it."""
    select = f"select {cast_list(columns)} from __rows"
    taken = bulk_load.load(cursor, judge, table, columns, select)
    if taken != rows:
        raise PortError(
            f"{table.ref}: the server took {taken:,} of {rows:,} rows and did not say why: something of "
            "the table (a trigger, a rule) leaves rows out; look at it, then run this again"
        )


def _insert(
    cursor: Any,
    judge: duckdb.DuckDBPyConnection,
    table: Table,
    columns: Sequence[Column],
    packet: int,
) -> None:
    """Insert the batch by statements of many rows; `packet`: how long one may be."""
    names = ", ".join(quoted(column.source_name, "mysql") for column in columns)
    head = f"insert into {quoted(table.source_name, 'mysql')} ({names}) values "
    most = min(_STATEMENT_CHARACTERS, packet // 5)  # a character has 4 bytes at most
    for values in _values(judge, columns, most):
        cursor.execute(head + values)


def _values(
    judge: duckdb.DuckDBPyConnection, columns: Sequence[Column], most: int
) -> Iterator[str]:
    """The rows as lists of values, each text of about `most` characters."""
    literals = " || ',' || ".join(
        f"coalesce({_literal(column)}, {_of_null(column)})" for column in columns
    )
    result = judge.execute(
        f"select '(' || {literals} || ')' from (select {cast_list(columns)} from __rows)"
    )
    pending: list[str] = []
    length = 0
    while rows := result.fetchmany(10_000):
        for (text,) in rows:
            if pending and length + len(text) > most:
                yield ",".join(pending)
                pending, length = [], 0
            pending.append(text)
            length += len(text) + 1
    if pending:
        yield ",".join(pending)


def _of_null(column: Column) -> str:
    """DuckDB's SQL for the text that stands for NULL, as MySQL reads it."""
    if is_empty_enum(column):
        return string(string(""))
    return f"{string(string(ZERO_DATE))}" if is_zero_date(column) else "'null'"


def _check_promised(
    cursor: Any, judge: duckdb.DuckDBPyConnection, table: Table, columns: Sequence[Column]
) -> None:
    """See that the table takes a NULL where a value could not be carried, and no other stands for it."""
    lost = [
        column
        for column in columns
        if column.promised and not is_zero_date(column) and not is_empty_enum(column)
    ]
    for column in lost:
        name = quoted(column.name)
        ((rows,),) = judge.execute(f"select count(*) from __rows where {name} is null").fetchall()
        cursor.execute(
            "select is_nullable from information_schema.columns where table_schema = database() and "
            "table_name = %s and column_name = %s",
            (table.source_name, column.source_name),
        )
        there = cursor.fetchone()
        if rows and there and str(there[0]).upper() == "NO":
            change = (
                f"alter table {quoted(table.source_name, 'mysql')} modify column "
                f"{quoted(column.source_name, 'mysql')} {column.type.declared} null"
            )
            raise PortError(
                f"{table.ref}: {column.name} is NULL in {counted(rows, 'row')} of the backup, as its value "
                "could not be carried (@bad_values), and the table takes no NULL there. Nothing was "
                f"put in. Let it take one, and run this again: {change}"
            )


def _literal(column: Column) -> str:
    """DuckDB's SQL for the text of a value as MySQL reads it; NULL for NULL."""
    name, kind = quoted(column.name), column.type.kind
    if kind == "boolean":
        return f"case when {name} then '1' when not {name} then '0' end"
    if kind == "varchar":
        return f"'''' || replace({name}, '''', '''''') || ''''"
    if kind == "varbyte":
        return f"'x''' || hex({name}) || ''''"
    if kind == "timestamp":
        return f"'''' || strftime({name}, '%Y-%m-%d %H:%M:%S.%f') || ''''"
    text = f"cast({name} as varchar)"
    # Of a floating number in quotes MySQL makes the nearest one, and keeps the sign of a zero.
    return f"'''' || {text} || ''''" if kind in ("date", "real", "double") else text


def _duplicate(
    cursor: Any,
    judge: duckdb.DuckDBPyConnection,
    table: Table,
    columns: Sequence[Column],
    entry: str,
    key_name: str,
) -> str:
    """What MySQL says of a duplicate key, in the terms of the contract: the key's columns and values."""
    cursor.execute(
        "select column_name from information_schema.statistics where table_schema = database() and "
        "table_name = %s and index_name = %s order by seq_in_index",
        (table.source_name, key_name.rpartition(".")[2]),
    )
    given = {column.source_name.lower(): column for column in columns}
    key = [given.get(name.lower()) for (name,) in cursor.fetchall()]
    remedy = "a row with it is there already, or the rows hold it twice; change the key or leave the row out"
    known = [column for column in key if column is not None]
    if not known or len(known) < len(key):
        return f"{table.ref}: a duplicate key; {remedy}"
    texts = [f"cast({quoted(column.name)} as varchar)" for column in known]
    # The entry joins the values, and may be cut; capitals and accents may differ where a row is there.
    row = judge.execute(
        f"select {', '.join(texts)} from (select {cast_list(known)} from __rows) where "
        f"starts_with(lower(concat_ws('-', {', '.join(texts)})), lower({string(entry)})) limit 1"
    ).fetchone()
    if row is None:
        return f"{table.ref}: a duplicate key ({quoted_names(c.name for c in known)}); {remedy}"
    shown = ", ".join(
        f"{column.name} {shown_value(column, value)}"
        for column, value in zip(known, row, strict=True)
    )
    return f"{table.ref}: a duplicate key, {shown}: {remedy}"
