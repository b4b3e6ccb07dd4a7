"""The marts of sales by day, by month and by category. No customer and no product of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from orderhe_dagster.shop.model import Shop
from orderhe_dagster.shop.truth.groups import (
    Rows,
    as_rows,
    dates,
    distinct_counts,
    first_days,
    grouped,
    month_of,
    rounded,
    sums,
)
from orderhe_dagster.shop.truth.ledger import ledger_of


def daily_sales(shop: Shop, days: Sequence[date]) -> Rows:
    """The rows of `mart.daily_sales` after these days were made."""
    ledger = ledger_of(shop, days)
    (day,), group = grouped(ledger.facts.day)
    return as_rows(
        order_date=dates(day),
        **ledger.figures(group),
        cancelled_amount=sums(group, ledger.amount_of(ledger.status == "cancelled")),
        returned_amount=sums(group, ledger.amount_of(ledger.status == "returned")),
        net_amount=sums(group, ledger.amount_of(ledger.kept)),
    )


def monthly_sales(shop: Shop, days: Sequence[date]) -> Rows:
    """The rows of `mart.monthly_sales` after these days were made."""
    ledger = ledger_of(shop, days)
    (month,), group = grouped(month_of(ledger.facts.day))
    net = sums(group, ledger.amount_of(ledger.kept))
    kept = sums(group, ledger.kept)
    return as_rows(
        order_month=first_days(month),
        day_count=distinct_counts(group, ledger.facts.day),
        **ledger.figures(group),
        cancelled_amount=sums(group, ledger.amount_of(ledger.status == "cancelled")),
        returned_amount=sums(group, ledger.amount_of(ledger.status == "returned")),
        net_amount=net,
        average_order_amount=[
            rounded(amount, orders) if orders else None
            for amount, orders in zip(net.tolist(), kept.tolist(), strict=True)
        ],
    )


def category_sales(shop: Shop, days: Sequence[date]) -> Rows:
    """The rows of `mart.category_sales` after these days were made."""
    ledger = ledger_of(shop, days)
    of_order = ledger.product_texts(ledger.facts.product_id, "category")["category"]
    (day, category), group = grouped(ledger.facts.day, np.array(of_order, dtype=np.str_))
    return as_rows(
        order_date=dates(day),
        category=category,
        **ledger.figures(group),
        net_amount=sums(group, ledger.amount_of(ledger.kept)),
    )
