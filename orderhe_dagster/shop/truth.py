"""The truth ledger: what the marts must show, computed with NumPy from the facts. No SQL, no Arrow kernels.

It shares the facts with the tables that are written, but not the way from there: what shows at the
clock and every sum are computed here a second time. The clock is the latest of the days made. Rows
are plain dicts whose keys are the columns of the mart, ordered by its grain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orderhe_dagster.shop.calendar import midnight, number_of
from orderhe_dagster.shop.draws import Ints
from orderhe_dagster.shop.model import Shop
from orderhe_dagster.shop.orders import CHANNELS, OrderFacts

Rows = list[dict[str, Any]]

_STATUSES = np.array(["paid", "shipped", "delivered", "cancelled", "returned"])


@dataclass(frozen=True)
class _Ledger:
    """The orders that are there at the clock, with what is not in the facts."""

    facts: OrderFacts
    status: NDArray[np.str_]
    amount: Ints
    updated_at: Ints

    def amount_of(self, *statuses: str) -> Ints:
        """Each order's amount where it has one of the statuses, else 0."""
        return np.where(np.isin(self.status, statuses), self.amount, 0)


def daily_sales(shop: Shop, days: Sequence[date]) -> Rows:
    """The rows of `mart.daily_sales` after these days were made."""
    ledger = _ledger(shop, days)
    group, figures = _sales(ledger, ledger.facts.day)
    cancelled = _sums(group, ledger.amount_of("cancelled"))
    returned = _sums(group, ledger.amount_of("returned"))
    return _rows(
        order_date=_dates(np.unique(ledger.facts.day)),
        **figures,
        cancelled_amount=cancelled,
        returned_amount=returned,
        net_amount=figures["gross_amount"] - cancelled - returned,
    )


def product_sales(shop: Shop, days: Sequence[date]) -> Rows:
    """The rows of `mart.product_sales` after these days were made."""
    ledger = _ledger(shop, days)
    facts = ledger.facts
    group, figures = _sales(ledger, facts.product_id)
    products = np.unique(facts.product_id)
    named = _by_id(shop.products(products, max(days)) if len(products) else None, "product_id")
    first = np.full(len(products), np.iinfo(np.int64).max)
    last = np.full(len(products), np.iinfo(np.int64).min)
    np.minimum.at(first, group, facts.day)
    np.maximum.at(last, group, facts.day)
    kept = ledger.amount_of("paid", "shipped", "delivered")
    return _rows(
        product_id=products,
        **_texts(named, products, ("product_name", "category", "brand")),
        **figures,
        net_amount=_sums(group, kept),
        first_order_date=_dates(first),
        last_order_date=_dates(last),
    )


def order_details(shop: Shop, days: Sequence[date]) -> Rows:
    """The rows of `mart.order_details` after these days were made."""
    ledger = _ledger(shop, days)
    facts = ledger.facts
    if not len(facts):
        return []
    customers = _by_id(shop.customers(np.unique(facts.customer_id), max(days)), "customer_id")
    products = _by_id(shop.products(np.unique(facts.product_id), max(days)), "product_id")
    customer = _texts(customers, facts.customer_id, ("locale", "city", "signup_date"))
    return _rows(
        order_id=facts.order_id,
        order_date=_dates(facts.day),
        customer_id=facts.customer_id,
        customer_locale=customer["locale"],
        customer_city=customer["city"],
        signup_date=customer["signup_date"],
        product_id=facts.product_id,
        **_texts(products, facts.product_id, ("product_name", "category", "brand")),
        channel=np.array(CHANNELS)[facts.channel],
        status=ledger.status,
        quantity=facts.quantity,
        unit_price=facts.unit_price,
        amount=ledger.amount,
        created_at=facts.created_at.astype("datetime64[us]"),
        updated_at=ledger.updated_at.astype("datetime64[us]"),
    )


def totals(shop: Shop, days: Sequence[date]) -> dict[str, dict[str, int]]:
    """For each raw table, its rows and the sums of its numbers, after these days were made.

    `{"orders": {"rows": …, "quantity": …, "amount": …}, "customers": {"rows": …}, …}`; what holds
    for a raw table holds for its backup and its warehouse table.
    """
    ledger = _ledger(shop, days)
    customers, products = shop.customer_ids(days), shop.product_ids(days)
    price = (
        [row["unit_price"] for row in shop.products(products, max(days)).to_pylist()]
        if days
        else []
    )
    return {
        "customers": {"rows": len(customers), "customer_id": int(customers.sum())},
        "products": {"rows": len(products), "unit_price": sum(price)},
        "orders": {
            "rows": len(ledger.facts),
            "quantity": int(ledger.facts.quantity.sum()),
            "amount": int(ledger.amount.sum()),
        },
    }


def _ledger(shop: Shop, days: Sequence[date]) -> _Ledger:
    facts = shop.facts(days)
    end = midnight(number_of(max(days)) + 1, shop.time_zone) if days else 0
    there = (facts.entered_at < end) & ~(facts.deleted_at < end)
    facts = facts.where(there)
    happened = [
        facts.returned_at < end,
        facts.cancelled_at < end,
        facts.delivered_at < end,
        facts.shipped_at < end,
    ]
    events = [facts.returned_at, facts.cancelled_at, facts.delivered_at, facts.shipped_at]
    latest = np.select(happened, events, facts.created_at)
    return _Ledger(
        facts=facts,
        status=_STATUSES[np.select(happened, [4, 3, 2, 1], 0)],
        amount=facts.quantity * facts.unit_price,
        updated_at=np.maximum(latest, facts.entered_at),
    )


def _sales(ledger: _Ledger, by: Ints) -> tuple[Ints, dict[str, Ints]]:
    """Each order's group, and the counts and sums that both sales marts begin with."""
    _, group = np.unique(by, return_inverse=True)
    pairs = np.unique(np.stack([group, ledger.facts.customer_id]), axis=1)
    figures = {
        "order_count": np.bincount(group),
        "customer_count": np.bincount(pairs[0]),
        "units_sold": _sums(group, ledger.facts.quantity),
        "gross_amount": _sums(group, ledger.amount),
    }
    return group, figures


def _sums(group: Ints, values: Ints) -> Ints:
    """The exact sum of the values of each group."""
    found = np.zeros(int(group.max()) + 1 if len(group) else 0, dtype=np.int64)
    np.add.at(found, group, values)
    return found


def _dates(days: Ints) -> NDArray[np.datetime64]:
    return days.astype("datetime64[D]")


def _by_id(table: Any, key: str) -> dict[int, dict[str, Any]]:
    return {} if table is None else {row[key]: row for row in table.to_pylist()}


def _texts(rows: dict[int, dict[str, Any]], ids: Ints, names: Sequence[str]) -> dict[str, Any]:
    numbers = ids.tolist()
    return {name: [rows[number][name] for number in numbers] for name in names}


def _rows(**columns: Any) -> Rows:
    """Columns of one length as a list of dicts of plain Python values."""
    plain = [each.tolist() if isinstance(each, np.ndarray) else each for each in columns.values()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*plain, strict=True)]
