"""The living shop: its state as a pure function of seed, days and clock. Nothing is written here.

The clock is the latest day made. Whatever the order in which days are made, alone or in ranges,
once or again, the same rows come out: every row is computed from (seed, day or id, clock) alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from orderhe_dagster.shop.assortment import Assortment
from orderhe_dagster.shop.calendar import Calendar, number_of, numbers_of
from orderhe_dagster.shop.draws import Ints, distinct
from orderhe_dagster.shop.orders import (
    HORIZON_DAYS,
    OrderFacts,
    World,
    order_facts,
    order_rows,
    visible,
)
from orderhe_dagster.shop.people import People

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["HORIZON_DAYS", "RULES", "Shop"]

RULES = 1
"""Goes up when the same seed gives other rows: a shop made by other rules cannot be carried on."""


@dataclass(frozen=True)
class Shop:
    """One simulated shop. `scale` multiplies its size: 1.0 is about 480 orders a day in 2026.

    Tables have the columns of the contracts in `sql/raw`, in their order, and hold the rows as they
    stand at the end of day `clock`. ValueError for a scale or a day outside the shop's bounds.
    """

    seed: int = 1
    scale: float = 1.0
    time_zone: str = "Asia/Seoul"

    def __post_init__(self) -> None:
        if not 0.001 <= self.scale <= 500:
            raise ValueError(f"scale {self.scale}: choose one from 0.001 to 500")
        if not -(2**63) <= self.seed < 2**63:
            raise ValueError(f"seed {self.seed}: choose a number that a BIGINT holds")

    @cached_property
    def _calendar(self) -> Calendar:
        return Calendar(self.seed, self.scale)

    @cached_property
    def _people(self) -> People:
        return People(self.seed, self._calendar, self.time_zone)

    @cached_property
    def _assortment(self) -> Assortment:
        return Assortment(self.seed, self._calendar, self.time_zone)

    def facts(self, days: Iterable[date]) -> OrderFacts:
        """Draw everything that ever happens to the orders of these days, in order of order_id."""
        world = World(self.seed, self._calendar, self._people, self._assortment, self.time_zone)
        return order_facts(world, numbers_of(days))

    def orders(
        self, days: Iterable[date], clock: date, facts: OrderFacts | None = None
    ) -> pa.Table:
        """Make the rows of the orders of these days that are there, in order of order_id."""
        known = self.facts(days) if facts is None else facts
        return order_rows(known, number_of(clock), self.time_zone)

    def changed_orders(
        self, days: Iterable[date], after: date, clock: date
    ) -> tuple[Ints, pa.Table]:
        """Tell how the orders of these days differ between the clocks `after` and `clock`.

        First the ids of rows that were there and are changed or gone; then the rows that are new or
        changed, as they stand at `clock`.
        """
        facts = self.facts(days)
        old = visible(facts, number_of(after), self.time_zone)
        new = visible(facts, number_of(clock), self.time_zone)
        # A status never changes without the time of the last change.
        moved = (old.present != new.present) | (old.updated_at != new.updated_at)
        gone = facts.order_id[moved & old.present]
        fresh = facts.where(moved & new.present)
        return gone, order_rows(fresh, number_of(clock), self.time_zone)

    def customer_ids(self, days: Iterable[date], facts: OrderFacts | None = None) -> Ints:
        """Name the customers that these days need: who ordered or signed up; sorted, each once.

        `facts` of the same days, where they are at hand, save making them again.
        """
        days = list(days)
        ordered = (self.facts(days) if facts is None else facts).customer_id
        return distinct(self._people.joined(numbers_of(days)), ordered)

    def product_ids(self, days: Iterable[date], facts: OrderFacts | None = None) -> Ints:
        """Name the products that these days need: what was ordered or launched; sorted, each once."""
        days = list(days)
        ordered = (self.facts(days) if facts is None else facts).product_id
        return distinct(self._assortment.launched(numbers_of(days)), ordered)

    def customers(self, ids: Ints, clock: date) -> pa.Table:
        """Make the rows of these customers, in the order given."""
        return self._people.rows(ids, number_of(clock))

    def products(self, ids: Ints, clock: date) -> pa.Table:
        """Make the rows of these products, in the order given."""
        return self._assortment.rows(ids, number_of(clock))

    def changed_customers(self, ids: Ints, after: date, clock: date) -> Ints:
        """Pick those of the ids whose row differs between the clocks `after` and `clock`."""
        first, last = number_of(after), number_of(clock)
        changed = np.zeros(len(ids), dtype=bool)
        for days in self._people.changes(ids):
            changed |= (days > first) & (days <= last)
        return ids[changed]

    def changed_products(self, ids: Ints, after: date, clock: date) -> Ints:
        """Pick those of the ids whose row differs between the clocks `after` and `clock`."""
        before = self._assortment.state(ids, number_of(after))[2]
        result: Ints = ids[before != self._assortment.state(ids, number_of(clock))[2]]
        return result
