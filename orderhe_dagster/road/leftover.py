"""What of a table no day takes in: rows outside of the shop's history, and days without a backup."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from orderhe_dagster.catalog.days import ONE_DAY
from orderhe_dagster.catalog.segments import Segment, days_of
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.measures import OutsideRows
from orderhe_dagster.ports.source import Source
from orderhe_dagster.road.remedies import run_command
from orderhe_dagster.road.step import Step

_MOST_DAYS = 3_660
"""A history of more days than these is no cure for rows of long ago."""


@dataclass(frozen=True)
class Leftover:
    """Rows outside of the days, the first day that has any before them, and days that have no backup."""

    outside: OutsideRows = field(default_factory=OutsideRows)
    first_before: date | None = None
    unread: Sequence[Segment] = ()

    def sentence(self, step: Step) -> str:
        """What is left out and how to bring it, for a person; '' where nothing is."""
        return ". ".join([*self._outside(step), *self._unread()])

    def _outside(self, step: Step) -> list[str]:
        rows, table = self.outside, step.table
        if not rows.total:
            return []
        many = f"{counted(rows.total, 'row')} outside of the shop's days ({', '.join(self._kinds(step))})"
        texts = [
            f"{many}: backed up, loaded and proven as one segment, but marts by day leave them out"
        ]
        if rows.before:
            texts.append(self._before(step))
        if rows.undated and table.day_through:
            texts.append(
                f"Those without a day have no parent by `@partition {table.day_text}`, or one that has no "
                "day: each moves into its day with the first run that finds its parent there"
            )
        elif rows.undated:
            texts.append(
                f"Those without a day need their {table.partition} filled in the shop's database"
            )
        return texts

    def _kinds(self, step: Step) -> Iterator[str]:
        rows = self.outside
        if rows.undated:
            yield f"{rows.undated:,} without a day"
        if rows.before:
            yield f"{rows.before:,} before {step.history.start}, the first day"
        if rows.after:
            yield f"{rows.after:,} after today"

    def _before(self, step: Step) -> str:
        first, start = self.first_before, step.history.start
        if first is None or (start - first).days > _MOST_DAYS:
            of = f" (the first is of {first})" if first else ""
            return f"What lies so long before is mostly a wrong date{of}: mend it in the shop's database"
        command = run_command("*", [Segment.of(first), Segment.of(start - ONE_DAY)])
        return (
            f"To take in what came before: {command} (where ORDERHE_START_DATE is set, set it to "
            f"{first} first)"
        )

    def _unread(self) -> list[str]:
        days = days_of(self.unread)
        if not days:
            return []
        many = f"{counted(len(days), 'day')} with rows and no backup, the first {min(days)}"
        return [f"{many}. To bring them: {run_command('*', self.unread)}"]


def leftover(step: Step, source: Source, unread: Sequence[Segment]) -> Leftover:
    """Ask the source what lies outside of the days."""
    outside = source.outside(step.table, step.outside)
    before = None
    if outside.before:
        days = source.calendar(step.table)
        before = min((day for day in days if day < step.history.start), default=None)
    return Leftover(outside, before, unread)
