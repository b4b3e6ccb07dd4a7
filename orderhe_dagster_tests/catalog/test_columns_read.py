"""Which columns a daily select reads: those it names or uses of a `*`; all where that is not sure."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderhe_dagster.catalog.cache import load_catalogue
from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.catalog.table import ColumnRef, TableRef

LINES = """-- @partition sold_on
create table lines (
    id int not null, sold_on date not null, item int not null, price int not null, primary key (id)
);
"""
ITEMS = """create table items (
    item int not null, name varchar(9), kind varchar(9), price int, primary key (item)
);
"""
EVERY = {"item", "kind", "name", "price"}


def items_read(folder: Path, select: str) -> set[str]:
    """The columns of `items` that a daily mart reads."""
    (folder / "raw").mkdir()
    (folder / "mart").mkdir()
    (folder / "raw/lines.sql").write_text(LINES)
    (folder / "raw/items.sql").write_text(ITEMS)
    (folder / "mart/a.sql").write_text(f"-- @partition sold_on\n{select};\n")
    table = read_catalogue(folder).get(TableRef("mart", "a"))
    assert load_catalogue(folder, folder / "cache").get(table.ref) == table
    assert load_catalogue(folder, folder / "cache").get(table.ref) == table
    assert {"sold_on"} <= {ref.column for ref in table.reads if ref.table.name == "lines"}
    return {ref.column for ref in table.reads if ref.table.name == "items"}


SUM = (
    "select lines.sold_on::date as sold_on, sum(lines.price)::bigint as total from warehouse.lines"
)
BY_DAY = "group by lines.sold_on"
STAR = "with items as (select * from warehouse.items)"
ON = "on lines.item = items.item"
ALL = "select * from warehouse.items"


@pytest.mark.parametrize(
    ("select", "wanted"),
    [
        (f"{SUM} {BY_DAY}", set()),
        (f"{SUM} cross join warehouse.items {BY_DAY}", set()),
        (f"{SUM} join warehouse.items {ON} {BY_DAY}", {"item"}),
        (f"{SUM} join warehouse.items using (item) {BY_DAY}", {"item"}),
        (f"{STAR} {SUM} join items {ON} {BY_DAY}", {"item"}),
        (f"{STAR} {SUM} join items {ON} where items.kind = 'a' {BY_DAY}", {"item", "kind"}),
        (f"{SUM} join ({ALL} where name = 'a') as items {ON} {BY_DAY}", {"item", "name"}),
        (f"{SUM} join (select distinct * from warehouse.items) as items {ON} {BY_DAY}", EVERY),
        (f"{SUM} join ({ALL} order by 2 limit 1) as items {ON} {BY_DAY}", EVERY),
        (f"{SUM} join ({ALL} union {ALL}) as items {ON} {BY_DAY}", EVERY),
        (f"{SUM} where lines.item in (select one.item from ({ALL}) as one) {BY_DAY}", {"item"}),
        (f"{SUM} where exists ({ALL} where kind = 'a') {BY_DAY}", EVERY),
    ],
)
def test_the_columns_that_an_answer_depends_on(
    tmp_path: Path, select: str, wanted: set[str]
) -> None:
    assert items_read(tmp_path, select) == wanted


def test_they_are_told_of_a_table_that_is_built_whole_too(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "mart").mkdir()
    (tmp_path / "raw/items.sql").write_text(ITEMS)
    (tmp_path / "mart/a.sql").write_text("select items.item from warehouse.items;")
    assert read_catalogue(tmp_path).get(TableRef("mart", "a")).reads == (
        ColumnRef(TableRef("warehouse", "items"), "item"),
    )
