"""What a statement uses: the tables that it locks, the functions in Python that are made known for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from local_redshift.database import instances
from local_redshift.session.engine import Engine
from local_redshift.transactions.isolation import SERIALIZABLE
from local_redshift.transactions.locks import Locks, Mode, Owner
from tests.buckets import Bucket

READ, APPEND, WRITE, ALONE = Mode.READ, Mode.APPEND, Mode.WRITE, Mode.ALONE


@pytest.fixture(autouse=True)
def new_instance() -> None:
    """No DuckDB instance that knows the functions already."""
    instances.close_idle()


TABLES = (
    "create schema mart",
    "create table orders (id integer, total integer, note varchar(20))",
    "create table customers (id integer, name varchar(20) default 'x')",
    "create table mart.sales (id integer, total integer)",
    'create table "odd ""name" (id integer)',
    "create view v as select id, total from orders",
    "create view w as select v.id from v join mart.sales s on s.id = v.id",
    "create view late as select id from public.orders with no schema binding",
    "create materialized view m as select id from w",
    "create temp table aside (id integer)",
)

LOCKS: dict[str, dict[str, Mode]] = {
    "select 1": {},
    "select * from orders": {"public.orders": READ},
    "select o.id from orders o, customers c where o.id = c.id": {
        "public.orders": READ,
        "public.customers": READ,
    },
    "select o.id from orders o left join mart.sales s on s.id = o.id": {
        "public.orders": READ,
        "mart.sales": READ,
    },
    "select id from orders where id in (select id from customers)": {
        "public.orders": READ,
        "public.customers": READ,
    },
    "select id from orders where exists (select 1 from customers c where c.id = orders.id)": {
        "public.orders": READ,
        "public.customers": READ,
    },
    "select (select max(id) from customers) from orders": {
        "public.orders": READ,
        "public.customers": READ,
    },
    "select id from (select id from mart.sales) s": {"mart.sales": READ},
    "with c as (select id from customers) select id from c": {"public.customers": READ},
    # A query of WITH hides the table of its name.
    "with customers as (select id from orders) select id from customers": {"public.orders": READ},
    # It is computed by nobody, but it was compiled.
    "with c as (select id from customers) select id from orders": {
        "public.orders": READ,
        "public.customers": READ,
    },
    "with recursive t(id) as (select id from orders union all select t.id + 1 from t where t.id < 9) "
    "select count(*) from t": {"public.orders": READ},
    "select id from orders union all select id from customers": {
        "public.orders": READ,
        "public.customers": READ,
    },
    "select * from (select id, total from mart.sales) pivot (sum(total) for id in (1 as a, 2 as b))": {
        "mart.sales": READ
    },
    'select id from "odd ""name"': {'public.odd "name': READ},
    "select id from v": {"public.v": READ, "public.orders": READ},
    "select id from w": {
        "public.w": READ,
        "public.v": READ,
        "public.orders": READ,
        "mart.sales": READ,
    },
    "select id from late": {"public.orders": READ},
    "select id from m": {"public.m": READ},
    "select id from aside": {},
    "select table_name from svv_tables": {},
    "insert into customers values (1, 'a')": {"public.customers": APPEND},
    "insert into customers (id) values (1)": {"public.customers": APPEND},
    "insert into customers default values": {"public.customers": APPEND},
    "insert into customers (id) select id from w": {
        "public.customers": APPEND,
        "public.w": READ,
        "public.v": READ,
        "public.orders": READ,
        "mart.sales": READ,
    },
    "insert into customers (id) values ((select max(id) from orders))": {
        "public.customers": APPEND,
        "public.orders": READ,
    },
    "insert into aside select id from orders": {"public.orders": READ},
    "update orders set total = 1": {"public.orders": WRITE},
    "update orders set total = s.total from mart.sales s where s.id = orders.id": {
        "public.orders": WRITE,
        "mart.sales": READ,
    },
    "update orders set total = (select max(id) from customers)": {
        "public.orders": WRITE,
        "public.customers": READ,
    },
    "with c as (select id from customers) "
    "update orders set total = 1 from c where c.id = orders.id": {
        "public.orders": WRITE,
        "public.customers": READ,
    },
    "delete from orders": {"public.orders": WRITE},
    "delete from orders using v, customers c where v.id = orders.id and c.id = orders.id": {
        "public.orders": WRITE,
        "public.v": READ,
        "public.customers": READ,
    },
    "with c as (select id from customers) delete from orders using c where c.id = orders.id": {
        "public.orders": WRITE,
        "public.customers": READ,
    },
    "delete from aside": {},
    "merge into mart.sales using orders on mart.sales.id = orders.id "
    "when matched then update set total = orders.total "
    "when not matched then insert values (orders.id, orders.total)": {
        "mart.sales": WRITE,
        "public.orders": READ,
    },
    "merge into mart.sales using (select id, total from v) s on mart.sales.id = s.id "
    "remove duplicates": {"mart.sales": WRITE, "public.v": READ, "public.orders": READ},
    "copy mart.sales from 's3://b/part.parquet' iam_role default format parquet": {
        "mart.sales": APPEND
    },
    "unload ('select id from w') to 's3://b/out' iam_role default": {
        "public.w": READ,
        "public.v": READ,
        "public.orders": READ,
        "mart.sales": READ,
    },
    "truncate orders": {"public.orders": ALONE},
    "lock orders, mart.sales": {"public.orders": ALONE, "mart.sales": ALONE},
    "create table copied as select id from v": {
        "public.copied": ALONE,
        "public.v": READ,
        "public.orders": READ,
    },
    "select id into copied from orders": {"public.copied": ALONE, "public.orders": READ},
    "create temp table copied as select id from orders": {"public.orders": READ},
    "create table counted (id integer identity(1, 1))": {"public.counted": ALONE},
    "create or replace view x as select id from w": {
        "public.x": ALONE,
        "public.w": READ,
        "public.v": READ,
        "public.orders": READ,
        "mart.sales": READ,
    },
    "create view x as select id from public.nowhere with no schema binding": {"public.x": ALONE},
    "create materialized view x as select id from orders": {
        "public.x": ALONE,
        "public.orders": READ,
    },
    "refresh materialized view m": {
        "public.m": WRITE,
        "public.w": READ,
        "public.v": READ,
        "public.orders": READ,
        "mart.sales": READ,
    },
    "alter table orders append from mart.sales filltarget": {
        "public.orders": APPEND,
        "mart.sales": WRITE,
    },
    "alter table customers add column more integer": {"public.customers": ALONE},
    'comment on column orders.id is \'read from "dev"."mart"."sales"\'': {"public.orders": ALONE},
    "drop view w cascade": {"public.w": ALONE, "public.m": ALONE},
    "drop table customers": {"public.customers": ALONE},
    # What only looks like a table: in a text, in a label, in a comment.
    """select '"dev"."mart"."sales"' as t""": {},
    'select 1 as "x ""dev"".""mart"".""sales"""': {},
    """select '"dev"."mart"."sales"' as "mart.sales" from orders -- "dev"."mart"."sales" x""": {
        "public.orders": READ
    },
}


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    folder = tmp_path / "bucket"
    folder.mkdir()
    made = Bucket(folder)
    rows = pa.table({"id": pa.array([1], pa.int32()), "total": pa.array([2], pa.int32())})
    pq.write_table(rows, folder / "part.parquet")
    return made


@pytest.fixture
def session(bucket: Bucket) -> Iterator[Engine]:
    with Engine(resolver=bucket.resolver) as engine:
        for statement in TABLES:
            engine.execute(statement)
        yield engine


def _locked(session: Engine, sql: str) -> dict[str, Mode]:
    """The strongest lock on each table that a statement asked for."""
    asked: dict[str, Mode] = {}

    class Noting(Locks):
        def take(self, owner: Owner, wanted: Mapping[str, Mode], *more: Any) -> bool:
            for table, mode in wanted.items():
                asked[table] = max(mode, asked.get(table, mode))
            return super().take(owner, wanted, *more)

    session.database.locks = Noting()
    session.execute(sql)
    return asked


@pytest.mark.parametrize("sql", LOCKS)
def test_a_statement_locks_the_tables_that_it_touches(session: Engine, sql: str) -> None:
    assert _locked(session, sql) == LOCKS[sql]


def test_serializable_inserts_lock_as_updates_do(session: Engine) -> None:
    session.database.transactions.level = SERIALIZABLE
    assert _locked(session, "insert into customers (id) select id from orders") == {
        "public.customers": WRITE,
        "public.orders": READ,
    }


# -- functions in Python ---------------------------------------------------------------------------

CALLING = (
    "select sha2('x', 512)",
    "select to_char(1, '9')",
    "select json_parse('[1]')",
    "select count(*) from orders where crc32(note) = 'x'",
    "insert into orders (note) values (crc32('x'))",
    "update orders set note = crc32('x')",
    "create table t as select sha2('x', 512) as hash",
    "create view x as select crc32(note) as hash from orders",
    "create table t (hash varchar(8) default crc32('x'))",
    "alter table orders add column hash varchar(8) default crc32('x')",
)
LOOKING_ALIKE = (
    "select 1 as orders_total",
    "select 'rs_sha2(1)' as x",
    'select 1 as "rs_sha2(1)"',
    "select orders_total from (select total as orders_total from orders) users_table",
    "create table rs_sha2 (rs_crc32 integer)",
    "comment on table orders is 'rs_sha2('",
)


def _known(session: Engine) -> bool:
    """Whether DuckDB knows the functions in Python."""
    rows = session.connection.execute("select function_name from duckdb_functions()").fetchall()
    return any(name.startswith("rs_") for (name,) in rows)


@pytest.mark.parametrize("sql", CALLING)
def test_functions_are_made_known_for_a_statement_that_calls_them(
    session: Engine, sql: str
) -> None:
    assert not _known(session)
    session.execute(sql)
    assert _known(session)


@pytest.mark.parametrize("sql", LOOKING_ALIKE)
def test_what_looks_like_a_call_makes_nothing_known(session: Engine, sql: str) -> None:
    session.execute(sql)
    assert not _known(session)


KEPT = (
    "create table t (id integer, hash varchar(8) default crc32('x'))",
    "create table like_t (like t including defaults)",
    "create table plain (id integer default 1)",
    "insert into t (id) values (1)",
    "create view v as select id, crc32('x') as hash from t",
    "create view w as select hash from v",
    "create view late as select crc32('x') as hash from public.t with no schema binding",
    "create materialized view m as select crc32('x') as hash from t",
    "create view simple as select id from t",
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database whose kept texts call functions, closed."""
    path = tmp_path / "kept.duckdb"
    with Engine(path) as session:
        for statement in KEPT:
            session.execute(statement)
    instances.close_idle()  # that one knows the functions
    return path


@pytest.mark.parametrize(
    ("sql", "called"),
    [
        ("select hash from w", True),
        ("select hash from late", True),
        ("insert into t (id) values (1)", True),
        ("insert into like_t (id) values (1)", True),
        ("update t set hash = default", True),
        ("alter table t add column more integer", True),
        ("refresh materialized view m", True),
        ("select hash from m", False),
        ("select id from simple", False),
        ("select hash from t", False),
        ("insert into plain values (default)", False),
        ("select column_default from svv_columns", False),
    ],
)
def test_kept_texts_tell_what_they_call(file: Path, sql: str, called: bool) -> None:
    with Engine(file) as session:
        session.execute(sql)
        assert _known(session) == called


def test_what_an_older_version_kept_is_taken_to_call(file: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"attach '{file}' as dev")
        for kind, name in (("view", "simple"), ("view", "w"), ("table", "t")):
            (text,) = connection.execute(
                f"select comment from duckdb_{kind}s() where {kind}_name = '{name}'"
            ).fetchone() or ("",)
            attributes = json.loads(text)
            del attributes["udfs"]
            noted = json.dumps(attributes).replace("'", "''")
            connection.execute(f"comment on {kind} dev.public.{name} is '{noted}'")
    for sql in ("select hash from w", "select id from simple", "insert into t (id) values (2)"):
        with Engine(file) as session:
            session.execute(sql)
            assert _known(session)


@pytest.mark.parametrize(
    "sql",
    [
        "select hash from w",
        "refresh materialized view m",
        "insert into t (id) values (7)",
        "select crc32('x')",
        "update t set hash = sha2('x', 512) where id = 0",
    ],
)
@pytest.mark.parametrize("before", ["select 1", "select id from simple"])
def test_a_transaction_may_call_functions_after_it_has_read(
    file: Path, before: str, sql: str
) -> None:
    with Engine(file) as session:
        session.begin()
        session.execute(before)
        session.execute(sql)
        session.commit()


@pytest.mark.parametrize(
    "sql",
    [
        "select a from upper",
        "refresh materialized view kept",
        "create table t2 as select a from upper",
    ],
)
def test_what_a_view_below_calls_is_known_though_it_was_replaced(tmp_path: Path, sql: str) -> None:
    with Engine(tmp_path / "a") as session:
        for statement in (
            "create view lower as select 1::varchar(65535) as a",
            "create view upper as select a from lower",
            "create materialized view kept as select a from upper",
            "create or replace view lower as select json_extract_path_text('{\"b\": 1}', 'b') as a",
        ):
            session.execute(statement)
    instances.close_idle()
    with Engine(tmp_path / "a") as session:
        session.execute(sql)
