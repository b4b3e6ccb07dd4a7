"""A session's transaction at work: its locks, its snapshot, its DuckDB statements. What SQL means: elsewhere.

Order of every statement: locks, then the snapshot (so it shows what those whom it waited for committed),
then DuckDB.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from typing import Any

from local_redshift.database.database import Database
from local_redshift.errors import RedshiftError, from_duckdb
from local_redshift.transactions import conflicts
from local_redshift.transactions.commands import Command, Footprint, footprint
from local_redshift.transactions.isolation import SNAPSHOT, Transaction, violation
from local_redshift.transactions.locks import Mode, Stale
from local_redshift.values.catalog import Catalog, Relation, path


class UnitOfWork:
    """The transaction of one session: None between transactions. One thread at a time, but `interrupt`."""

    def __init__(
        self, database: Database, process_id: int, connection: Any, read_only: bool = False
    ) -> None:
        self._database, self._process_id = database, process_id
        self._read_only = read_only
        self.connection = connection
        self.transaction: Transaction | None = None
        self.defining = False  # the transaction changed definitions
        self._watched: list[tuple[str, Transaction, conflicts.Image]] = []
        self._theirs: dict[str, Any] = {}  # the rows that others changed since the snapshot
        self._guard, self._running, self._closed = threading.Lock(), False, False

    @property
    def frozen(self) -> bool:
        """The snapshot is taken: DuckDB has a transaction open."""
        return self.transaction is not None and self.transaction.snapshot is not None

    def open(self) -> Transaction:
        """The transaction; begun, if there is none."""
        if self.transaction is None:
            began = datetime.now(timezone.utc)
            number = self._database.next_transaction()
            self.transaction = Transaction(
                number, self._process_id, began=began, read_only=self._read_only
            )
        return self.transaction

    def close(self) -> None:
        """Nothing begins to run any more: without its transaction, DuckDB would commit it by itself."""
        with self._guard:
            self._closed = True

    def interrupt(self) -> None:
        """End what runs, and what waits for a lock; what begins or ends a transaction is left alone."""
        transaction = self.transaction
        if transaction is not None:
            self._database.locks.cancel(transaction)
        with self._guard:
            if self._running:
                self.connection.interrupt()

    @contextmanager
    def running(self) -> Iterator[None]:
        """What may be cut short runs inside. 57014 when it was cancelled already.

        BEGIN, COMMIT and ROLLBACK do not: nobody could tell whether they happened.
        """
        with self._guard:
            closed, self._running = self._closed, True
        try:
            if closed or (self.transaction is not None and self.transaction.cancelled):
                raise RedshiftError("57014", "Query cancelled on user's request")
            yield
        finally:
            with self._guard:
                self._running = False

    # -- before a statement ------------------------------------------------------------------------

    def require_writable(self, commands: Sequence[Command]) -> None:
        """Raise 25006 where a session that reads only would change more than temporary tables.

        What has no target, such as a schema, is in no footprint.
        """
        own = (one.target is not None and one.target.schema is None for one in commands)
        if self._read_only and not all(own):
            raise RedshiftError("25006", "transaction is read-only: this session reads only")

    def lock(self, catalog: Catalog, wanted: Mapping[str, Mode], timeout_ms: int = 0) -> None:
        """Take locks. Stale when a name means something else now than when it was read."""
        transaction, database = self.open(), self._database
        limit = database.lock_timeout_s
        by_statement = 0 < timeout_ms < limit * 1000
        database.locks.take(
            transaction,
            wanted,
            timeout_ms / 1000 if by_statement else limit,
            lambda: "statement timeout" if by_statement else "lock timeout",
        )
        if not self.frozen and catalog.outdated:
            before = {key: _relation(catalog, key) for key in wanted}
            catalog.refresh()
            if before != {key: _relation(catalog, key) for key in wanted}:
                raise Stale

    def redefined(self, catalog: Catalog, timeout_ms: int) -> bool:
        """Whether what a failed statement names has been defined anew: waits for who is about it."""
        if self.frozen:
            return False
        busy = {
            held.table
            for held in self._database.locks
            if held.granted and held.mode is Mode.ALONE and held.owner is not self.transaction
        }
        try:
            self.lock(catalog, dict.fromkeys(catalog.asked & busy, Mode.READ), timeout_ms)
        except Stale:
            return True
        return False

    def prepare(
        self,
        commands: Sequence[Command],
        catalog: Catalog,
        *,
        alone: bool,
        block: bool,
        timeout_ms: int,
    ) -> None:
        """Locks, snapshot and what isolation asks for, before these DuckDB statements run.

        `alone`: the tables that are written are locked against readers, too. `block`: more statements
        may follow in this transaction, so that its snapshot is kept.
        """
        touched = footprint(commands)
        transaction, database = self.open(), self._database
        if transaction.read_only and (touched.writes or touched.defines or touched.grants):
            raise RedshiftError("25006", "transaction is read-only")
        if alone:
            touched.defines |= touched.writes
        self.lock(catalog, touched.modes(database.transactions.level == SNAPSHOT), timeout_ms)
        snapshot_kept = self.frozen
        if block and not snapshot_kept:
            # DuckDB shows a snapshot no function that was made known after it was taken, and what
            # else this transaction will call is not known yet.
            database.know_udfs()
        if block or self.defining or len(commands) > 1 or database.transactions.level != SNAPSHOT:
            self._freeze(transaction)
        with database.gate:
            transaction.reads |= touched.reads
            transaction.writes |= touched.writes | touched.defines
            database.transactions.check(transaction, database.oid)
        if snapshot_kept:
            self._watch(transaction, touched)
        transaction.changes |= touched.changes

    def _freeze(self, transaction: Transaction) -> None:
        if transaction.snapshot is None:
            with self._database.gate:
                self.connection.execute("BEGIN TRANSACTION")
                self._database.transactions.begin(transaction)

    def _watch(self, transaction: Transaction, touched: Footprint) -> None:
        """Tables whose rows others changed since the snapshot: compare, once the statement has run."""
        if self._database.transactions.level != SNAPSHOT:
            return
        for key in touched.changes:
            with self._database.gate:
                other = self._database.transactions.changed_since(transaction, key)
            if other is not None:
                before = conflicts.image(self.connection, _path(key))
                if key not in self._theirs:  # nobody else writes there from now on: it stays true
                    now = self._database.image(_path(key))
                    self._theirs[key] = conflicts.changed(before, now)
                self._watched.append((key, other, before))

    def run(self, commands: Sequence[Command]) -> int:
        """Run them; the last one's count of rows, -1 where it has none. 1023 for a row changed twice."""
        count, watched = -1, self._watched
        self._watched = []
        for command in commands:
            try:
                with self.running():
                    rows: list[Any] = self.connection.execute(command.sql).fetchall()
            except self._database.failures as error:
                raise self._translated(error) from error
            count = rows[0][0] if rows and isinstance(rows[0][0], int) else -1
        for key, other, before in watched:
            mine = conflicts.changed(before, conflicts.image(self.connection, _path(key)))
            if conflicts.share(mine, self._theirs[key]):
                raise violation(self._database.oid(key), [self.open(), other])
        return count

    def _translated(self, error: Exception) -> RedshiftError:
        """A conflict that DuckDB found itself is 1023 with the table and the transactions."""
        transaction = self.transaction
        if transaction is not None and "Conflict on" in str(error):
            for key in sorted(transaction.changes):
                with self._database.gate:
                    other = self._database.transactions.changed_since(transaction, key)
                if other is not None:
                    return violation(self._database.oid(key), [transaction, other])
        return from_duckdb(error)

    # -- the end -----------------------------------------------------------------------------------

    def commit(self) -> None:
        """Commit, and give the locks back; what cannot be committed is rolled back and told."""
        transaction, database = self.transaction, self._database
        if transaction is None:
            return
        try:
            with database.gate:
                if self.frozen:
                    self.connection.execute("COMMIT")
                database.transactions.commit(transaction)
                if self.defining:
                    database.version += 1
        except database.failures as error:
            failure = self._translated(error)
            with suppress(database.failures):  # the commit's own failure is what is told
                self.undo()
            raise failure from error
        self._leave(transaction)

    def undo(self) -> None:
        """Roll back, and give the locks back."""
        with self._database.gate:  # a session may be closed by another thread
            transaction, self.transaction = self.transaction, None
        if transaction is None:
            return
        try:
            # Whatever ended it, a query that still runs would be run to its end first; and Ctrl-C
            # may have come between DuckDB's BEGIN and our note of it.
            self.connection.interrupt()
            self.connection.execute("ROLLBACK")
        except self._database.failures as error:
            if "no transaction is active" not in str(error):
                raise
        finally:
            with self._database.gate:
                self._database.transactions.end(transaction)
            self._leave(transaction)

    def _leave(self, transaction: Transaction) -> None:
        self.transaction, self.defining, self._watched, self._theirs = None, False, [], {}
        self._database.locks.release(transaction)


def _relation(catalog: Catalog, key: str) -> Relation | None:
    schema, _, name = key.partition(".")
    return catalog.known.get((schema, name))


def _path(key: str) -> str:
    schema, _, name = key.partition(".")
    return path(schema, name)
