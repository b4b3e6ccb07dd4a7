"""Statements and files of an extract by DuckDB, whatever it reads. No file is opened or locked here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from orderhe_dagster.catalog import mysql_projection
from orderhe_dagster.catalog.days import ONE_DAY, Window
from orderhe_dagster.catalog.ddl import Dialect, quoted, quoted_names, string
from orderhe_dagster.catalog.measure import (
    day_expression,
    key_number,
    measure_select,
    measured,
    summed,
)
from orderhe_dagster.catalog.mysql_types import VARCHAR_BYTES
from orderhe_dagster.catalog.segments import Scope, Segment, scope_condition, segments_of, uncut
from orderhe_dagster.catalog.source_rows import of_moment, own_rows, with_moment
from orderhe_dagster.catalog.table import DAY_COLUMN, Table
from orderhe_dagster.catalog.types import duckdb_text
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.measures import Measure, Touch
from orderhe_dagster.resources.extract.engine import held_mb

if TYPE_CHECKING:
    import duckdb


LONG_ROWS_A_GROUP = 2048
"""Rows of a table with long columns that DuckDB gathers before it writes: by itself 122,880, in memory."""
_ROWS_KEPT = 3_000_000
"""Rows that DuckDB gathers for all the days of an extract together, where each has as many as it can."""
_LEAST_ROWS_A_GROUP, _MOST_ROWS_A_GROUP = 4096, 122_880
_VECTOR_ROWS = 2048
"""Rows of each day, at least, that DuckDB holds memory for while it writes days side by side."""
_MEMORY_SHARE = 0.65
_GROUP_BYTES = 16_000_000
_USUAL_ROW_BYTES = 128


def has_long_columns(table: Table) -> bool:
    """Whether a value of the table may be as long as Redshift's longest varchar."""
    return any(column.type.length >= VARCHAR_BYTES for column in table.columns)


def check_scope(table: Table, scope: Scope) -> None:
    """A partitioned table is read by days or outside of them, any other whole; PortError else."""
    if (table.partition is None) != (scope is None):
        raise PortError(
            f"{table.ref}: "
            + (
                "the table has no partitions; read it without a window"
                if scope
                else "the table is partitioned by day; say which days"
            )
        )


def check_partition(table: Table) -> None:
    """Only a partitioned table has days; PortError else."""
    if table.partition is None:
        raise PortError(f"{table.ref}: the table has no partitions, so its rows have no days")


def where_of(table: Table, scope: Scope, dialect: Dialect = "duckdb") -> str | None:
    """The condition that a row is in `scope`; None: there is none."""
    if scope is None:
        return None
    text = scope_condition(table, scope, dialect)
    cut = of_moment(table) if table.day_through else table
    lost = mysql_projection.without_day(cut) if dialect == "mysql" else None
    if lost is None:
        return text
    return f"{text} and not {lost}" if isinstance(scope, Window) else f"{text} or {lost}"


def day_name(table: Table) -> str:
    """A column name for the day that no column of the table has."""
    return unused_name(table, "__day")


def unused_name(table: Table, name: str) -> str:
    """`name`, with as many underscores in front as no column of the table has, capitals apart."""
    taken = {column.lower() for column in table.column_names}
    while name in taken:
        name = f"_{name}"
    return name


def rows_of(table: Table, scope: Scope) -> str:
    """The rows of the scope in the table itself, and their day, for `copy_statement`."""
    columns = quoted_names(table.column_names)
    if scope is None:
        return source_relation(table)
    if uncut(scope) is None:
        columns += f", {day_expression(table, 'duckdb')} as {quoted(day_name(table))}"
    return f"(select {columns} from {source_relation(table)} where {where_of(table, scope)})"


def source_relation(table: Table) -> str:
    """The rows of a table in DuckDB: itself, or itself joined with the parents that tell its days."""
    if not table.day_through:
        return own_rows(table, "duckdb")
    own = quoted_names(table.in_source.column_names)
    day = day_expression(of_moment(table), "duckdb")
    rows = with_moment(table, "duckdb")
    return (
        f"(select {own}, {day} as {quoted(DAY_COLUMN)} from {rows}) as {quoted(table.source_name)}"
    )


def write_parts(
    engine: duckdb.DuckDBPyConnection,
    table: Table,
    scope: Scope,
    folder: Path,
    relation: str,
    memory_mb: int,
    code: str | None = None,
) -> None:
    """Write the rows of `relation`, read once, to a file per day; arguments as `copy_statement` has them.

    DuckDB holds some rows of each day. Where that is too much, as of a wide table with many days, all rows
    go to one file first, from which some days at a time are written.
    """
    days = list(scope) if isinstance(scope, Window) else []
    if (wanted := held_mb(memory_mb, len(table.columns))) > memory_mb:
        memory_mb = wanted
        engine.execute(f"set memory_limit = '{memory_mb}MB'")
    if len(days) <= _days_at_once(table, memory_mb, _threads(engine)):
        engine.execute(copy_statement(table, scope, folder, relation, code))
        return
    threads = _threads(engine)
    engine.execute("set threads = 1")  # each holds rows of every day
    try:
        at_once = _days_at_once(table, memory_mb, 1)
        if len(days) <= at_once:
            engine.execute(copy_statement(table, scope, folder, relation, code))
        else:
            _write_some_at_a_time(engine, table, days, at_once, folder, relation, code)
    finally:
        with closing(engine.cursor()) as beside:  # its own transaction may have failed
            beside.execute(f"set threads = {threads}")


def _write_some_at_a_time(
    engine: duckdb.DuckDBPyConnection,
    table: Table,
    days: Sequence[date],
    at_once: int,
    folder: Path,
    relation: str,
    code: str | None,
) -> None:
    aside, day = folder.with_name(f"{folder.name}.all.parquet"), quoted(day_name(table))
    group = min(max(_GROUP_BYTES // _row_bytes(table), _VECTOR_ROWS), _MOST_ROWS_A_GROUP)
    options = f"format parquet, compression zstd, row_group_size {group}"
    try:
        engine.execute(f"copy (select * from {relation}) to {string(aside.as_posix())} ({options})")
        for first in range(0, len(days), at_once):
            some = Window.of(days[first], days[min(first + at_once, len(days)) - 1])
            rows = (
                f"(select * from read_parquet({string(aside.as_posix())})"
                f" where cast({day} as date) between date '{days[first]}'"
                f" and date '{some.end - ONE_DAY}')"
            )
            engine.execute(copy_statement(table, some, folder, rows, code, more=first > 0))
    finally:
        aside.unlink(missing_ok=True)


def _threads(engine: duckdb.DuckDBPyConnection) -> int:
    ((threads,),) = engine.execute("select current_setting('threads')").fetchall()
    return int(threads)


def _days_at_once(table: Table, memory_mb: int, threads: int) -> int:
    """How many days may be written side by side: DuckDB holds a vector of each, whatever its rows."""
    held = _VECTOR_ROWS * _row_bytes(table) * threads
    return max(1, int(memory_mb * 1_000_000 * _MEMORY_SHARE) // held)


def _row_bytes(table: Table) -> int:
    """About how many bytes a row takes in a vector of DuckDB."""
    wide = ("varchar", "varbyte")
    return sum(
        16 if column.type.kind in wide or column.type.precision > 18 else 8
        for column in table.columns
    )


def copy_statement(
    table: Table,
    scope: Scope,
    folder: Path,
    relation: str,
    code: str | None = None,
    *,
    more: bool = False,
) -> str:
    """The one statement of an extract: typed columns of the scope, to a file per day.

    `relation` is SQL text of the rows to write: the table's columns and, where the scope is a window,
    the day as `day_name`. `code`: a further column of it, each of whose values makes a folder too.
    `more`: other days lie in the folder already.
    """
    columns = ", ".join(
        f"cast({quoted(name)} as {duckdb_text(table.column(name).type)}) as {quoted(name)}"
        for name in table.column_names
    )
    cuts = []
    if uncut(scope) is None:
        cuts.append(quoted(day_name(table)))
        columns += f", cast({cuts[0]} as date) as {cuts[0]}"
    if code is not None:
        cuts.append(quoted(code))
        columns += f", {cuts[-1]}"
    target = folder if cuts else folder / "part-00000.parquet"
    options = "format parquet, compression zstd" + (
        f", partition_by ({', '.join(cuts)})" if cuts else ""
    )
    options += f", row_group_size {_rows_a_group(table, scope)}"
    options += ", overwrite_or_ignore true" if more else ""
    return f"copy (select {columns} from {relation}) to {string(target.as_posix())} ({options})"


def _rows_a_group(table: Table, scope: Scope) -> int:
    """How many rows of a day DuckDB gathers before it writes: of many days, it holds some of each."""
    if has_long_columns(table):
        return LONG_ROWS_A_GROUP
    kept = _ROWS_KEPT * _USUAL_ROW_BYTES // max(_row_bytes(table), _USUAL_ROW_BYTES)
    return min(max(kept // len(segments_of(scope)), _LEAST_ROWS_A_GROUP), _MOST_ROWS_A_GROUP)


def gather(table: Table, scope: Scope, folder: Path) -> dict[Segment, Sequence[Path]]:
    """Give what the engine wrote its final names: `<folder>/<day>/part-00000.parquet`."""
    parts: dict[Segment, Sequence[Path]] = {}
    for segment, home in homes(table, scope, folder):
        files = sorted(home.iterdir(), key=lambda file: (len(file.name), file.name))
        parts[segment] = [
            file.rename(home / f"part-{number:05d}.parquet") for number, file in enumerate(files)
        ]
    return parts


def homes(table: Table, scope: Scope, folder: Path) -> Iterator[tuple[Segment, Path]]:
    """The folder of each segment that the engine wrote: `<folder>/<day>`; what is not cut, `folder`."""
    if not isinstance(scope, Window):
        yield segments_of(scope)[0], folder
        return
    for written in sorted(folder.iterdir()):
        day = day_of(table, scope, written.name)
        yield Segment.of(day), written.rename(folder / day.isoformat())


def drop_empty_part(
    scope: Scope, parts: dict[Segment, Sequence[Path]], measures: Mapping[Segment, Measure]
) -> None:
    """Remove the part that the engine wrote of no rows, which it does of what is not cut by day."""
    one = uncut(scope)
    if one and not measures[one].rows:
        for empty in parts.pop(one, ()):
            empty.unlink()


def day_of(table: Table, window: Window, name: str) -> date:
    """The day that the engine named a folder after; PortError where it is none of the window's."""
    day = date.fromisoformat(name.removeprefix(f"{day_name(table)}="))
    if day not in window:
        raise PortError(
            f"{table.ref}: rows of {window} fell on {day}: the bounds and the day of "
            f"{table.partition} disagree; check the time zone and its rules on this machine"
        )
    return day


def relation_of(parts: Mapping[Segment, Sequence[Path]]) -> str | None:
    """All the parts as one relation of SQL; None where there are none."""
    files = [string(part.as_posix()) for paths in parts.values() for part in paths]
    if not files:
        return None
    return f"read_parquet([{', '.join(files)}], hive_partitioning = false)"


def measures_of(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    scope: Scope,
    relation: str | None,
) -> dict[Segment, Measure]:
    """The measure of every segment asked for in `relation` (SQL text; None: there are no rows)."""
    nothing = Measure(0, {column.name: Decimal(0) for column in summed(table)}, 0)
    measures = dict.fromkeys(segments_of(scope), nothing)
    if relation is None:
        return measures
    one = uncut(scope)
    where = where_of(table, scope)
    select = measure_select(table, relation, "duckdb", where=where, by_day=one is None)
    for row in connection.execute(select).fetchall():
        segment, count, sums, digest = measured(table, row, by_day=one is None)
        measures[one or segment] = Measure(count, sums, digest)
    return measures


def touches_of(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    scope: Scope,
    relation: str | None,
) -> dict[Segment, Touch]:
    """The fingerprint of every day that has rows in `relation` (SQL text; None: there are none).

    Of what is not cut by day there is always one.
    """
    one = uncut(scope)
    touches = {one: Touch(0)} if one else {}
    if relation is None:
        return touches
    day = "null" if one else day_expression(table, "duckdb")
    where = where_of(table, scope)
    rows = connection.execute(
        f"select {day} as d, count(*), coalesce(sum({cursor_number(table)}), 0) from {relation}"
        + (f" where {where}" if where else "")
        + " group by 1"
    ).fetchall()
    return touches | {
        one or Segment.of(day): Touch(count, int(total)) for day, count, total in rows
    }


def cursor_number(table: Table) -> str:
    """What is summed of a row for a fingerprint; as `mysql_projection.cursor_number` has it."""
    if not table.day_through:
        return _cursor(table)
    link = table.column(table.day_through[0].column)
    key = key_number(link, quoted(link.name), "duckdb")
    return f"(coalesce({_cursor(table)}, 0) + {key})" if table.cursor else key


def _cursor(table: Table) -> str:
    """The cursor of a row as a whole number: a moment in microseconds, or the number itself."""
    if table.cursor is None:
        return "0"
    name = quoted(table.cursor)
    is_number = table.column(table.cursor).type.kind not in {"date", "timestamp"}
    return f"cast({name} as hugeint)" if is_number else f"epoch_us(cast({name} as timestamp))"
