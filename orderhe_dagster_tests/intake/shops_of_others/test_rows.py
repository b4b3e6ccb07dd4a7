"""The fixtures themselves: their tables load, and two plain selects on them give back what happened."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orderhe_dagster_tests.intake.shops_of_others.every import SHOPS
from orderhe_dagster_tests.intake.shops_of_others.figures import by_hand
from orderhe_dagster_tests.intake.shops_of_others.history import State
from orderhe_dagster_tests.intake.shops_of_others.shop import load
from orderhe_dagster_tests.long_tests import cases
from orderhe_dagster_tests.servers.mariadb import MariaDB

UTC_DAYS = ("shopware",)
"""The day that Shopware makes of an order's moment is the day in UTC."""
ENDINGS: dict[State, str] = {
    "cancelled": "cancelled",
    "unfinished": "cancelled",
    "refunded": "refunded",
}


@pytest.mark.parametrize("name", cases(SHOPS, ["prestashop", "laravel"]))
def test_the_rows_say_what_happened(name: str, mariadb: MariaDB, shop_database: str) -> None:
    shop = SHOPS[name]
    load(shop, mariadb, shop_database)
    figures = by_hand(shop, mariadb, shop_database)
    orders = [order for order in shop.history.orders if shop.is_order(order)]
    days = [(order.utc if name in UTC_DAYS else order.at).date() for order in orders]
    assert sorted(
        (sale.day, sale.amount, sale.ending) for sale in figures.sales if sale.day is not None
    ) == sorted(
        (day, order.total, ENDINGS.get(order.state, "kept"))
        for day, order in zip(days, orders, strict=True)
    )
    kept = [order for order in orders if order.state not in ENDINGS]
    assert figures.total.net == sum((order.total for order in kept), Decimal(0))
    assert sum(sums.kept_quantity for sums in figures.products.values()) == sum(
        line.quantity for order in kept for line in order.lines
    )
    assert len({sale.ending for sale in figures.sales}) == 3, "the seed has no order that ended so"
