"""How busy each day is and when it begins: seasons, growth, campaigns. No customer, no product.

Volume depends on the calendar date and the seed alone, never on today. Days are int64 numbers of
days since 1970-01-01 (`number_of`, `date_of`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from orderhe_dagster.shop.draws import Floats, Ints, bell, keys

EPOCH = date(1970, 1, 1)
FIRST_DAY = date(2000, 1, 1)
LAST_DAY = date(2099, 12, 31)
MEMORY_DAYS = 1500
"""How long after signing up a customer may come back; the tables begin that long before FIRST_DAY."""

ONE_DAY = timedelta(days=1)
_TABLE_START = (FIRST_DAY - EPOCH).days - MEMORY_DAYS - 1
_TABLE_END = (LAST_DAY - EPOCH).days + 1

# Monday first; people buy from the sofa on Sunday and at the desk on Monday.
_WEEK = np.array([1.12, 1.03, 1.00, 0.98, 0.92, 0.87, 1.08])
_YEAR = np.array([1.00, 0.93, 1.00, 1.00, 1.03, 0.98, 0.97, 0.95, 1.00, 1.02, 1.10, 1.06])
_PAYDAYS = (25, 26, 27)
_MEAN_SIGNUPS_PER_ORDER = 0.085
_MONTH_DAYS = 29.530588853
_NEW_MOON = (date(2000, 1, 6) - EPOCH).days + 0.76


@dataclass(frozen=True)
class Campaign:
    """A named sale: `volume` multiplies the day's orders, `discount_pct` is off some products."""

    name: str
    first: date
    last: date
    volume: float
    discount_pct: int


def number_of(day: date) -> int:
    """Days since 1970-01-01. ValueError for a day the shop has no calendar for."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"the shop has no {day}: choose days from {FIRST_DAY} to {LAST_DAY}")
    return (day - EPOCH).days


def date_of(number: int) -> date:
    """Tell the date that many days after 1970-01-01."""
    return EPOCH + timedelta(days=int(number))


def numbers_of(days: Iterable[date]) -> Ints:
    """Give the days as sorted numbers, each once."""
    return np.array(sorted({number_of(day) for day in days}), dtype=np.int64)


def _moon(after: date, phase_days: float) -> date:
    """Find the first mean new moon (`phase_days` 0) or full moon (half a month) on or after a date."""
    start = (after - EPOCH).days
    months = np.ceil((start - _NEW_MOON - phase_days) / _MONTH_DAYS)
    return EPOCH + timedelta(days=int(_NEW_MOON + phase_days + months * _MONTH_DAYS))


def campaigns(year: int) -> tuple[Campaign, ...]:
    """Name the sales of a year. The lunar feasts follow the mean moon: right to within two days."""
    seollal = _moon(date(year, 1, 21), 0.0)
    chuseok = _moon(date(year, 9, 8), _MONTH_DAYS / 2)
    friday = date(year, 11, 1)
    friday += timedelta(days=(4 - friday.weekday()) % 7 + 21)
    return (
        Campaign("New Year", date(year, 1, 1), date(year, 1, 3), 1.15, 10),
        Campaign("Seollal gifts", seollal - 12 * ONE_DAY, seollal - 4 * ONE_DAY, 1.45, 10),
        Campaign("Seollal holiday", seollal - ONE_DAY, seollal + ONE_DAY, 0.45, 0),
        Campaign("Family month", date(year, 5, 3), date(year, 5, 8), 1.30, 15),
        Campaign("Summer sale", date(year, 7, 10), date(year, 7, 16), 1.25, 20),
        Campaign("Chuseok gifts", chuseok - 12 * ONE_DAY, chuseok - 4 * ONE_DAY, 1.50, 10),
        Campaign("Chuseok holiday", chuseok - ONE_DAY, chuseok + ONE_DAY, 0.40, 0),
        Campaign("11/11", date(year, 11, 10), date(year, 11, 11), 2.60, 25),
        Campaign("Black Friday", friday, friday + 3 * ONE_DAY, 2.10, 30),
        Campaign("Year end", date(year, 12, 18), date(year, 12, 24), 1.30, 15),
    )


class Calendar:
    """The days of one shop. Arrays are indexed by `day - start`, from before FIRST_DAY to LAST_DAY.

    `orders`: orders placed on the day; `signups`: accounts opened; `first_customer`: the id of the
    first of them (ids rise with the day); `campaign`: number of the sale, -1 for none, unique over
    the years; `discount_pct`: what it takes off.
    """

    def __init__(self, seed: int, scale: float) -> None:
        self.start = _TABLE_START
        days = np.arange(_TABLE_START, _TABLE_END, dtype=np.int64)
        dates = days.astype("datetime64[D]")
        months = dates.astype("datetime64[M]").astype(np.int64)
        day_of_month = (dates - dates.astype("datetime64[M]")).astype(np.int64) + 1
        volume = _WEEK[(days + 3) % 7] * _YEAR[months % 12]  # 1970-01-01 was a Thursday
        volume[np.isin(day_of_month, _PAYDAYS)] *= 1.05
        self.campaign: Ints = np.full(days.shape, -1, dtype=np.int64)
        self.discount_pct: Ints = np.zeros(days.shape, dtype=np.int64)
        for year in range(date_of(_TABLE_START).year + 1, LAST_DAY.year + 1):
            for number, sale in enumerate(campaigns(year)):
                span = slice(
                    (sale.first - EPOCH).days - self.start,
                    (sale.last - EPOCH).days - self.start + 1,
                )
                volume[span] *= sale.volume
                self.campaign[span] = year * 100 + number
                self.discount_pct[span] = sale.discount_pct
        years = 1970 + days / 365.2425
        level = 220 + 278 / (1 + np.exp(-0.41 * (years - 2022.0)))  # orders a day; saturates
        mean = scale * level * volume
        random = keys(seed, "day", days)
        busy = mean * (1 + 0.04 * bell(random, "weather")) + np.sqrt(mean) * bell(random, "chance")
        self.orders: Ints = np.maximum(np.rint(busy), 0).astype(np.int64)
        joining = _MEAN_SIGNUPS_PER_ORDER * mean
        joining = joining + np.sqrt(joining) * bell(random, "signups")
        self.signups: Ints = np.maximum(np.rint(joining), 0).astype(np.int64)
        # A few people before the first day, however small the scale: somebody must come back.
        self.signups[0] += 20
        self.first_customer: Ints = 1_000 + np.cumsum(self.signups) - self.signups

    def at(self, days: Ints) -> Ints:
        """Where the days stand in the arrays."""
        return days - self.start


@lru_cache(maxsize=1 << 16)
def midnight(day: int, time_zone: str) -> int:
    """Tell the instant a day begins in a zone: microseconds since 1970-01-01 UTC."""
    local = datetime.combine(date_of(day), time.min, ZoneInfo(time_zone))
    since = local.astimezone(timezone.utc) - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return since // timedelta(microseconds=1)


def instants(days: Ints, fractions: Floats, time_zone: str) -> Ints:
    """Instants (UTC microseconds) that lie the given fractions, in [0, 1), into the local days."""
    if not len(days):
        return np.zeros(0, dtype=np.int64)
    low, high = int(days.min()), int(days.max())
    starts = np.array([midnight(day, time_zone) for day in range(low, high + 2)], dtype=np.int64)
    begin, length = starts[:-1], np.diff(starts)
    into = (fractions * length[days - low]).astype(np.int64)
    result: Ints = begin[days - low] + np.minimum(into, length[days - low] - 1)
    return result
