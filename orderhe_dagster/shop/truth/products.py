"""The marts of products: what each has sold, what is bought together, what it cost when."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from itertools import combinations
from typing import Any

import numpy as np

from orderhe_dagster.shop.calendar import date_of
from orderhe_dagster.shop.model import Shop
from orderhe_dagster.shop.truth.groups import (
    Rows,
    as_rows,
    dates,
    grouped,
    highest,
    hundredths,
    lowest,
    sums,
)
from orderhe_dagster.shop.truth.ledger import Ledger, ledger_of

_RECENT_DAYS = 30
_FEWEST_BASKETS = 2  # that a pair is shown for


def product_sales(shop: Shop, days: Sequence[date]) -> Rows:
    """The rows of `mart.product_sales` after these days were made."""
    ledger = ledger_of(shop, days)
    (product,), group = grouped(ledger.facts.product_id)
    ago = ledger.latest_day - ledger.facts.day if len(ledger) else ledger.facts.day
    recent = ledger.kept & (ago < _RECENT_DAYS)
    previous = ledger.kept & (ago >= _RECENT_DAYS) & (ago < 2 * _RECENT_DAYS)
    return as_rows(
        product_id=product,
        **ledger.product_texts(product, "product_name", "category", "brand"),
        **ledger.figures(group),
        net_amount=sums(group, ledger.amount_of(ledger.kept)),
        first_order_date=dates(lowest(group, ledger.facts.day)),
        last_order_date=dates(highest(group, ledger.facts.day)),
        recent_net_amount=sums(group, ledger.amount_of(recent)),
        previous_net_amount=sums(group, ledger.amount_of(previous)),
    )


def product_pairs(shop: Shop, days: Sequence[date]) -> Rows:
    """The rows of `mart.product_pairs` after these days were made."""
    ledger = ledger_of(shop, days)
    baskets = _baskets(ledger.where(ledger.kept))
    with_one = Counter(product for basket in baskets.values() for product in basket)
    with_both: dict[tuple[int, int], list[int]] = defaultdict(list)  # the customer of each basket
    for (customer, _), basket in baskets.items():
        for pair in combinations(sorted(basket), 2):
            with_both[pair].append(customer)
    pairs = sorted(
        pair for pair, customers in with_both.items() if len(customers) >= _FEWEST_BASKETS
    )
    one = np.array([pair[0] for pair in pairs], dtype=np.int64)
    other = np.array([pair[1] for pair in pairs], dtype=np.int64)
    return as_rows(
        product_id=one,
        other_product_id=other,
        product_name=ledger.product_texts(one, "product_name")["product_name"],
        other_product_name=ledger.product_texts(other, "product_name")["product_name"],
        basket_count=[len(with_both[pair]) for pair in pairs],
        customer_count=[len(set(with_both[pair])) for pair in pairs],
        product_basket_count=[with_one[pair[0]] for pair in pairs],
        other_basket_count=[with_one[pair[1]] for pair in pairs],
        lift=[
            hundredths(len(with_both[pair]) * len(baskets), with_one[pair[0]] * with_one[pair[1]])
            for pair in pairs
        ],
    )


def _baskets(ledger: Ledger) -> dict[tuple[int, int], set[int]]:
    """(customer, day) -> the products bought."""
    facts, baskets = ledger.facts, defaultdict[tuple[int, int], set[int]](set)
    bought = (facts.customer_id.tolist(), facts.day.tolist(), facts.product_id.tolist())
    for customer, day, product in zip(*bought, strict=True):
        baskets[customer, day].add(product)
    return baskets


def price_history(shop: Shop, days: Sequence[date]) -> Rows:
    """The rows of `mart.price_history` after these days were made."""
    ledger = ledger_of(shop, days)
    (product, day), group = grouped(ledger.facts.product_id, ledger.facts.day)
    selling_days = as_rows(
        product=product,
        day=day,
        price=lowest(group, ledger.facts.unit_price),
        orders=np.bincount(group),
        units=sums(group, ledger.facts.quantity),
    )
    texts = as_rows(**ledger.product_texts(product, "product_name", "category"))
    rows: Rows = []
    for on, text in zip(selling_days, texts, strict=True):
        known = bool(rows) and rows[-1]["product_id"] == on["product"]
        previous = rows[-1]["unit_price"] if known else None
        if previous != on["price"]:
            rows.append(_span(on, text, previous))
        rows[-1]["valid_to"] = date_of(on["day"])
        rows[-1]["order_count"] += on["orders"]
        rows[-1]["units_sold"] += on["units"]
    return rows


def _span(on: dict[str, Any], text: dict[str, Any], previous: int | None) -> dict[str, Any]:
    """A row that begins with this selling day, before its orders are counted."""
    change = None if previous is None else on["price"] - previous
    return {
        "product_id": on["product"],
        **text,
        "valid_from": date_of(on["day"]),
        "valid_to": None,
        "unit_price": on["price"],
        "previous_unit_price": previous,
        "price_change": change,
        "price_change_pct": hundredths(100 * change, previous)
        if change is not None and previous
        else None,
        "order_count": 0,
        "units_sold": 0,
    }
