"""Exports by way of UNLOAD: the bytes of the rows read one by one, nothing left in the store, a way round."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from local_redshift.database.storage import Grant, Role, Roles
from local_redshift.session.engine import connect
from local_redshift.testing import server as wire
from local_redshift.testing.certificates import Authority
from local_redshift.testing.server import Redshift
from orderhe_dagster.ports.errors import PortError, StatementError
from orderhe_dagster.rendering.csv_files import CsvFile, Written, csv_file
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.resources.laptop.store_resolver import resolver
from orderhe_dagster.resources.redshift.warehouse import RedshiftWarehouse
from orderhe_dagster_tests.contracts.warehouses import over_the_wire

TYPES = {
    "flag": "boolean",
    "small": "smallint",
    "number": "bigint",
    "price": "decimal(12,2)",
    "share": "decimal(3,3)",
    "ratio": "double precision",
    "single": "real",
    "day": "date",
    "at": "timestamp",
    "moment": "timestamptz",
    "name": "varchar(200)",
}
AT = datetime(2026, 1, 2, 3, 4, 5)
ROWS: list[tuple[Any, ...]] = [
    (True, 1, 2, Decimal("1.50"), Decimal("0.125"), 0.1, 0.1, date(2026, 1, 2), AT, AT, "plain"),
    (False, -1, -(2**62), Decimal("-0.05"), Decimal("-0.5"), 1e20, 1e-7, date(1, 1, 1),
     AT.replace(microsecond=120), AT.replace(microsecond=120_000), '=a "formula", and\nmore'),
    (None, 0, 0, Decimal(0), Decimal(0), -0.0, 0.0, date(9999, 12, 31),
     datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59), "\uff1d가"),
    (None,) * 11,
    (None, *(None,) * 9, ""),
]  # fmt: skip
SQL = f"select {', '.join(TYPES)} from every order by n -- the order of their making"


@dataclass
class Place:
    """A server, the store that it and the client reach, and what is stored there."""

    server: Redshift
    store: FolderStore
    warehouse: RedshiftWarehouse

    def unloaded(self) -> list[str]:
        return [key for key, _ in self.store.listing("unload/")]


@pytest.fixture
def place(tmp_path: Path, redshift_authority: Authority) -> Iterator[Place]:
    store = FolderStore(root=str(tmp_path / "s3"), bucket="shop", prefix="pre")
    store.create()
    with ExitStack() as stack:
        reached = resolver(store, stack)
        server = stack.enter_context(wire.serving(authority=redshift_authority, resolver=reached))
        with connect(server.database) as session:
            columns = ", ".join(f"{name} {type_}" for name, type_ in TYPES.items())
            session.execute(f"create table every (n integer, {columns})")
            session.execute("create table many (n integer, name varchar(20))")
            marks = ", ".join("?" * (len(TYPES) + 1))
            zoned = list(TYPES).index("moment")
            for number, row in enumerate(ROWS):
                values = [
                    value.replace(tzinfo=timezone.utc) if at == zoned and value else value
                    for at, value in enumerate(row)
                ]
                session.connection.execute(
                    f"insert into dev.public.every values ({marks})", [number, *values]
                )
            session.connection.execute(
                "insert into dev.public.many select (i * 7919) % 30000, 'n' || i from range(30000) t(i)"
            )
        yield Place(server, store, replace(over_the_wire(server), store=store, unloaded=1))


def written(place: Place, sql: str, path: Path, columns: Sequence[str], about: int) -> Written:
    with csv_file(path, columns, 100_000) as file:
        result = place.warehouse.write(sql, file, "export/any", about)
        whole = file.written(path)
    assert result.row_count == whole.rows
    return whole


def same(place: Place, sql: str, folder: Path, columns: Sequence[str]) -> Written:
    """What is written by UNLOAD, after a look that it is what rows read one by one are."""
    unloaded = written(place, sql, folder / "unloaded.csv", columns, about=1)
    streamed = written(place, sql, folder / "streamed.csv", columns, about=0)
    assert unloaded.path.read_bytes() == streamed.path.read_bytes()
    assert (unloaded.rows, unloaded.edges) == (streamed.rows, streamed.edges)
    return unloaded


def test_every_type_is_the_same_bytes_by_unload(place: Place, tmp_path: Path) -> None:
    assert same(place, SQL, tmp_path, list(TYPES)).rows == len(ROWS)
    assert place.unloaded() == []


def test_many_rows_keep_the_order_of_the_select(place: Place, tmp_path: Path) -> None:
    whole = same(place, "select n, name from many order by n desc", tmp_path, ["n", "name"])
    lines = whole.path.read_text("utf-8").splitlines()[1:]
    assert [int(line.partition(",")[0]) for line in lines] == list(reversed(range(30_000)))
    assert len(whole.edges) > 2
    assert place.unloaded() == []


def test_no_rows_make_an_empty_file(place: Place, tmp_path: Path) -> None:
    assert same(place, "select n from many where n < 0", tmp_path, ["n"]).rows == 0


def test_rows_come_by_unload_only_from_a_certain_number_on(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways: list[str] = []
    monkeypatch.setattr(CsvFile, "add_lines", lambda self, lines: ways.append("unload"))
    monkeypatch.setattr(CsvFile, "add", lambda self, rows: ways.append("rows"))
    with csv_file(tmp_path / "rows.csv", ["n"], 100) as file:
        place.warehouse = replace(place.warehouse, unloaded=10)
        place.warehouse.write("select n from many where n = 1", file, "x", 9)
        place.warehouse.write("select n from many where n = 1", file, "x", 10)
        replace(place.warehouse, store=None).write("select n from many where n = 1", file, "x", 10)
    assert ways == ["rows", "unload", "rows"]


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        (Roles((Role("r", (Grant("shop", "", ("get", "list")),)),), "r"), "Access Denied"),
        (Roles((), ""), "default IAM role is not set"),
    ],
)
def test_without_the_right_rows_are_read_one_by_one_and_the_right_is_named(
    place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture, roles: Roles, said: str
) -> None:
    place.server.database.roles = roles
    with caplog.at_level(logging.WARNING, "orderhe.redshift"):
        same(place, SQL, tmp_path, list(TYPES))
    (record,) = caplog.records
    text = record.getMessage()
    assert text.startswith("export/any is read row by row")
    assert said in text
    assert "s3://shop/pre/unload/" in text
    assert "docs/redshift.md" in text
    assert "s3:GetObject" not in text


def test_a_select_that_cannot_be_unloaded_is_read_one_by_one(place: Place, tmp_path: Path) -> None:
    same(place, "select n, name from many order by n limit 3", tmp_path, ["n", "name"])
    same(place, "select json_parse('[1]') as j, '$$' as d from many", tmp_path, ["j", "d"])


def test_a_row_that_cannot_be_computed_is_the_same_error_by_unload(
    place: Place, tmp_path: Path
) -> None:
    sql = "select n, case when n < 20000 then '1' else name end::integer as x from many"
    errors = []
    for about in (0, 1):
        with pytest.raises(StatementError) as raised:
            written(place, sql, tmp_path / "rows.csv", ["n", "x"], about)
        errors.append((raised.value.message, raised.value.code))
    assert errors[0] == errors[1]
    assert place.unloaded() == []


def test_what_the_file_cannot_take_comes_out_and_leaves_nothing_in_the_store(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: CsvFile, lines: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(CsvFile, "add_lines", full)
    with pytest.raises(OSError, match="no space"):
        written(place, SQL, tmp_path / "rows.csv", list(TYPES), 1)
    assert place.unloaded() == []


def test_files_that_lost_rows_are_an_error(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow.parquet as pq

    download = FolderStore.download

    def fewer(self: FolderStore, key: str, path: Path) -> None:
        download(self, key, path)
        pq.write_table(pq.read_table(path).slice(1), path)

    monkeypatch.setattr(FolderStore, "download", fewer)
    with pytest.raises(PortError, match=r"UNLOAD wrote 30,000 rows .* 29,999 were read"):
        written(place, "select n from many", tmp_path / "rows.csv", ["n"], 1)
    assert place.unloaded() == []


def test_what_a_killed_process_left_is_removed_after_a_day(place: Place, tmp_path: Path) -> None:
    now = f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}"
    kept = [f"unload/{now}-b/000.parquet", "unload/other/file"]
    for key in ("unload/20260101T000000Z-a/000.parquet", *kept):
        place.store.put(key, b"x")
    written(place, "select n from many", tmp_path / "rows.csv", ["n"], 1)
    assert place.unloaded() == kept
