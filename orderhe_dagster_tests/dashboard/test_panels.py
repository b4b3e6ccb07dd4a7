"""Which exports and rows the page gets: what fits is shown, what does not is told, people are never."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.catalog.table import Catalogue
from orderhe_dagster.dashboard.figures import Figures, figures, ranges
from orderhe_dagster.dashboard.panels import PANELS, Row, misfits, price_changes, readable
from orderhe_dagster_tests.catalog.folders import SHOP, read, refused
from orderhe_dagster_tests.shops import OWN_SQL

LAST = date(2026, 3, 31)
MART = """\
-- Takings.
select
    orders.order_date::date as order_date, -- Day
    count(*)::bigint as order_count, -- Orders
    sum(orders.amount)::decimal(38, 2) as net_amount, -- Amount
    max(orders.status)::varchar(40) as units_sold -- Not what the page takes it for
from warehouse.orders
group by orders.order_date;
"""
EXPORT = """\
select
    daily_sales.order_date::date as order_date, -- Day
    daily_sales.order_count::bigint as order_count, -- Orders
    daily_sales.net_amount::decimal(38, 2) as net_amount, -- Amount
    daily_sales.units_sold::varchar(40) as units_sold -- Not what the page takes it for
from mart.daily_sales
"""


@pytest.fixture(scope="module")
def own() -> Catalogue:
    return read_catalogue(OWN_SQL)


def test_every_panel_has_an_export_of_the_projects_own_sql(own: Catalogue) -> None:
    exports = readable(own)
    assert set(exports) == set(PANELS)
    assert misfits(own) == []
    for name, panel in PANELS.items():
        assert set(panel.columns(exports[name])) == {*panel.needs, *panel.takes}, name


def test_the_example_of_another_shop_has_days_and_products(project: Path) -> None:
    catalogue = read_catalogue(project / "examples/online_retail/sql")
    assert sorted(readable(catalogue)) == ["daily_sales", "product_sales"]
    assert misfits(catalogue) == []


def test_no_panel_reads_rows_of_people_or_of_single_orders(own: Catalogue) -> None:
    assert not {"order_details", "customer_value"} & set(PANELS)
    personal = {c.name for table in own.layer("raw") for c in table.columns if c.pii}
    taken = {name for panel in PANELS.values() for name in (*panel.needs, *panel.takes)}
    assert personal
    assert not taken & (personal | {"customer_id", "order_id"})


def test_a_personal_column_does_not_fit(own: Catalogue) -> None:
    """The catalogue refuses them in exports already; the page does not rely on it."""
    panel, table = PANELS["category_sales"], readable(own)["category_sales"]
    columns = [replace(column, pii=column.name == "category") for column in table.columns]
    marked = replace(table, columns=tuple(columns))
    (reason,) = panel.misfits(marked)
    assert reason.endswith("is a varchar, where the page needs a text that is no personal data")
    columns = [replace(column, pii=column.name == "units_sold") for column in table.columns]
    assert "units_sold" not in panel.columns(replace(table, columns=tuple(columns)))


def test_an_export_of_another_shop_gives_the_columns_that_fit(tmp_path: Path) -> None:
    files = {**SHOP, "mart/daily_sales.sql": MART, "export/daily_sales.sql": EXPORT}
    catalogue = read(tmp_path, files)
    (table,) = readable(catalogue).values()
    taken = {"order_date": "day", "order_count": "number", "net_amount": "number"}
    assert PANELS["daily_sales"].columns(table) == taken


def test_an_export_that_does_not_fit_is_told_column_by_column(tmp_path: Path) -> None:
    export = EXPORT.replace("date::date", "date::timestamp").replace("as order_count", "as sales")
    files = {**SHOP, "mart/daily_sales.sql": MART, "export/daily_sales.sql": export}
    catalogue = read(tmp_path, files)
    assert readable(catalogue) == {}
    assert misfits(catalogue) == [
        "export.daily_sales.order_date is a timestamp, where the page needs a day",
        "export.daily_sales has no column order_count",
    ]


def test_no_file_may_have_the_pages_name(tmp_path: Path) -> None:
    select = "select orders.amount::decimal(12, 2) as amount from {}.orders"
    files = {
        **SHOP,
        "mart/orders.sql": select.format("warehouse"),
        "export/dashboard.sql": select.format("mart"),
    }
    (reason,) = refused(tmp_path, files)
    assert reason == (
        "export/dashboard.sql: export/dashboard is the page that is drawn from the exports; "
        "give this file another name"
    )


# ---- rows


def product(number: int, recent: int, previous: int) -> Row:
    return {
        "product_id": number,
        "recent_net_amount": recent,
        "previous_net_amount": previous,
    }


def test_products_are_the_best_and_those_that_fell_deepest() -> None:
    best = [product(number, 1000 - number, 0) for number in range(45)]
    fallen = [product(100 + number, 5, 500 + number) for number in range(12)]
    risen = [product(200, 6, 1)]
    shown = PANELS["product_sales"].choose([*fallen, *best, *risen], LAST)
    assert [row["product_id"] for row in shown[:40]] == list(range(40))
    assert {row["product_id"] for row in shown[40:]} == {100 + number for number in range(2, 12)}
    few = [product(1, 0, 0), product(2, 3, 9)]
    assert [row["product_id"] for row in PANELS["product_sales"].choose(few, LAST)] == [2, 1]


def pair(number: int, baskets: int, lift: float) -> Row:
    return {"product_id": number, "basket_count": baskets, "lift": lift}


def test_pairs_are_the_most_frequent_and_those_furthest_above_chance() -> None:
    frequent = [pair(number, 100 - number, 0.1) for number in range(35)]
    above = [pair(100 + number, 3, 9.0 + number) for number in range(25)]
    too_few = [pair(200, 2, 99.0)]
    shown = PANELS["product_pairs"].choose([*too_few, *above, *frequent], LAST)
    assert [row["product_id"] for row in shown[:30]] == list(range(30))
    assert {row["product_id"] for row in shown[30:]} == {105 + number for number in range(20)}


def price(day: str, new: int, old: int | None = 100) -> Row:
    change = None if old is None else new - old
    return {
        "valid_from": day,
        "unit_price": new,
        "previous_unit_price": old,
        "price_change": change,
    }


def test_prices_are_the_biggest_changes_of_the_last_sixty_days() -> None:
    choose = PANELS["price_history"].choose
    wanted = [price("2026-03-31", 50), price("2026-01-31", 101)]
    others = [price("2026-01-30", 190), price("2026-03-31", 100, None)]
    assert choose([*others, *reversed(wanted)], LAST) == wanted
    assert choose(wanted, None) == wanted
    assert choose([], None) == []


def test_a_half_is_as_big_a_change_as_a_doubling() -> None:
    small = [price("2026-03-01", 170)] * 30
    halves, doubles = [price("2026-03-01", 50)] * 30, [price("2026-03-01", 201)] * 30
    given_away = price("2026-03-01", 0)
    rows = [*small, *halves, *doubles, given_away]
    shown = PANELS["price_history"].choose(rows, LAST)
    assert [shown.count(each) for each in (given_away, doubles[0], halves[0])] == [1, 30, 19]
    assert price_changes(rows, LAST) == {"days": 60, "up": 60, "down": 31}
    assert price_changes([price("2026-03-01", 5, None)], LAST) == {"days": 60, "up": 0, "down": 0}


# ---- figures


def test_figures_are_sums_over_the_range() -> None:
    days = ["2026-01-01", "2026-01-02", "2026-01-03"]
    exports = {
        "daily_sales": {"order_date": days, "net_amount": [1, 20, 300], "order_count": [1, 2, 4]},
        "order_funnel": {
            "order_date": days,
            "placed_count": [1, 3, 5],
            "cancelled_count": [0, 1, 0],
            "returned_count": [0, 0, 1],
            "delivered_count": [1, 1, 3],
        },
        "daily_customers": {
            "order_date": days,
            "first_order_count": [1, 1, 0],
            "repeat_order_count": [0, 1, 4],
        },
    }
    assert figures(exports, "2026-01-02", "2026-01-03") == Figures(320, 6, 320 / 6, 5 / 6, 1 / 4)
    assert figures(exports, "2026-02-01", "2026-02-03") == Figures(0, 0, None, None, None)
    alone = {"daily_sales": exports["daily_sales"]}
    assert figures(alone, days[0], days[0]) == Figures(1, 1, None, None, None)


def test_ranges_are_those_that_the_days_fill() -> None:
    assert ranges("2026-01-01", "2026-01-31") == [
        ("last 7 days", "2026-01-25", "2026-01-31"),
        ("last 30 days", "2026-01-02", "2026-01-31"),
        ("all days", "2026-01-01", "2026-01-31"),
    ]
    assert ranges("2026-01-30", "2026-01-31") == [("all days", "2026-01-30", "2026-01-31")]
