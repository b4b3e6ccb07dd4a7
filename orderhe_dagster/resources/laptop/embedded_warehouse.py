"""EmbeddedWarehouse: the local Redshift in this process, on one DuckDB file. No SQL is read here.

DuckDB admits one process per file, so the file is open for a session only, behind a lock beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from orderhe_dagster.ports.errors import PortError, StatementError
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Result, Take, Warehouse
from orderhe_dagster.resources.laptop.duckdb_file import is_stillborn, remedy, remove_stillborn
from orderhe_dagster.resources.laptop.local_redshift import require_local_redshift
from orderhe_dagster.resources.laptop.store_resolver import resolver
from orderhe_dagster.settings.interrupts import interruptible
from orderhe_dagster.settings.locks import file_lock

if TYPE_CHECKING:
    from local_redshift.database.storage import Resolver
    from local_redshift.session.engine import Engine, Rows

_T = TypeVar("_T")
_BATCH = 2_000  # rows
REBUILD = "run '*' for the whole range, and it is built anew from the backups"


@dataclass(frozen=True)
class EmbeddedWarehouse(Warehouse):
    """The warehouse in the DuckDB file at `path`; COPY reads its addresses from `store`."""

    path: str
    store: Store
    lock_timeout_s: float = 120.0

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
        file = Path(self.path)
        # Where there is no file yet, one is made.
        read_only = read_only and file.exists() and not is_stillborn(file)
        with (
            file_lock(file, shared=read_only, timeout_s=self.lock_timeout_s, label=label),
            ExitStack() as stack,
        ):
            if not read_only:
                remove_stillborn(file)
            store_resolver = resolver(self.store, stack)
            engine = stack.enter_context(_opened(file, store_resolver, read_only))
            try:
                yield EmbeddedSession(engine)
            except StatementError as error:
                of_file = "IO Error" in error.message and file.name in error.message
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


def _opened(file: Path, store_resolver: Resolver, read_only: bool) -> Engine:
    import duckdb

    from local_redshift.session.engine import Engine

    try:
        return Engine(file, resolver=store_resolver, read_only=read_only)
    except duckdb.IOException as error:
        raise PortError(remedy(file, str(error), REBUILD)) from error


def _translating(run: Callable[[], _T], sql: str) -> _T:
    """Run something of the engine; its error becomes the port's, with the statement."""
    from local_redshift.errors import RedshiftError

    try:
        return run()
    except RedshiftError as error:
        raise StatementError(str(error), error.code, sql) from error


def _result(rows: Rows) -> Result:
    return Result(rows.columns, rows.types, rows.rows, rows.row_count)
