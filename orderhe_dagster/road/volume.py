"""Whether a day has as many rows as its weekday usually has. No model beyond that: holidays are told too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from orderhe_dagster.errors import counted

WEEKS = 8
"""How many of the same weekday before a day say what is usual."""
FEWEST = 4
"""Of fewer than that nothing is said."""
LEAST, MOST, ROWS = 2, 3, 10
"""How far a day may leave the range of those: half the least, thrice the most, ten rows in any case."""


@dataclass(frozen=True)
class Unusual:
    """A day whose number of rows is out of its usual range, `low` to `high` of the `days` before."""

    day: date
    rows: int
    low: int
    high: int
    days: int

    def __str__(self) -> str:
        usual = f"{self.low:,} to {self.high:,}" if self.low < self.high else f"{self.low:,}"
        return (
            f"{self.day} has {counted(self.rows, 'row')}, the {self.days} {self.day:%A}s before it "
            f"had {usual}"
        )


def unusual(rows: Mapping[date, int], days: Iterable[date]) -> list[Unusual]:
    """Those of `days` that leave the range of the same weekday's past, the latest first.

    `rows`: how many there are of each day that is known.
    """
    found = []
    for day in sorted(set(days) & rows.keys(), reverse=True):
        earlier = (day - timedelta(weeks=weeks) for weeks in range(1, WEEKS + 1))
        past = [rows[one] for one in earlier if one in rows]
        if len(past) < FEWEST:
            continue
        low, high, held = min(past), max(past), rows[day]
        too_few = held * LEAST < low and low - held > ROWS
        too_many = held > high * MOST and held - high > ROWS
        if too_few or too_many:
            found.append(Unusual(day, held, low, high, len(past)))
    return found
