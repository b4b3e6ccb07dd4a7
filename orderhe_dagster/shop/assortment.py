"""What the shop sells: which products are on the shelves and what they cost. No orders.

The shelf has a fixed number of places. In each, one product follows another: product
`1000 x generation + place` is sold from its launch until the next generation takes the place over.
A place has a popularity (a long tail); a product has a base price and a few price changes a year.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from orderhe_dagster.shop.calendar import FIRST_DAY, MEMORY_DAYS, Calendar, instants, number_of
from orderhe_dagster.shop.draws import (
    Floats,
    Ints,
    Keys,
    Table,
    choose,
    distinct,
    keys,
    uniform,
    whole,
)
from orderhe_dagster.shop.words import (
    ADJECTIVES,
    BRANDS,
    DEPARTMENTS,
    DESCRIPTIONS,
    ODD_NAMES,
    TAILS,
)

if TYPE_CHECKING:
    import pyarrow as pa

PLACES = 900
_ORIGIN = number_of(FIRST_DAY) - MEMORY_DAYS
_PRICE_POINTS = 64
_PRICE_FACTORS = np.array([0.88, 0.92, 0.95, 0.97, 1.00, 1.00, 1.03, 1.05, 1.08, 1.12])
_OPENING = 4.0 / 24  # prices and shelves change at four in the morning


@dataclass(frozen=True)
class _Names:
    name: str
    brand: str
    description: str | None


class Assortment:
    """The products of one shop."""

    def __init__(self, seed: int, calendar: Calendar, time_zone: str) -> None:
        self._seed, self._calendar, self._time_zone = seed, calendar, time_zone
        self._known: dict[int, _Names] = {}
        places = np.arange(PLACES, dtype=np.int64)
        random = keys(seed, "place", places)
        self._life_days: Ints = whole(random, "life", 400, 1600)
        self._phase: Ints = _ORIGIN - (uniform(random, "phase") * self._life_days).astype(np.int64)
        shares = Table([department.share for department in DEPARTMENTS])
        self.department: Ints = shares.pick(uniform(random, "department"))
        # Popularity falls with the place's rank in a shuffled order: a blunt Zipf curve.
        rank = np.argsort(np.argsort(random))
        weight = 1.0 / (rank + 4.0)
        months = np.array([department.season for department in DEPARTMENTS]).T
        tops: Floats = np.cumsum(weight * months[:, self.department], axis=1)
        tops /= tops[:, -1:]
        tops[:, -1] = 1.0
        self._tops = (tops + np.arange(12)[:, None]).ravel()
        grids = [
            np.rint(np.geomspace(each.low_won, each.high_won, _PRICE_POINTS) / 100) * 100
            for each in DEPARTMENTS
        ]
        self._price_grid: Ints = np.array(grids).astype(np.int64)

    def sold(self, days: Ints, uniforms: Floats) -> Ints:
        """Find the product that each number in [0, 1) falls on, among those on sale on its day."""
        months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
        column = np.searchsorted(self._tops, months + uniforms, side="right").astype(np.int64)
        place = np.minimum(column - months * PLACES, PLACES - 1)
        return self._product(place, days)

    def launched(self, days: Ints) -> Ints:
        """Name the products whose first day on sale is one of these days, sorted."""
        first, place = np.nonzero((days[:, None] - self._phase) % self._life_days == 0)
        return distinct(self._product(place.astype(np.int64), days[first]))

    def _product(self, place: Ints, days: Ints) -> Ints:
        generation = (days - self._phase[place]) // self._life_days[place]
        return (generation + 1) * 1000 + place

    def launch_day(self, products: Ints) -> Ints:
        """Tell the first day on sale."""
        place = products % 1000
        return self._phase[place] + (products // 1000 - 1) * self._life_days[place]

    def end_day(self, products: Ints) -> Ints:
        """Tell the first day no longer on sale."""
        return self.launch_day(products) + self._life_days[products % 1000]

    def _last_price_day(self, products: Ints, random: Keys, days: Ints) -> Ints:
        """Tell the latest day on or before `days` on which the list price was set."""
        launch = self.launch_day(products)
        period = whole(random, "price period", 60, 200)
        return launch + (days - launch) // period * period

    def list_price(self, products: Ints, days: Ints) -> Ints:
        """Tell the price of one on a day, before any sale, in won; a multiple of 100."""
        random = keys(self._seed, "product", products)
        price = self._price_grid[
            self.department[products % 1000], whole(random, "price point", 0, _PRICE_POINTS - 1)
        ]
        since = self._last_price_day(products, random, days)
        step = whole(
            keys(self._seed, "price", products, since), "factor", 0, len(_PRICE_FACTORS) - 1
        )
        dearer = 1.0 + 0.02 * (since - 18_262) / 365.25  # two percent a year, from 2020-01-01
        result: Ints = (
            np.maximum(np.rint(price * _PRICE_FACTORS[step] * dearer / 100), 1).astype(np.int64)
            * 100
        )
        return result

    def price(self, products: Ints, days: Ints) -> Ints:
        """Tell what one costs on a day, the day's sale included, in won; a multiple of 10."""
        at = self._calendar.at(days)
        chance = uniform(keys(self._seed, "sale", products, self._calendar.campaign[at]), "in")
        off = np.where(chance < 0.6, self._calendar.discount_pct[at], 0)
        # Whole numbers all the way: (price / 100) x (100 - off) is exact, then down to tens.
        result: Ints = self.list_price(products, days) // 100 * (100 - off) // 10 * 10
        return result

    def state(self, products: Ints, clock: int) -> tuple[Ints, Ints, Ints]:
        """List price, 1 if on sale, and the day of the last change, at the end of day `clock`.

        After its last day a product keeps its last price.
        """
        end = self.end_day(products)
        priced = np.minimum(clock, end - 1)
        random = keys(self._seed, "product", products)
        changed = self._last_price_day(products, random, priced)
        return (
            self.list_price(products, priced),
            (clock < end).astype(np.int64),
            np.where(clock < end, changed, end),
        )

    def rows(self, products: Ints, clock: int) -> pa.Table:
        """Make the contract's rows of these products at the end of day `clock`, columns in its order."""
        import pyarrow as pa

        price, active, changed = self.state(products, clock)
        launch = self.launch_day(products)
        written = instants(launch, np.zeros(len(launch)), self._time_zone)
        opened = instants(changed, np.full(len(changed), _OPENING), self._time_zone)
        names = [self._names(product) for product in products.tolist()]
        departments = [DEPARTMENTS[index].name for index in self.department[products % 1000]]
        return pa.table(
            {
                "product_id": pa.array(products, pa.int32()),
                "sku": pa.array([f"OH-{product:06d}" for product in products.tolist()]),
                "product_name": pa.array([each.name for each in names], pa.string()),
                "category": pa.array(departments, pa.string()),
                "brand": pa.array([each.brand for each in names], pa.string()),
                "unit_price": pa.array(price, pa.int32()),
                "description": pa.array([each.description for each in names], pa.string()),
                "is_active": pa.array(active, pa.int8()),
                "launched_date": pa.array(launch.astype(np.int32), pa.date32()),
                "created_at": pa.array(written, pa.timestamp("us")),
                "updated_at": pa.array(np.maximum(written, opened), pa.timestamp("us")),
            }
        )

    def _names(self, product: int) -> _Names:
        if product not in self._known:
            self._known[product] = self._name(product)
        return self._known[product]

    def _name(self, product: int) -> _Names:
        random = keys(self._seed, "product", np.array([product], dtype=np.int64))

        def one(options: tuple[str, ...] | tuple[str | None, ...], stream: str) -> str:
            return str(choose(options, random, stream)[0] or "")

        description: str | None = choose(DESCRIPTIONS, random, "description")[0]
        brand = one(BRANDS, "brand")
        if uniform(random, "odd")[0] < 0.02:
            return _Names(one(ODD_NAMES, "odd name"), brand, description)
        noun = one(DEPARTMENTS[int(self.department[product % 1000])].nouns, "noun")
        words = (brand, one(ADJECTIVES, "adjective"), noun, one(TAILS, "tail"))
        return _Names(" ".join(word for word in words if word), brand, description)
