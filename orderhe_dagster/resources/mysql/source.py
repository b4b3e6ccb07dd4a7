"""MySQLSource: the shop's database in MySQL. pymysql asks and writes; DuckDB's scanner reads in bulk."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from orderhe_dagster.catalog import mysql_plain, mysql_projection
from orderhe_dagster.catalog.days import Window, bound, windows
from orderhe_dagster.catalog.ddl import quoted
from orderhe_dagster.catalog.drift import Change
from orderhe_dagster.catalog.measure import as_day, measure_select
from orderhe_dagster.catalog.mysql_plain import Plain
from orderhe_dagster.catalog.segments import (
    Outside,
    Scope,
    Segment,
    days_of,
    segments_of,
    uncut,
)
from orderhe_dagster.catalog.source_rows import of_moment
from orderhe_dagster.catalog.table import MOMENT_COLUMN, Table
from orderhe_dagster.ports.measures import Measure, OutsideRows, Touch
from orderhe_dagster.ports.source import (
    Extract,
    ListedTable,
    Look,
    LookAsked,
    Reference,
    Source,
    TableLook,
)
from orderhe_dagster.resources.extract.duckdb_extract import (
    LONG_ROWS_A_GROUP,
    check_partition,
    check_scope,
    drop_empty_part,
    gather,
    has_long_columns,
    measures_of,
    relation_of,
    touches_of,
    where_of,
    write_parts,
)
from orderhe_dagster.resources.extract.engine import bounded, held_mb, reader, spill_of
from orderhe_dagster.resources.extract.faulty_rows import SortedRows, add_quarantined, sort_rows
from orderhe_dagster.resources.mysql import drift as mysql_drift
from orderhe_dagster.resources.mysql import look as mysql_look
from orderhe_dagster.resources.mysql import scans
from orderhe_dagster.resources.mysql import survey as mysql_survey
from orderhe_dagster.resources.mysql import tables as mysql_tables
from orderhe_dagster.resources.mysql.connection import close, connect
from orderhe_dagster.resources.mysql.errors import RETRIED, UNREACHED, MySQLError, mysql_error
from orderhe_dagster.resources.mysql.extract import (
    FAULTY,
    by_arrow,
    by_scanner,
    code_name,
    mysql_select,
    plain_rows,
    plain_select,
    unpacked,
)
from orderhe_dagster.resources.mysql.measuring import measures_of_rows, measuring_select
from orderhe_dagster.resources.mysql.transaction import MySQLTransaction, writing
from orderhe_dagster.settings.config import MEMORY_MB, MySQLSettings
from orderhe_dagster.settings.open_files import open_file_limit
from orderhe_dagster.settings.scratch import fresh_folder

if TYPE_CHECKING:
    import duckdb

logger = logging.getLogger("orderhe.mysql")

_T = TypeVar("_T")
_WAITS_S = (1.0, 5.0)
"""How long is waited before each further attempt of something that only reads."""
_MOST_SCANS = 8  # of days apart; above, all between them is read at once


@dataclass(frozen=True)
class MySQLSource(Source):
    """The shop's MySQL that `settings` name.

    What only reads is repeated from a new snapshot after a lost connection, a deadlock and the like,
    twice at most. A transaction that writes is never repeated here. An extract holds `memory_mb`.
    """

    settings: MySQLSettings
    memory_mb: int = MEMORY_MB

    @property
    def identity(self) -> str:
        """`mysql://host:port/database`."""
        return f"mysql://{self.settings.where}"

    def create(self, tables: Sequence[Table]) -> None:
        """Create the database and the raw tables that are not there yet, parents first."""
        mysql_tables.create(self.settings, tables)

    def list_tables(self) -> list[ListedTable]:
        """The tables of the database, by name."""
        return mysql_tables.read_schema(self.settings)

    def describe(self, tables: Sequence[ListedTable]) -> list[ListedTable]:
        """These tables with their texts and indexes."""
        return mysql_tables.describe(self.settings, tables)

    def survey(self, asked: Sequence[LookAsked], seconds: float) -> dict[str, TableLook]:
        """Look at the values of tables, for about so long in all."""
        return mysql_survey.survey(self.settings, asked, seconds)

    def matching(self, references: Sequence[Reference]) -> list[float | None]:
        """Which share of the first values of each reference are keys."""
        return mysql_survey.matching(self.settings, references)

    def look(self, tables: Sequence[Table]) -> Look:
        """The server as a session finds it, asked once: a doctor waits for nothing."""
        return mysql_look.look(self.settings, tables)

    def commonest(
        self, table: Table, columns: Sequence[str], most: int
    ) -> list[tuple[tuple[str | None, ...], int]]:
        """The commonest values of columns together, by the server's count."""
        return mysql_look.commonest(self.settings, table, columns, most)

    def drift(self, table: Table) -> list[Change]:
        """What differs between the table's contract and the table in MySQL, what stops first."""
        import pymysql

        what = f"compare {table.ref} with its contract"

        def ask() -> list[Change]:
            connection = connect(self.settings, texts=True)
            try:
                with connection.cursor() as cursor:
                    return mysql_drift.drift(cursor, table, self.settings.where)
            except pymysql.MySQLError as error:
                where, user = self.settings.where, self.settings.user
                raise mysql_error(error, where, user, what=what) from None
            finally:
                close(connection)

        return self._repeated(what, ask)

    def writing(self) -> AbstractContextManager[MySQLTransaction]:
        """Open a transaction: committed when the block ends, rolled back when it raises."""
        return writing(self.settings)

    def extract(self, table: Table, scope: Scope, folder: Path) -> Extract:
        """Write the rows of `scope` to Parquet parts under `folder`, cut by day, in one statement."""
        check_scope(table, scope)
        return self._repeated(f"extract {table.ref}", lambda: self._extract(table, scope, folder))

    def measure(
        self, table: Table, scope: Scope, known: Mapping[Segment, Measure] | None = None
    ) -> dict[Segment, Measure]:
        """Rows, sums and digest of every segment asked for, computed inside MySQL.

        The values are digested as they are first, which is enough where they are those that are known:
        that one cannot be carried shows in the digest.
        """
        check_scope(table, scope)
        result = self._unmoved(table, scope, known) if known else {}
        for rest in _scopes_left(scope, result):
            result |= self._measured(table, rest)
        return {segment: result[segment] for segment in segments_of(scope)}

    def _unmoved(
        self, table: Table, scope: Scope, known: Mapping[Segment, Measure]
    ) -> dict[Segment, Measure]:
        """The measures of the segments of `scope` that are as they are known."""
        one, where = uncut(scope), where_of(table, scope, "mysql")

        def select(hint: str) -> str:
            rows = mysql_projection.plain_relation(table, where, hint)
            return measure_select(table, rows, "mysql", by_day=one is None, with_sums=False)

        found = dict.fromkeys(segments_of(scope), (0, 0))
        for *day, rows, digest in self._scanned(f"measure {table.ref}", table, select, where):
            if one or _is_day(day[0]):  # a row without a real day is in no part
                found[one or Segment(str(day[0]))] = (int(rows), int(digest or 0))
        return {
            segment: known[segment]
            for segment, measure in found.items()
            if segment in known and (known[segment].rows, known[segment].digest) == measure
        }

    def _measured(self, table: Table, scope: Scope) -> dict[Segment, Measure]:
        where = where_of(table, scope, "mysql")
        select = partial(measuring_select, table, scope)
        return measures_of_rows(
            table, scope, self._scanned(f"measure {table.ref}", table, select, where)
        )

    def touches(self, table: Table, scope: Scope) -> dict[Segment, Touch]:
        """The fingerprint of every day in `scope` that has rows; of what is not cut by day, always one."""
        check_scope(table, scope)
        one, where = uncut(scope), where_of(table, scope, "mysql")

        def ask(day: str) -> list[tuple[Any, ...]]:
            def select(hint: str) -> str:
                total = f"coalesce(sum({mysql_projection.cursor_number(table)}), 0)"
                return (
                    f"select {day} as shop_day, count(*), {total} from "
                    f"{mysql_projection.rows(table, hint)}{f' where {where}' if where else ''} group by 1"
                )

            return self._scanned(f"look at {table.ref}", table, select, where, propose=True)

        rows = ask("null") if one else _by_real_day(table, ask)
        touches = {one: Touch(0)} if one else {}
        return touches | {
            one or Segment.of(as_day(day)): Touch(int(count), int(Decimal(total)))
            for day, count, total in rows
        }

    def outside(self, table: Table, outside: Outside) -> OutsideRows:
        """How many rows lie outside of the days, and on which side of them; by the index, if there is one."""
        check_scope(table, outside)
        column, cut = _cut_by(table)
        lost = mysql_projection.without_day(cut)
        dated = f" and not {lost}" if lost else ""
        conditions = (
            # `is null` is true of a zero date in a column that is not null
            f"{column} <=> null{f' or {lost}' if lost else ''}",
            f"{column} < {bound(cut, outside.start)}{dated}",
            f"{column} >= {bound(cut, outside.end)}{dated}",
        )
        rows = mysql_projection.rows(table)
        if table.day_through:  # those without a parent are in no index
            sums = ", ".join(f"coalesce(sum({condition}), 0)" for condition in conditions)
            select = f"select {sums} from {rows}"
        else:
            counts = [f"(select count(*) from {rows} where {one})" for one in conditions]
            select = f"select {', '.join(counts)}"
        ((undated, before, after),) = self._asked(f"count {table.ref}", table, select)
        return OutsideRows(int(undated), int(before), int(after))

    def calendar(self, table: Table) -> dict[date, int]:
        """How many rows each of the shop's days has."""
        check_partition(table)
        column, cut = _cut_by(table)
        lost = mysql_projection.without_day(cut)

        def ask(day: str) -> list[tuple[Any, ...]]:
            # Zero dates stand before the bound, and a comparison with NULL is not true.
            select = (
                f"select {day} as shop_day, count(*) from {mysql_projection.rows(table)} "
                f"where {column} >= {bound(cut, date.min)}{f' and not {lost}' if lost else ''} "
                "group by 1 order by 1"
            )
            return self._asked(f"count {table.ref} by day", table, select)

        return {as_day(day): int(rows) for day, rows in _by_real_day(table, ask)}

    def server(self) -> str:
        """MySQL's `server_uuid` or MariaDB's `server_uid`; `host:port` where the server has neither."""
        what = "ask which server this is"
        names = self._repeated(what, lambda: self._server_names(what))
        own = names.get("server_uuid") or names.get("server_uid")
        return own or f"{self.settings.host}:{self.settings.port}"

    def clock(self) -> datetime:
        """The moment it is now by the server's clock (UTC)."""
        what = "ask what time it is"
        return self._repeated(what, lambda: self._clock(what))

    def _clock(self, what: str) -> datetime:
        import pymysql

        connection = connect(self.settings, texts=True)
        try:
            with connection.cursor() as cursor:
                return _moment(cursor)
        except pymysql.MySQLError as error:
            raise mysql_error(error, self.settings.where, self.settings.user, what=what) from None
        finally:
            close(connection)

    def _server_names(self, what: str) -> dict[str, str]:
        import pymysql

        connection = connect(self.settings, texts=True)
        try:
            with connection.cursor() as cursor:
                # A variable that the server does not have is an error when it is selected.
                cursor.execute(
                    "show global variables where variable_name in ('server_uuid', 'server_uid')"
                )
                return {str(name).lower(): str(value) for name, value in cursor.fetchall()}
        except pymysql.MySQLError as error:
            raise mysql_error(error, self.settings.where, self.settings.user, what=what) from None
        finally:
            close(connection)

    def _scanned(
        self,
        what: str,
        table: Table,
        select: Callable[[str], str],
        where: str | None,
        *,
        propose: bool = False,
    ) -> list[tuple[Any, ...]]:
        """The answer of a select over many rows, whose text is made with a hint after the table's name."""

        def ask() -> list[tuple[Any, ...]]:
            with self._reading(what, table) as connection, connection.cursor() as cursor:
                cursor.execute(select(scans.hint(cursor, table, select(""), where)))
                rows = list(cursor.fetchall())
                if propose:
                    count = sum(int(row[1]) for row in rows)
                    scans.propose_index(cursor, table, select(""), count)
                return rows

        return self._repeated(what, ask)

    def _asked(self, what: str, table: Table, select: str) -> list[tuple[Any, ...]]:
        def ask() -> list[tuple[Any, ...]]:
            with self._reading(what, table) as connection, connection.cursor() as cursor:
                cursor.execute(select)
                return list(cursor.fetchall())

        return self._repeated(what, ask)

    def _extract(self, table: Table, scope: Scope, folder: Path) -> Extract:
        """Read the columns as they are; where that stops at a fault, as they can be carried."""
        plain = mysql_plain.columns(table) if self.settings.extract == "scanner" else None
        if plain is not None:
            try:
                return self._written(table, scope, folder, plain)
            except _NotPlain:
                logger.info("%s: not all values can be carried as they are: read again", table.ref)
        return self._written(table, scope, folder)

    def _written(
        self, table: Table, scope: Scope, folder: Path, plain: Sequence[Plain] | None = None
    ) -> Extract:

        code = None if plain else code_name(table)
        with fresh_folder(folder):
            with self._reading(f"extract {table.ref}", table) as connection:
                with connection.cursor() as cursor:
                    snapshot_at = _moment(cursor)
                with self._opened(connection, table, scope, plain, folder) as (engine, rows):
                    # Below the number of days, DuckDB closes files early and writes many small parts.
                    files = open_file_limit(len(segments_of(scope)))
                    engine.execute(f"set partitioned_write_max_open_files = {files}")
                    if has_long_columns(table):
                        rows_kept = f"set partitioned_write_flush_threshold = {LONG_ROWS_A_GROUP}"
                        engine.execute(rows_kept)
                    with _not_plain() if plain else nullcontext():
                        write_parts(engine, table, scope, folder, rows, self.memory_mb, code)
            # The figures come from what was written, so that they hold for the parts themselves.
            memory_mb = held_mb(self.memory_mb, len(table.columns))
            with reader(folder, memory_mb) as engine:
                sorted_rows = (
                    sort_rows(engine, table, scope, folder)
                    if code
                    else SortedRows(gather(table, scope, folder))
                )
                written = relation_of(sorted_rows.parts)
                measures = measures_of(engine, table, scope, written)
                touches = touches_of(engine, table, scope, written)
                touches = add_quarantined(engine, table, touches, sorted_rows)
            drop_empty_part(scope, sorted_rows.parts, measures)
        return Extract(
            *(sorted_rows.parts, measures, touches, snapshot_at),
            quarantine=sorted_rows.quarantine,
            quarantined=sorted_rows.quarantined,
            nulled=sorted_rows.nulled,
        )

    @contextmanager
    def _opened(
        self,
        connection: Any,
        table: Table,
        scope: Scope,
        plain: Sequence[Plain] | None,
        folder: Path,
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
        """The engine and the relation of an extract's rows; `_NotPlain` where they cannot be so."""
        options = bounded(self.memory_mb, spill_of(folder))

        def asking(hint: str) -> str:
            if plain:
                return plain_select(table, scope, plain, hint)
            return mysql_select(table, scope, hint)

        with connection.cursor() as cursor:
            select = asking(
                scans.child_hint(cursor, table, asking("")) if table.day_through else ""
            )
        if self.settings.extract == "arrow":
            with by_arrow(connection, table, scope, select, options) as (engine, relation):
                yield engine, unpacked(table, relation)
            return
        close(connection)  # the scanner has its own; ours would idle for as long
        with by_scanner(self.settings, select, options) as (engine, relation):
            if plain:
                rows = plain_rows(engine, table, scope, plain, relation)
                if rows is None:
                    raise _NotPlain
                yield engine, rows
            else:
                yield engine, unpacked(table, relation)

    @contextmanager
    def _reading(self, what: str, table: Table) -> Iterator[Any]:
        """A connection with a read-only snapshot; the table was held against its contract."""
        import duckdb
        import pymysql

        connection = connect(self.settings, texts=True)
        try:
            with connection.cursor() as cursor:
                mysql_drift.check_columns(cursor, table, self.settings.where)
                cursor.execute("start transaction with consistent snapshot, read only")
            yield connection
        except (pymysql.MySQLError, duckdb.Error) as error:
            raise mysql_error(error, self.settings.where, self.settings.user, what=what) from None
        finally:
            close(connection)

    def _repeated(self, what: str, work: Callable[[], _T]) -> _T:
        """Do what only reads; again, from the start, where what was in the way may have gone."""
        for attempt, wait_s in enumerate(_WAITS_S):
            try:
                return work()
            except MySQLError as error:
                # A server that starts again refuses connections; one that never answered may not exist.
                if error.code not in (RETRIED | UNREACHED if attempt else RETRIED):
                    raise
                logger.warning("%s: again in %g s: %s", what, wait_s, error)
            self._wait(wait_s)
        return work()

    def _wait(self, seconds: float) -> None:
        time.sleep(seconds)


def _moment(cursor: Any) -> datetime:
    """The server's own time."""
    cursor.execute("select utc_timestamp(6)")
    ((moment,),) = cursor.fetchall()
    return datetime.fromisoformat(moment).replace(tzinfo=timezone.utc)


def _cut_by(table: Table) -> tuple[str, Table]:
    """The column, in quotes, by which MySQL cuts the rows into days, and the table whose it is."""
    if table.day_through:
        return quoted(MOMENT_COLUMN, "mysql"), of_moment(table)
    return quoted(table.partition or "", "mysql"), table


def _by_real_day(
    table: Table, ask: Callable[[str], list[tuple[Any, ...]]]
) -> list[tuple[Any, ...]]:
    """The answer by the shop's days, which come first in each row: `ask` is given MySQL's expression."""
    rows = ask(mysql_projection.plain_day(table))
    return rows if all(_is_day(row[0]) for row in rows) else ask(mysql_projection.shop_day(table))


def _is_day(text: Any) -> bool:
    """Whether MySQL printed a real day: 2026-02-30 is none."""
    try:
        date.fromisoformat(str(text))
    except ValueError:
        return False
    return True


def _scopes_left(scope: Scope, done: Collection[Segment]) -> list[Scope]:
    """What is left of a scope besides the segments that are done: all of it where they are none."""
    left = [segment for segment in segments_of(scope) if segment not in done]
    if not left or not isinstance(scope, Window):
        return [scope] if left else []
    spans = windows(days_of(left))
    return [*spans] if len(spans) <= _MOST_SCANS else [Window(spans[0].start, spans[-1].end)]


class _NotPlain(Exception):
    """Columns as they are do not tell all of these rows: they are to be read as they can be carried."""


@contextmanager
def _not_plain() -> Iterator[None]:
    """What DuckDB finds wrong with a value, or is told to stop at, as `_NotPlain`."""
    import duckdb

    try:
        yield
    except duckdb.ConversionException:
        raise _NotPlain from None
    except duckdb.InvalidInputException as error:
        if FAULTY not in str(error):
            raise
        raise _NotPlain from None
