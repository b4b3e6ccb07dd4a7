"""The first day of a shop that others fill, by its rows; and that the first run brings all of them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from orderhe_dagster.catalog.segments import OUTSIDE
from orderhe_dagster.intake.first_day import first_of
from orderhe_dagster.road import index
from orderhe_dagster.settings.home import home_of, remembered_start
from orderhe_dagster.settings.project import today
from orderhe_dagster_tests.shops import TestShop, shop_of

TODAY = date(2026, 11, 30)
DAY = timedelta(days=1)


def spread(first: date, days: int, rows: int) -> dict[date, int]:
    return {first + number * DAY: rows for number in range(days)}


@pytest.mark.parametrize(
    ("rows", "first"),
    [
        ({}, None),
        ({TODAY: 5, TODAY + DAY: 1}, None),
        ({date(2026, 11, 19): 1, date(2026, 11, 21): 1, date(2026, 11, 29): 1}, date(2026, 11, 19)),
        # One order dated 1970, of many and of few.
        (spread(date(2024, 1, 1), 1000, 50) | {date(1970, 1, 1): 1}, date(2024, 1, 1)),
        (spread(date(2026, 1, 1), 60, 2) | {date(1970, 1, 1): 1}, date(2026, 1, 1)),
        (spread(date(2026, 1, 1), 60, 2) | {date(1970, 1, 1): 90}, date(1970, 1, 1)),
        # A quiet beginning belongs to the shop, however little it is of all.
        (spread(date(2020, 1, 1), 300, 1) | spread(date(2021, 1, 1), 2000, 500), date(2020, 1, 1)),
    ],
)
def test_the_calendar_holds_nearly_all_rows_and_no_stray(
    rows: dict[date, int], first: date | None
) -> None:
    assert first_of(rows, TODAY) == first


SQL = {
    "raw/orders.sql": """
-- Orders.
-- @partition ordered_on
create table orders (id int primary key, ordered_on date not null, amount int not null);
""",
    "mart/per_day.sql": """
-- By day.
-- @partition ordered_on
select orders.ordered_on::date as ordered_on, count(*)::bigint as orders from warehouse.orders
group by orders.ordered_on;
""".replace("select ", "select\n    ")
    .replace(", count", ", -- Day\n    count")
    .replace(" from", " -- Orders\nfrom"),
    "mart/all_orders.sql": """
-- All of them.
select
    count(*)::bigint as orders -- Orders
from warehouse.orders;
""",
}


@pytest.fixture
def shop(tmp_path: Path) -> TestShop:
    shop = shop_of(tmp_path, SQL)
    shop.create()
    return shop


def insert(shop: TestShop, *days: date) -> None:
    rows = ", ".join(f"({number}, date '{day}', 5)" for number, day in enumerate(days, 1))
    shop.change(f"insert into orders values {rows}")


def test_the_first_run_of_an_existing_shop_brings_all_its_orders(shop: TestShop) -> None:
    last = today(shop.settings.time_zone)
    days = [last - number * DAY for number in (11, 9, 5, 1)]
    insert(shop, *days)
    outcome = shop.run("*")
    assert outcome.succeeded, outcome.lines()
    assert not outcome.warned_checks
    assert shop.rows("select count(*) from warehouse.orders") == [(4,)]
    assert shop.rows("select orders from mart.all_orders") == [(4,)]
    assert [day for day, _ in shop.rows("select * from mart.per_day order by 1")] == days
    assert remembered_start(home_of(shop.settings)) == days[0]


def test_an_order_dated_1970_lies_outside_and_is_told(
    shop: TestShop, caplog: pytest.LogCaptureFixture
) -> None:
    last = today(shop.settings.time_zone)
    insert(shop, date(1970, 1, 1), *(last - number * DAY for number in range(1, 61)))
    outcome = shop.run("*")
    assert outcome.succeeded, outcome.lines()
    (text,) = outcome.warned_checks
    assert "backup/orders: nothing_left_out: 1 row outside of the shop's days (1 before " in text
    assert (
        "mostly a wrong date (the first is of 1970-01-01): mend it in the shop's database" in text
    )
    assert shop.rows("select orders from mart.all_orders") == [(61,)]
    assert shop.rows("select count(*) from mart.per_day") == [(60,)]
    assert "mart/per_day leaves out 1 row of no day of the shop's history" in caplog.text
    assert "mart/all_orders leaves out" not in caplog.text
    known = index.read(shop.store, "orders")
    assert len(known.records) == 61
    assert known.records[OUTSIDE].measure.rows == 1
    # The date is mended: the row leaves what is outside, and is on its day.
    shop.change(f"update orders set ordered_on = date '{last - 2 * DAY}' where id = 1")
    outcome = shop.run("*")
    assert outcome.succeeded, outcome.lines()
    assert not outcome.warned_checks
    assert shop.rows("select count(*) from warehouse.orders") == [(61,)]
    assert shop.rows("select sum(orders) from mart.per_day") == [(61,)]


def test_days_that_a_person_did_not_ask_for_are_told_with_the_command(shop: TestShop) -> None:
    last = today(shop.settings.time_zone)
    insert(shop, last - 5 * DAY, last - 4 * DAY, last - 2 * DAY)
    outcome = shop.run("*", str(last - 4 * DAY))
    assert outcome.succeeded, outcome.lines()
    (text,) = outcome.warned_checks
    assert f"2 days with rows and no backup, the first {last - 5 * DAY}" in text
    assert shop.rows("select count(*) from warehouse.orders") == [(1,)]
    shop.paste(text)
    assert shop.rows("select count(*) from warehouse.orders") == [(3,)]


def test_the_ui_opens_when_the_source_cannot_be_asked(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from orderhe_dagster.definitions import build_definitions

    (shop.home / "shop.duckdb").write_text("no database")
    build_definitions(shop.settings)
    assert "the shop's first day is not known yet" in caplog.text
    assert remembered_start(home_of(shop.settings)) is None
