"""Dagster's run history on Postgres, for production: Dagster's own storage, and what ours needs of it.

Dagster's notices no run whose process was killed, forgets nothing, and connects anew for each statement.
This one lets each run's process say that it lives (`runs`) and the janitor prune, and writes a batch of
events in one transaction. Tables are Dagster's own, so either reads what the
other wrote. `deploy/dagster.yaml` names it::

    storage:
      custom: {module: orderhe_dagster.history.postgres, class: PostgresHistory, config: {}}
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy
from dagster._core.events import DagsterEventType
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.storage import DagsterPostgresStorage
from dagster_postgres.utils import create_pg_engine

from orderhe_dagster import runs
from orderhe_dagster.history import batches, pruning
from orderhe_dagster.settings.history_database import history_url

if TYPE_CHECKING:
    from dagster._config.config_schema import UserConfigSchema
    from dagster._core.events.log import EventLogEntry
    from dagster._serdes import ConfigurableClassData
    from sqlalchemy.engine import Connection

_RECYCLED_S = 600
_LOGGED = """
select distinct run_id from event_logs
where run_id in (select run_id from pruned) and dagster_event_type like 'PIPELINE%'
"""


class PrunableEventLog(PostgresEventLogStorage):
    """Dagster's event log on Postgres, where a run's process says that it lives, and runs are forgotten."""

    def __init__(self, postgres_url: str) -> None:
        super().__init__(postgres_url)
        # Dagster's own connects for each of an event's three statements.
        self._engine = create_pg_engine(
            postgres_url,
            isolation_level="AUTOCOMMIT",
            pool_size=1,
            pool_pre_ping=True,  # the server may have been away, or have ended what was idle
            pool_recycle=_RECYCLED_S,
        )

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store the events of one run, in order and in one transaction.

        A batch with an event of another kind than Dagster promises is stored one by one.
        """
        if not batches.is_batch(events):
            for event in events:
                self.store_event(event)
            return
        rows = [self._event_to_row(event) for event in events]
        ids = SqlEventLogStorageTable.c.id
        with self.index_transaction() as connection:
            insert = SqlEventLogStorageTable.insert().values(rows).returning(ids)
            # One statement, and rows in the order that they are given in.
            numbers = sorted(int(number) for (number,) in connection.execute(insert))
            batches.index(self, connection, list(zip(numbers, events, strict=True)))

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event; where it begins a run, this process says by a lock that it lives."""
        super().store_event(event)
        if event.dagster_event_type == DagsterEventType.RUN_START and self.has_instance:
            runs.begin(self._instance, event.run_id)

    def logged(self, run_ids: Iterable[str]) -> list[str]:
        """Those of the runs of which more is there than what tells the state."""
        with self._naming([*run_ids]) as connection:
            return [str(run_id) for (run_id,) in connection.execute(sqlalchemy.text(_LOGGED))]

    def prune(self, run_ids: Collection[str]) -> set[str]:
        """Forget what these runs logged, but what still tells the state; give the runs that it is of."""
        with self._naming(run_ids) as connection:
            for statement in pruning.statements(same="is not distinct from"):
                connection.execute(sqlalchemy.text(statement))
            return {str(run_id) for (run_id,) in connection.execute(sqlalchemy.text(pruning.NAMED))}

    def compact(self) -> None:
        """Nothing: Postgres cleans up by itself (autovacuum)."""

    @contextmanager
    def _naming(self, run_ids: Collection[str]) -> Iterator[Connection]:
        """A transaction in which a table `pruned` names these runs."""
        with self.index_transaction() as connection:
            connection.execute(
                sqlalchemy.text("create temp table pruned (run_id text) on commit drop")
            )
            if rows := [{"run_id": run_id} for run_id in run_ids]:
                connection.execute(sqlalchemy.text("insert into pruned values (:run_id)"), rows)
            yield connection


class PostgresHistory(DagsterPostgresStorage):
    """Runs, events and schedules in the Postgres that PGHOST, PGUSER, PGDATABASE and PGPASSWORD name."""

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(postgres_url, inst_data=inst_data)
        self._event_log_storage = PrunableEventLog(postgres_url)

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """Nothing: what the servers are told apart by is in the environment, as the password has to be."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> PostgresHistory:
        """Build it from dagster.yaml and the environment. HistoryAddressError: what is missing there."""
        batches.ask_for()
        return cls(history_url(), inst_data)
