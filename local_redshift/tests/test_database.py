"""Several sessions on one database: what belongs to each, and what they see of one another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local_redshift.database.database import Database
from local_redshift.errors import RedshiftError
from local_redshift.session.engine import Engine, connect


@pytest.fixture
def database() -> Iterator[Database]:
    with Database() as made:
        with connect(made) as session:
            session.execute("create table t (id integer, name varchar(9))")
            session.execute("insert into t values (1, 'a'), (2, 'b')")
        yield made


def count(session: Engine, table: str = "t") -> int:
    return int(session.execute(f"select count(*) from {table}").rows[0][0])


def test_sessions_see_what_others_committed_and_nothing_else(database: Database) -> None:
    one, two = connect(database), connect(database)
    one.execute("begin")
    one.execute("insert into t values (3, 'c')")
    assert (count(one), count(two)) == (3, 2)
    one.execute("commit")
    assert count(two) == 3


def test_definitions_are_seen_by_others_once_committed(database: Database) -> None:
    one, two = connect(database), connect(database)
    assert count(two) == 2  # the catalogue of `two` is read by now
    one.execute("begin")
    one.execute("create table made (a integer)")
    assert count(one, "made") == 0
    with pytest.raises(RedshiftError, match="made"):
        count(two, "made")
    one.execute("commit")
    assert count(two, "made") == 0
    one.execute("drop table made")
    with pytest.raises(RedshiftError, match="made"):
        count(two, "made")


def test_snapshot_shows_the_tables_of_its_moment(database: Database) -> None:
    one, two = connect(database), connect(database)
    two.execute("begin")
    assert count(two) == 2  # which takes the snapshot
    one.execute("create table made (a integer)")
    with pytest.raises(RedshiftError, match="made"):
        count(two, "made")
    two.execute("rollback")
    assert count(two, "made") == 0


def test_snapshot_is_taken_by_the_first_statement_that_reads(database: Database) -> None:
    one, two = connect(database), connect(database)
    two.execute("begin")
    one.execute("insert into t values (3, 'c')")
    assert count(two) == 3
    one.execute("insert into t values (4, 'd')")
    assert count(two) == 3
    two.execute("commit")
    assert count(two) == 4


def test_temporary_tables_and_settings_are_a_sessions_own(database: Database) -> None:
    one, two = connect(database), connect(database)
    one.execute("create temp table mine (a integer)")
    one.execute("create schema other")
    one.execute("create table other.u (a integer)")
    one.execute("set search_path to other")
    assert (count(one, "mine"), count(one, "u")) == (0, 0)
    for table in ("mine", "u"):
        with pytest.raises(RedshiftError, match=table):
            count(two, table)


def test_describe_tells_columns_without_running(database: Database) -> None:
    session = connect(database)
    told = session.describe("select id, name, count(*) as n, 1 / 0 as x from t group by 1, 2")
    assert told == (("id", "name", "n", "x"), ("integer", "varchar(9)", "bigint", "integer"))
    assert session.describe("insert into t values (9, 'z')") == ((), ())
    assert count(session) == 2


def test_stream_gives_batches_and_keeps_the_rest_for_later(database: Database) -> None:
    session = connect(database)
    session.execute("create table many as select a.id, b.name from t a, t b, t c, t d, t e, t f")
    stream = session.stream("select id from many")
    assert (stream.columns, stream.types, stream.tag) == (("id",), ("integer",), "SELECT")
    assert len(stream.fetch(10)) == 10
    assert count(session, "many") == 64  # the session goes on, the rows are kept
    assert [len(stream.fetch(50)) for _ in range(3)] == [50, 4, 0]


def test_row_that_fails_late_fails_the_transaction(database: Database) -> None:
    session = connect(database)
    session.execute("begin")
    with pytest.raises(RedshiftError, match="division by zero"):
        session.stream("select 1 / (id - 2) from t").all()
    assert session.state == "failed"


@pytest.mark.parametrize(
    ("sql", "tag"),
    [
        ("select 1", "SELECT"),
        ("insert into t values (7, 'x'), (8, 'y')", "INSERT 0 2"),
        ("update t set name = 'z'", "UPDATE 2"),
        ("delete from t where id = 1", "DELETE 1"),
        ("create temp table made (a int)", "CREATE TABLE"),
        ("create schema made", "CREATE SCHEMA"),
        ("create or replace view v as select 1 as one", "CREATE VIEW"),
        ("alter table t add column more int", "ALTER TABLE"),
        ("drop table t", "DROP TABLE"),
        ("truncate t", "TRUNCATE TABLE"),
        ("begin", "BEGIN"),
        ("commit work", "COMMIT"),
        ("set query_group to 'x'", "SET"),
    ],
)
def test_command_tags(database: Database, sql: str, tag: str) -> None:
    assert connect(database).execute(sql).tag == tag


def test_closing_the_database_ends_its_sessions(database: Database) -> None:
    session = connect(database)
    session.execute("begin")
    session.execute("delete from t")
    database.close()
    assert database.sessions == []


def test_a_new_session_reads_the_definitions_that_another_has_read(database: Database) -> None:
    one, two = connect(database), connect(database)
    assert count(one) == count(two) == 2
    assert two.catalog.relations == one.catalog.relations
    assert two.catalog.relations["public", "t"] is one.catalog.relations["public", "t"]
    one.execute("create temp table own (a integer)")
    one.execute("create table made (a integer)")
    assert one.catalog.find(None, "own")
    three = connect(database)
    assert three.catalog.find(None, "made") and not three.catalog.find(None, "own")


def test_a_session_that_reads_only_changes_no_lasting_table(database: Database) -> None:
    with Engine(database=database, read_only=True) as session:
        for sql in (
            "insert into t values (3, 'c')",
            "create table u (a integer)",
            "create schema other",
            "create user somebody password disable",
            "comment on table t is 'changed'",
            "drop table t",
        ):
            for before in ("", "begin read write"):
                if before:
                    session.execute(before)
                with pytest.raises(RedshiftError) as raised:
                    session.execute(sql)
                session.rollback()
                assert raised.value.code == "25006", sql
        session.execute("create temp table own as select * from t")
        session.execute("delete from own where id = 1")
        assert (count(session, "own"), count(session)) == (1, 2)
