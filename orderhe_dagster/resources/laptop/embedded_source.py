"""EmbeddedSource: the shop's database in a DuckDB file, opened for one operation at a time.

In a run it stays open for reading a moment longer (`kept_open`). What a row must be like to enter is in
`strict_insert`; who waits for whom is in `locks`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orderhe_dagster.catalog.days import bound
from orderhe_dagster.catalog.ddl import quoted
from orderhe_dagster.catalog.drift import Change
from orderhe_dagster.catalog.measure import day_expression
from orderhe_dagster.catalog.segments import Outside, Scope, Segment, segments_of
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.measures import Measure, OutsideRows, Touch
from orderhe_dagster.ports.source import Extract, Source, SourceTransaction
from orderhe_dagster.resources.extract.duckdb_extract import (
    check_partition,
    check_scope,
    drop_empty_part,
    gather,
    measures_of,
    relation_of,
    rows_of,
    source_relation,
    touches_of,
    write_parts,
)
from orderhe_dagster.resources.extract.engine import bounded, held_mb, reader
from orderhe_dagster.resources.insert.strict_insert import insert, insert_files, safe_text
from orderhe_dagster.resources.laptop import embedded_drift
from orderhe_dagster.resources.laptop.duckdb_file import remedy, remove_stillborn
from orderhe_dagster.resources.laptop.kept_open import IDLE, OpenFile
from orderhe_dagster.settings.config import MEMORY_MB
from orderhe_dagster.settings.folders import make_private
from orderhe_dagster.settings.interrupts import interruptible
from orderhe_dagster.settings.locks import file_lock
from orderhe_dagster.settings.open_files import open_file_limit
from orderhe_dagster.settings.scratch import fresh_folder

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


_OWNER = "source"
REBUILD = (
    "a simulated shop is made again by `orderhe simulate`, another one by its imports or from its backups by "
    "`orderhe restore source`"
)


@dataclass(frozen=True)
class EmbeddedSource(Source):
    """A DuckDB file in place of MySQL: `path` is the file, made by `create`.

    DuckDB admits one writing process to a file and no reader beside it, so each operation waits its
    turn at a kernel lock (at most `lock_timeout_s`), opens the file, and closes it again; `linger_s`
    after what reads, where nobody else waits for it. The engine holds `memory_mb`; more goes to a folder
    beside the file.
    """

    path: str
    lock_timeout_s: float = 120.0
    linger_s: float = 0.0
    memory_mb: int = MEMORY_MB

    @property
    def identity(self) -> str:
        """`duckdb:` and the name of the file."""
        return f"duckdb:{Path(self.path).name}"

    def server(self) -> str:
        """The file is its own server: its identity."""
        return self.identity

    def clock(self) -> datetime:
        """The moment it is now by this machine's clock (UTC)."""
        return datetime.now(timezone.utc)

    def create(self, tables: Sequence[Table]) -> None:
        """Create the raw tables that are not there yet, from their contracts."""
        from orderhe_dagster.catalog.ddl import duckdb_create

        make_private(Path(self.path).parent)
        with self._open("create tables") as connection:
            there = {
                name
                for (name,) in connection.execute(
                    "select table_name from duckdb_tables() where schema_name = 'main'"
                ).fetchall()
            }
            _refuse_alike(tables)
            for table in tables:
                _refuse_generated(table)
                if table.source_name not in there:
                    connection.execute(duckdb_create(table.in_source))

    @contextmanager
    def writing(self) -> Iterator[SourceTransaction]:
        """Open a transaction: committed when the block ends, rolled back when it raises."""
        self._must_exist()
        with self._open("write") as connection:
            connection.execute("begin transaction")
            try:
                with interruptible(connection.interrupt):
                    yield _Transaction(connection, self.identity, self.path)
                    connection.execute("commit")
            except BaseException:
                _roll_back(connection)
                raise

    def extract(self, table: Table, scope: Scope, folder: Path) -> Extract:
        """Write the rows of `scope` to Parquet parts under `folder`, cut by day, in one statement."""
        check_scope(table, scope)
        with fresh_folder(folder):
            with (
                self._reading(f"extract {table.ref}") as connection,
                _named(table, self.identity, self.path),
            ):
                connection.execute("begin transaction")
                (snapshot_at,) = _row(connection.execute("select cast(now() as timestamp)"))
                embedded_drift.check_columns(connection, table, self.identity, REBUILD)
                # Below the number of days, DuckDB closes files early and writes many small parts.
                files = open_file_limit(len(segments_of(scope)))
                connection.execute(f"set partitioned_write_max_open_files = {files}")
                rows = rows_of(table, scope)
                write_parts(connection, table, scope, folder, rows, self.memory_mb)
                connection.execute("rollback")
            parts = gather(table, scope, folder)
            # The figures come from what was written, so that they hold for the parts themselves.
            memory_mb = held_mb(self.memory_mb, len(table.columns))
            with reader(folder, memory_mb) as engine, _named(table, self.identity, self.path):
                written = relation_of(parts)
                measures = measures_of(engine, table, scope, written)
                touches = touches_of(engine, table, scope, written)
            drop_empty_part(scope, parts, measures)
        return Extract(parts, measures, touches, snapshot_at.replace(tzinfo=timezone.utc))

    def measure(
        self, table: Table, scope: Scope, known: Mapping[Segment, Measure] | None = None
    ) -> dict[Segment, Measure]:
        """Rows, sums and digest of every segment asked for, computed inside the source."""
        check_scope(table, scope)
        with (
            self._reading(f"measure {table.ref}") as connection,
            _named(table, self.identity, self.path),
        ):
            return measures_of(connection, table, scope, source_relation(table))

    def touches(self, table: Table, scope: Scope) -> dict[Segment, Touch]:
        """The fingerprint of every day in `scope` that has rows; of what is not cut by day, always one."""
        check_scope(table, scope)
        with (
            self._reading(f"look at {table.ref}") as connection,
            _named(table, self.identity, self.path),
        ):
            return touches_of(connection, table, scope, source_relation(table))

    def outside(self, table: Table, outside: Outside) -> OutsideRows:
        """How many rows lie outside of the days, and on which side of them."""
        check_scope(table, outside)
        column = quoted(table.partition or "")
        select = (
            f"select count(*) filter (where {column} is null), count(*) filter (where {column} < "
            f"{bound(table, outside.start)}), count(*) filter (where {column} >= "
            f"{bound(table, outside.end)}) from {source_relation(table)}"
        )
        with (
            self._reading(f"count {table.ref}") as connection,
            _named(table, self.identity, self.path),
        ):
            return OutsideRows(*_row(connection.execute(select)))

    def calendar(self, table: Table) -> dict[date, int]:
        """How many rows each of the shop's days has."""
        check_partition(table)
        select = (
            f"select {day_expression(table, 'duckdb')} as shop_day, count(*) from "
            f"{source_relation(table)} where {quoted(table.partition or '')} is not null group by 1 "
            "order by 1"
        )
        with (
            self._reading(f"count {table.ref} by day") as connection,
            _named(table, self.identity, self.path),
        ):
            return dict(connection.execute(select).fetchall())

    def commonest(
        self, table: Table, columns: Sequence[str], most: int
    ) -> list[tuple[tuple[str | None, ...], int]]:
        """The commonest values of columns together, of all rows."""
        names = ", ".join(f"cast({quoted(name)} as varchar)" for name in columns)
        places = ", ".join(str(place) for place in range(1, len(columns) + 1))
        select = (
            f"select {names}, count(*) from {quoted(table.source_name)} group by {places} "
            f"order by count(*) desc, {places} limit {most}"
        )
        with (
            self._reading(f"look at the values of {table.ref}") as connection,
            _named(table, self.identity, self.path),
        ):
            return [(row[:-1], row[-1]) for row in connection.execute(select).fetchall()]

    def drift(self, table: Table) -> list[Change]:
        """What differs between the table's contract and the table in the file, what stops first."""
        with (
            self._reading(f"compare {table.ref}") as connection,
            _named(table, self.identity, self.path),
        ):
            return embedded_drift.drift(connection, table)

    def _must_exist(self) -> None:
        if not Path(self.path).is_file():
            raise PortError(
                f"there is no shop at {self.path}; run `orderhe create` first. Where there was one, {REBUILD}"
            )

    @contextmanager
    def _open(self, label: str, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        linger_s = self.linger_s if read_only else 0.0
        with (
            IDLE.lending(
                Path(self.path), _OWNER, read_only, label, self._opened, linger_s
            ) as opened,
            closing(opened.database.cursor()) as connection,
            interruptible(connection.interrupt),
        ):
            connection.execute("set TimeZone = 'UTC'")
            yield connection

    def _opened(self, file: Path, label: str, read_only: bool) -> OpenFile:
        import duckdb

        with ExitStack() as stack:
            lock = stack.enter_context(
                file_lock(file, shared=read_only, timeout_s=self.lock_timeout_s, label=label)
            )
            try:
                if not read_only:
                    remove_stillborn(file)
                options = bounded(self.memory_mb, file.with_name(f"{file.name}.tmp"))
                database = duckdb.connect(file, read_only=read_only, config=options)
            except duckdb.Error as error:
                raise PortError(remedy(file, str(error), REBUILD)) from error
            stack.enter_context(closing(database))
            return OpenFile(file, _OWNER, read_only, lock, database, stack.pop_all())

    @contextmanager
    def _reading(self, label: str) -> Iterator[duckdb.DuckDBPyConnection]:
        self._must_exist()
        with self._open(label, read_only=True) as connection:
            yield connection


class _Transaction:
    """The one open transaction of a writer; gone with its block."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, identity: str, path: str) -> None:
        self._connection, self._identity, self._path = connection, identity, path

    def execute(self, sql: str) -> None:
        """Run a statement."""
        self._run(sql)

    def fetch(self, sql: str) -> pa.Table:
        """Run a query and return its rows."""
        return self._run(sql).to_arrow_table()

    def table_names(self) -> list[str]:
        """The tables of the file."""
        return [str(name) for (name,) in self._run("show tables").fetchall()]

    def append(self, table: Table, rows: pa.Table) -> None:
        """Insert rows by column name, exactly or not at all; PortError says which row was wrong."""
        insert(self._connection, table.in_source, rows)

    def append_files(self, table: Table, paths: Sequence[Path]) -> int:
        """Insert the rows of Parquet parts; PortError says which key was there already."""
        with _named(table, self._identity, self._path):
            return insert_files(self._connection, table.in_source, paths)

    def measure(self, table: Table, scope: Scope) -> dict[Segment, Measure]:
        """Rows, sums and digest of every segment asked for, as this transaction sees them."""
        check_scope(table, scope)
        with _named(table, self._identity, self._path):
            return measures_of(self._connection, table, scope, source_relation(table))

    def _run(self, sql: str) -> duckdb.DuckDBPyConnection:
        import duckdb

        try:
            return self._connection.execute(sql)
        except duckdb.Error as error:
            shown = " ".join(sql.split())[:200]
            raise PortError(f"{self._identity}: {safe_text(str(error))}; in: {shown}") from None


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    import duckdb

    try:
        connection.execute("rollback")
    except duckdb.TransactionException:
        return  # the engine has rolled back by itself: a commit that failed


@contextmanager
def _named(table: Table, identity: str, path: str) -> Iterator[None]:
    """Give an engine's error the table's name, the file at `path` where it is the matter, and what to do."""
    import duckdb

    try:
        yield
    except duckdb.CatalogException as error:
        raise PortError(
            f"{table.ref}: {identity} has no such table or column; run `orderhe create`, and "
            f"compare the contract {table.path} with the database ({safe_text(str(error))}); where {path} "
            f"was lost, {REBUILD}"
        ) from error
    except duckdb.IOException as error:
        text = remedy(Path(path), safe_text(str(error)), REBUILD)
        raise PortError(f"{table.ref}: {text}") from None
    except duckdb.Error as error:
        # The engine's own words may hold personal data: not a cause to be written down.
        raise PortError(f"{table.ref} in {identity}: {safe_text(str(error))}") from None


def _row(result: duckdb.DuckDBPyConnection) -> tuple[Any, ...]:
    row = result.fetchone()
    assert row is not None, "an aggregate gives one row"
    return row


def _refuse_alike(tables: Sequence[Table]) -> None:
    """DuckDB tells no capitals apart in names, as MySQL does on Linux."""
    first: dict[str, Table] = {}
    for table in tables:
        other = first.setdefault(table.source_name.lower(), table)
        if other is not table:
            raise PortError(
                f"{table.path} and {other.path}: tables {other.source_name!r} and {table.source_name!r} "
                "differ in capitals alone, which the embedded source cannot. Set ORDERHE_SOURCE=mysql, or "
                "take one of the two contracts away."
            )


def _refuse_generated(table: Table) -> None:
    computed = [column.name for column in table.columns if column.generated]
    if computed:
        raise PortError(
            f"{table.path}: MySQL computes column {', '.join(computed)}; the embedded source cannot. "
            "Set ORDERHE_SOURCE=mysql, or leave the column out of the contract."
        )
