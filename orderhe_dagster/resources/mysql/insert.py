"""How rows enter MySQL: judged as the embedded source judges them, then inserted many at a time.

The transaction is `transaction`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from orderhe_dagster.catalog.ddl import quoted, quoted_names, string
from orderhe_dagster.catalog.table import Column, Table
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.insert.strict_insert import cast_list, checked_columns, shown_value
from orderhe_dagster.settings.interrupts import interruptible

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

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
        names = ", ".join(quoted(column.name, "mysql") for column in columns)
        head = f"insert into {quoted(table.name, 'mysql')} ({names}) values "
        cursor.execute("select @@max_allowed_packet")
        (packet,) = cursor.fetchone()
        most = min(_STATEMENT_CHARACTERS, int(packet) // 5)  # a character has 4 bytes at most
        try:
            for values in _values(judge, columns, most):
                cursor.execute(head + values)
        except pymysql.err.IntegrityError as error:
            match = _DUPLICATE.search(str(error.args[-1]))
            if match is None:
                raise
            message = _duplicate(cursor, judge, table, columns, *match.groups())
            raise PortError(message) from None


def _values(
    judge: duckdb.DuckDBPyConnection, columns: Sequence[Column], most: int
) -> Iterator[str]:
    """The rows as lists of values, each text of about `most` characters."""
    literals = " || ',' || ".join(f"coalesce({_literal(column)}, 'null')" for column in columns)
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
        (table.name, key_name.rpartition(".")[2]),
    )
    given = {column.name.lower(): column for column in columns}
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
