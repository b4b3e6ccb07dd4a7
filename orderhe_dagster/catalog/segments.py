"""Segments: what of a table is extracted, kept, loaded and proven as one. No clock is read here.

A day is a segment; days in a row, and their bounds, are in `days`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from orderhe_dagster.catalog.days import Window, bound, windows
from orderhe_dagster.catalog.ddl import Dialect, quoted
from orderhe_dagster.catalog.source_rows import of_moment
from orderhe_dagster.catalog.table import MOMENT_COLUMN, Table

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


@dataclass(frozen=True)
class Outside:
    """The rows of a table with partitions that are in none of the days from `start` on, before `end`.

    Those without a day (NULL), before `start`, or of `end` and later. Where `start` is `end` there are
    no days, and all rows are outside.
    """

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.start > self.end:
            raise ValueError(f"days that end before they start: {self.start} is after {self.end}")

    @classmethod
    def of(cls, window: Window) -> Outside:
        """What lies outside of the days of `window`."""
        return cls(window.start, window.end)


Scope: TypeAlias = Window | Outside | None
"""What of a table is read at once: days, what lies outside of them, or all (no partitions)."""


def segments_of(scope: Scope) -> list[Segment]:
    """The segments of `scope`: its days in order, `OUTSIDE`, or `WHOLE` (None)."""
    if isinstance(scope, Window):
        return [Segment.of(day) for day in scope]
    return [WHOLE] if scope is None else [OUTSIDE]


def uncut(scope: Scope) -> Segment | None:
    """The one segment of a scope that is not cut into days; None of one that is."""
    return None if isinstance(scope, Window) else segments_of(scope)[0]


def days_of(segments: Iterable[Segment]) -> list[date]:
    """The days among these segments."""
    return [day for segment in segments if (day := segment.day) is not None]


def condition(
    table: Table, segments: Iterable[Segment], outside: Outside | None = None
) -> str | None:
    """The SQL condition that a row of `table` lies in one of `segments`; None where every row does.

    `outside` says which days there are, where `OUTSIDE` is among the segments. ValueError where it
    does not, and where there are no segments: what deletes by it would delete all.
    """
    wanted = set(segments)
    if not wanted:
        raise ValueError(f"{table.ref}: no segment was named")
    if WHOLE in wanted:
        return None
    scopes: list[Window | Outside] = [*windows(days_of(wanted))]
    if OUTSIDE in wanted:
        if outside is None:
            raise ValueError(f"{table.ref}: no condition tells what lies outside of the days")
        scopes.append(outside)
    return " or ".join(f"({scope_condition(table, scope)})" for scope in scopes)


def scope_condition(table: Table, scope: Window | Outside, dialect: Dialect = "duckdb") -> str:
    """The SQL condition that a row of `table` lies in `scope`; names are in the dialect's quotes.

    MySQL's is of the rows of `mysql_projection.rows`.
    """
    column, cut, no_day = quoted(str(table.partition), dialect), table, "is null"
    if table.day_through and dialect == "mysql":
        # By the parent's own column, for which there may be an index; of zero dates, `is null` is true.
        column, cut, no_day = quoted(MOMENT_COLUMN, dialect), of_moment(table), "<=> null"
    start, end = bound(cut, scope.start), bound(cut, scope.end)
    if isinstance(scope, Window):
        return f"{column} >= {start} and {column} < {end}"
    return f"{column} {no_day} or {column} < {start} or {column} >= {end}"
