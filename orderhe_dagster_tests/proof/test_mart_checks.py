"""Every check of sql/checks: nothing wrong in an untouched warehouse, and one changed row is found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from local_redshift.session.engine import Engine
from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.catalog.table import Check
from orderhe_dagster_tests.shops import OWN_SQL

CATALOGUE = read_catalogue(OWN_SQL)
FIRST, DAYS, CUSTOMERS, PRODUCTS = date(2026, 1, 5), 80, 11, 4
STATUSES = ("paid", "shipped", "delivered", "delivered", "cancelled", "returned", "delivered")
BREAKS: dict[str, tuple[str, ...]] = {
    "warehouse/orders amount_is_quantity_times_price": (
        "set amount = amount + 1 where order_id = 1",
    ),
    "mart/daily_sales net_is_gross_less_losses": (
        "set net_amount = net_amount + 1 where order_date = '2026-01-05'",
    ),
    "mart/order_details holds_every_order": ("delete where order_id = 1",),
    "mart/monthly_sales days_add_up": (
        "set net_amount = net_amount + 1 where order_month = '2026-02-01'",
        "set day_count = day_count - 1 where order_month = '2026-02-01'",
        "delete where order_month = '2026-02-01'",
        "delete from mart.daily_sales where order_date >= '2026-03-01'",
    ),
    "mart/category_sales adds_up_to_the_day": (
        "set units_sold = units_sold + 1 where order_date = '2026-01-06'",
        "set customer_count = 99 where order_date = '2026-01-06'",
        "set customer_count = 0 where order_date = '2026-01-06'",
        "delete where order_date = '2026-01-06'",
        "delete from mart.daily_sales where order_date = '2026-01-06'",
    ),
    "mart/daily_customers kept_orders_are_the_days": (
        "set repeat_order_count = repeat_order_count + 1 where order_date = '2026-02-07'",
        "delete where order_date = '2026-02-07'",
        "delete from mart.order_funnel where order_date = '2026-02-07'",
    ),
    "mart/daily_customers everybody_is_new_once": (
        "set new_customer_count = new_customer_count + 1 where order_date = '2026-02-07'",
        "delete where new_customer_count > 0",
    ),
    "mart/customer_value holds_every_customer": (
        "delete where customer_id = 11",
        "delete from warehouse.customers where customer_id = 11",
    ),
    "mart/customer_value amounts_add_up_to_net_sales": (
        "set monetary_amount = monetary_amount + 1 where customer_id = 2",
        "delete from mart.daily_sales",
    ),
    "mart/customer_value scores_are_of_buyers": (
        "set recency_score = 6 where customer_id = 2",
        "set segment = 'prospect' where customer_id = 2",
        "set monetary_score = null where customer_id = 2",
        "set segment = 'lost' where segment = 'prospect'",
        "set recency_days = 3 where segment = 'prospect'",
        "set first_order_date = '2026-01-05' where segment = 'prospect'",
        "set last_order_date = '2025-01-01' where customer_id = 2",
    ),
    "mart/customer_segments add_up_to_all_customers": (
        "set customer_count = customer_count + 1 where segment = 'prospect'",
        "delete from warehouse.customers where customer_id = 11",
    ),
    "mart/customer_segments are_those_of_customer_value": (
        "set net_amount = net_amount + 1 where segment = 'prospect'",
        "delete where segment = 'prospect'",
        "delete from mart.customer_value where segment = 'prospect'",
    ),
    "mart/cohort_retention sizes_are_first_buyers": (
        "set cohort_size = cohort_size + 1 where cohort_month = '2026-01-01'",
        "delete where cohort_month = '2026-01-01'",
        "update mart.customer_value set first_order_date = '2026-03-01' where customer_id = 2",
    ),
    "mart/cohort_retention month_zero_retains_everybody": (
        "delete where month_number = 0",
        "set customer_count = customer_count - 1 where month_number = 0",
        "set retained_pct = 99.99 where month_number = 0",
        "set customer_count = 99 where month_number = 1",
    ),
    "mart/order_funnel every_order_stands_somewhere": (
        "set waiting_count = waiting_count + 1 where order_date = '2026-01-07'",
        "set delivered_count = placed_count + 1 where order_date = '2026-01-07'",
        "set returned_count = delivered_count + 1 where order_date = '2026-01-07'",
    ),
    "mart/order_funnel holds_every_order_of_the_day": (
        "set placed_count = placed_count + 1 where order_date = '2026-01-07'",
        "delete where order_date = '2026-01-07'",
        "delete from mart.daily_sales where order_date = '2026-01-07'",
    ),
    "mart/product_pairs share_no_more_than_each_has": (
        "set basket_count = 1, customer_count = 1",
        "set basket_count = product_basket_count + 1",
        "set basket_count = other_basket_count + 1",
        "set customer_count = basket_count + 1",
    ),
    "mart/product_pairs stand_once": ("set other_product_id = product_id",),
    "mart/price_history spans_follow_one_another": (
        "set valid_to = '2026-12-31' where previous_unit_price is null",
        "set valid_to = '2025-01-01' where previous_unit_price is null",
        "set unit_price = previous_unit_price where previous_unit_price is not null",
        "set previous_unit_price = 1 where previous_unit_price > 1",
        "set previous_unit_price = null",
        "set previous_unit_price = 1 where previous_unit_price is null",
    ),
    "mart/price_history adds_up_to_product_sales": (
        "set units_sold = units_sold + 1 where product_id = 2",
        "delete where product_id = 2",
        "delete from mart.product_sales where product_id = 2",
        "set valid_to = '2026-12-31' where product_id = 2",
    ),
    "mart/product_sales adds_up_to_daily_sales": (
        "set net_amount = net_amount + 1 where product_id = 2",
        "set recent_net_amount = 0",
        "set previous_net_amount = recent_net_amount + 1",
        "delete",
    ),
}
"""Check -> changes of its own table (or of another that is named), each of which breaks the claim."""


def orders() -> Iterator[str]:
    """Orders of 80 days: everybody comes back, baskets of two, prices that move; no two figures alike."""
    number = 0
    for day in range(DAYS):
        for place in range(1 + day % 4):
            customer = 1 + (day * 3 + place // 2) % (CUSTOMERS - 1)  # the last one never orders
            product = 1 + (day + place) % PRODUCTS
            price = 1000 * product + 100 * ((day // 20) % 2)
            quantity, number = 1 + (day + place) % 3, number + 1
            at = FIRST + timedelta(days=day)
            yield (
                f"({number}, {customer}, {product}, '{at}', {quantity}, {price}, {quantity * price},"
                f" '{STATUSES[number % len(STATUSES)]}', 'web', '{at}', '{at}')"
            )


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Engine]:
    """A warehouse of hand-made rows with every mart built."""
    customers = ", ".join(
        f"({number}, 'N', '{number}@example.com', 'ko_KR', '서울', 'A', '2026-01-01', 1,"
        " '2026-01-01', '2026-01-01')"
        for number in range(1, CUSTOMERS + 1)
    )
    products = ", ".join(
        f"({number}, 'S{number}', 'P{number}', 'C{number % 2}', 'B', 1000, 1, '2026-01-01',"
        " '2026-01-01', '2026-01-01')"
        for number in range(1, PRODUCTS + 1)
    )
    with Engine() as engine:
        for schema in ("warehouse", "mart"):
            engine.execute(f"create schema {schema}")
        for table in CATALOGUE.layer("raw"):
            engine.execute(ddl.redshift_create(table))
        engine.execute(
            "insert into warehouse.customers (customer_id, full_name, email, locale, city, address,"
            f" signup_date, accepts_marketing, created_at, updated_at) values {customers}"
        )
        engine.execute(
            "insert into warehouse.products (product_id, sku, product_name, category, brand,"
            f" unit_price, is_active, launched_date, created_at, updated_at) values {products}"
        )
        engine.execute(
            "insert into warehouse.orders (order_id, customer_id, product_id, order_date, quantity,"
            " unit_price, amount, status, channel, created_at, updated_at)"
            f" values {', '.join(orders())}"
        )
        for table in (*CATALOGUE.layer("warehouse"), *CATALOGUE.layer("mart")):
            engine.execute(ddl.redshift_create(table))
            engine.execute(f"insert into {ddl.qualified(table.ref)}\n{table.sql}")
        yield engine


def name_of(check: Check) -> str:
    return f"{'/'.join(check.table.path)} {check.claim}"


def statement(change: str, table: str) -> str:
    """A change as a whole statement: `set …` and `delete …` without a table are of this one."""
    if change.startswith("set "):
        return f"update {table} {change}"
    named = change.startswith(("update ", "delete from "))
    return change if named else change.replace("delete", f"delete from {table}", 1)


def test_every_check_is_broken_here() -> None:
    assert sorted(BREAKS) == sorted(map(name_of, CATALOGUE.checks))


@pytest.mark.parametrize("check", CATALOGUE.checks, ids=name_of)
def test_a_check_finds_nothing_before_and_the_row_that_breaks_it_after(
    check: Check, warehouse: Engine
) -> None:
    assert warehouse.execute(check.sql).rows == []
    for change in BREAKS[name_of(check)]:
        warehouse.execute("begin")
        warehouse.execute(statement(change, str(check.table)))
        wrong = warehouse.execute(check.sql)
        warehouse.execute("rollback")
        assert wrong.rows, change
    assert warehouse.execute(check.sql).rows == []


@pytest.mark.parametrize("mart", CATALOGUE.layer("mart"), ids=lambda mart: str(mart.name))
def test_no_mart_is_empty_when_its_checks_are_tried(mart: object, warehouse: Engine) -> None:
    from orderhe_dagster.catalog.table import Table

    assert isinstance(mart, Table)
    assert len(warehouse.execute(f"select * from {mart.ref}").rows) > 1
