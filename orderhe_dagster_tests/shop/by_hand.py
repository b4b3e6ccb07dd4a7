"""A shop of a few orders made by hand, as the simulated shop would tell of them. No test is here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from orderhe_dagster.shop.calendar import midnight, number_of
from orderhe_dagster.shop.draws import Ints
from orderhe_dagster.shop.model import Shop
from orderhe_dagster.shop.orders import OrderFacts
from orderhe_dagster.shop.people import NEVER

if TYPE_CHECKING:
    import pyarrow as pa

Order = tuple[date, int, int, int, int, str]
"""Day, customer, product, quantity, price of one, status."""

EVENTS = {
    "paid": (),
    "shipped": ("shipped_at",),
    "delivered": ("shipped_at", "delivered_at"),
    "cancelled": ("cancelled_at",),
    "returned": ("shipped_at", "delivered_at", "returned_at"),
    "deleted": ("deleted_at",),
}
SIGNUP = date(2025, 12, 24)
"""The day on which all of its customers opened their account."""


class HandMadeShop(Shop):
    """A shop that has had these orders, and customers of these numbers."""

    def __init__(self, orders: Iterable[Order], customers: Iterable[int] = ()) -> None:
        super().__init__()
        object.__setattr__(self, "made", sorted(orders))
        object.__setattr__(self, "accounts", set(customers))

    made: list[Order]
    accounts: set[int]

    def facts(self, days: Iterable[date]) -> OrderFacts:
        known = set(days)
        made = [each for each in self.made if each[0] in known]
        day = np.array([number_of(each[0]) for each in made], dtype=np.int64)
        created = np.array([midnight(each, self.time_zone) for each in day.tolist()], np.int64)

        def at(event: str) -> Ints:
            happened = [event in EVENTS[each[5]] for each in made]
            return np.where(np.array(happened, dtype=bool), created + 60_000_000, NEVER)

        def given(place: int) -> Ints:
            return np.array([each[place] for each in made], dtype=np.int64)

        return OrderFacts(
            order_id=np.arange(len(made)),
            day=day,
            customer_id=given(1),
            product_id=given(2),
            quantity=given(3),
            unit_price=given(4),
            channel=np.zeros(len(made), np.int64),
            note=np.zeros(len(made), np.int64),
            created_at=created,
            entered_at=created,
            shipped_at=at("shipped_at"),
            delivered_at=at("delivered_at"),
            returned_at=at("returned_at"),
            cancelled_at=at("cancelled_at"),
            deleted_at=at("deleted_at"),
        )

    def customer_ids(self, days: Iterable[date], facts: OrderFacts | None = None) -> Ints:
        return np.array(sorted(self.accounts | {each[1] for each in self.made}), dtype=np.int64)

    def customers(self, ids: Ints, clock: date) -> pa.Table:
        import pyarrow as pa

        return pa.table({"customer_id": ids, "signup_date": [SIGNUP] * len(ids)})

    def products(self, ids: Ints, clock: date) -> pa.Table:
        import pyarrow as pa

        return pa.table(
            {
                "product_id": ids,
                "product_name": [f"Thing {number}" for number in ids.tolist()],
                "category": ["Odd" if number % 2 else "Even" for number in ids.tolist()],
                "brand": ["Ours"] * len(ids),
            }
        )


def days_of(shop: HandMadeShop) -> list[date]:
    return sorted({each[0] for each in shop.made})
