"""LOAD DATA LOCAL from memory: the server's own way in for many rows. No file is read, nothing is judged.

By its protocol a server may ask for any file of this machine when it is sent such a statement. It gets the
rows that are made here, whatever it asks for; and with every other statement pymysql refuses to send one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from orderhe_dagster.catalog.ddl import quoted
from orderhe_dagster.catalog.mysql_types import base_of, integer_range
from orderhe_dagster.catalog.table import Column, Table

if TYPE_CHECKING:
    import duckdb

ZERO_DATE = "0000-00-00"
_BATCH_ROWS = 20_000
_PACKET_BYTES = 1 << 20
_TRUNCATED = 1265  # what a server says of the empty value of an enum, which it keeps


def load(
    cursor: Any, judge: duckdb.DuckDBPyConnection, table: Table, columns: Sequence[Column], sql: str
) -> int:
    """Load the rows of `sql`, asked of `judge`; gives how many the server took.

    What it would not take as it is raises the error that an insert would have raised: a server makes
    a warning of it here, and goes on.
    """
    connection = cursor.connection
    # concat_ws at once: a chain of || would make every beginning of a line a text of its own.
    fields = ", ".join(f"coalesce({_field(column)}, '{_of_null(column)}')" for column in columns)
    result = judge.execute(f"select concat_ws(',', {fields}) || chr(10) as line from ({sql})")
    taken, warnings = _sent(connection, _statement(table, columns), _blocks(result))
    if warnings:
        cursor.execute("show warnings")
        empty = [f"'{column.source_name}'" for column in columns if is_empty_enum(column)]
        for level, code, message in cursor.fetchall():
            is_meant = int(code) == _TRUNCATED and any(name in str(message) for name in empty)
            if str(level) != "Note" and not is_meant:
                raise _error(int(code), str(message))
    return taken


def is_zero_date(column: Column) -> bool:
    """Whether a NULL of the column was a zero date, and is one again where it is put back."""
    return column.promised and column.type.kind in ("date", "timestamp")


def is_empty_enum(column: Column) -> bool:
    """Whether a NULL of the column was MySQL's empty value of an enum, and is one again."""
    return column.promised and base_of(column.type) == "enum"


def _of_null(column: Column) -> str:
    if is_zero_date(column):
        return ZERO_DATE
    return '""' if is_empty_enum(column) else "NULL"


_UNPACKED = {"varbyte": "unhex({})", "boolean": "cast({} as signed)"}
_BITS = "cast({} as unsigned)"
"""What makes a value of its text where LOAD DATA does not: a BIT would be taken for its bytes."""


def _statement(table: Table, columns: Sequence[Column]) -> str:
    """The statement. Values that are made of their texts go by way of a variable.

    The end of a line is in hexadecimal: a backslash may stand for itself in the session. Beside a SET, a
    zero that a column counts by is kept only if it comes by one too.
    """
    targets, sets = [], []
    by_set = any(map(_unpacked, columns))
    for place, column in enumerate(columns):
        name = quoted(column.source_name, "mysql")
        is_number = by_set and integer_range(column.type) is not None
        unpacked = _unpacked(column) or ("{}" if is_number else None)
        targets.append(f"@v{place}" if unpacked else name)
        if unpacked:
            sets.append(f"{name} = {unpacked.format(f'@v{place}')}")
    return (
        f"load data local infile 'rows' into table {quoted(table.source_name, 'mysql')} "
        "character set utf8mb4 fields terminated by ',' optionally enclosed by '\"' escaped by '' "
        f"lines terminated by x'0A' ({', '.join(targets)})"
        f"{' set ' if sets else ''}{', '.join(sets)}"
    )


def _unpacked(column: Column) -> str | None:
    """MySQL's expression that makes a value of its text; None where LOAD DATA does."""
    return _UNPACKED.get(column.type.kind, _BITS if base_of(column.type) == "bit" else None)


def _field(column: Column) -> str:
    """DuckDB's SQL for the text of a value in a line; NULL for NULL."""
    name, kind = quoted(column.name), column.type.kind
    if kind == "boolean":
        return f"case when {name} then '1' when not {name} then '0' end"
    if kind == "varchar":
        return f"""'"' || replace({name}, '"', '""') || '"'"""
    if kind == "varbyte":
        return f"hex({name})"
    # Of a timestamp it has no zeros at its end: a digit more than the column has would be a warning.
    return f"cast({name} as varchar)"


def _blocks(result: Any) -> Iterator[bytes]:
    """The lines one after another, as Arrow holds them: no row becomes an object of Python."""
    for batch in result.to_arrow_reader(_BATCH_ROWS):
        lines = batch.column(0)
        _, places, text = lines.buffers()
        width = 4  # of a place, in Arrow's type of texts
        ends = memoryview(places).cast("B")[lines.offset * width :].cast("i")
        data = memoryview(text).cast("B")[ends[0] : ends[len(lines)]]
        for start in range(0, len(data), _PACKET_BYTES):
            yield bytes(data[start : start + _PACKET_BYTES])


def _sent(connection: Any, sql: str, blocks: Iterator[bytes]) -> tuple[int, int]:
    """Send a statement and what it loads; the rows that were taken, and the number of warnings."""
    from pymysql.constants import COMMAND
    from pymysql.protocol import OKPacketWrapper

    connection._execute_command(COMMAND.COM_QUERY, sql)
    first = connection._read_packet()
    if not first.is_load_local_packet():
        raise _error(2014, "the server did not ask for the rows of a LOAD DATA LOCAL")
    for block in blocks:
        connection.write_packet(block)
    connection.write_packet(b"")  # the end
    done = OKPacketWrapper(connection._read_packet())
    connection.server_status = done.server_status
    return int(done.affected_rows), int(done.warning_count)


def _error(code: int, message: str) -> Exception:
    from pymysql import err

    broken = code in (1048, 1062, 1452, 1557, 1586)  # a constraint
    error: Exception = (err.IntegrityError if broken else err.OperationalError)(code, message)
    return error
