"""Table locks: who waits for whom, deadlocks, and what frees a lock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local_redshift.database.database import Database
from local_redshift.errors import RedshiftError
from local_redshift.session.engine import Engine, connect
from tests.sessions import LIMIT_S, Aside, code_of, number

TABLES = (
    "create table t (id integer, n integer)",
    "create table u (id integer, n integer)",
    "create view v as select id, n from t",
    "insert into t values (1, 0), (2, 0)",
    "insert into u values (1, 0), (2, 0)",
)


@pytest.fixture
def database() -> Iterator[Database]:
    with Database() as made:
        with connect(made) as session:
            for sql in TABLES:
                session.execute(sql)
        yield made


@pytest.fixture
def aside(database: Database) -> Iterator[Aside]:
    made = Aside(database)
    yield made
    for session in database.sessions:  # so that nobody waits for ever where a test failed
        session.close()
    made.close()


@pytest.fixture
def one(database: Database) -> Engine:
    return connect(database)


@pytest.fixture
def two(database: Database) -> Engine:
    return connect(database)


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_writer_waits_for_a_writer_and_goes_on(
    one: Engine, two: Engine, aside: Aside, end: str
) -> None:
    one.execute("begin")
    one.execute("update t set n = n + 1")
    waits = aside.waiting(two, "update t set n = n + 1 where id = 1")
    one.execute(end)
    assert waits.result(LIMIT_S).tag == "UPDATE 1"
    expected = 2 if end == "commit" else 1
    assert number(one, "select n from t where id = 1") == expected


def test_inserts_share_a_table_under_snapshot_isolation(one: Engine, two: Engine) -> None:
    for session in (one, two):
        session.execute("begin")
        session.execute("insert into t values (3, 0)")
    one.execute("commit")
    two.execute("commit")
    assert number(one, "select count(*) from t") == 4


def test_inserts_wait_for_one_another_under_serializable_isolation(
    database: Database, aside: Aside
) -> None:
    one = connect(database)
    one.execute("alter database dev isolation level serializable")
    two = connect(database)
    one.execute("begin")
    one.execute("insert into t values (3, 0)")
    waits = aside.waiting(two, "insert into t values (3, 0)")
    one.execute("commit")
    assert waits.result(LIMIT_S).row_count == 1
    assert number(one, "select count(*) from t") == 4


def test_updates_wait_for_inserts(one: Engine, two: Engine, aside: Aside) -> None:
    one.execute("begin")
    one.execute("insert into t values (3, 0)")
    waits = aside.waiting(two, "delete from t")
    one.execute("commit")
    assert waits.result(LIMIT_S).row_count == 3


def test_readers_wait_for_no_writer_and_writers_for_no_reader(one: Engine, two: Engine) -> None:
    one.execute("begin")
    one.execute("update t set n = 5")
    two.execute("begin")
    assert number(two, "select sum(n) from v") == 0
    one.execute("commit")
    assert number(two, "select sum(n) from v") == 0
    two.execute("commit")
    assert number(two, "select sum(n) from v") == 10


@pytest.mark.parametrize(
    "sql", ["select * from t", "select * from v", "insert into u select * from t"]
)
def test_lock_keeps_everybody_out(one: Engine, two: Engine, aside: Aside, sql: str) -> None:
    one.execute("begin")
    one.execute("lock table t")
    waits = aside.waiting(two, sql)
    one.execute("commit")
    waits.result(LIMIT_S)


def test_snapshot_is_taken_after_the_lock_was_had(one: Engine, two: Engine, aside: Aside) -> None:
    """What a load relies on: lock first, then read, and see what the one before committed."""
    one.execute("begin")
    one.execute("lock u")
    two.execute("begin")
    waits = aside.waiting(two, "lock table u")
    one.execute("update t set n = 7")
    one.execute("commit")
    waits.result(LIMIT_S)
    assert number(two, "select sum(n) from t") == 14
    two.execute("update t set n = n + 1")  # and no conflict
    two.execute("commit")
    assert number(one, "select sum(n) from t") == 16


@pytest.mark.parametrize(
    "sql", ["alter table u add column more integer", "drop table u", "truncate u"]
)
def test_definitions_wait_for_readers(one: Engine, two: Engine, aside: Aside, sql: str) -> None:
    one.execute("begin")
    assert number(one, "select count(*) from u") == 2
    waits = aside.waiting(two, sql)
    assert number(one, "select count(*) from u") == 2
    one.execute("commit")
    waits.result(LIMIT_S)


def test_statement_that_waited_for_a_definition_is_read_again(
    one: Engine, two: Engine, aside: Aside
) -> None:
    one.execute("begin")
    one.execute("alter table u add column more integer")
    waits = aside.waiting(two, "select * from u")
    gone = aside.waiting(connect(one.database), "delete from u where more is null")
    one.execute("commit")
    assert waits.result(LIMIT_S).columns == ("id", "n", "more")
    assert gone.result(LIMIT_S).row_count == 2


def test_table_that_was_dropped_meanwhile_is_not_there(
    one: Engine, two: Engine, aside: Aside
) -> None:
    one.execute("begin")
    one.execute("drop table u")
    waits = aside.waiting(two, "insert into u values (1, 1)")
    one.execute("commit")
    assert code_of(waits) == ("42P01", 'relation "u" does not exist')


def test_deadlock_is_told_to_the_last_and_the_other_goes_on(
    one: Engine, two: Engine, aside: Aside
) -> None:
    for session, table in ((one, "t"), (two, "u")):
        session.execute("begin")
        session.execute(f"update {table} set n = n + 1")
    waits = aside.waiting(one, "update u set n = n + 10")
    with pytest.raises(RedshiftError, match="deadlock detected") as raised:
        two.execute("update t set n = n + 10")
    assert raised.value.code == "40P01"
    assert "ShareRowExclusiveLock on relation public.t" in raised.value.detail
    assert waits.result(LIMIT_S).row_count == 2
    one.execute("commit")
    assert two.state == "failed"
    two.execute("rollback")
    assert number(two, "select sum(n) from u") == 20


def test_inserts_that_both_go_on_to_update_are_a_deadlock(
    one: Engine, two: Engine, aside: Aside
) -> None:
    for session in (one, two):
        session.execute("begin")
        session.execute("insert into t values (3, 0)")
    waits = aside.waiting(one, "update t set n = 1")
    with pytest.raises(RedshiftError, match="deadlock"):
        two.execute("update t set n = 1")
    assert waits.result(LIMIT_S).row_count == 3


def test_session_that_is_closed_frees_its_locks(one: Engine, two: Engine, aside: Aside) -> None:
    one.execute("begin")
    one.execute("update t set n = 1")
    waits = aside.waiting(two, "update t set n = n + 1")
    one.close()
    assert waits.result(LIMIT_S).row_count == 2
    assert number(two, "select sum(n) from t") == 2


def test_failed_transaction_frees_its_locks_at_once(one: Engine, two: Engine) -> None:
    one.execute("begin")
    one.execute("update t set n = 1")
    with pytest.raises(RedshiftError):
        one.execute("select 1 / 0")
    assert two.execute("update t set n = n + 1").row_count == 2
    assert one.state == "failed"


def test_wait_can_be_interrupted(one: Engine, two: Engine, aside: Aside) -> None:
    one.execute("begin")
    one.execute("update t set n = 1")
    two.execute("begin")
    waits = aside.waiting(two, "update t set n = 2")
    two.interrupt()
    assert code_of(waits)[0] == "57014"
    assert two.state == "failed"
    two.execute("rollback")
    one.execute("commit")
    assert two.execute("update t set n = 2").row_count == 2


def test_wait_ends_with_the_statements_time_and_names_the_table(one: Engine, two: Engine) -> None:
    one.execute("begin")
    one.execute("update t set n = 1")
    two.execute("set statement_timeout to 50")
    with pytest.raises(RedshiftError) as raised:
        two.execute("delete from t")
    assert raised.value.code == "57014"
    one.execute("rollback")
    two.execute("set statement_timeout to 0")
    assert two.execute("delete from t").row_count == 2


def test_wait_is_bounded_by_the_database() -> None:
    with Database(lock_timeout_s=0.05) as database:
        one, two = connect(database), connect(database)
        one.execute("create table t (a integer)")
        one.execute("begin")
        one.execute("lock t")
        with pytest.raises(RedshiftError) as raised:
            two.execute("select * from t")
    assert raised.value.code == "55P03"
    assert f"table public.t is locked by process {one.process_id}" in raised.value.message


def test_statement_that_computes_too_long_is_ended(one: Engine) -> None:
    one.execute("create table many as select a.id from t a, t b, t c, t d, t e, t f, t g, t h")
    one.execute("set statement_timeout to 100")
    with pytest.raises(RedshiftError) as raised:
        one.execute("select count(*) from many a, many b, many c, many d where a.id + b.id > c.id")
    assert (raised.value.code, raised.value.detail) == ("57014", "statement_timeout is 100 ms")
    assert number(one, "select 1") == 1


def test_local_limit_ends_with_its_transaction(one: Engine) -> None:
    one.execute("set local statement_timeout to 9000")  # alone: over at once
    assert one.timeout_ms == 0
    one.execute("begin")
    one.execute("set local statement_timeout to 9000")
    assert one.timeout_ms == 9000
    one.execute("commit")
    assert one.timeout_ms == 0
