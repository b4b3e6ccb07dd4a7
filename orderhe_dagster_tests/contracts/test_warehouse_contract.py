"""What every Warehouse promises: values, errors, sessions, transactions, COPY, many clients at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from local_redshift.testing.certificates import Authority
from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.measure import measure_select, measured
from orderhe_dagster.catalog.types import arrow_type
from orderhe_dagster.ports.errors import StatementError
from orderhe_dagster.ports.warehouse import Session, Warehouse
from orderhe_dagster.rendering.csv_files import csv_file
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.road import audit
from orderhe_dagster_tests.contracts.sources import PHOTO_ROWS, PHOTOS, PHOTOS_DIGEST, tables
from orderhe_dagster_tests.contracts.warehouses import WAREHOUSES


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    warehouse = FolderStore(root=str(tmp_path / "s3"), bucket="shop", prefix="pre")
    warehouse.create()
    return warehouse


@pytest.fixture(params=WAREHOUSES)
def warehouse(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    store: FolderStore,
    redshift_authority: Authority,
) -> Iterator[Warehouse]:
    with WAREHOUSES[request.param](tmp_path, store, redshift_authority) as warehouse:
        yield warehouse


def failing(session: Session, sql: str) -> StatementError:
    with pytest.raises(StatementError) as raised:
        session.execute(sql)
    assert raised.value.statement == sql
    return raised.value


VALUES: list[tuple[str, str, Any, str]] = [
    ("boolean", "true", True, "boolean"),
    ("smallint", "-32768", -32768, "smallint"),
    ("integer", "2147483647", 2147483647, "integer"),
    ("bigint", "(-9223372036854775807)", -9223372036854775807, "bigint"),
    ("decimal(12, 2)", "-1234567890.10", Decimal("-1234567890.10"), "decimal(12,2)"),
    ("decimal(18, 0)", "0", Decimal(0), "decimal(18,0)"),
    ("decimal(38, 10)", "'-1234567890123456789012345678.0123456789'",
     Decimal("-1234567890123456789012345678.0123456789"), "decimal(38,10)"),
    ("real", "0.5", 0.5, "real"),
    ("double precision", "'1e-300'", 1e-300, "double"),
    ("date", "'0001-01-01'", date(1, 1, 1), "date"),
    ("date", "'9999-12-31'", date(9999, 12, 31), "date"),
    ("timestamp", "'2026-02-28 23:59:59.999999'", datetime(2026, 2, 28, 23, 59, 59, 999999),
     "timestamp"),
    ("timestamp", "'1969-12-31 23:59:59.000001'", datetime(1969, 12, 31, 23, 59, 59, 1), "timestamp"),
    ("varchar(60)", "'밥🙂 %s $1 :x ''q'' | '", "밥🙂 %s $1 :x 'q' | ", "varchar(60)"),
    ("varchar(20)", "''", "", "varchar(20)"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "literal", "value", "name"), VALUES)
def test_a_value_comes_back_as_itself_and_as_null(
    warehouse: Warehouse, kind: str, literal: str, value: object, name: str
) -> None:
    with warehouse.session("values") as session:
        session.execute(f"create temp table t (n int, v {kind})")
        session.execute(f"insert into t values (1, cast({literal} as {kind})), (2, null)")
        result = session.execute("select v from t order by n")
    assert result.columns == ("v",)
    assert result.types == (name,)
    assert [tuple(row) for row in result.rows] == [(value,), (None,)]
    assert type(result.rows[0][0]) is type(value)
    assert result.row_count == 2


def test_a_query_without_rows_still_has_columns(warehouse: Warehouse) -> None:
    result = warehouse.query("select 1::int as a, 'x'::varchar(3) as b where 1 = 0")
    assert (result.columns, result.types) == (("a", "b"), ("integer", "varchar(3)"))
    assert list(result.rows) == []


def test_statements_tell_how_many_rows_they_changed(warehouse: Warehouse) -> None:
    with warehouse.session("count") as session:
        assert session.execute("create table t (a int)").columns == ()
        assert session.execute("insert into t values (1), (2), (3)").row_count == 3
        assert session.execute("update t set a = a + 1 where a > 1").row_count == 2
        assert session.execute("delete from t where a = 100").row_count == 0


ERRORS = [
    ("select * from nowhere", "42P01", "nowhere"),
    ("select b from t", "42703", "b"),
    ("select (1", "42601", ""),
    ("select a / 0 from t", "22012", "zero"),
    ("insert into t values (null)", "23502", "a"),
    ("create table t (a int)", "42P07", "t"),
]


@pytest.mark.parametrize(("sql", "code", "message"), ERRORS)
def test_an_error_has_code_words_and_statement(
    warehouse: Warehouse, sql: str, code: str, message: str
) -> None:
    with warehouse.session("errors") as session:
        session.execute("create table t (a int not null)")
        session.execute("insert into t values (1)")
        error = failing(session, sql)
        assert error.code == code
        assert message in error.message
        # Outside of a transaction the session goes on.
        assert session.execute("select count(*) from t").scalar() == 1


def test_an_assertion_says_its_own_words(warehouse: Warehouse) -> None:
    with warehouse.session("assert") as session:
        session.execute("create table t (a int)")
        session.execute("insert into t values (1), (2)")
        session.execute(audit.asserting("count(*) = 2", "'wrong: ' || count(*)", "t"))
        error = failing(session, audit.asserting("count(*) = 3", "'wrong: ' || count(*)", "t"))
    assert "wrong: 2" in error.message


def test_a_transaction_is_whole_or_nothing(warehouse: Warehouse) -> None:
    with warehouse.session("whole") as session:
        session.execute("create table t (a int)")
        result = session.transaction(["insert into t values (1)", "select sum(a) from t"])
        assert [f.row_count for f in result] == [1, 1]
        assert result[1].scalar() == 1
        bad = "insert into t select 1 / 0"
        with pytest.raises(StatementError) as raised:
            session.transaction(["insert into t values (2)", "create table u (a int)", bad])
        assert (raised.value.code, raised.value.statement) == ("22012", bad)
        assert session.execute("select count(*) from t").scalar() == 1
        assert failing(session, "select * from u").code == "42P01"
        assert session.transaction(["insert into t values (3)"])[0].row_count == 1
    assert warehouse.query("select sum(a) from t").scalar() == 4


def test_a_transaction_of_the_caller_is_ended_by_the_caller(warehouse: Warehouse) -> None:
    with warehouse.session("own") as session:
        session.execute("create table t (a int)")
        session.execute("begin")
        session.execute("insert into t values (1)")
        session.execute("rollback")
        session.execute("begin")
        session.execute("insert into t values (2)")
        session.execute("commit")
        session.execute("begin")
        session.execute("insert into t values (4)")
        failing(session, "select 1 / 0 from t")
        assert failing(session, "select 1").code == "25P02"
        session.execute("rollback")
        session.execute("begin")
        session.execute("insert into t values (8)")
    assert warehouse.query("select sum(a) from t").scalar() == 2


def test_temporary_tables_live_as_long_as_their_session(warehouse: Warehouse) -> None:
    with warehouse.session("mine") as session:
        session.execute("create temp table mine (a int)")
        session.transaction(["insert into mine values (1)"])
        assert session.execute("select a from mine").scalar() == 1
    with warehouse.session("later") as session:
        assert failing(session, "select a from mine").code == "42P01"


def test_labels_and_texts_of_any_kind_do_no_harm(warehouse: Warehouse) -> None:
    with warehouse.session('it\'s; "drop" -- \\ 밥 %s ' + "x" * 500) as session:
        session.execute("create table t (a varchar(65535))")
        text = "'; -- \" %(x)s %% ? ${y} \n\t밥"
        session.execute(f"insert into t values ({audit.literal(text)})")
        assert session.execute("select a from t").scalar() == text


def test_a_long_statement_passes(warehouse: Warehouse) -> None:
    with warehouse.session("long") as session:
        session.execute("create table t (a int, b varchar(40))")
        rows = ", ".join(f"({number}, 'row {number}')" for number in range(5_000))
        assert session.execute(f"insert into t values {rows}").row_count == 5_000
        result = session.execute("select a, b from t order by a")
    assert [tuple(row) for row in result.rows] == [(n, f"row {n}") for n in range(5_000)]


def test_copy_loads_what_a_manifest_names(
    warehouse: Warehouse, store: FolderStore, tmp_path: Path
) -> None:
    entries = []
    for number in range(3):
        part = tmp_path / f"part-{number}.parquet"
        rows = pa.table({"a": pa.array([number, None], pa.int32()), "b": ["밥", ""]})
        pq.write_table(rows, part)
        size = part.stat().st_size
        key = f"x/{part.name}"
        store.upload([(key, part)])
        entry = {"url": store.url(key), "mandatory": True, "meta": {"content_length": size}}
        entries.append(entry)
    store.put("x/manifest", json.dumps({"entries": entries}).encode())
    with warehouse.session("load") as session:
        session.execute("create table t (b varchar(10), a int)")
        copy = (
            f"copy t (a, b) from '{{}}' {warehouse.copy_authorization} format as parquet manifest"
        )
        session.execute(copy.format(store.url("x/manifest")))
        result = session.execute("select count(*), sum(a), count(b) from t").rows[0]
        assert tuple(result) == (6, 3, 6)
        error = failing(session, copy.format(store.url("x/other")))
        assert "specified key does not exist" in error.message
        assert session.execute("select count(*) from t").scalar() == 6


def test_the_digest_of_bytes_is_the_sources(
    warehouse: Warehouse, store: FolderStore, tmp_path: Path
) -> None:
    table = tables(tmp_path, photos=PHOTOS)["photos"]
    part = tmp_path / "part.parquet"
    schema = pa.schema([(column.name, arrow_type(column.type)) for column in table.columns])
    pq.write_table(pa.Table.from_pylist(PHOTO_ROWS, schema), part)
    meta = {"content_length": part.stat().st_size}
    store.upload([("photos/part.parquet", part)])
    entry = {
        "url": store.url("photos/part.parquet"),
        "mandatory": True,
        "meta": meta,
    }
    store.put("photos/manifest", json.dumps({"entries": [entry]}).encode())
    with warehouse.session("photos") as session:
        session.execute("create schema warehouse")
        session.execute(ddl.redshift_create(table))
        session.execute(
            f"copy warehouse.photos from '{store.url('photos/manifest')}' "
            f"{warehouse.copy_authorization} format as parquet manifest"
        )
        (row,) = session.execute(measure_select(table, "warehouse.photos", "redshift")).rows
    assert measured(table, row).digest == PHOTOS_DIGEST


def together(*works: Callable[[], None]) -> None:
    """Run each in a thread of its own; the first error is raised."""
    errors: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]


def test_no_write_is_lost_and_no_read_is_torn(warehouse: Warehouse) -> None:
    with warehouse.session("make") as session:
        session.execute("create table accounts (id int, held int)")
        session.execute("create table fence (held int)")
        session.execute("insert into accounts values (1, 100), (2, 100)")

    def move(number: int) -> None:
        for _ in range(4):
            with warehouse.session(f"writer {number}") as session:
                session.transaction(
                    [
                        "lock table fence",
                        f"update accounts set held = held - {number} where id = 1",
                        f"update accounts set held = held + {number} where id = 2",
                    ]
                )

    def look() -> None:
        for _ in range(6):
            with warehouse.session("reader", read_only=True) as session:
                assert session.execute("select sum(held) from accounts").scalar() == 200

    together(*[lambda n=n: move(n) for n in (1, 2, 3)], look, look)  # type: ignore[misc]
    assert warehouse.query("select held from accounts where id = 1").scalar() == 100 - 4 * 6


def test_several_readers_at_once(warehouse: Warehouse) -> None:
    with warehouse.session("make") as session:
        session.execute("create table t (a int)")
    with ExitStack() as stack:
        readers = [
            stack.enter_context(warehouse.session(f"reader {number}", read_only=True))
            for number in range(4)
        ]
        assert [reader.execute("select count(*) from t").scalar() for reader in readers] == [0] * 4


def test_identity_and_role_tell_no_secret(warehouse: Warehouse, tmp_path: Path) -> None:
    assert warehouse.identity
    assert "secret" not in warehouse.identity
    assert warehouse.copy_authorization.startswith("iam_role ")


NUMBERS = (
    "with recursive n (i) as (select 1::bigint union all select i + 1 from n where i < 5000) "
    "select i, 'n' || i as name from n order by i"
)


def test_a_stream_hands_on_every_row_in_order_and_never_all_of_them(warehouse: Warehouse) -> None:
    taken: list[int] = []
    rows: list[tuple[Any, ...]] = []

    def take(some: Sequence[tuple[Any, ...]]) -> None:
        taken.append(len(some))
        rows.extend(some)

    result = warehouse.stream(NUMBERS, take, "stream")
    assert rows == [(i, f"n{i}") for i in range(1, 5001)]
    assert (result.columns, list(result.rows), result.row_count) == (("i", "name"), [], 5000)
    assert max(taken) <= 2000
    assert warehouse.stream("select 1 as one where 1 = 0", take, "none").row_count == 0


def test_what_the_taker_raises_comes_out_of_a_stream(warehouse: Warehouse) -> None:
    full = OSError("no space left on device")

    def take(some: Sequence[tuple[Any, ...]]) -> None:
        raise full

    with pytest.raises(OSError, match="no space") as raised:
        warehouse.stream(NUMBERS, take, "stream")
    assert raised.value is full
    with pytest.raises(StatementError, match="nowhere"):
        warehouse.stream("select * from nowhere", take, "stream")


def test_rows_written_as_lines_are_those_that_are_streamed(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    more = "'n' || i as name, (i * 0.5)::decimal(12, 2) as half, '=' || i as formula"
    sql = NUMBERS.replace("'n' || i as name", more)
    written, streamed = tmp_path / "written.csv", tmp_path / "streamed.csv"
    with csv_file(written, ["i", "name", "half", "formula"], 20_000) as file:
        result = warehouse.write(sql, file, "write")
        whole = file.written(written)
    with csv_file(streamed, ["i", "name", "half", "formula"], 20_000) as file:
        warehouse.stream(sql, file.add, "stream")
        assert file.written(streamed).edges == whole.edges
    assert written.read_bytes() == streamed.read_bytes()
    assert (result.columns, list(result.rows)) == (("i", "name", "half", "formula"), [])
    assert result.row_count == whole.rows == 5000
    with pytest.raises(StatementError, match="nowhere"):
        warehouse.write("select * from nowhere", file, "write")


def test_a_row_that_cannot_be_computed_is_named_when_lines_are_written(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    sql = NUMBERS.replace("'n'", "case when i < 4000 then '1' else 'n' end").replace(
        "|| i as name", "::integer as name"
    )
    with csv_file(tmp_path / "rows.csv", ["i", "n"], 20_000) as file:
        with pytest.raises(StatementError, match="Invalid digit") as by_lines:
            warehouse.write(sql, file, "write")
        with pytest.raises(StatementError) as by_rows:
            warehouse.stream(sql, file.add, "stream")
    assert (by_lines.value.message, by_lines.value.code) == (
        by_rows.value.message, by_rows.value.code,
    )  # fmt: skip
