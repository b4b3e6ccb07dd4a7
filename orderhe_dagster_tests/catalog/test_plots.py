"""@plot names columns of a mart that can be drawn; anything else is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderhe_dagster.catalog.cache import load_catalogue
from orderhe_dagster.catalog.table import Plot, TableRef
from orderhe_dagster_tests.catalog.folders import SHOP, read, refused, write

DAYS = """\
-- By day.
-- @plot {plot}
select
    orders.order_date::date as order_date,
    orders.status::varchar(20) as status,
    orders.placed_at::timestamp as placed_at,
    count(*)::bigint as order_count,
    sum(orders.amount)::decimal(18, 2) as amount,
    sum(orders.amount)::double precision as roughly,
    bool_or(orders.amount > 1)::boolean as is_dear
from warehouse.orders
group by orders.order_date, orders.status, orders.placed_at;
"""


def asking(plot: str) -> dict[str, str]:
    return {**SHOP, "mart/days.sql": DAYS.format(plot=plot)}


@pytest.mark.parametrize(
    ("plot", "wanted"),
    [
        ("order_date, amount", Plot("order_date", "amount")),
        ("placed_at, roughly", Plot("placed_at", "roughly")),
        ("status, order_count", Plot("status", "order_count")),
        ('"order_date" ,AMOUNT,status', Plot("order_date", "amount", "status")),
    ],
)
def test_columns_that_can_be_drawn(plot: str, wanted: Plot, tmp_path: Path) -> None:
    folder = write(tmp_path / "sql", asking(plot))
    for _ in ("read", "remembered"):
        table = load_catalogue(folder, tmp_path / "cache").get(TableRef("mart", "days"))
        assert table.plot == wanted


@pytest.mark.parametrize(
    ("plot", "told"),
    [
        ("order_date", "write a date or text, a number"),
        ("order_date, amount, status, is_dear", "at most one text"),
        ("order_date, amuont", "names 'amuont', no column of mart.days; did you mean amount?"),
        ("amount, order_count", "amount: a decimal is neither a date, timestamp nor text"),
        ("is_dear, order_count", "is_dear: a boolean is neither"),
        ("order_date, status", "status: a varchar is no number"),
        ("order_date, is_dear", "is_dear: a boolean is no number"),
        ("order_date, amount, order_count", "order_count: a bigint is no text"),
        ("status, amount, status", "names a column twice"),
    ],
)
def test_columns_that_cannot_be_drawn(plot: str, told: str, tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, asking(plot))
    assert problem.startswith("mart/days.sql:2: @plot ")
    assert told in problem


@pytest.mark.parametrize("layer", ["raw", "warehouse", "export"])
def test_only_marts_are_drawn(layer: str, tmp_path: Path) -> None:
    text = {
        "raw": "-- @plot day, n\ncreate table days (day date primary key, n int, note varchar(9));",
        "warehouse": "-- @plot order_date, amount\nselect order_date, amount from warehouse.orders;",
        "export": "-- @plot order_date, amount\nselect order_date, amount from warehouse.orders;",
    }[layer]
    (problem,) = refused(tmp_path, {**SHOP, f"{layer}/days.sql": text})
    assert f"@plot in {layer}: only a mart is drawn" in problem


def test_a_mart_without_it_has_no_picture(tmp_path: Path) -> None:
    mart = "select order_date, amount from warehouse.orders;"
    assert read(tmp_path, {**SHOP, "mart/days.sql": mart}).layer("mart")[0].plot is None
