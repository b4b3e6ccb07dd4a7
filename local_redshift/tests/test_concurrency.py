"""Sixteen sessions at once, in this process and over the wire: nothing lost, nothing torn, nobody stuck."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest

from local_redshift.database.database import Database
from local_redshift.errors import RedshiftError
from local_redshift.session.engine import Engine, connect
from local_redshift.testing.server import Redshift
from tests.sessions import LIMIT_S, Aside

Run = Callable[[str], Any]
"""Runs a statement and gives its rows."""
SESSIONS, ACCOUNTS, TURNS = 16, 6, 6
TABLES = (
    "create table accounts (id integer, balance integer)",
    f"insert into accounts values {', '.join(f'({i}, 100)' for i in range(ACCOUNTS))}",
    "create table counters (id integer, n integer)",
    "insert into counters values (1, 0)",
    "create table log (who integer, turn integer)",
)
TOTAL = ACCOUNTS * 100


class Conflict(Exception):
    """Another transaction was in the way: run this one again."""


def read_then_write(run: Run) -> None:
    """An increment that computes in the client: only a conflict that is told keeps it right."""
    run("begin")
    ((n,),) = run("select n from counters where id = 1")
    run(f"update counters set n = {n + 1} where id = 1")
    run("commit")


def increment(run: Run) -> None:
    """An increment in one statement: it waits for the others and has no conflict."""
    run("update counters set n = n + 1 where id = 1")


def transfer(random: Random) -> Callable[[Run], None]:
    """Money from one account to another, in two statements."""

    def turn(run: Run) -> None:
        one, other = random.sample(range(ACCOUNTS), 2)
        amount = random.randint(1, 50)
        run("begin")
        run(f"update accounts set balance = balance - {amount} where id = {one}")
        run(f"update accounts set balance = balance + {amount} where id = {other}")
        run("commit")

    return turn


def look(run: Run) -> None:
    """A reader sees every transfer whole or not at all, and the same twice in a transaction."""
    assert run("select sum(balance) from accounts") == [(TOTAL,)]
    run("begin")
    first = run("select id, balance from accounts order by id")
    assert sum(balance for _, balance in first) == TOTAL
    assert run("select id, balance from accounts order by id") == first
    run("commit")


def at_once(opening: Callable[[], Run], turns: list[Callable[[Run], None]], times: int) -> int:
    """Every turn in a session of its own, `times` times; conflicts are run again, and counted."""
    start, conflicts = threading.Barrier(len(turns)), []

    def work(turn: Callable[[Run], None], run: Run) -> None:
        start.wait(LIMIT_S)
        for _ in range(times):
            while True:
                try:
                    turn(run)
                    break
                except Conflict:
                    conflicts.append(1)
                    run("rollback")

    with ThreadPoolExecutor(max_workers=len(turns)) as threads:
        opened = [(turn, opening()) for turn in turns]
        for future in [threads.submit(work, turn, run) for turn, run in opened]:
            future.result(LIMIT_S)
    return len(conflicts)


def mixed() -> list[Callable[[Run], None]]:
    writers = [transfer(Random(seed)) for seed in range(5)]
    return [*writers, *[look] * 4, *[increment] * 3, *[read_then_write] * (SESSIONS - 12)]


def sessions(database: Database) -> Callable[[], Run]:
    def opening() -> Run:
        session = connect(database)

        def run(sql: str) -> Any:
            try:
                return list(session.execute(sql).rows)
            except RedshiftError as error:
                if error.message in ("1023", "deadlock detected"):
                    raise Conflict from error
                raise

        return run

    return opening


@pytest.mark.parametrize("isolation", ["SNAPSHOT", "SERIALIZABLE"])
def test_sixteen_sessions_lose_nothing(isolation: str) -> None:
    with Database(isolation=isolation) as database:
        opening = sessions(database)
        run = opening()
        for sql in TABLES:
            run(sql)
        at_once(opening, mixed(), TURNS)
        assert run("select sum(balance) from accounts") == [(TOTAL,)]
        assert run("select n from counters") == [((SESSIONS - 9) * TURNS,)]
        assert not list(database.locks)
        assert database.transactions.active == []


def test_conflicts_are_told_when_all_read_first() -> None:
    """Two that read the same number: the second is told, and counts after it began anew."""
    with Database() as database:
        opening = sessions(database)
        run = opening()
        for sql in TABLES:
            run(sql)
        together = threading.Barrier(2)
        first = [True]

        def both_read(turn: Run) -> None:
            turn("begin")
            ((n,),) = turn("select n from counters where id = 1")
            if first:
                together.wait(LIMIT_S)
                first.clear()
            turn(f"update counters set n = {n + 1} where id = 1")
            turn("commit")

        assert at_once(opening, [both_read, both_read], 1) == 1
        assert run("select n from counters") == [(2,)]


def test_inserts_and_definitions_beside_one_another() -> None:
    """DDL of tables of their own, and appends to one table, from many sessions."""
    with Database() as database:
        opening = sessions(database)
        run = opening()
        for sql in TABLES:
            run(sql)

        def turns(who: int) -> Callable[[Run], None]:
            seen = iter(range(TURNS))

            def turn(run: Run) -> None:
                made = next(seen)
                run(f"create table own_{who}_{made} (a integer)")
                run("begin")
                run(f"insert into log values ({who}, {made})")
                run(f"insert into own_{who}_{made} select count(*) from log where who = {who}")
                run("commit")
                assert run(f"select a from own_{who}_{made}") == [(made + 1,)]
                run(f"drop table own_{who}_{made}")

            return turn

        at_once(opening, [turns(who) for who in range(8)], TURNS)
        assert run("select count(*), count(distinct who) from log") == [(8 * TURNS, 8)]
        assert len(database.sessions) == 9


def test_statements_that_are_interrupted_at_any_moment_leave_whole_transactions() -> None:
    """Cancelled while it waits, computes, commits or rolls back: all of it happened, or nothing."""
    with Database() as database:
        run = sessions(database)()
        for sql in TABLES:
            run(sql)
        session, over, done = connect(database), threading.Event(), [0]
        told: list[str] = []

        def work() -> None:
            turn = transfer(Random(1))
            try:
                for _ in range(150):
                    try:
                        turn(lambda sql: list(session.execute(sql).rows))
                        done[0] += 1
                    except RedshiftError as error:
                        told.append(error.code)
                        session.execute("rollback")
            finally:
                over.set()

        with ThreadPoolExecutor(max_workers=1) as threads:
            working = threads.submit(work)
            while not over.wait(0.001):
                session.interrupt()
            working.result(LIMIT_S)
        assert set(told) <= {"57014"}
        assert done[0] + len(told) == 150
        assert list(session.execute("select sum(balance) from accounts").rows) == [(TOTAL,)]
        assert session.state == "idle"
        assert not list(database.locks)


def test_database_that_is_closed_ends_what_runs_and_what_waits(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    with Database(file) as database:
        opening = sessions(database)
        run = opening()
        for sql in TABLES:
            run(sql)
        run("begin")
        run("update accounts set balance = 0")
        aside, waits = Aside(database), connect(database)
        waiting = aside.waiting(waits, "update accounts set balance = 1")
        database.close()
        assert waiting.exception(LIMIT_S) is not None
        aside.close()
    with Engine(file) as engine:
        assert engine.execute("select sum(balance) from accounts").rows == [(TOTAL,)]


def test_client_that_is_gone_frees_its_locks(redshift: Redshift) -> None:
    """Its socket is closed without a word; the one who waits goes on."""
    one, two = redshift.connect(), redshift.connect()
    cursor = one.cursor()
    for sql in TABLES:
        cursor.execute(sql)
    one.commit()
    cursor.execute("update counters set n = 5")
    with ThreadPoolExecutor(max_workers=1) as threads:
        waits = threads.submit(two.cursor().execute, "update counters set n = n + 1")
        one._usock.shutdown(socket.SHUT_RDWR)
        waits.result(LIMIT_S)
    two.commit()
    cursor = two.cursor()
    cursor.execute("select n from counters")
    assert cursor.fetchall() == ([1],)
    two.close()
    one._sock.close()  # the file on the socket keeps it open, too
    one._usock.close()


def test_sixteen_clients_over_the_wire_lose_nothing(redshift: Redshift) -> None:
    """The unmodified driver: 1023 as Redshift reports it, and the client's own loop around it."""
    from redshift_connector import ProgrammingError

    opened: list[Any] = []

    def opening() -> Run:
        connection = redshift.connect()
        connection.autocommit = True
        opened.append(connection)
        cursor = connection.cursor()

        def run(sql: str) -> Any:
            try:
                cursor.execute(sql)
            except ProgrammingError as error:
                said = error.args[0]
                if said["M"] in ("1023", "deadlock detected"):
                    assert said["C"] in ("XX000", "40P01")
                    assert said["D"]
                    raise Conflict from error
                raise
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else None

        return run

    run = opening()
    for sql in TABLES:
        run(sql)
    at_once(opening, mixed(), 2)
    assert run("select sum(balance) from accounts") == [(TOTAL,)]
    assert run("select n from counters") == [((SESSIONS - 9) * 2,)]
    for connection in opened:
        connection.close()
