"""Generations that were written under a narrower contract, loaded under a wider one, from the first on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from local_redshift.testing.certificates import Authority
from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.warehouse import Session, Warehouse
from orderhe_dagster.resources.extract.parquet_query import parquet_query
from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource
from orderhe_dagster.resources.laptop.embedded_warehouse import EmbeddedWarehouse
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.road import audit
from orderhe_dagster.road.backups import Record
from orderhe_dagster.road.extracts import Road, back_up
from orderhe_dagster.road.older_columns import (
    OlderColumnsError,
    Written,
    columns_written,
    obstacles,
    stage_older,
    written,
)
from orderhe_dagster.road.reshape import prepare_loaded_table
from orderhe_dagster.road.step import Step
from orderhe_dagster_tests.contracts.sources import fill, tables
from orderhe_dagster_tests.contracts.warehouses import WAREHOUSES

FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)
DAYS = Window(FIRST, SECOND + timedelta(1))
OLD = (
    "id int not null, day date not null, price decimal(10,2), note varchar(5), small tinyint not null,"
    " at datetime, raw varbinary(4), flag bit(1), part float"
)
NEW = (
    "note varchar(500), id bigint unsigned not null, more int, day date not null, price decimal(14,4),"
    " small int, at datetime, raw varbinary(9), flag bit(1), part double"
)


def contract(folder: Path, columns: str) -> Table:
    return tables(folder, paid=f"-- @partition day\ncreate table paid ({columns});")["paid"]


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    made = FolderStore(root=str(tmp_path / "s3"), bucket="b")
    made.create()
    return made


@pytest.fixture(params=WAREHOUSES)
def warehouse(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    store: FolderStore,
    redshift_authority: Authority,
) -> Iterator[Warehouse]:
    with WAREHOUSES[request.param](tmp_path, store, redshift_authority) as made:
        yield made


def row(number: int, day: date, **more: Any) -> dict[str, Any]:
    return {
        **{"id": number, "day": day, "price": Decimal("1.25"), "note": "한|!N", "small": -7},
        **{"at": datetime(2026, 3, 1, 12), "raw": b"\x00\xff", "flag": True, "part": 0.1},
        **more,
    }


@pytest.fixture
def generations(store: FolderStore, tmp_path: Path) -> list[Record]:
    """The first generation of two days, written under the old contract."""
    table = contract(tmp_path / "old", OLD)
    source = EmbeddedSource(path=str(tmp_path / "shop.duckdb"))
    source.create([table])
    nothing = dict.fromkeys(("price", "note", "at", "raw", "flag", "part"))
    fill(source, table, [row(1, FIRST), row(2, FIRST, **nothing), row(3, SECOND)])
    empty = EmbeddedWarehouse(path=str(tmp_path / "empty.duckdb"), store=store)
    road = Road(source, store, empty, tmp_path / "scratch", parquet_query)
    done = back_up(Step(table, DAYS, "run-1", DAYS), road)
    assert {done.records[Segment.of(day)].generation for day in (FIRST, SECOND)} == {1}
    return [done.records[Segment.of(day)] for day in (FIRST, SECOND)]


def stage(
    session: Session,
    warehouse: Warehouse,
    store: FolderStore,
    table: Table,
    records: Sequence[Record],
    columns: Sequence[Written],
) -> None:
    audit.prepare(session)
    prepare_loaded_table(session, table)
    session.execute("create temp table _stage (like warehouse.paid)")
    step = Step(table, DAYS, "run-2", DAYS)
    stage_older(session, step, records, columns, store, warehouse)


def test_the_first_generation_is_loaded_under_a_wider_contract(
    warehouse: Warehouse, store: FolderStore, generations: list[Record], tmp_path: Path
) -> None:
    table = contract(tmp_path / "new", NEW)
    columns = columns_written(store, generations[0], tmp_path / "scratch")
    assert [(one.name, one.arrow) for one in columns] == [
        ("id", "int32"), ("day", "date32[day]"), ("price", "decimal128(10, 2)"), ("note", "string"),
        ("small", "int16"), ("at", "timestamp[us]"), ("raw", "binary"), ("flag", "bool"),
        ("part", "float"),
    ]  # fmt: skip
    assert obstacles(columns, table) == []
    with warehouse.session("restore") as session:
        stage(session, warehouse, store, table, generations, columns)
        selected = (
            'select id, day, price, note, small, at, "raw", flag, more from _stage order by id'
        )
        rows = [tuple(map(str, one)) for one in session.execute(selected).rows]
        assert [one[:6] for one in rows] == [
            ("1", "2026-03-01", "1.2500", "한|!N", "-7", "2026-03-01 12:00:00"),
            ("2", "2026-03-01", "None", "None", "-7", "None"),
            ("3", "2026-03-02", "1.2500", "한|!N", "-7", "2026-03-01 12:00:00"),
        ]
        assert {one[8] for one in rows} == {"None"}
        part = session.execute('select part, "raw" is null from _stage where id = 1').rows[0]
        assert abs(part[0] - 0.1) < 1e-7
        assert part[1] is False


def test_rows_that_are_not_the_records_stop(
    warehouse: Warehouse, store: FolderStore, generations: list[Record], tmp_path: Path
) -> None:
    table = contract(tmp_path / "new", NEW)
    columns = columns_written(store, generations[0], tmp_path / "scratch")
    measure = generations[1].measure
    for wrong in (
        replace(measure, rows=2),
        replace(measure, digest=measure.digest + 1),
        replace(measure, sums={**measure.sums, "id": Decimal(4)}),
    ):
        records = [generations[0], replace(generations[1], measure=wrong)]
        with (
            warehouse.session("restore") as session,
            pytest.raises(OlderColumnsError, match=r"paid 2026-03-02: the stage differs"),
        ):
            stage(session, warehouse, store, table, records, columns)
    with (
        warehouse.session("restore") as session,
        pytest.raises(OlderColumnsError, match="hold 3 rows, 2 of them"),
    ):
        only = [replace(generations[0], parts=(*generations[0].parts, *generations[1].parts))]
        stage(session, warehouse, store, table, only, columns)


# Title: a column as it was written, the table's columns now, what stands in the way.
FITS: dict[str, tuple[list[tuple[str, str]], str, list[str]]] = {
    "the same": ([("id", "int32")], "id int", []),
    "wider": ([("id", "int16"), ("p", "decimal128(9, 1)")], "p decimal(11,3), id bigint", []),
    "new, may be null": ([("id", "int32")], "id int, more date", []),
    "no rows": ([], "id int not null, more date not null", []),
    "new, not null": ([("id", "int32")], "id int, more date not null", ["it has no more, which"]),
    "gone": ([("id", "int32"), ("old", "string")], "id int", ["it has old (string)"]),
    "renamed": (
        [("id", "int32"), ("old", "string")],
        "id int, new text",
        ["it has old (string), and raw/paid.sql does not"],
    ),
    "narrower": ([("id", "int64")], "id int", ["it has id as int64, and raw/paid.sql as integer"]),
    "fewer digits": ([("id", "decimal128(10, 3)")], "id decimal(12,2)", ["decimal(12, 2)"]),
    "re-typed": ([("id", "date32[day]")], "id datetime", ["it has id as date32[day]"]),
    "not ours": ([("id", "list<item: int32>")], "id text", ["it has id as list<item: int32>"]),
}


@pytest.mark.parametrize("title", FITS)
def test_what_stands_in_the_way_is_told(tmp_path: Path, title: str) -> None:
    columns, now, wanted = FITS[title]
    table = tables(tmp_path, paid=f"create table paid ({now});")["paid"]
    told = obstacles([written(name, arrow) for name, arrow in columns], table)
    assert len(told) == len(wanted)
    assert all(text in line for text, line in zip(wanted, told, strict=True))


def test_generations_that_do_not_fit_or_read_are_named(
    warehouse: Warehouse, store: FolderStore, generations: list[Record], tmp_path: Path
) -> None:
    table = contract(tmp_path / "new", OLD.replace("id int", "id smallint"))
    columns = columns_written(store, generations[0], tmp_path / "scratch")
    with (
        warehouse.session("restore") as session,
        pytest.raises(OlderColumnsError, match=r"2 generations.*2026-03-01: it has id as int32"),
    ):
        stage(session, warehouse, store, table, generations, columns)
    key = generations[0].parts[0].key
    store.put(key, b"no parquet at all")
    with pytest.raises(
        OlderColumnsError, match=r"part .*part-00000\.parquet of generation 1 is no"
    ):
        columns_written(store, generations[0], tmp_path / "scratch")
