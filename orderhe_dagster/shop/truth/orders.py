"""The marts of single orders and of where they stand, and the totals of the raw tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from orderhe_dagster.shop.model import Shop
from orderhe_dagster.shop.orders import CHANNELS
from orderhe_dagster.shop.truth.groups import Rows, as_rows, dates, grouped, sums
from orderhe_dagster.shop.truth.ledger import ledger_of


def order_details(shop: Shop, days: Sequence[date]) -> Rows:
    """The rows of `mart.order_details` after these days were made."""
    ledger = ledger_of(shop, days)
    facts = ledger.facts
    customer = ledger.customer_texts(facts.customer_id, "locale", "city", "signup_date")
    return as_rows(
        order_id=facts.order_id,
        order_date=dates(facts.day),
        customer_id=facts.customer_id,
        customer_locale=customer["locale"],
        customer_city=customer["city"],
        signup_date=customer["signup_date"],
        product_id=facts.product_id,
        **ledger.product_texts(facts.product_id, "product_name", "category", "brand"),
        channel=np.array(CHANNELS)[facts.channel],
        status=ledger.status,
        quantity=facts.quantity,
        unit_price=facts.unit_price,
        amount=ledger.amount,
        created_at=facts.created_at.astype("datetime64[us]"),
        updated_at=ledger.updated_at.astype("datetime64[us]"),
    )


def order_funnel(shop: Shop, days: Sequence[date]) -> Rows:
    """The rows of `mart.order_funnel` after these days were made."""
    ledger = ledger_of(shop, days)
    (day,), group = grouped(ledger.facts.day)
    return as_rows(
        order_date=dates(day),
        placed_count=np.bincount(group),
        waiting_count=sums(group, ledger.status == "paid"),
        shipped_count=sums(group, np.isin(ledger.status, ("shipped", "delivered", "returned"))),
        delivered_count=sums(group, np.isin(ledger.status, ("delivered", "returned"))),
        returned_count=sums(group, ledger.status == "returned"),
        cancelled_count=sums(group, ledger.status == "cancelled"),
    )


def totals(shop: Shop, days: Sequence[date]) -> dict[str, dict[str, int]]:
    """For each raw table, its rows and the sums of its numbers, after these days were made.

    `{"orders": {"rows": …, "quantity": …, "amount": …}, "customers": {"rows": …}, …}`; what holds
    for a raw table holds for its backup and its warehouse table.
    """
    ledger = ledger_of(shop, days)
    customers, products = shop.customer_ids(days), shop.product_ids(days)
    prices = ledger.product_texts(products, "unit_price")["unit_price"]
    return {
        "customers": {"rows": len(customers), "customer_id": int(customers.sum())},
        "products": {"rows": len(products), "unit_price": sum(prices)},
        "orders": {
            "rows": len(ledger),
            "quantity": int(ledger.facts.quantity.sum()),
            "amount": int(ledger.amount.sum()),
        },
    }
