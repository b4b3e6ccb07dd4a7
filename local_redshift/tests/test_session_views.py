"""What a session can read of itself and the others: statements that ran, sessions, locks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_redshift.database.database import Database
from local_redshift.errors import RedshiftError
from local_redshift.session.engine import Engine, connect
from tests.sessions import Aside, number


@pytest.fixture
def database() -> Iterator[Database]:
    with Database() as made:
        with connect(made) as session:
            session.execute("create table t (id integer, n integer)")
            session.execute("insert into t values (1, 0), (2, 0)")
        yield made


def history(session: Engine, where: str) -> list[tuple[object, ...]]:
    return list(
        session.execute(
            "select query_label, query_type, status, returned_rows, error_message, query_text "
            f"from sys_query_history where {where} order by query_id"
        ).rows
    )


def test_history_tells_what_ran_outside_of_its_transaction(database: Database) -> None:
    one, two = connect(database, user="ann"), connect(database)
    one.execute("set query_group to 'loads'")
    one.execute("begin")
    one.execute("select * from t")
    one.execute("insert into t values (3, 0)")
    with pytest.raises(RedshiftError):
        one.execute("select 1 / (n - n) from t")
    one.execute("rollback")
    mine = f"session_id = {one.process_id} and query_type in ('SELECT', 'INSERT')"
    assert history(two, mine) == [
        ("loads", "SELECT", "success", 2, None, "select * from t"),
        ("loads", "INSERT", "success", 0, None, "insert into t values (3, 0)"),
        ("loads", "SELECT", "failed", 0, "division by zero", "select 1 / (n - n) from t"),
    ]
    transactions = "select count(distinct transaction_id) from sys_query_history where "
    assert number(two, transactions + mine) == 1
    assert number(two, f"select count(*) from stl_query where pid = {one.process_id}") == 6
    assert number(two, "select count(*) from svl_qlog where aborted = 1") == 1
    positive = (
        "select count(*) from sys_query_history where elapsed_time >= 0 and end_time >= start_time"
    )
    assert number(two, positive) > 6


def test_history_keeps_no_passwords(database: Database) -> None:
    session = connect(database)
    with pytest.raises(RedshiftError):
        session.execute("create user bob password 'Opensesame1' nonsense here")
    ((text,),) = session.execute(
        "select query_text from sys_query_history where query_text like 'create user%'"
    ).rows
    assert text == "create user bob password '***' nonsense here"


@pytest.mark.parametrize(
    "statement",
    [
        "create user bob password 'it''s Opensesame1'",
        r"create user bob password 'it\'s Opensesame1'",
        f"select {'1 + ' * 990} 1 password 'it is Opensesame1, and the text is cut before its end'",
    ],
)
def test_history_keeps_no_part_of_a_password(database: Database, statement: str) -> None:
    entry = database.log.begin(1, "admin", "default", statement)
    assert entry.text.endswith(" password '***'")


def test_session_knows_its_last_statement(database: Database) -> None:
    session = connect(database)
    session.execute("select n from t")
    query = number(session, "select pg_last_query_id()")
    ((text,),) = session.execute(
        f"select query_text from sys_query_history where query_id = {query}"
    ).rows
    assert text == "select n from t"
    assert number(session, "select pg_backend_pid()") == session.process_id


def test_locks_and_waits_are_shown(database: Database) -> None:
    one, two, seer = connect(database, user="ann"), connect(database, user="bob"), connect(database)
    aside = Aside(database)
    one.execute("begin")
    one.execute("update t set n = 1")
    waits = aside.waiting(two, "delete from t")
    shown = seer.execute(
        "select txn_owner, lock_mode, granted from svv_transactions where lock_mode <> "
        "'AccessShareLock' order by 1"
    ).rows
    assert shown == [
        ("ann", "ShareRowExclusiveLock", True),
        ("bob", "ShareRowExclusiveLock", False),
    ]
    holders = seer.execute("select lock_owner_pid, lock_status from stv_locks").rows
    assert holders == [(one.process_id, "Holding write lock")]
    assert number(seer, "select count(*) from stv_sessions where user_name in ('ann', 'bob')") == 2
    one.execute("commit")
    assert waits.result().row_count == 2
    assert number(seer, "select count(*) from stv_locks") == 0
    aside.close()


def test_isolation_level_can_be_read(database: Database) -> None:
    with connect(database) as session:
        sql = "select db_name, isolation_level from stv_db_isolation_level"
        assert session.execute(sql).rows == [("dev", "Snapshot Isolation")]


_FULL = """
import json, os, resource, signal, sys
from local_redshift.session.engine import Engine, connect
from local_redshift.errors import RedshiftError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
file = sys.argv[1]
with Engine(file) as engine:
    engine.execute("create table t (a varchar(100))")
    engine.execute("insert into t values (repeat('x', 90))")
    engine.execute("begin")
    for _ in range(14):
        engine.execute("insert into t select a from t")
    resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(file) + 20_000, resource.RLIM_INFINITY))
    try:
        engine.execute("commit")
    except RedshiftError as error:
        print(json.dumps([error.code, error.message, engine.state]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit on files to set")
def test_commit_without_space_is_told_as_such(tmp_path: Path) -> None:
    """Not as a conflict: a client would run it again, and again."""
    file = tmp_path / "w.duckdb"
    told = subprocess.run(
        [sys.executable, "-c", _FULL, str(file)], capture_output=True, text=True, check=True
    )
    code, message, state = json.loads(told.stdout)
    assert (code, state) == ("53100", "idle")
    assert message.startswith("Disk Full: ")
    assert "1023" not in message
    with Engine(file) as engine:
        assert number(engine, "select count(*) from t") == 1
