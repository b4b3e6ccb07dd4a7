"""DuckDB instances that are used again: what one database did in them shows in no other."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from local_redshift.database import instances
from local_redshift.database.database import Database
from local_redshift.database.folder import folder_store
from local_redshift.database.storage import Resolver
from local_redshift.session.engine import Engine, connect

ANYWHERE = Resolver()
"""A store whose files may lie anywhere, so that DuckDB must reach them."""


@pytest.fixture(autouse=True)
def none_idle() -> Iterator[None]:
    instances.close_idle()
    yield
    instances.close_idle()


def test_the_memory_of_one_database_is_not_the_next_ones(tmp_path: Path) -> None:
    def held(database: Database) -> str:
        with connect(database) as engine:
            limit = engine.connection.execute("select current_setting('memory_limit')").fetchone()
            return str(limit[0])

    with Database(tmp_path / "a", resolver=ANYWHERE) as database:
        by_itself = held(database)
    with Database(tmp_path / "b", resolver=ANYWHERE, memory_mb=128) as database:
        assert held(database) == "122.0 MiB"
    with Database(tmp_path / "a", resolver=ANYWHERE) as database:
        assert held(database) == by_itself


def test_the_next_file_is_opened_in_the_same_instance_and_holds_its_own(tmp_path: Path) -> None:
    with Engine(tmp_path / "a", resolver=ANYWHERE) as engine:
        used = engine.database._instance
        engine.execute("create table t (id integer)")
        engine.execute("create temporary table mine (id integer)")
    with Engine(tmp_path / "b", resolver=ANYWHERE) as engine:
        assert engine.database._instance is used
        for table in ("t", "mine"):
            assert engine.catalog.find(None, table) is None
        engine.execute("create table t (name varchar(9))")
    with Engine(tmp_path / "a", resolver=ANYWHERE) as engine:
        assert engine.execute("select id from t").rows == []


def test_a_file_that_is_closed_is_free_and_whole(tmp_path: Path) -> None:
    with Engine(tmp_path / "a") as engine:
        engine.execute("create table t (id integer)")
        engine.execute("insert into t values (1)")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    with duckdb.connect(str(tmp_path / "a")) as other:  # an instance beside takes it
        assert other.execute("select id from public.t").fetchall() == [(1,)]
        other.execute("insert into public.t values (2)")
    with Engine(tmp_path / "a") as engine:
        assert engine.execute("select count(*) from t").rows == [(2,)]


def test_two_databases_at_once_have_an_instance_each(tmp_path: Path) -> None:
    with Engine(tmp_path / "a") as one, Engine(tmp_path / "b") as two:
        assert one.database._instance is not two.database._instance
        one.execute("create table t (id integer)")
        assert two.catalog.find(None, "t") is None


def test_what_needs_no_files_reaches_none(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("7")
    (tmp_path / "s3" / "b").mkdir(parents=True)
    (tmp_path / "s3" / "b" / "one.csv").write_text("1\n")
    store, reading = folder_store(tmp_path / "s3"), f"from read_text('{tmp_path}/secret')"
    for path, resolver in (
        (":memory:", None),
        (tmp_path / "a", None),
        (":memory:", store),
        (tmp_path / "b", store),
    ):
        given = {} if resolver is None else {"resolver": resolver}
        with Engine(path, **given) as engine:
            engine.execute("create table t (id integer)")
            for denied in (
                f"select * {reading}",
                f"attach '{tmp_path}/c'",
                "set global enable_external_access = true",
            ):
                with pytest.raises(duckdb.Error):
                    engine.connection.execute(denied)
            if resolver is None:
                continue
            engine.execute("copy t from 's3://b/one.csv' iam_role default csv")
            unload = "unload ('select 2 as id') to 's3://b/two' iam_role default parquet"
            engine.execute(f"{unload} allowoverwrite")
            engine.execute("copy t from 's3://b/two' iam_role default parquet")
            assert engine.execute("select sum(id) from t").rows == [(3,)]
            scratch = engine.database.scratch
        assert not scratch.exists()


def test_an_instance_that_reached_a_file_serves_no_other_database(tmp_path: Path) -> None:
    with Engine() as engine:
        used = engine.database._instance
    with Engine() as engine:
        assert engine.database._instance is used
    for path in (tmp_path / "a", tmp_path / "b"):
        with Engine(path) as engine:
            assert engine.database._instance is not used
            used = engine.database._instance


def test_a_database_that_is_closed_twice_gives_its_instance_back_once() -> None:
    database = Database()
    database.close()
    database.close()
    one, two = Database(), Database()
    assert one._instance is not two._instance
    with pytest.raises(duckdb.ConnectionException):
        connect(database)
    one.close()
    two.close()


def test_functions_in_python_work_in_the_next_file(tmp_path: Path) -> None:
    sql = "select fnv_hash('a')"
    answers: list[Any] = []
    for name in ("a", "b"):
        with Engine(tmp_path / name, resolver=ANYWHERE) as engine:
            answers.append(engine.execute(sql).rows)
            assert engine.database._instance.has_udfs
    assert answers[0] == answers[1]


def test_an_instance_that_wrote_beside_a_file_goes_with_what_it_wrote(tmp_path: Path) -> None:
    with Engine(tmp_path / "a", resolver=ANYWHERE) as engine:
        used = engine.database._instance
        for limit in ("memory_limit = '60MB'", "threads = 1"):
            used.connection.execute(f"set global {limit}")
        used.connection.execute(
            "create temporary table big as select hash(range) as h, random() as r from range(6000000)"
        )
        assert (tmp_path / "a.tmp").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    with Engine(tmp_path / "b", resolver=ANYWHERE) as engine:
        assert engine.database._instance is not used


def test_none_lies_idle_when_a_process_forks() -> None:
    Database().close()
    assert instances._idle
    child = os.fork()
    if not child:
        os._exit(len(instances._idle))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not instances._idle


FORKED_BESIDE_A_THREAD = """
import os

def another_thread():  # registered first, so that it is between the closing of the idle and the fork
    instances._lock.acquire()
    instances._idle.append(given_back)

os.register_at_fork(before=another_thread)
from local_redshift.database import instances
from local_redshift.database.database import Database

given_back = instances.take()
child = os.fork()
if not child:
    Database().close()
    os._exit(10 * (given_back in instances._idle) + len(instances._idle))
assert instances._idle == [given_back]
instances._lock.release()
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_child_has_a_lock_and_a_list_of_its_own() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED_BESIDE_A_THREAD],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("1\n", "")
