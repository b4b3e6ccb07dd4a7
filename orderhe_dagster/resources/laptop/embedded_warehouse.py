"""EmbeddedWarehouse: the local Redshift in this process, on one DuckDB file. No SQL is read here.

DuckDB admits one process per file, so the file is open behind a lock beside it, for a session only; in
a run a moment longer (`kept_open`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from orderhe_dagster.ports.errors import PortError, StatementError
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Lines, Result, Take, Warehouse
from orderhe_dagster.resources.laptop.duckdb_file import is_stillborn, remedy, remove_stillborn
from orderhe_dagster.resources.laptop.kept_open import IDLE, OpenFile
from orderhe_dagster.resources.laptop.local_redshift import require_local_redshift
from orderhe_dagster.resources.laptop.store_resolver import resolver
from orderhe_dagster.settings.config import MEMORY_MB
from orderhe_dagster.settings.interrupts import interruptible
from orderhe_dagster.settings.locks import file_lock

if TYPE_CHECKING:
    from local_redshift.session.engine import Engine, Rows

_T = TypeVar("_T")
_BATCH = 2_000  # rows
REBUILD = "`orderhe restore warehouse` makes it anew from the backups"


@dataclass(frozen=True)
class EmbeddedWarehouse(Warehouse):
    """The warehouse in the DuckDB file at `path`; COPY reads its addresses from `store`.

    `linger_s`: how long the file stays open after a session, where nobody else waits for it.
    `memory_mb`: what the engine holds; more than that goes to a folder beside the file.
    """

    path: str
    store: Store
    lock_timeout_s: float = 120.0
    linger_s: float = 0.0
    memory_mb: int = MEMORY_MB

    @property
    def identity(self) -> str:
        """`local_redshift:<file>`."""
        return f"local_redshift:{self.path}"

    @property
    def copy_authorization(self) -> str:
        """There is one role here: the default."""
        return "iam_role default"

    @contextmanager
    def session(self, label: str, *, read_only: bool = False) -> Iterator[EmbeddedSession]:
        """Hold the file for the block; readers share it. LockTimeout names who would not let go.

        A reading session sees temporary tables of its own only, and cannot change the file.
        """
        require_local_redshift()
        from local_redshift.session.engine import Engine

        file = Path(self.path)
        with (
            IDLE.lending(file, self.store, read_only, label, self._opened, self.linger_s) as opened,
            _explaining(file),
            Engine(database=opened.database, read_only=read_only) as engine,
        ):
            yield EmbeddedSession(engine)

    def stream(self, sql: str, take: Take, label: str = "query") -> Result:
        """Run one reading statement of any size: it may last, so it shares the file with other readers."""
        IDLE.close_writable(Path(self.path))
        return super().stream(sql, take, label)

    def _opened(self, file: Path, label: str, read_only: bool) -> OpenFile:
        """Lock the file and open it; one that is not there yet is made."""
        import duckdb

        from local_redshift.database.database import Database

        read_only = read_only and file.exists() and not is_stillborn(file)
        resources = (
            ExitStack()
        )  # what a COPY fetches is given back with it, too: no other must be had
        try:
            lock = resources.enter_context(
                file_lock(file, shared=read_only, timeout_s=self.lock_timeout_s, label=label)
            )
            if not read_only:
                remove_stillborn(file)
            store_resolver = resolver(self.store, resources)
            try:
                database = Database(
                    file,
                    resolver=store_resolver,
                    read_only=read_only,
                    memory_mb=self.memory_mb,
                )
            except duckdb.IOException as error:
                raise PortError(remedy(file, str(error), REBUILD)) from error
            resources.enter_context(database)
        except BaseException:
            resources.close()
            raise
        return OpenFile(file, self.store, read_only, lock, database, resources)

    def write(self, sql: str, lines: Lines, label: str = "query", about: int = 0) -> Result:
        """Run a reading statement into lines, which the engine computes beside the rows."""
        IDLE.close_writable(
            Path(self.path)
        )  # it may last, so it shares the file with other readers
        with self.session(label, read_only=True) as session:
            return session.write(sql, lines)


@contextmanager
def _explaining(file: Path) -> Iterator[None]:
    """What is wrong with the file or its disk is said with the remedy."""
    try:
        yield
    except StatementError as error:
        # Of a block that is not as it was written, DuckDB tells the checksums, and not the file.
        of_file = "IO Error" in error.message and (
            file.name in error.message or "Corrupt database file" in error.message
        )
        if of_file or "No space left" in error.message:
            raise PortError(remedy(file, error.message, REBUILD)) from error
        raise


class EmbeddedSession:
    """A session on the engine; its errors are the port's."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def execute(self, sql: str) -> Result:
        """Run one Redshift statement, committed at once when no transaction is open."""
        with interruptible(self._engine.interrupt):
            return _result(_translating(lambda: self._engine.execute(sql), sql))

    def stream(self, sql: str, take: Take) -> Result:
        """Run a query and hand its rows to `take` as they come."""
        with interruptible(self._engine.interrupt):
            stream = _translating(lambda: self._engine.stream(sql), sql)
            while rows := _translating(lambda: stream.fetch(_BATCH), sql):
                take(rows)
        return Result(stream.columns, stream.types, row_count=stream.sent)

    def write(self, sql: str, lines: Lines) -> Result:
        """Run a query and hand its lines to `lines` as they come."""
        with interruptible(self._engine.interrupt):
            stream = _translating(lambda: self._engine.stream(sql, lines.select), sql)
            count = 0
            while some := _translating(lambda: stream.fetch(_BATCH), sql):
                if not stream.shaped:
                    lines.add(some)
                    count += len(some)
                    continue
                for (array,) in some:
                    lines.add_lines(array)
                    count += len(array)
        return Result(stream.columns, stream.types, row_count=count)

    def transaction(self, statements: Sequence[str]) -> list[Result]:
        """Run the statements as one transaction: all of them or none."""
        results: list[Result] = []
        _translating(self._engine.begin, "begin")
        try:
            results += [self.execute(statement) for statement in statements]
            with interruptible(self._engine.interrupt):
                _translating(self._engine.commit, "commit")
        except BaseException:
            self._engine.rollback()
            raise
        return results


def _translating(run: Callable[[], _T], sql: str) -> _T:
    """Run something of the engine; its error becomes the port's, with the statement."""
    from local_redshift.errors import RedshiftError

    try:
        return run()
    except RedshiftError as error:
        raise StatementError(str(error), error.code, sql) from error


def _result(rows: Rows) -> Result:
    return Result(rows.columns, rows.types, rows.rows, rows.row_count)
