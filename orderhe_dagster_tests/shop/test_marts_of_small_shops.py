"""The SQL of the marts against the truth ledger on small shops full of ties, gaps and lost orders.

The living shop is too well-behaved for these: nothing is free, every month keeps an order, few are equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from local_redshift.session.engine import Engine
from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.shop import truth
from orderhe_dagster_tests.shop.by_hand import EVENTS, SIGNUP, HandMadeShop, Order, days_of

CATALOGUE = read_catalogue(Path(__file__).parents[2] / "sql")
MARTS = sorted(
    CATALOGUE.layer("mart"), key=lambda table: any(ref.layer == "mart" for ref in table.depends_on)
)
"""Those that read other marts last."""

FIRST = date(2025, 11, 20)
SIZES = (1, 4, 15, 60, 200)
DEAREST = 2_147_483_647  # won: the most that the contract holds
ONE_WON_FIRST = [(FIRST, 1, 10, 1, 1, "paid"), (FIRST + timedelta(1), 1, 10, 1, DEAREST, "paid")]
LOST_ONLY = [(FIRST, 1, 10, 1, 5, "cancelled"), (FIRST, 2, 10, 1, 5, "returned")]


def small_shop(seed: int, orders: int) -> HandMadeShop:
    """Some orders of few customers and products in five months, at few prices, of every fate."""
    random = np.random.default_rng(seed)

    def draw(most: int) -> list[int]:
        found: list[int] = random.integers(0, most, orders).tolist()
        return found

    fates = sorted(EVENTS)
    made: list[Order] = [
        (FIRST + timedelta(days=day), 1 + who, 10 + what, 1 + many, price, fates[fate])
        for day, who, what, many, price, fate in zip(
            draw(150), draw(14), draw(4), draw(3), draw(7), draw(len(fates)), strict=True
        )
    ]
    # Baskets: some customers take another product, or the same again, on the same day.
    made += [(day, who, 10 + (what + 1) % 4, 1, 3, "paid") for day, who, what, *_ in made[::3]]
    return HandMadeShop(made, customers=range(12, 18))


SHOPS = {
    **{f"{orders} orders": small_shop(orders, orders) for orders in SIZES},
    "nothing kept": HandMadeShop(LOST_ONLY),
    "far prices": HandMadeShop(ONE_WON_FIRST),
}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """A Redshift with the tables of the shop, empty."""
    with Engine() as made:
        for schema in ("warehouse", "mart"):
            made.execute(f"create schema {schema}")
        for table in (*CATALOGUE.layer("raw"), *MARTS):
            made.execute(ddl.redshift_create(table))
        yield made


def fill(engine: Engine, shop: HandMadeShop) -> None:
    """Put the shop's rows into the warehouse and build every mart."""
    days = days_of(shop)
    products = np.unique(np.array([each[2] for each in shop.made]))
    columns = {
        "orders": "order_id, customer_id, product_id, order_date, quantity, unit_price, amount,"
        " status, channel, created_at, updated_at",
        "customers": "customer_id, full_name, email, locale, city, address, signup_date,"
        " accepts_marketing, created_at, updated_at",
        "products": "product_id, sku, product_name, category, brand, unit_price, is_active,"
        " launched_date, created_at, updated_at",
    }
    values = {
        "orders": [
            f"({number}, {who}, {what}, '{day}', {many}, {price}, {many * price}, '{status}', 'web',"
            f" '{day}', '{day}')"
            for number, (day, who, what, many, price, status) in enumerate(shop.made)
            if status != "deleted"
        ],
        "customers": [
            f"({number}, 'N', '{number}@example.com', 'ko_KR', 'C', 'A', '{SIGNUP}', 0,"
            f" '{SIGNUP}', '{SIGNUP}')"
            for number in shop.customer_ids(days).tolist()
        ],
        "products": [
            f"({row['product_id']}, 'S', '{row['product_name']}', '{row['category']}',"
            f" '{row['brand']}', 5, 1, '{SIGNUP}', '{SIGNUP}', '{SIGNUP}')"
            for row in shop.products(products, days[-1]).to_pylist()
        ],
    }
    statements = []
    for name, rows in values.items():
        statements.append(f"delete from warehouse.{name}")
        statements.append(
            f"insert into warehouse.{name} ({columns[name]}) values {', '.join(rows)}"
        )
    for table in MARTS:
        statements.append(f"delete from {ddl.qualified(table.ref)}")
        statements.append(f"insert into {ddl.qualified(table.ref)}\n{table.sql}")
    engine.transaction(statements)


@pytest.fixture(scope="module", params=sorted(SHOPS))
def filled(request: pytest.FixtureRequest, engine: Engine) -> HandMadeShop:
    """Each small shop, in the warehouse."""
    shop = SHOPS[request.param]
    fill(engine, shop)
    return shop


def rows_of(engine: Engine, table: Table) -> truth.Rows:
    order = ", ".join(table.grain)
    result = engine.execute(f"select * from {ddl.qualified(table.ref)} order by {order}")
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


def test_every_mart_of_a_small_shop_is_true(engine: Engine, filled: HandMadeShop) -> None:
    for table in MARTS:
        if table.name != "order_details":  # its texts are the living shop's
            wanted = getattr(truth, table.name)(filled, days_of(filled))
            assert rows_of(engine, table) == wanted, table.name


def test_every_check_holds_in_a_small_shop(engine: Engine, filled: HandMadeShop) -> None:
    assert filled.made
    wrong = {check.claim: engine.execute(check.sql).rows for check in CATALOGUE.checks}
    assert {claim: rows for claim, rows in wrong.items() if rows} == {}


def test_the_small_shops_have_what_the_living_shop_lacks() -> None:
    shops = [(shop, days_of(shop)) for shop in SHOPS.values()]
    segments = {row["segment"] for each in shops for row in truth.customer_segments(*each)}
    assert len(segments) == 8, "a segment has no customer"
    prices = [row for each in shops for row in truth.price_history(*each)]
    assert any(row["previous_unit_price"] == 0 for row in prices)
    assert any((row["price_change"] or 0) < 0 for row in prices)
    months = [row for each in shops for row in truth.monthly_sales(*each)]
    assert any(row["average_order_amount"] is None for row in months)
    gaps = [row for each in shops for row in truth.cohort_retention(*each)]
    assert any(row["month_number"] > 2 for row in gaps)
    assert any(truth.product_pairs(*each) for each in shops)
