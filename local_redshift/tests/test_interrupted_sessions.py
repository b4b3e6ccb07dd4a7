"""What an interrupt leaves of a session, wherever it lands: nothing half begun, nothing still running."""

from __future__ import annotations

import signal
import sys
from typing import Any

import pytest

from local_redshift.database.database import Database
from local_redshift.session.engine import connect

# Long enough that the signal comes first.
LONG = "select count(*) from {d} a, {d} b, {d} c, {d} d where a.n + b.n < c.n + d.n"


class InterruptedAfter:
    """A connection to DuckDB: Ctrl-C comes once this statement is done, before anybody notes it."""

    def __init__(self, connection: Any, statement: str) -> None:
        self._connection, self._statement = connection, statement

    def execute(self, text: str) -> Any:
        found = self._connection.execute(text)
        if text.startswith(self._statement):
            self._statement = "none"
            raise KeyboardInterrupt
        return found

    def interrupt(self) -> None:
        self._connection.interrupt()


@pytest.mark.parametrize("statement", ["BEGIN", "INSERT", "COMMIT"])
def test_what_follows_an_interrupt_is_committed(statement: str) -> None:
    with Database() as database, connect(database) as session, connect(database) as other:
        session.execute("create table t (n int)")
        session.work.connection = InterruptedAfter(session.connection, statement)
        with pytest.raises(KeyboardInterrupt):
            session.transaction(["insert into t values (1)"])
        session.execute("insert into t values (2)")
        rows = other.execute("select n from t where n = 2").rows
        assert rows == [(2,)]
        assert list(database.locks) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such timer")
def test_rolling_back_ends_a_query_that_still_runs() -> None:
    def handler(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, handler)
    try:
        with Database() as database, connect(database) as session:
            session.execute("create table digits (n int)")
            values = ", ".join(f"({number})" for number in range(600))
            session.execute(f"insert into digits values {values}")
            session.begin()
            session.execute("delete from digits where n = 1")
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(RuntimeError, match="interrupted"):  # below what tells of errors
                session.connection.execute(LONG.format(d="dev.public.digits"))
            session.rollback()
            assert session.execute("select count(*) from digits").rows == [(600,)]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
