"""The database behind the sessions: one DuckDB instance of this process, what all sessions share.

Statements and transactions are the sessions' own: `session`. It is for one process at a time.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import threading
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from local_redshift.database import instances
from local_redshift.database.load_log import LoadLog
from local_redshift.database.passwords import Verifier
from local_redshift.database.query_log import QueryLog
from local_redshift.database.storage import Resolver, Roles
from local_redshift.functions.udfs import register
from local_redshift.read.dialect import quote, string
from local_redshift.transactions.conflicts import Image, image
from local_redshift.transactions.isolation import SNAPSHOT, Transaction, Transactions
from local_redshift.transactions.locks import Locks
from local_redshift.values.catalog import DATABASE, PRINCIPALS, SALTS, USERS, Relation, Shared
from local_redshift.values.oids import oid

FIRST_PROCESS_ID = 1_073_741_825
"""Redshift's process ids are large; so no test confuses them."""
_FIRST_TRANSACTION = 1_000
_BASE_MB, _COLUMN_MB = 80, 0.64
"""What DuckDB holds besides, and of a column: two blocks of 256 KiB, and vectors."""

NOWHERE = Resolver(folders=())
"""The resolver of a database that is given none: no address has an object."""
ANY_ROLES = Roles()
"""Every role may do whatever the resolver can."""


class Member(Protocol):
    """What the database knows of a session that is in it."""

    process_id: int
    user: str
    since: datetime

    @property
    def current_transaction(self) -> Transaction | None:
        """The transaction that it is in, if it is in one."""

    def interrupt(self) -> None:
        """End what runs."""

    def close(self) -> None:
        """Roll back what is open, and leave."""


class Database:
    """One DuckDB file (or memory) with many sessions. Close it when done: that ends the sessions."""

    def __init__(
        self,
        path: str | Path = ":memory:",
        *,
        resolver: Resolver = NOWHERE,
        roles: Roles = ANY_ROLES,
        read_only: bool = False,
        isolation: str = SNAPSHOT,
        lock_timeout_s: float = 600.0,
        memory_mb: int | None = None,
    ) -> None:
        """Open the file, or make it. `resolver` reaches the addresses of COPY and UNLOAD for `roles`.

        `isolation` is SNAPSHOT (as new workgroups have it) or SERIALIZABLE; `lock_timeout_s`, how long
        a statement waits for a table at most, where its session's statement_timeout is not less.
        `memory_mb`: what DuckDB holds; by itself four fifths of the machine's. More goes to the disk, but
        that of each column of a table some is held where rows come to it: see `hold`.
        """
        import duckdb

        self.failures = duckdb.Error
        self.resolver, self.roles, self.read_only = resolver, roles, read_only
        self.loads = LoadLog()
        self.version = 0
        """Counts the committed changes of definitions: a session that saw another one reads anew."""
        self.definitions = Shared()
        self.gate = threading.Lock()
        """Held while a snapshot is taken and while a commit happens: they have an order."""
        self.locks, self.lock_timeout_s = Locks(), lock_timeout_s
        self.salts = os.urandom(16).hex()
        """The key of the salts of users who are not there; a file that has users keeps it with them."""
        self.transactions = Transactions(isolation)
        self.log = QueryLog()
        self._numbers = itertools.count(_FIRST_TRANSACTION)
        self._sessions: dict[int, Member] = {}
        self._knowing, self._closing, self._closed = threading.Lock(), threading.Lock(), False
        self._process_ids = itertools.count(FIRST_PROCESS_ID)
        has_file, folders = str(path) != ":memory:", resolver.folders
        self._instance = instances.take(shut=folders == () and not has_file)
        self.scratch = Path(tempfile.gettempdir()) / f"local-redshift-copy-{uuid4().hex}"
        """Where COPY writes rows aside; whoever does makes it."""
        self._connection = self._instance.connection.cursor()
        run = self._connection.execute
        try:
            mode = " (READ_ONLY)" if read_only else ""
            run(f"ATTACH {string(str(path))} AS {quote(DATABASE)}{mode}")
            run("SET GLOBAL TimeZone = 'UTC'")
            # BEGIN takes the snapshot at once, so a session sends it when its snapshot is due.
            run("SET GLOBAL immediate_transaction_mode = true")
            if has_file:  # what does not fit in memory goes beside the file
                run(f"SET temp_directory = {string(f'{path}.tmp')}")
            limit = f"SET memory_limit = '{memory_mb}MB'" if memory_mb else "RESET memory_limit"
            run(limit)  # the instance may have served another database
            self._memory_mb = memory_mb
            if folders is not None and not self._instance.is_shut:
                within = (*folders, self.scratch) if folders else ()
                instances.shut(self._instance, within, has_file)
            if not read_only:
                run(f"CREATE SCHEMA IF NOT EXISTS {quote(DATABASE)}.public")
            self.salts = self._kept_salts() or self.salts
        except BaseException:
            self._connection.close()
            self._instance.connection.close()
            raise

    def know_udfs(self) -> None:
        """Before a statement runs that calls functions in Python: make all of them known.

        Not when the file is opened: DuckDB loads numpy for it, which costs more than the rest.
        """
        if self._instance.has_udfs:
            return
        with self._knowing:
            if not self._instance.has_udfs:
                register(self._instance.connection)  # it holds what is registered in it
                self._instance.has_udfs = True

    def hold(self, columns: int) -> None:
        """Before rows come to a table of so many columns: what DuckDB holds of all of them has its room.

        It keeps a block of each, and one of its NULLs, until all are written; none of these can wait on
        the disk.
        """
        wanted = _BASE_MB + columns * _COLUMN_MB
        if self._memory_mb is None or wanted <= self._memory_mb:
            return
        with self._knowing:
            if wanted > self._memory_mb:
                self._connection.execute(f"SET GLOBAL memory_limit = '{ceil(wanted)}MB'")
                self._memory_mb = ceil(wanted)

    def close(self) -> None:
        """Roll back what is open in every session, and close the file."""
        sessions = list(self._sessions.values())
        for session in sessions:  # or who waits for the first to be closed would run, and commit
            session.interrupt()
        for session in sessions:
            session.close()
        with self._closing:
            if not self._closed:
                self._closed = True
                self._connection.close()
                instances.give_back(self._instance, DATABASE)
                shutil.rmtree(self.scratch, ignore_errors=True)

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    @property
    def sessions(self) -> list[Member]:
        """The sessions that are open now."""
        return list(self._sessions.values())

    # -- for the sessions --------------------------------------------------------------------------

    def enter(self, session: Member) -> tuple[int, Any]:
        """Take a session in: its process id and its connection to DuckDB."""
        process_id = next(self._process_ids)
        self._sessions[process_id] = session
        return process_id, self._connection.cursor()

    def next_transaction(self) -> int:
        """The number of a new transaction."""
        return next(self._numbers)

    def transaction_of(self, process_id: int) -> Transaction | None:
        """The transaction that a session is in, if it is in one."""
        session = self._sessions.get(process_id)
        return None if session is None else session.current_transaction

    def verifier(self, user: str) -> Verifier | None:
        """What proves the password of a user that was made by CREATE USER; None: it cannot come in."""
        kept = self._of(USERS, f"SELECT verifier FROM {USERS.sql} WHERE name = {string(user)}")
        return Verifier.read(kept) if kept else None

    def _kept_salts(self) -> str:
        return self._of(
            PRINCIPALS, f"SELECT name FROM {PRINCIPALS.sql} WHERE kind = {string(SALTS)}"
        )

    def _of(self, table: Relation, query: str) -> str:
        """The first value of a query over one of the file's own tables; '' where it has none."""
        there = (
            f"SELECT 1 FROM duckdb_tables() WHERE database_name = {string(DATABASE)}"
            f" AND schema_name = {string(str(table.schema))} AND table_name = {string(table.name)}"
        )
        with self._connection.cursor() as cursor:
            if not cursor.execute(there).fetchall():
                return ""
            rows = cursor.execute(query).fetchall()
        return str(rows[0][0]) if rows and rows[0][0] else ""

    def image(self, table: str) -> Image:
        """What is committed now of a table (its DuckDB name)."""
        with self._connection.cursor() as cursor:
            return image(cursor, table)

    def oid(self, table: str) -> int:
        """The number of a table, `schema.table`, by which errors and system views name it."""
        return oid(table)

    def leave(self, session: Member) -> None:
        """Forget a session that was closed."""
        self._sessions.pop(session.process_id, None)
