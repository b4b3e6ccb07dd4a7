"""What every Source promises of names: tables and columns are there as the shop calls them, here as we do."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import Outside, Segment
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.measures import OutsideRows
from orderhe_dagster.ports.source import Source
from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource
from orderhe_dagster_tests.contracts.sources import DAY, SEGMENT, fill, rows_read, tables

LONG = "가" * 64
STRANGE = f"""
-- @partition xmin
-- @cursor ` changed`
create table `Kunden-Aufträge "neu"` (
    ` no` int not null,
    xmin date not null,
    ` changed` datetime not null,
    `a"b` varchar(10),
    `{LONG}` int,
    `order, by` int,
    primary key (` no`, xmin),
    unique key (`a"b`)
);
"""


@pytest.fixture
def orders(source: Source, tmp_path: Path) -> Table:
    table = tables(tmp_path, orders=STRANGE)["orders"]
    source.create([table])
    return table


def row(table: Table, number: int, day: date, text: str | None = None) -> dict[str, Any]:
    values = (number, day, datetime(2026, 3, 5), text, number, None)
    return dict(zip(table.column_names, values, strict=True))


def test_columns_are_called_otherwise_only_where_they_must_be(orders: Table) -> None:
    names = {column.source_name: column.name for column in orders.columns}
    assert names["order, by"] == "order, by"
    assert names["xmin"].startswith("xmin_")
    assert names[" no"].startswith("no_")
    assert names['a"b'].startswith("a_b_")
    assert len(names[LONG].encode()) <= 127
    assert names[LONG].startswith("가" * 39)
    assert (orders.partition, orders.cursor) == (names["xmin"], names[" changed"])
    assert orders.grain == (names[" no"], names["xmin"])


def test_a_table_of_any_name_is_read_and_measured(
    source: Source, orders: Table, tmp_path: Path
) -> None:
    rows = [row(orders, 1, DAY, "x"), row(orders, 2, DAY), row(orders, 3, date(2026, 3, 9))]
    fill(source, orders, rows)
    extract = source.extract(orders, Window.of(DAY), tmp_path / "out")
    key = orders.column_names[0]
    assert sorted(rows_read(extract, SEGMENT), key=lambda one: one[key]) == rows[:2]
    assert extract.measures == source.measure(orders, Window.of(DAY))
    assert source.measure(orders, Window.of(DAY), extract.measures) == extract.measures
    assert extract.touches == source.touches(orders, Window.of(DAY))
    assert extract.touches[SEGMENT].rows == 2
    assert source.outside(orders, Outside.of(Window.of(DAY))) == OutsideRows(0, 0, 1)
    assert source.calendar(orders) == {DAY: 2, date(2026, 3, 9): 1}
    assert source.drift(orders) == []


def test_rows_come_back_into_a_table_of_any_name(
    source: Source, orders: Table, tmp_path: Path
) -> None:
    fill(source, orders, [row(orders, 1, DAY, "x"), row(orders, 2, DAY)])
    extract = source.extract(orders, Window.of(DAY), tmp_path / "out")
    with source.writing() as transaction:
        transaction.execute(f'delete from "{orders.source_name.replace(chr(34), chr(34) * 2)}"')
        assert transaction.append_files(orders, extract.parts[Segment.of(DAY)]) == 2
        assert transaction.measure(orders, Window.of(DAY)) == extract.measures
        assert orders.source_name in transaction.table_names()


def test_a_duplicate_key_of_a_column_of_any_name_is_told(source: Source, orders: Table) -> None:
    fill(source, orders, [row(orders, 1, DAY)])
    with pytest.raises(PortError, match=r"raw\.orders: a duplicate key.* 1.* is there already"):
        fill(source, orders, [row(orders, 1, DAY)])


def test_a_table_that_is_called_otherwise_is_told_with_its_neighbours(
    source: Source, orders: Table, tmp_path: Path
) -> None:
    """Capitals make another table where the server tells them apart, and the nearest names are said."""
    text = 'create table `KUNDEN-Aufträge "neu"` (id int primary key)'
    lost = tables(tmp_path / "lost", lost=text)["lost"]
    if isinstance(source, EmbeddedSource):
        source.create([lost])  # to DuckDB it is there
        assert source.drift(lost)
        return
    with pytest.raises(PortError) as caught:
        source.drift(lost)
    assert 'no table KUNDEN-Aufträge "neu" that this user may read' in str(caught.value)
    assert 'did you mean Kunden-Aufträge "neu"? Write its name in' in str(caught.value)
    source.create([lost])
    assert source.drift(lost) == []
    assert source.drift(orders) == []


def test_names_that_differ_in_capitals_are_two_tables_in_mysql_alone(
    source: Source, tmp_path: Path
) -> None:
    both = tables(
        tmp_path, a="create table Paid (id int primary key)", b="create table paid (n int)"
    )
    if isinstance(source, EmbeddedSource):
        with pytest.raises(PortError, match=r"'Paid' and 'paid' differ in capitals alone"):
            source.create([*both.values()])
        return
    source.create([*both.values()])
    fill(source, both["a"], [{"id": 1}])
    fill(source, both["b"], [{"n": 2}, {"n": 2}])
    read = {name: source.extract(both[name], None, tmp_path / name).measures for name in both}
    assert {name: sum(m.rows for m in of.values()) for name, of in read.items()} == {"a": 1, "b": 2}
