"""Two sessions at once: run a statement aside, and wait until it waits for a lock. No test lives here."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic

from local_redshift.database.database import Database
from local_redshift.database.results import Rows
from local_redshift.errors import RedshiftError
from local_redshift.session.engine import Engine

LIMIT_S = 150.0
"""How long a test waits for what must come: a bound, not an expectation."""


class Aside:
    """Runs statements in threads of their own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._threads = ThreadPoolExecutor(max_workers=8)

    def run(self, session: Engine, sql: str) -> Future[Rows]:
        """Start it; the future gives its answer or its error."""
        return self._threads.submit(session.execute, sql)

    def waiting(self, session: Engine, sql: str) -> Future[Rows]:
        """Start it, and return once it waits for a lock."""
        future = self.run(session, sql)
        until, pause = monotonic() + LIMIT_S, threading.Event()
        while not any(
            held.owner is session.work.transaction and not held.granted
            for held in self._database.locks
        ):
            assert not future.done(), (
                f"did not wait: {sql}: {future.exception() or future.result()}"
            )
            assert monotonic() < until, f"neither waits nor ends: {sql}"
            pause.wait(0.002)
        return future

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()


def code_of(future: Future[Rows]) -> tuple[str, str]:
    """The code and message of the error that a statement ended with."""
    error = future.exception(LIMIT_S)
    assert isinstance(error, RedshiftError), error
    return error.code, error.message


def number(session: Engine, sql: str) -> int:
    """The one number that a query gives."""
    return int(session.execute(sql).rows[0][0])
