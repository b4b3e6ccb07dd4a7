"""A child without a date is cut by its parent's day: the grammar of `@partition … -> …`, and its marts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orderhe_dagster.catalog.cache import decode, encode, load_catalogue
from orderhe_dagster.catalog.dependencies import foreign_key_parents
from orderhe_dagster.catalog.table import DAY_COLUMN, Catalogue, Table, TableRef
from orderhe_dagster_tests.catalog.folders import SHOP, read, refused

ITEMS = """\
-- Lines of orders.
-- @partition {way}
create table order_items (
    item_id bigint not null primary key,
    order_id bigint not null,
    order_no varchar(20),
    sku varchar(40) not null,
    quantity int not null
    {more}
);
"""
OPTIONS = """\
-- What was chosen for a line.
-- @partition item_id -> order_items.order_id -> orders.order_date
create table item_options (option_id int primary key, item_id bigint, text varchar(40));
"""
NUMBERED = """\
create table numbered (
    id int primary key, order_no varchar(20), stamp timestamp null, day date,
    unique key (order_no), unique key (day, stamp)
);
"""
BOTH = """\
create table keyed (
    a int not null, b int, c bigint, day date, at datetime, primary key (a, day),
    unique key (b), unique key (c)
);
"""


SHARES = "create table shares (share double not null primary key, day date);"


def shop(way: str = "order_id -> orders.order_date", more: str = "") -> dict[str, str]:
    extra = {"raw/numbered.sql": NUMBERED, "raw/keyed.sql": BOTH, "raw/shares.sql": SHARES}
    return {**SHOP, **extra, "raw/order_items.sql": ITEMS.format(way=way, more=more)}


def items(catalogue: Catalogue) -> Table:
    return catalogue.get(TableRef("raw", "order_items"))


def test_a_child_is_cut_by_a_column_of_the_platform(tmp_path: Path) -> None:
    table = items(read(tmp_path, shop()))
    assert table.partition == DAY_COLUMN == table.column_names[-1] == "_day"
    day = table.column(DAY_COLUMN)
    assert (day.type.kind, day.nullable, day.is_added, day.pii) == ("date", True, True, False)
    assert "orders (order_date)" in day.description
    (step,) = table.day_through
    assert (step.column, step.parent.name, step.key, step.parent.partition) == (
        *("order_id", "orders", "order_id"),
        "order_date",
    )
    assert table.day_text == "order_id -> orders.order_date"
    own = table.in_source
    assert (own.partition, own.day_through, DAY_COLUMN in own.column_names) == (None, (), False)
    assert own.in_source is own


@pytest.mark.parametrize(
    ("way", "text"),
    [
        ("ORDER_ID->orders.Order_Date", "order_id -> orders.order_date"),
        ("`order_id` -> `orders` . `placed_at`", "order_id -> orders.placed_at"),
        ("order_no -> numbered(order_no).stamp", "order_no -> numbered(order_no).stamp"),
        ("order_id -> numbered.day", "order_id -> numbered.day"),
        ("order_id -> keyed(c).at", "order_id -> keyed(c).at"),
    ],
)
def test_a_way_is_read_as_the_contracts_spell_it(tmp_path: Path, way: str, text: str) -> None:
    assert items(read(tmp_path, shop(way))).day_text == text


def test_a_way_may_have_two_steps(tmp_path: Path) -> None:
    catalogue = read(tmp_path, {**shop(), "raw/item_options.sql": OPTIONS}).in_zone("Asia/Seoul")
    table = catalogue.get(TableRef("raw", "item_options"))
    first, last = table.day_through
    assert (first.parent.name, first.parent.partition, first.key) == (
        "order_items",
        None,
        "item_id",
    )
    assert (last.column, last.parent.name, last.parent.partition) == (
        *("order_id", "orders"),
        "order_date",
    )
    assert DAY_COLUMN not in first.parent.column_names
    assert last.parent.time_zone == table.time_zone == "Asia/Seoul"
    names = [one.name for one in catalogue.layer("raw")]
    assert names.index("orders") < names.index("order_items") < names.index("item_options")
    parents = foreign_key_parents(catalogue)
    assert parents["item_options"] == ("order_items", "orders")
    assert parents["order_items"] == ("orders",)


@pytest.mark.parametrize(
    ("way", "more", "words"),
    [
        ("order_id ->", "", "write the column that names the parent"),
        ("order_id -> orders", "", "write the column that names the parent"),
        ("-> orders.order_date", "", "write the column that names the parent"),
        ("order_id -> orders.order_date, order_no", "", "write the column that names the parent"),
        ("orderid -> orders.order_date", "", "no column 'orderid'; did you mean order_id"),
        ("order_id -> ordrs.order_date", "", "no contract of 'ordrs'; did you mean orders"),
        ("order_id -> orders.day", "", "orders has no column 'day'"),
        ("order_id -> orders.amount", "", "which has no day: end with a date"),
        ("order_id -> orders(amount).order_date", "", "no primary or unique key by itself"),
        ("order_id -> keyed.day", "", "more than one primary or unique key of one column (b, c)"),
        ("sku -> orders.order_date", "", "values of two sorts"),
        ("order_id -> orders.order_id -> order_items.sku", "", "goes through order_items twice"),
        ("share -> shares.day", ", share double", "a parent is named by a number, a text or bytes"),
        ("order_id -> orders.order_date", ", _DAY date", "`-- @leave_out _DAY`"),
        ("order_id -> orders.order_date", ", _day_read int", "`-- @leave_out _day_read`"),
    ],
)
def test_a_way_that_leads_to_no_certain_day_is_refused(
    tmp_path: Path, way: str, more: str, words: str
) -> None:
    (problem,) = refused(tmp_path, shop(way, more))
    assert "raw/order_items.sql:" in problem
    assert words in problem


def test_a_parent_without_a_key_is_refused(tmp_path: Path) -> None:
    files = {
        **shop("order_id -> logs.day"),
        "raw/logs.sql": "create table logs (id int, day date);",
    }
    (problem,) = refused(tmp_path, files)
    assert "logs has no primary or unique key of one column" in problem
    assert "leave @partition out" in problem


def test_only_a_contract_is_cut_by_a_parent(tmp_path: Path) -> None:
    mart = "-- @partition order_id -> orders.order_date\nselect order_id from warehouse.orders"
    problems = refused(tmp_path, {**shop(), "mart/x.sql": mart})
    assert any("only a contract is cut by the day of a parent" in one for one in problems)


def test_the_day_of_a_personal_date_is_personal(tmp_path: Path) -> None:
    files = shop()
    files["raw/orders.sql"] = files["raw/orders.sql"].replace("@pii note", "@pii order_date")
    assert items(read(tmp_path, files)).column(DAY_COLUMN).pii


def test_the_cache_gives_the_way_back(tmp_path: Path) -> None:
    folder = tmp_path / "sql"
    folder.mkdir()
    catalogue = read(folder, {**shop(), "raw/item_options.sql": OPTIONS})
    assert decode(str(folder), json.loads(json.dumps(encode(catalogue)))) == catalogue
    assert load_catalogue(folder, tmp_path / "cache") == catalogue
    assert load_catalogue(folder, tmp_path / "cache") == catalogue


DAILY = {
    "the day itself": "select _day as order_date, sku from warehouse.order_items",
    "a day's sum": (
        "select _day::date as order_date, sum(quantity)::int as n from warehouse.order_items group by 1"
    ),
    "with its parent, on the day": (
        "select o.order_date::date as order_date, i.sku from warehouse.orders as o "
        "inner join warehouse.order_items as i on i.order_id = o.order_id and i._day = o.order_date"
    ),
    "with its own child": (
        "select i._day::date as order_date, o.text from warehouse.order_items as i left join "
        "warehouse.item_options as o on o.item_id = i.item_id and o._day = i._day"
    ),
}


@pytest.mark.parametrize("name", DAILY)
def test_a_mart_over_a_child_is_daily(tmp_path: Path, name: str) -> None:
    mart = f"-- @partition order_date\n{DAILY[name]}"
    catalogue = read(tmp_path, {**shop(), "raw/item_options.sql": OPTIONS, "mart/x.sql": mart})
    assert catalogue.get(TableRef("mart", "x")).partition == "order_date"


def test_a_mart_that_joins_child_and_parent_by_the_key_alone_is_not(tmp_path: Path) -> None:
    mart = (
        "-- @partition order_date\nselect o.order_date::date as order_date, i.sku from warehouse.orders "
        "as o inner join warehouse.order_items as i on i.order_id = o.order_id"
    )
    (problem,) = refused(tmp_path, {**shop(), "mart/x.sql": mart})
    assert "joined without its day being equal" in problem
