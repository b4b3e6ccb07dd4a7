"""The rota: which segments of a table a run proves, the longest unproven first, within a budget.

What proving is, is elsewhere; nothing is measured here and no clock is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from math import ceil

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import OUTSIDE, Outside, Scope, Segment

_NEVER = datetime.min.replace(tzinfo=timezone.utc)
_PIECES = 8


@dataclass(frozen=True)
class Budget:
    """How much a daily run proves of each layer: rows of all its tables together, seconds of the source.

    `seconds` None: as long as it takes. `everything`: all segments, whatever they are.
    """

    rows: int = 5_000_000
    seconds: float | None = None
    everything: bool = False

    def share(self, rows: Mapping[str, int], table: str) -> Budget:
        """The part of it that is `table`'s, by the rows of all tables of the layer."""
        total = sum(rows.values())
        if self.everything or total <= self.rows:
            return Budget(max(total, self.rows), self.seconds, self.everything)
        part = rows.get(table, 0) / total
        seconds = None if self.seconds is None else self.seconds * part
        return Budget(ceil(self.rows * part), seconds)


@dataclass(frozen=True)
class Turn:
    """A segment that may be proven: its rows, when that was done last (UTC), whether a run asks for it."""

    rows: int
    proven_at: datetime | None = None
    is_asked: bool = False


def utc(moment: datetime | None) -> datetime | None:
    """A moment as the warehouse keeps it, UTC without saying so, as one that says so."""
    return moment.replace(tzinfo=timezone.utc) if moment else None


def choose(turns: Mapping[Segment, Turn], budget: Budget) -> list[Segment]:
    """The segments whose turn it is, the longest unproven first, until they have the budget's rows.

    Never fewer rows than that: so all come round in `nights`.
    """
    ordered = sorted(turns, key=lambda segment: (turns[segment].proven_at or _NEVER, segment))
    if budget.everything:
        return ordered
    chosen: list[Segment] = []
    rows = 0
    for segment in ordered:
        if rows >= budget.rows:
            break
        rows += turns[segment].rows
        chosen.append(segment)
    return chosen


def nights(turns: Mapping[Segment, Turn], budget: Budget) -> int:
    """In how many runs every segment comes round."""
    if budget.everything:
        return 1
    total = sum(turn.rows for turn in turns.values())
    return max(1, -(-total // max(budget.rows, 1)))


def oldest(turns: Iterable[Turn]) -> tuple[int, datetime | None]:
    """How many were never proven, and when the longest unproven of the others was."""
    moments = [turn.proven_at for turn in turns]
    known = [moment for moment in moments if moment]
    return len(moments) - len(known), min(known, default=None)


def scopes(
    segments: Iterable[Segment], rows: Mapping[Segment, int], outside: Outside, most_rows: int
) -> list[Scope]:
    """What is to be read at once so that just these segments are, in pieces of about `most_rows`."""
    days: list[Window] = []
    others: list[Scope] = []
    size = 0
    for segment in sorted(set(segments)):
        if segment.day is None:
            others.append(outside if segment == OUTSIDE else None)
            continue
        one, more = Window.of(segment.day), rows.get(segment, 0)
        if days and days[-1].end == one.start and size + more <= most_rows:
            days[-1], size = Window(days[-1].start, one.end), size + more
        else:
            days.append(one)
            size = more
    return [*days, *others]


def piece_rows(budget: Budget, rows: int) -> int:
    """How many rows are measured before the clock is looked at: all of them where no time is set."""
    return rows if budget.seconds is None else max(rows // _PIECES, 1)
