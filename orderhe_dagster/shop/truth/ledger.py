"""What is there at the clock: the orders, with what is not in the facts, and what a product is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orderhe_dagster.shop.calendar import midnight, number_of
from orderhe_dagster.shop.draws import Ints
from orderhe_dagster.shop.model import Shop
from orderhe_dagster.shop.orders import OrderFacts
from orderhe_dagster.shop.truth.groups import distinct_counts, sums

_STATUSES = np.array(["paid", "shipped", "delivered", "cancelled", "returned"])
_LOST = ("cancelled", "returned")


@dataclass(frozen=True)
class Ledger:
    """The orders that are there at the clock, one an element, by order_id. Amounts are won."""

    shop: Shop
    days: tuple[date, ...]
    facts: OrderFacts
    status: NDArray[np.str_]
    amount: Ints
    updated_at: Ints

    def __len__(self) -> int:
        return len(self.facts)

    @property
    def clock(self) -> date:
        """The latest day made. ValueError where none was."""
        return max(self.days)

    @property
    def latest_day(self) -> int:
        """The latest day that has an order. ValueError where none has."""
        return int(self.facts.day.max())

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which orders are neither cancelled nor returned."""
        return ~np.isin(self.status, _LOST)

    def where(self, chosen: NDArray[np.bool_]) -> Ledger:
        """Only the orders for which `chosen` is true."""
        return replace(
            self,
            facts=self.facts.where(chosen),
            status=self.status[chosen],
            amount=self.amount[chosen],
            updated_at=self.updated_at[chosen],
        )

    def amount_of(self, chosen: NDArray[np.bool_]) -> Ints:
        """Each order's amount where `chosen` is true, else 0."""
        return np.where(chosen, self.amount, 0)

    def figures(self, group: Ints) -> dict[str, Ints]:
        """The counts and sums that the marts of sales begin with, by group of orders."""
        return {
            "order_count": np.bincount(group),
            "customer_count": distinct_counts(group, self.facts.customer_id),
            "units_sold": sums(group, self.facts.quantity),
            "gross_amount": sums(group, self.amount),
        }

    def product_texts(self, ids: Ints, *names: str) -> dict[str, list[Any]]:
        """These columns of the products, one value for each of the ids."""
        if not len(ids):
            return {name: [] for name in names}
        return _texts(self.shop.products(np.unique(ids), self.clock), "product_id", ids, names)

    def customer_texts(self, ids: Ints, *names: str) -> dict[str, list[Any]]:
        """These columns of the customers, one value for each of the ids."""
        if not len(ids):
            return {name: [] for name in names}
        return _texts(self.shop.customers(np.unique(ids), self.clock), "customer_id", ids, names)


def ledger_of(shop: Shop, days: Sequence[date]) -> Ledger:
    """What is there after these days were made."""
    facts = shop.facts(days)
    end = midnight(number_of(max(days)) + 1, shop.time_zone) if days else 0
    facts = facts.where((facts.entered_at < end) & ~(facts.deleted_at < end))
    events = [facts.returned_at, facts.cancelled_at, facts.delivered_at, facts.shipped_at]
    happened = [event < end for event in events]
    latest = np.select(happened, events, facts.created_at)
    return Ledger(
        shop=shop,
        days=tuple(days),
        facts=facts,
        status=_STATUSES[np.select(happened, [4, 3, 2, 1], 0)],
        amount=facts.quantity * facts.unit_price,
        updated_at=np.maximum(latest, facts.entered_at),
    )


def _texts(table: Any, key: str, ids: Ints, names: Sequence[str]) -> dict[str, list[Any]]:
    rows = {row[key]: row for row in table.select([key, *names]).to_pylist()}
    numbers = ids.tolist()
    return {name: [rows[number][name] for number in numbers] for name in names}
