"""Segments: what of a table is extracted, kept, loaded and proven as one. No clock is read here.

A day is a segment; days in a row, and their bounds, are in `days`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from orderhe_dagster.catalog.days import Window, bound, windows
from orderhe_dagster.catalog.ddl import quoted
from orderhe_dagster.catalog.table import Table

_WHOLE, _OUTSIDE = "all", "outside"


@dataclass(frozen=True, order=True)
class Segment:
    """A day of a table with partitions, the whole of any other, or what lies outside of the days.

    `text` is its name in records, keys, the audit and messages: `2026-11-21`, `all` or `outside`.
    Days sort as days, before the other two. ValueError where the text names no segment.
    """

    text: str

    def __post_init__(self) -> None:
        if self.text not in (_WHOLE, _OUTSIDE):
            day = date.fromisoformat(self.text)
            if day.isoformat() != self.text:
                raise ValueError(f"no segment is called {self.text!r}; it is {day}")

    @classmethod
    def of(cls, day: date) -> Segment:
        """The segment of a day."""
        return cls(day.isoformat())

    @property
    def day(self) -> date | None:
        """The day; None for `WHOLE` and `OUTSIDE`."""
        return None if self.text in (_WHOLE, _OUTSIDE) else date.fromisoformat(self.text)

    def __str__(self) -> str:
        return self.text


WHOLE = Segment(_WHOLE)
"""All rows of a table without partitions."""
OUTSIDE = Segment(_OUTSIDE)
"""The rows of a table with partitions that lie outside of its days: without a day, or before the
first, or after today."""


def segments_of(window: Window | None) -> list[Segment]:
    """The segments of the days of `window`, in order; None: of a table without partitions."""
    return [WHOLE] if window is None else [Segment.of(day) for day in window]


def days_of(segments: Iterable[Segment]) -> list[date]:
    """The days among these segments."""
    return [day for segment in segments if (day := segment.day) is not None]


def condition(table: Table, segments: Iterable[Segment]) -> str | None:
    """The SQL condition that a row of `table` lies in one of `segments`; None where every row does.

    ValueError where there are none: what deletes by it would delete all.
    """
    wanted = set(segments)
    if not wanted:
        raise ValueError(f"{table.ref}: no segment was named")
    if WHOLE in wanted:
        return None
    if OUTSIDE in wanted:
        raise ValueError(f"{table.ref}: no condition tells what lies outside of the days")
    column = quoted(str(table.partition))
    return " or ".join(
        f"({column} >= {bound(table, span.start)} and {column} < {bound(table, span.end)})"
        for span in windows(days_of(wanted))
    )
