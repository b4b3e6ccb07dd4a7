"""Snapshot and serializable isolation: error 1023 when it must be, and not otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

import pytest

from local_redshift.database.database import Database
from local_redshift.errors import RedshiftError
from local_redshift.session.engine import Engine, connect
from local_redshift.transactions.isolation import SERIALIZABLE, Transaction, Transactions
from tests.sessions import number

TABLES = (
    "create table t (id integer, n integer, name varchar(20))",
    "create table u (id integer, n integer)",
    "insert into t values (1, 0, 'a'), (2, 0, 'b'), (3, 0, 'c')",
    "insert into u values (1, 0), (2, 0)",
)


def opened(isolation: str) -> Iterator[Database]:
    with Database(isolation=isolation) as made:
        with connect(made) as session:
            for sql in TABLES:
                session.execute(sql)
        yield made


@pytest.fixture
def snapshot() -> Iterator[Database]:
    yield from opened("SNAPSHOT")


@pytest.fixture
def serializable() -> Iterator[Database]:
    yield from opened("SERIALIZABLE")


def begun(database: Database) -> Engine:
    """A session in a transaction whose snapshot is taken."""
    session = connect(database)
    session.execute("begin")
    session.execute("select count(*) from u where n < 0")
    return session


def is_1023(session: Engine, sql: str) -> str:
    with pytest.raises(RedshiftError) as raised:
        session.execute(sql)
    assert (raised.value.code, raised.value.message) == ("XX000", "1023"), str(raised.value)
    assert session.state == "failed"
    return raised.value.detail


# -- snapshot --------------------------------------------------------------------------------------

CHANGES = {
    "the same value": ("update t set n = 1 where id = 1", "update t set n = 2 where id = 1"),
    "other columns of one row": (
        "update t set name = 'z' where id = 1",
        "update t set n = 2 where id = 1",
    ),
    "an update, then a delete": ("update t set n = 1 where id = 1", "delete from t where id = 1"),
    "a delete, then an update": ("delete from t where id = 1", "update t set n = 1 where id = 1"),
    "two deletes": ("delete from t where id = 1", "delete from t where id < 3"),
    "one row of many": ("update t set n = n + 1", "update t set n = 9 where id = 3"),
    "a merge": (
        "update t set n = 5 where id = 1",
        """merge into t using u on t.id = u.id when matched then update set n = 7
        when not matched then insert values (u.id, u.n, 'new')""",
    ),
}
APART = {
    "other rows": ("update t set n = 1 where id = 1", "update t set n = 2 where id = 2"),
    "a delete of another row": ("update t set n = 1 where id = 1", "delete from t where id = 2"),
    "an insert beside an update": ("update t set n = 1", "insert into t values (4, 0, 'd')"),
    "an update beside an insert": ("insert into t values (4, 0, 'd')", "update t set n = 1"),
    "two inserts": ("insert into t values (4, 0, 'd')", "insert into t values (4, 0, 'd')"),
    "another table": ("update u set n = 1", "update t set n = 1"),
    "no row at all": ("update t set n = 1", "delete from t where id > 99"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_row_that_another_changed_since_the_snapshot_is_a_conflict(
    snapshot: Database, case: str
) -> None:
    first, second = CHANGES[case]
    late = begun(snapshot)
    other = connect(snapshot)
    assert other.execute(first).row_count > 0
    detail = is_1023(late, second)
    assert detail.startswith("Serializable isolation violation on table - ")
    assert f"(pid:{late.process_id})" in detail
    late.execute("rollback")
    assert late.execute(second).row_count >= 0  # and again, as a client would


@pytest.mark.parametrize("case", APART)
def test_what_touches_other_rows_is_no_conflict(snapshot: Database, case: str) -> None:
    first, second = APART[case]
    late = begun(snapshot)
    connect(snapshot).execute(first)
    late.execute(second)
    late.execute("commit")


def test_both_changes_are_there_afterwards(snapshot: Database) -> None:
    late = begun(snapshot)
    connect(snapshot).execute("update t set n = 1 where id = 1")
    late.execute("update t set n = 2 where id = 2")
    late.execute("commit")
    assert number(connect(snapshot), "select sum(n) from t") == 3


def test_first_statement_that_only_changes_has_no_conflict(snapshot: Database) -> None:
    """BEGIN takes no snapshot, so what committed before the first statement is seen."""
    late = connect(snapshot)
    late.execute("begin")
    connect(snapshot).execute("update t set n = n + 1")
    late.execute("update t set n = n + 1")
    late.execute("commit")
    assert number(late, "select sum(n) from t") == 6


def test_change_that_was_rolled_back_is_no_conflict(snapshot: Database) -> None:
    late, other = begun(snapshot), connect(snapshot)
    other.execute("begin")
    other.execute("update t set n = 1")
    other.execute("rollback")
    late.execute("update t set n = n + 1")
    late.execute("commit")
    assert number(late, "select sum(n) from t") == 3


def test_write_skew_is_possible_under_snapshot_isolation(snapshot: Database) -> None:
    one, two = begun(snapshot), begun(snapshot)
    one.execute("update t set n = (select 1 + count(*) from u)")
    two.execute("update u set n = (select 1 + count(*) from t)")
    one.execute("commit")
    two.execute("commit")


def test_second_change_of_a_transaction_is_looked_at_too(snapshot: Database) -> None:
    late = begun(snapshot)
    connect(snapshot).execute("update t set n = 5 where id = 3")
    late.execute("update t set n = 1 where id = 1")  # another row
    is_1023(late, "delete from t where id = 3")


def test_own_rows_may_be_changed_twice(snapshot: Database) -> None:
    late = begun(snapshot)
    connect(snapshot).execute("update t set n = 5 where id = 3")
    late.execute("insert into t values (9, 1, 'own')")
    late.execute("update t set n = 2 where id in (1, 9)")
    late.execute("delete from t where id = 9")
    late.execute("commit")
    assert number(late, "select sum(n) from t") == 7


# -- serializable ----------------------------------------------------------------------------------


def test_amazons_example_of_a_cycle(serializable: Database) -> None:
    """The last of four statements fails, though the first transaction has not ended."""
    one, two = connect(serializable), connect(serializable)
    one.execute("begin")
    two.execute("begin")
    one.execute("select * from t")
    one.execute("insert into u values (9, 9)")
    two.execute("insert into t values (9, 9, 'z')")
    detail = is_1023(two, "select * from u")
    assert detail.count(",") == 2  # table, then the numbers of two transactions
    one.execute("commit")
    assert number(one, "select count(*) from t") == 3


def test_write_skew_is_refused(serializable: Database) -> None:
    one, two = begun(serializable), begun(serializable)
    one.execute("update t set n = (select 1 + count(*) from u)")
    one.execute("commit")
    is_1023(two, "update u set n = (select 1 + count(*) from t)")


def test_other_rows_of_a_table_are_a_conflict_too(serializable: Database) -> None:
    late = begun(serializable)
    late.execute("select * from t")
    connect(serializable).execute("update t set n = 1 where id = 1")
    is_1023(late, "update t set n = 1 where id = 2")


def test_reading_alone_is_never_a_conflict(serializable: Database) -> None:
    late, other = begun(serializable), connect(serializable)
    for _ in range(3):
        other.execute("update t set n = n + 1")
        assert number(late, "select sum(n) from t") == 0
    late.execute("commit")
    assert number(late, "select sum(n) from t") == 9


def test_transactions_one_after_the_other_are_no_conflict(serializable: Database) -> None:
    one, two = connect(serializable), connect(serializable)
    for session in (one, two, one, two):
        session.execute("begin")
        total = number(session, "select sum(n) from t")
        session.execute(f"update t set n = {total + 1} where id = 1")
        session.execute("commit")
    assert number(one, "select sum(n) from t") == 4


def test_disjoint_tables_are_no_conflict(serializable: Database) -> None:
    one = begun(serializable)
    two = connect(serializable)
    two.execute("begin")
    one.execute("update u set n = n + 1")
    two.execute("update t set n = n + 1")
    one.execute("commit")
    two.execute("commit")


def test_lock_first_makes_the_same_transactions_safe(serializable: Database) -> None:
    """The remedy that Amazon names: lock every table first, before anything takes the snapshot."""
    one, two = connect(serializable), connect(serializable)
    for session in (one, two):
        session.execute("begin")
        session.execute("lock t, u")
        session.execute("update t set n = (select 1 + sum(n) from u)")
        session.execute("update u set n = (select 1 + sum(n) from t)")
        session.execute("commit")
    assert number(one, "select sum(n) from t") > 3


# -- transactions ----------------------------------------------------------------------------------


def test_level_is_altered_by_the_only_session_and_not_inside_a_transaction() -> None:
    with Database() as database:
        one = connect(database)
        one.execute("begin")
        with pytest.raises(RedshiftError) as raised:
            one.execute("alter database dev isolation level serializable")
        assert raised.value.code == "25001"
        one.execute("rollback")
        two = connect(database)
        with pytest.raises(RedshiftError, match="accessed by other users"):
            one.execute("alter database dev isolation level serializable")
        two.close()
        assert (
            one.execute("alter database dev isolation level serializable").tag == "ALTER DATABASE"
        )
        assert database.transactions.level == "SERIALIZABLE"


def test_read_only_transaction_changes_temporary_tables_only(snapshot: Database) -> None:
    session = connect(snapshot)
    session.execute("create temp table mine (a integer)")
    session.execute("begin read only")
    session.execute("insert into mine values (1)")
    with pytest.raises(RedshiftError) as raised:
        session.execute("insert into t values (4, 4, 'd')")
    assert raised.value.code == "25006"


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [("begin", "begin", "25001"), ("commit", "rollback", "25P01"), ("rollback", "end", "25P01")],
)
def test_transaction_word_out_of_place_is_a_warning(
    snapshot: Database, first: str, second: str, code: str
) -> None:
    session = connect(snapshot)
    session.execute(first)
    (notice,) = session.execute(second).notices
    assert (notice.severity, notice.code) == ("WARNING", code)


def test_truncate_commits_and_frees_the_locks(snapshot: Database) -> None:
    one, two = connect(snapshot), connect(snapshot)
    one.execute("begin")
    one.execute("update u set n = 1")
    one.execute("truncate t")
    assert one.state == "idle"
    assert two.execute("update u set n = n + 1").row_count == 2
    assert number(two, "select sum(n) from u") == 4


def test_many_transactions_beside_one_that_reads_are_ordered_at_once() -> None:
    """Forty that wrote one after another: as many paths as subsets, and the order is seen without them."""
    began = datetime.now(timezone.utc)
    transactions = Transactions(SERIALIZABLE)
    reader = Transaction(0, 0, began=began, reads={"public.t"})
    transactions.begin(reader)
    for n in range(1, 41):
        writer = Transaction(n, n, began=began, writes={"public.t"})
        transactions.begin(writer)
        transactions.commit(writer)
    transactions.check(reader, lambda _: 1)
    reader.writes.add("public.u")
    transactions.check(reader, lambda _: 1)
    late = Transaction(41, 41, began=began, reads={"public.u"}, writes={"public.t"})
    transactions.begin(late)
    transactions.commit(late)
    reader.writes.add("public.t")
    with pytest.raises(RedshiftError) as told:
        transactions.check(reader, lambda _: 1)
    assert told.value.message == "1023"
