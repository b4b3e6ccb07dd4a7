"""A run leaves the embedded databases open between its sessions, as long as nobody waits for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from orderhe_dagster.ports.errors import StatementError
from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource
from orderhe_dagster.resources.laptop.embedded_warehouse import EmbeddedWarehouse
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.resources.laptop.kept_open import IDLE
from orderhe_dagster.settings.locks import file_lock, holder


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[EmbeddedWarehouse]:
    """One whose file stays open for longer than a test lasts, with a table of one row."""
    store = FolderStore(str(tmp_path / "s3"), bucket="lake")
    path = str(tmp_path / "w.duckdb")
    warehouse = EmbeddedWarehouse(path, store=store, lock_timeout_s=60, linger_s=600)
    with warehouse.session("load of orders") as session:
        session.execute("create table t (a int)")
        session.execute("insert into t values (1)")
    yield warehouse
    IDLE.close()


def database_of(warehouse: EmbeddedWarehouse) -> int:
    """Which database the next session is of."""
    with warehouse.session("look", read_only=True) as session:
        return id(session._engine.database)


def test_the_file_stays_open_between_sessions_and_says_who_has_it(
    warehouse: EmbeddedWarehouse,
) -> None:
    assert holder(warehouse.path).label == "between two steps of a run"
    assert database_of(warehouse) == database_of(warehouse)
    with warehouse.session("load of customers"):
        assert holder(warehouse.path).label == "load of customers"


def test_who_waits_gets_the_file_long_before_its_time_is_over(warehouse: EmbeddedWarehouse) -> None:
    with file_lock(warehouse.path, timeout_s=60, label="another"):
        assert holder(warehouse.path).label == "another"
    assert warehouse.query("select count(*) from t").scalar() == 1


def test_who_waits_during_a_session_gets_the_file_after_it(warehouse: EmbeddedWarehouse) -> None:
    queue = os.open(f"{warehouse.path}.queue", os.O_RDWR | os.O_CREAT)
    try:
        with warehouse.session("load") as session:
            import fcntl

            session.execute("insert into t values (2)")
            fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as one who waits
        assert holder(warehouse.path).pid == 0
    finally:
        os.close(queue)


def test_the_file_is_closed_when_it_is_let_go(warehouse: EmbeddedWarehouse) -> None:
    IDLE.close()
    assert holder(warehouse.path).pid == 0
    with file_lock(warehouse.path, timeout_s=0.0):
        pass


def test_without_lingering_it_is_closed_with_its_session(warehouse: EmbeddedWarehouse) -> None:
    other = EmbeddedWarehouse(warehouse.path, store=warehouse.store, lock_timeout_s=0.05)
    assert other.query("select count(*) from t").scalar() == 1
    assert holder(warehouse.path).pid == 0


def test_another_store_has_a_database_of_its_own(
    warehouse: EmbeddedWarehouse, tmp_path: Path
) -> None:
    store = FolderStore(str(tmp_path / "other"), bucket="lake")
    other = EmbeddedWarehouse(warehouse.path, store=store, lock_timeout_s=60, linger_s=600)
    with other.session("load") as session:
        assert session._engine.database.resolver.list("s3://lake/") == []
        session.execute("insert into t values (2)")
    assert warehouse.query("select count(*) from t").scalar() == 2


def test_a_reading_session_changes_nothing_of_a_file_that_is_open_for_writing(
    warehouse: EmbeddedWarehouse,
) -> None:
    changes = [
        "insert into t values (2)",
        "create table u (a int)",
        "create schema other",
        "drop table t",
        "truncate t",
    ]
    for change in changes:
        with pytest.raises(StatementError, match="read-only"):
            warehouse.query(change)
        with warehouse.session("load") as session:  # which opens it for writing again
            assert session.execute("select count(*) from t").scalar() == 1
    with warehouse.session("look", read_only=True) as session:
        session.execute("create temp table own as select * from t")
        session.execute("insert into own values (2)")
        assert session.execute("select count(*) from own").scalar() == 2
        with pytest.raises(StatementError, match="read-only"):
            session.transaction(["insert into t values (2)"])


def test_temporary_tables_and_open_transactions_end_with_their_session(
    warehouse: EmbeddedWarehouse,
) -> None:
    with warehouse.session("load") as session:
        session.execute("create temp table own (a int)")
        session.execute("begin")
        session.execute("insert into t values (2)")
    with warehouse.session("load") as session:
        assert session.execute("select count(*) from t").scalar() == 1
        with pytest.raises(StatementError, match="own"):
            session.execute("select * from own")


def test_definitions_of_one_session_are_seen_by_the_next(warehouse: EmbeddedWarehouse) -> None:
    for number in range(3):
        with warehouse.session("load") as session:
            session.execute(f"create table made_{number} (a int)")
            session.execute(f"alter table t add column b{number} int")
        columns = warehouse.query("select * from t").columns
        assert columns == ("a", *(f"b{one}" for one in range(number + 1)))
        assert warehouse.query(f"select count(*) from made_{number}").scalar() == 0


def test_a_session_that_fails_leaves_the_file_closed(warehouse: EmbeddedWarehouse) -> None:
    with pytest.raises(KeyboardInterrupt), warehouse.session("load") as session:
        session.execute("insert into t values (2)")
        raise KeyboardInterrupt
    assert holder(warehouse.path).pid == 0
    assert warehouse.query("select count(*) from t").scalar() == 2


def test_a_file_that_was_moved_away_is_made_anew(warehouse: EmbeddedWarehouse) -> None:
    Path(warehouse.path).rename(f"{warehouse.path}.away")
    with warehouse.session("load") as session, pytest.raises(StatementError, match="t"):
        session.execute("select * from t")


def test_a_stream_keeps_no_other_reader_out(warehouse: EmbeddedWarehouse) -> None:
    seen = []

    def take(rows: object) -> None:
        with file_lock(warehouse.path, shared=True, timeout_s=0.0):
            seen.append(rows)

    warehouse.stream("select a from t", take)
    assert seen == [[(1,)]]


def test_a_child_process_does_not_inherit_the_lock(warehouse: EmbeddedWarehouse) -> None:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    assert holder(warehouse.path).pid == 0
    assert warehouse.query("select count(*) from t").scalar() == 1


def test_a_source_that_was_read_stays_open_for_reading_and_not_for_writing(tmp_path: Path) -> None:
    shop = str(tmp_path / "shop.duckdb")
    source = EmbeddedSource(shop, lock_timeout_s=60, linger_s=600)
    source.create([])
    assert holder(shop).pid == 0
    for number in range(2):
        with source._reading("look at orders") as connection:
            tables = connection.execute("show tables").fetchall()
            assert [name for (name,) in tables] == [f"t{one}" for one in range(number)]
            assert connection.execute("select current_setting('TimeZone')").fetchall() == [("UTC",)]
        assert holder(shop).label == "between two steps of a run"
        with file_lock(shop, shared=True, timeout_s=0.0):
            pass
        with source.writing() as transaction:
            transaction.execute(f"create table t{number} (a int)")
        assert holder(shop).pid == 0
    with file_lock(shop, timeout_s=60, label="another"):
        assert holder(shop).label == "another"
