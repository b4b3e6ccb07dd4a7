"""The embedded warehouse as a resource: who may have the file when, its errors, its road from the store."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orderhe_dagster.ports.errors import LockTimeout, PortError, StatementError
from orderhe_dagster.ports.warehouse import Warehouse
from orderhe_dagster.resources.laptop.embedded_warehouse import EmbeddedWarehouse
from orderhe_dagster.resources.laptop.folder_store import FolderStore


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    made = FolderStore(root=str(tmp_path / "s3"), bucket="shop", prefix="pre")
    made.create()
    return made


@pytest.fixture
def warehouse(tmp_path: Path, store: FolderStore) -> EmbeddedWarehouse:
    return EmbeddedWarehouse(path=str(tmp_path / "w.duckdb"), store=store, lock_timeout_s=0.05)


def test_rows_outlive_the_session_and_temporary_tables_do_not(warehouse: EmbeddedWarehouse) -> None:
    with warehouse.session("load") as session:
        session.execute("create table t (a int)")
        session.transaction(["insert into t values (1)", "insert into t values (2)"])
        session.execute("create temp table mine (a int)")
    assert warehouse.query("select sum(a) from t").scalar() == 3
    with pytest.raises(StatementError, match="mine"):
        warehouse.query("select * from mine")


def test_failed_statement_says_code_and_statement(warehouse: EmbeddedWarehouse) -> None:
    with warehouse.session("load") as session:
        session.execute("create table t (a int)")
        with pytest.raises(StatementError, match="division") as raised:
            session.transaction(["insert into t values (1)", "select 1 / 0"])
        assert (raised.value.code, raised.value.statement) == ("22012", "select 1 / 0")
        assert session.execute("select count(*) from t").scalar() == 0


def test_open_transaction_is_rolled_back_when_the_session_ends(
    warehouse: EmbeddedWarehouse,
) -> None:
    with warehouse.session("load") as session:
        session.execute("create table t (a int)")
        session.execute("begin")
        session.execute("insert into t values (1)")
    assert warehouse.query("select count(*) from t").scalar() == 0


def test_readers_share_and_a_writer_is_alone(warehouse: EmbeddedWarehouse) -> None:
    with warehouse.session("load of orders"), pytest.raises(LockTimeout, match="load of orders"):
        warehouse.query("select 1")
    with warehouse.session("one", read_only=True), warehouse.session("two", read_only=True) as two:
        assert two.execute("select 1").scalar() == 1
        with pytest.raises(LockTimeout), warehouse.session("load"):
            raise AssertionError("a writer beside readers")


def test_writers_and_readers_side_by_side_all_come_through(
    tmp_path: Path, store: FolderStore
) -> None:
    warehouse = EmbeddedWarehouse(path=str(tmp_path / "w.duckdb"), store=store, lock_timeout_s=60)
    with warehouse.session("make") as session:
        session.execute("create table t (a int)")
    errors: list[Exception] = []

    def work(number: int) -> None:
        try:
            for _ in range(3):
                if number % 2:
                    with warehouse.session(f"writer {number}") as session:
                        session.execute(f"insert into t values ({number})")
                else:
                    warehouse.query("select count(*) from t")
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert warehouse.query("select count(*) from t").scalar() == 9


def test_reading_session_changes_nothing(warehouse: EmbeddedWarehouse) -> None:
    with warehouse.session("make") as session:
        session.execute("create table t (a int)")
    with pytest.raises(StatementError, match="read-only"):
        warehouse.query("insert into t values (1)")


def test_copy_reads_the_store(
    warehouse: EmbeddedWarehouse, store: FolderStore, tmp_path: Path
) -> None:
    part = tmp_path / "part.parquet"
    pq.write_table(pa.table({"a": pa.array([1, 2], pa.int32())}), part)
    size = part.stat().st_size
    store.upload([("x/part.parquet", part)])
    entry = {
        "url": store.url("x/part.parquet"),
        "mandatory": True,
        "meta": {"content_length": size},
    }
    store.put("x/manifest", json.dumps({"entries": [entry]}).encode())
    with warehouse.session("load") as session:
        session.execute("create table t (a int)")
        copy = f"copy t from '{{}}' {warehouse.copy_authorization} format as parquet manifest"
        assert session.execute(copy.format(store.url("x/manifest"))).row_count == 2
        with pytest.raises(StatementError, match="NoSuchKey"):
            session.execute(copy.format(store.url("x/other")))
        with pytest.raises(StatementError, match="NoSuchBucket"):
            session.execute(copy.format("s3://other/x/manifest"))


def test_a_file_that_is_no_database_is_said_with_the_remedy(warehouse: EmbeddedWarehouse) -> None:
    Path(warehouse.path).write_text("not a database")
    said = r"w\.duckdb cannot be read or written.*move it away; `orderhe restore warehouse`"
    with pytest.raises(PortError, match=said), warehouse.session("load"):
        raise AssertionError("opened what is no database")


def test_a_damaged_file_is_not_taken_for_one_that_is_open_elsewhere(
    warehouse: EmbeddedWarehouse,
) -> None:
    with warehouse.session("load") as session:
        session.execute("create table t (a int)")
    file = Path(warehouse.path)
    file.write_bytes(b"damaged" + file.read_bytes()[len(b"damaged") :])
    said = r"in block at.*file is damaged, move it away; `orderhe restore warehouse`"
    with pytest.raises(PortError, match=said), warehouse.session("load"):
        raise AssertionError("opened what is damaged")


def test_an_altered_byte_of_any_block_is_told_with_the_file_or_does_no_harm(
    warehouse: EmbeddedWarehouse,
) -> None:
    rows = ", ".join(f"({n}, '{hashlib.md5(str(n).encode()).hexdigest()}')" for n in range(3000))
    with warehouse.session("load") as session:
        session.execute("create table t (a int, b varchar(32))")
        session.execute(f"insert into t values {rows}")
    file = Path(warehouse.path)
    body, told = file.read_bytes(), 0
    for at in range(len(body) - 262_144 + 3_000, 0, -131_072):
        file.write_bytes(body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :])
        try:
            answer = warehouse.query("select sum(a), count(distinct b) from t").rows
        except PortError as error:
            assert f"{file} cannot be " in str(error) and "move it away" in str(error)
            told += 1
        else:
            assert [*map(tuple, answer)] == [(4_498_500, 3000)]
    assert told


def test_warehouse_is_a_resource_of_assets(warehouse: EmbeddedWarehouse) -> None:
    seen: list[object] = []

    @dg.asset
    def made(warehouse: dg.ResourceParam[Warehouse]) -> None:
        seen.append(warehouse.query("select 1").scalar())

    assert dg.materialize([made], resources={"warehouse": warehouse}).success
    assert seen == [1]
