"""Days of a shop and the bounds they have in a partition column. No clock is read here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from orderhe_dagster.catalog.table import Table

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Window:
    """Whole days of the shop, half open: `start` is in, `end` is not."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"an empty window: {self.start} is not before {self.end}")

    def __iter__(self) -> Iterator[date]:
        day = self.start
        while day < self.end:
            yield day
            day += ONE_DAY

    def __len__(self) -> int:
        return (self.end - self.start).days

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.start <= day < self.end

    def __str__(self) -> str:
        last = self.end - ONE_DAY
        return str(self.start) if last == self.start else f"{self.start}...{last}"

    @classmethod
    def of(cls, first: date, last: date | None = None) -> Window:
        """The window from `first` to `last`, both included; one day when `last` is not given."""
        return cls(first, (last or first) + ONE_DAY)


def windows(days: Iterable[date]) -> list[Window]:
    """The fewest windows that hold exactly these days, in order."""
    result: list[Window] = []
    for day in sorted(set(days)):
        if result and result[-1].end == day:
            result[-1] = Window(result[-1].start, day + ONE_DAY)
        else:
            result.append(Window(day, day + ONE_DAY))
    return result


def bound(table: Table, day: date) -> str:
    """The first value of `table`'s partition column that belongs to `day`, as SQL text.

    A DATE is compared with a date; a DATETIME is wall-clock time in the shop's zone, so its day
    begins at 00:00; a TIMESTAMP is an instant in UTC, so its day begins at the shop's midnight
    (a day of 23 or 25 hours where the clocks change). Upper bounds use the next day's value.
    """
    if table.partition is None:
        raise ValueError(f"{table.ref} has no partition column")
    kind = table.column(table.partition).type
    if kind.kind == "date":
        return f"'{day.isoformat()}'"
    if not kind.instant:
        return f"'{day.isoformat()} 00:00:00'"
    midnight = datetime.combine(day, time.min, ZoneInfo(table.time_zone))
    try:
        moment = midnight.astimezone(timezone.utc).replace(tzinfo=None)
    except OverflowError:  # before the year 1, which no column holds
        moment = datetime.min
    return f"'{moment.isoformat(' ', 'seconds')}'"
