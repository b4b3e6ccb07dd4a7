"""Customers and products: whoever an order names is there, with keys that hold and rows that age."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from orderhe_dagster.shop.model import Shop

DAYS = [date(2026, 5, 1) + timedelta(days=number) for number in range(120)]
END = DAYS[-1]
SHOP = Shop(seed=11, scale=0.4)


@pytest.fixture(scope="module")
def orders() -> list[dict[str, object]]:
    return SHOP.orders(DAYS, END + timedelta(days=40)).to_pylist()  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def customers() -> pa.Table:
    return SHOP.customers(SHOP.customer_ids(DAYS), END)


@pytest.fixture(scope="module")
def products() -> pa.Table:
    return SHOP.products(SHOP.product_ids(DAYS), END)


def test_columns_are_the_contracts(customers: pa.Table, products: pa.Table) -> None:
    assert ", ".join(customers.column_names) == (
        "customer_id, full_name, email, phone, birth_date, locale, city, address, signup_date,"
        " accepts_marketing, created_at, updated_at"
    )
    assert ", ".join(products.column_names) == (
        "product_id, sku, product_name, category, brand, unit_price, description, is_active,"
        " launched_date, created_at, updated_at"
    )
    for table, optional in ((customers, {"phone", "birth_date"}), (products, {"description"})):
        for name in table.column_names:
            assert (table.column(name).null_count > 0) == (name in optional), name


def test_texts_fit_the_contracts(customers: pa.Table, products: pa.Table) -> None:
    limits = {"full_name": 100, "email": 255, "phone": 32, "city": 80, "address": 255}
    limits |= {"sku": 20, "product_name": 200, "category": 40, "brand": 60, "description": 16_000}
    for table in (customers, products):
        for name in set(limits) & set(table.column_names):
            assert max(len(text or "") for text in table.column(name).to_pylist()) <= limits[name]


def test_every_customer_and_product_of_an_order_is_there_before_it(
    orders: list[dict[str, object]], customers: pa.Table, products: pa.Table
) -> None:
    people = {row["customer_id"]: row for row in customers.to_pylist()}
    goods = {row["product_id"]: row for row in products.to_pylist()}
    for order in orders:
        person, thing = people[order["customer_id"]], goods[order["product_id"]]
        assert person["signup_date"] <= order["order_date"]
        assert person["created_at"] <= order["created_at"]
        assert thing["launched_date"] <= order["order_date"]
        assert thing["created_at"] <= order["created_at"]


def test_keys_are_unique(customers: pa.Table, products: pa.Table) -> None:
    for table, names in ((customers, ("customer_id", "email")), (products, ("product_id", "sku"))):
        for name in names:
            values = table.column(name).to_pylist()
            assert len(set(values)) == len(values)


def test_people_are_loyal_and_not(orders: list[dict[str, object]]) -> None:
    counts = np.array(list(Counter(order["customer_id"] for order in orders).values()))
    assert 0.2 < (counts > 1).mean() < 0.7
    assert counts.max() > 10


def test_products_have_a_long_tail(orders: list[dict[str, object]]) -> None:
    counts = np.sort(list(Counter(order["product_id"] for order in orders).values()))[::-1]
    assert counts[: len(counts) // 5].sum() > 0.6 * counts.sum()
    assert len(counts) > 500
    assert counts[0] < 0.1 * counts.sum()


def test_seasons_move_departments() -> None:
    shares = []
    for month in (1, 7):
        days = [date(2026, month, day) for day in range(1, 29)]
        sold = SHOP.facts(days).product_id
        category = {
            row["product_id"]: row["category"]
            for row in SHOP.products(np.unique(sold), days[-1]).to_pylist()
        }
        shares.append(np.mean([category[number] == "Summer" for number in sold.tolist()]))
    assert shares[1] > 2 * shares[0]


def test_those_who_sign_up_are_customers_though_they_do_not_order() -> None:
    ordered = set(SHOP.facts(DAYS).customer_id.tolist())
    rows = SHOP.customers(SHOP.customer_ids(DAYS), END).to_pylist()
    idle = [row for row in rows if row["customer_id"] not in ordered]
    assert idle
    assert all(row["signup_date"] in DAYS for row in idle)


@pytest.mark.parametrize("what", ["customers", "products"])
def test_changed_says_exactly_which_rows_differ(what: str) -> None:
    ids = SHOP.customer_ids(DAYS) if what == "customers" else SHOP.product_ids(DAYS)
    rows, changed = getattr(SHOP, what), getattr(SHOP, f"changed_{what}")
    for later in (1, 60, 900):
        clock = END + timedelta(days=later)
        before, after = rows(ids, END).to_pylist(), rows(ids, clock).to_pylist()
        differ = [
            number
            for number, old, new in zip(ids.tolist(), before, after, strict=True)
            if old != new
        ]
        assert differ == changed(ids, END, clock).tolist()
        assert differ
    assert len(changed(ids, END, END)) == 0


@pytest.mark.parametrize("what", ["customers", "products"])
def test_a_row_that_changes_moves_its_updated_at(what: str) -> None:
    ids = SHOP.customer_ids(DAYS[:30]) if what == "customers" else SHOP.product_ids(DAYS[:30])
    before = getattr(SHOP, what)(ids, END).to_pylist()
    after = getattr(SHOP, what)(ids, END + timedelta(days=300)).to_pylist()
    for old, new in zip(before, after, strict=True):
        assert (old != new) == (old["updated_at"] < new["updated_at"])
        assert new["updated_at"] >= new["created_at"] == old["created_at"]


def test_customers_move_house_and_change_their_mind() -> None:
    ids = SHOP.customer_ids(DAYS[:30])
    before = SHOP.customers(ids, END).to_pylist()
    after = SHOP.customers(ids, END + timedelta(days=700)).to_pylist()
    changed = {
        name
        for old, new in zip(before, after, strict=True)
        for name in old
        if old[name] != new[name]
    }
    assert changed == {"city", "address", "accepts_marketing", "updated_at"}


def test_the_price_of_an_order_is_the_lists_or_a_sales(orders: list[dict[str, object]]) -> None:
    day = date(2026, 5, 20)  # no sale
    sold = [order for order in orders if order["order_date"] == day]
    listed = {
        row["product_id"]: row["unit_price"]
        for row in SHOP.products(SHOP.product_ids([day]), day).to_pylist()
    }
    assert sold
    assert all(order["unit_price"] == listed[order["product_id"]] for order in sold)
    sale = date(2026, 7, 12)
    listed = {
        row["product_id"]: row["unit_price"]
        for row in SHOP.products(SHOP.product_ids([sale]), sale).to_pylist()
    }
    ratios = [
        order["unit_price"] / listed[order["product_id"]]  # type: ignore[operator]
        for order in orders
        if order["order_date"] == sale
    ]
    assert min(ratios) == pytest.approx(0.8, abs=0.01)
    assert max(ratios) == 1.0


def test_inactive_products_are_no_longer_sold() -> None:
    ids = SHOP.product_ids(DAYS)
    rows = SHOP.products(ids, END).to_pylist()
    retired = {row["product_id"] for row in rows if not row["is_active"]}
    assert retired
    later = [END + timedelta(days=number) for number in range(1, 60)]
    assert not retired & set(SHOP.facts(later).product_id.tolist())


def test_people_come_from_both_locales_and_need_no_backslash(customers: pa.Table) -> None:
    rows = customers.to_pylist()
    assert {row["locale"] for row in rows} == {"ko_KR", "en_US"}
    assert all(("가" <= row["full_name"][0] <= "힣") == (row["locale"] == "ko_KR") for row in rows)
    assert any("\n" in row["address"] for row in rows)
    # What is updated in place is written as SQL text, which must be the same in MySQL and DuckDB.
    assert not any("\\" in row["address"] + row["city"] for row in rows)


def test_product_names_are_awkward() -> None:
    ids = Shop(seed=1).product_ids([date(2026, 1, 1) + timedelta(days=n) for n in range(200)])
    names = Shop(seed=1).products(ids, END).column("product_name").to_pylist()
    for wanted in ("🎁", '"', "'", "\\", "☕️"):
        assert any(wanted in name for name in names), wanted
    assert any(name[0] in "=+-@" for name in names)
