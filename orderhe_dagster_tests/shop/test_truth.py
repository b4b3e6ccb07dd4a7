"""The truth ledger against a plain recount of the rows that the tables hold."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import pytest

from orderhe_dagster.shop import truth
from orderhe_dagster.shop.model import Shop

DAYS = [date(2026, 10, 20) + timedelta(days=number) for number in range(35)]
LOST = ("cancelled", "returned")


@pytest.fixture(scope="module", params=[1, 2, 3])
def shop(request: pytest.FixtureRequest) -> Shop:
    return Shop(seed=request.param, scale=0.1)


@pytest.fixture(scope="module")
def rows(shop: Shop) -> list[dict[str, Any]]:
    clock = DAYS[-1]
    people = {
        row["customer_id"]: row
        for row in shop.customers(shop.customer_ids(DAYS), clock).to_pylist()
    }
    goods = {
        row["product_id"]: row for row in shop.products(shop.product_ids(DAYS), clock).to_pylist()
    }
    found = []
    for order in shop.orders(DAYS, clock).to_pylist():
        person, thing = people[order["customer_id"]], goods[order["product_id"]]
        extra = {
            "customer_locale": person["locale"],
            "customer_city": person["city"],
            "signup_date": person["signup_date"],
            "product_name": thing["product_name"],
            "category": thing["category"],
            "brand": thing["brand"],
        }
        found.append({**order, **extra})
    return found


def grouped(rows: list[dict[str, Any]], by: str) -> dict[Any, list[dict[str, Any]]]:
    groups: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row[by]].append(row)
    return groups


def amount(rows: list[dict[str, Any]], *statuses: str) -> int:
    return sum(row["amount"] for row in rows if row["status"] in statuses)


def net_between(rows: list[dict[str, Any]], least: int, most: int) -> int:
    """The kept amount of the rows that many days before the latest day."""
    return sum(
        row["amount"]
        for row in rows
        if row["status"] not in LOST and least <= (DAYS[-1] - row["order_date"]).days <= most
    )


def test_daily_sales(shop: Shop, rows: list[dict[str, Any]]) -> None:
    expected = [
        {
            "order_date": day,
            "order_count": len(group),
            "customer_count": len({row["customer_id"] for row in group}),
            "units_sold": sum(row["quantity"] for row in group),
            "gross_amount": sum(row["amount"] for row in group),
            "cancelled_amount": amount(group, "cancelled"),
            "returned_amount": amount(group, "returned"),
            "net_amount": sum(row["amount"] for row in group) - amount(group, *LOST),
        }
        for day, group in sorted(grouped(rows, "order_date").items())
    ]
    assert truth.daily_sales(shop, DAYS) == expected
    assert sum(row["returned_amount"] for row in expected) > 0


def test_product_sales(shop: Shop, rows: list[dict[str, Any]]) -> None:
    expected = [
        {
            "product_id": product,
            "product_name": group[0]["product_name"],
            "category": group[0]["category"],
            "brand": group[0]["brand"],
            "order_count": len(group),
            "customer_count": len({row["customer_id"] for row in group}),
            "units_sold": sum(row["quantity"] for row in group),
            "gross_amount": sum(row["amount"] for row in group),
            "net_amount": sum(row["amount"] for row in group) - amount(group, *LOST),
            "first_order_date": min(row["order_date"] for row in group),
            "last_order_date": max(row["order_date"] for row in group),
            "recent_net_amount": net_between(group, 0, 29),
            "previous_net_amount": net_between(group, 30, 59),
        }
        for product, group in sorted(grouped(rows, "product_id").items())
    ]
    assert truth.product_sales(shop, DAYS) == expected
    assert any(row["previous_net_amount"] for row in expected)


def test_order_details(shop: Shop, rows: list[dict[str, Any]]) -> None:
    found = truth.order_details(shop, DAYS)
    assert ", ".join(found[0]) == (
        "order_id, order_date, customer_id, customer_locale, customer_city, signup_date, product_id,"
        " product_name, category, brand, channel, status, quantity, unit_price, amount, created_at,"
        " updated_at"
    )
    assert found == [{name: row[name] for name in found[0]} for row in rows]


def test_totals(shop: Shop, rows: list[dict[str, Any]]) -> None:
    found = truth.totals(shop, DAYS)
    assert found["orders"] == {
        "rows": len(rows),
        "quantity": sum(row["quantity"] for row in rows),
        "amount": sum(row["amount"] for row in rows),
    }
    products = shop.products(shop.product_ids(DAYS), DAYS[-1]).to_pylist()
    assert found["products"] == {
        "rows": len(products),
        "unit_price": sum(row["unit_price"] for row in products),
    }
    customers = shop.customer_ids(DAYS)
    assert found["customers"] == {"rows": len(customers), "customer_id": int(customers.sum())}


def test_days_apart_have_the_latest_as_their_clock(shop: Shop) -> None:
    first, *_, last = DAYS
    alone = truth.daily_sales(shop, [first])[0]
    later = truth.daily_sales(shop, [first, last])[0]
    assert alone["order_date"] == later["order_date"] == first
    assert later["cancelled_amount"] + later["returned_amount"] > (
        alone["cancelled_amount"] + alone["returned_amount"]
    )


def test_no_days_have_no_rows(shop: Shop) -> None:
    for mart in truth.__all__:
        if mart not in ("Rows", "totals"):
            assert getattr(truth, mart)(shop, []) == [], mart
    assert truth.totals(shop, [])["orders"] == {"rows": 0, "quantity": 0, "amount": 0}
