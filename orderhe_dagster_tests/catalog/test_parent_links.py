"""Which days a row of a table without days reaches: by the columns of an equality, or it may be any."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderhe_dagster.catalog.cache import load_catalogue
from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.catalog.table import TableRef

FILES = {
    "raw/lines.sql": """-- @partition sold_on
create table lines (
    id int not null, sold_on date not null, item int, shop int, kind varchar(9), primary key (id)
);
""",
    "raw/items.sql": """create table items (
    item int not null, name varchar(9), kind varchar(9), maker int, primary key (item)
);
""",
    "raw/makers.sql": "create table makers (maker int not null, town varchar(9), primary key (maker));\n",
}
FROM = "select lines.sold_on::date as sold_on, count(*)::bigint as many from warehouse.lines"
BY_DAY = "group by lines.sold_on"
ITEMS = "join warehouse.items"
ON = "on lines.item = items.item"
STAR = "with items as (select * from warehouse.items)"
ITEM = (("item", "item"),)


Pairs = tuple[tuple[str, str], ...]


def links(folder: Path, select: str) -> list[tuple[str, Pairs]]:
    """Each parent, and the pairs of columns by which a daily mart joins it to `lines`."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "mart").mkdir()
    (folder / "mart/a.sql").write_text(f"-- @partition sold_on\n{select};\n")
    table = read_catalogue(folder).get(TableRef("mart", "a"))
    for _ in range(2):
        assert load_catalogue(folder, folder / "cache").get(table.ref) == table
    assert all(str(link.child) == "warehouse.lines" for link in table.links)
    return [(link.parent.name, link.columns) for link in table.links]


@pytest.mark.parametrize(
    ("select", "wanted"),
    [
        (f"{FROM} {BY_DAY}", []),
        (f"{FROM} {ITEMS} {ON} {BY_DAY}", [("items", ITEM)]),
        (f"{FROM} left {ITEMS} {ON} {BY_DAY}", [("items", ITEM)]),
        (f"{FROM} {ITEMS} using (item) {BY_DAY}", [("items", ITEM)]),
        (
            f"{FROM} {ITEMS} as other on other.item = lines.shop {BY_DAY}",
            [("items", (("shop", "item"),))],
        ),
        (f"{FROM}, warehouse.items where lines.item = items.item {BY_DAY}", [("items", ITEM)]),
        (f"{STAR} {FROM} join items {ON} {BY_DAY}", [("items", ITEM)]),
        (f"{STAR} {FROM} join items {ON} where items.kind = 'a' {BY_DAY}", [("items", ITEM)]),
        (
            (
                f"{FROM} join (select maker as item from warehouse.items where kind = 'a') as items {ON} "
                f"{BY_DAY}"
            ),
            [("items", (("item", "maker"),))],
        ),
        (
            f"{FROM} {ITEMS} on lines.item = items.item and lines.kind = items.kind {BY_DAY}",
            [("items", (*ITEM, ("kind", "kind")))],
        ),
        (
            (
                "with days as (select sold_on, item, count(*) as many from warehouse.lines group by 1, 2) "
                "select days.sold_on::date as sold_on, sum(days.many)::bigint as many from days "
                "join warehouse.items on days.item = items.item group by days.sold_on"
            ),
            [("items", ITEM)],
        ),
        # A row of makers reaches items, and of those any day: not followed.
        (
            f"{FROM} {ITEMS} {ON} join warehouse.makers on items.maker = makers.maker {BY_DAY}",
            [("items", ITEM)],
        ),
        # Nothing that binds the columns as they are.
        (f"{FROM} cross {ITEMS} {BY_DAY}", []),
        (f"{FROM} {ITEMS} on lines.item > items.item {BY_DAY}", []),
        (f"{FROM} {ITEMS} on lines.item + 1 = items.item {BY_DAY}", []),
        (f"{FROM} {ITEMS} on lines.item::varchar(9) = items.kind {BY_DAY}", []),
        (f"{FROM} {ITEMS} on lines.item = items.item or lines.shop = items.item {BY_DAY}", []),
        (f"{FROM} join (select item from warehouse.items limit 3) as items {ON} {BY_DAY}", []),
        (f"{FROM} join (select max(item) as item from warehouse.items) as items {ON} {BY_DAY}", []),
        (
            (
                f"{FROM} join (select item from warehouse.items where maker in (select max(maker) from "
                f"warehouse.makers)) as items {ON} {BY_DAY}"
            ),
            [],
        ),
        # One use that is not followed is enough.
        (
            f"{FROM} {ITEMS} {ON} cross {ITEMS} as every {BY_DAY}",
            [],
        ),
        (
            f"{FROM} left {ITEMS} as other on other.item = lines.shop {ITEMS} {ON} {BY_DAY}",
            [("items", ITEM), ("items", (("shop", "item"),))],
        ),
        # The condition of another outer join does not bind.
        (
            f"{FROM} cross {ITEMS} left join warehouse.makers on lines.item = items.item {BY_DAY}",
            [],
        ),
        (
            f"{FROM} where exists (select 1 from warehouse.items where items.item = lines.item) {BY_DAY}",
            [("items", ITEM)],
        ),
        (f"{FROM} where lines.item in (select item from warehouse.items) {BY_DAY}", []),
        # Two rows of the same table: neither has both keys.
        (
            (
                f"{FROM} join warehouse.lines as twin on lines.sold_on = twin.sold_on {ITEMS} "
                f"on items.item = lines.item and items.kind = twin.kind {BY_DAY}"
            ),
            [("items", ITEM)],
        ),
        (
            (
                "with pairs as (select lines.sold_on, lines.item, twin.kind from warehouse.lines "
                "join warehouse.lines as twin on lines.sold_on = twin.sold_on) "
                "select pairs.sold_on::date as sold_on, count(*)::bigint as many from pairs "
                f"{ITEMS} on items.item = pairs.item and items.kind = pairs.kind group by pairs.sold_on"
            ),
            [("items", ITEM)],
        ),
    ],
)
def test_the_links_of_a_select(
    tmp_path: Path, select: str, wanted: list[tuple[str, Pairs]]
) -> None:
    assert links(tmp_path, select) == wanted
