"""Dagster's run history on SQLite, one transaction per batch of events. No asset lives here.

Dagster reports a range of partitions as one event per asset and day. Its own SQLite storage writes
each of them in several transactions, on connections opened for it; this one writes a whole batch in
one transaction per file. Files and tables are Dagster's own, so either storage reads what the other
wrote. It overrides methods that Dagster keeps private: dagster is pinned, and the tests compare
every answer with the stock storage's (docs/decisions/0001).

`dagster.yaml` names it::

    storage:
      custom: {module: orderhe_dagster.history, class: History, config: {base_dir: …}}
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from dagster._core.events import DagsterEventType
from dagster._core.storage.event_log.schema import (
    SqlEventLogStorageMetadata,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    INDEX_SHARD_NAME,
    SqliteEventLogStorage,
)
from dagster._core.storage.sql import get_alembic_config, safe_commit
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage, _event_logs_directory
from sqlalchemy.pool import QueuePool

from orderhe_dagster import runs
from orderhe_dagster.history import batches, pruning

if TYPE_CHECKING:
    from dagster._core.events.log import EventLogEntry
    from dagster._serdes import ConfigurableClassData
    from sqlalchemy.engine import Connection, Engine

logger = logging.getLogger("orderhe.janitor")

OPEN_ENGINES = 32  # a web server reads many runs: only the engines used last are kept

_MUCH_UNUSED = 0.25
_COMPACT_WAIT_MS = 5_000


class BatchedEventLog(SqliteEventLogStorage):
    """Dagster's SQLite event log: a file stays open, and a batch is one transaction per file.

    Events lie in two files: the run's own and the index across runs. A batch is written to both
    inside one another, so that an error in either leaves neither.
    """

    def __init__(self, base_dir: str) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._tables: set[str] = set()
        super().__init__(base_dir)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store the events of one run, in order.

        A batch with an event of another kind than Dagster promises is stored one by one.
        """
        if not batches.is_batch(events):
            super().store_event_batch(events)
            return
        rows = [self._event_to_row(event) for event in events]
        with (
            self._db_lock,
            self._transaction(events[0].run_id) as run,
            self._transaction(INDEX_SHARD_NAME) as index,
        ):
            run.execute(SqlEventLogStorageTable.insert(), rows)
            index.execute(SqlEventLogStorageTable.insert(), rows)
            # One connection, one write lock: the ids of the rows follow one another.
            last = cast("int", index.scalar(sqlalchemy.text("select last_insert_rowid()")))
            numbered = list(zip(range(last - len(rows) + 1, last + 1), events, strict=True))
            batches.index(self, index, numbered)

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event; where it begins a run, this process says by a lock that it lives."""
        super().store_event(event)
        if _type(event) == DagsterEventType.RUN_START and self.has_instance:
            runs.begin(self._instance, event.run_id)

    def logged(self, run_ids: Iterable[str]) -> list[str]:
        """Those of the runs that have a log of their own still."""
        return [run_id for run_id in run_ids if Path(self._base_dir, f"{run_id}.db").exists()]

    def prune(self, run_ids: Collection[str]) -> set[str]:
        """Forget what these runs logged, but what still tells the state; give the runs that it is of.

        Of every asset and partition the newest event of each kind stays (what is materialized stays so),
        and of every check the newest evaluation. The runs' own files are removed.
        """
        with self._db_lock, self._transaction(INDEX_SHARD_NAME) as index:
            index.execute(sqlalchemy.text("create temp table if not exists pruned (run_id text)"))
            index.execute(sqlalchemy.text("delete from pruned"))
            rows = [{"run_id": run_id} for run_id in run_ids]
            if rows:
                index.execute(sqlalchemy.text("insert into pruned values (:run_id)"), rows)
            for statement in pruning.statements(same="is"):
                index.execute(sqlalchemy.text(statement))
            kept = {str(run_id) for (run_id,) in index.execute(sqlalchemy.text(pruning.NAMED))}
            for run_id in run_ids:
                engine = self._engines.pop(run_id, None)
                if engine is not None:
                    engine.dispose()
                self._initialized_dbs.discard(run_id)
        for run_id in run_ids:
            for name in (f"{run_id}.db", f"{run_id}.db-wal", f"{run_id}.db-shm"):
                Path(self._base_dir, name).unlink(missing_ok=True)
        return kept

    def compact(self) -> None:
        """Give the disk what the index does not use any more, where that is much and nobody is at it."""
        with self._db_lock, self._engine(INDEX_SHARD_NAME).connect() as connection:
            plain = connection.execution_options(isolation_level="AUTOCOMMIT")
            unused = plain.scalar(sqlalchemy.text("pragma freelist_count")) or 0
            pages = plain.scalar(sqlalchemy.text("pragma page_count")) or 1
            if unused < pages * _MUCH_UNUSED:
                return
            wait = plain.scalar(sqlalchemy.text("pragma busy_timeout"))
            plain.execute(sqlalchemy.text(f"pragma busy_timeout = {_COMPACT_WAIT_MS}"))
            try:
                plain.execute(sqlalchemy.text("vacuum"))
            except sqlalchemy.exc.OperationalError as error:
                if "locked" not in str(error.orig):
                    raise
                logger.info("Dagster's history is in use: it is compacted another time")
            finally:
                plain.execute(sqlalchemy.text(f"pragma busy_timeout = {wait}"))

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table. Dagster asks for each result of a check; a table stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def dispose(self) -> None:
        """Close the files that are kept open."""
        super().dispose()
        with self._db_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()

    def _initdb(self, engine: Engine, for_index_shard: bool = False) -> None:
        """Make the tables of a new file; one with tables of no known version is Dagster's matter.

        Dagster's own reads all its migrations for each file, and each run has a file of its own. Two
        processes may touch a run's file first together, a page and the run: one makes it.
        """
        from orderhe_dagster.settings.locks import file_lock

        with engine.connect() as connection:
            if MigrationContext.configure(connection).get_current_revision():
                return
        making = file_lock(Path(self._base_dir) / "new", label="making a run's history file")
        with making, engine.connect() as connection:
            migrations = MigrationContext.configure(connection)
            if migrations.get_current_revision():
                return
            if not sqlalchemy.inspect(connection).get_table_names():
                SqlEventLogStorageMetadata.create_all(connection)
                safe_commit(connection)
                connection.execute(sqlalchemy.text("PRAGMA journal_mode=WAL"))
                migrations.stamp(_migrations(), "head")
                safe_commit(connection)
                return
        super()._initdb(engine, for_index_shard)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock, self._transaction(shard) as connection:
            yield connection

    @contextmanager
    def _transaction(self, shard: str) -> Iterator[Connection]:
        """Open a transaction on a shard's file, made if it is not there. Needs `_db_lock`."""
        engine = self._engine(shard)
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        with engine.connect() as connection, connection.begin():
            yield connection

    def _engine(self, shard: str) -> Engine:
        """Keep the shard's engine: with it go the statements that SQLAlchemy has compiled."""
        engine = self._engines.pop(shard, None)
        if engine is None:
            engine = sqlalchemy.create_engine(
                self.conn_string_for_shard(shard),
                poolclass=QueuePool,
                pool_size=1,
                connect_args={
                    "timeout": SQLITE_BUSY_TIMEOUT_SECONDS,
                    "check_same_thread": False,  # the pool hands a connection to one at a time
                },
            )
            sqlalchemy.event.listen(engine, "connect", _relax)
        self._engines[shard] = engine
        if len(self._engines) > OPEN_ENGINES:
            self._engines.popitem(last=False)[1].dispose()
        return engine


class History(DagsterSqliteStorage):
    """Runs, events and schedules under `base_dir`, as DagsterSqliteStorage lays them out.

    Batches are asked for here, so that no entry point can forget to: an environment that sets
    DAGSTER_EVENT_BATCH_SIZE itself is left alone. First starts at the same moment are serialised.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        from orderhe_dagster.settings.locks import file_lock

        batches.ask_for()
        # Two processes that make Dagster's tables at once break each other.
        with file_lock(Path(base_dir) / "history", label="preparing Dagster's run history"):
            log = BatchedEventLog(_event_logs_directory(base_dir))  # first: its file is made here
            super().__init__(base_dir, inst_data)
            self._event_log_storage = log

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> History:
        """Build it from dagster.yaml: `base_dir` is the only setting."""
        return cls(base_dir=config_value["base_dir"], inst_data=inst_data)


@cache
def _migrations() -> ScriptDirectory:
    """Dagster's migrations, of which the newest is the version of a new file."""
    return ScriptDirectory.from_config(get_alembic_config(sqlite_event_log.__file__))


def _relax(connection: Any, _record: Any) -> None:
    """In WAL mode a commit survives the process without a flush to the disk; no file can tear."""
    connection.execute("PRAGMA synchronous=NORMAL")


def _type(event: EventLogEntry) -> DagsterEventType | None:
    return event.dagster_event_type
