"""What one step of a run is about, as one value. What is done about it is in the other modules."""

from __future__ import annotations

from dataclasses import dataclass

from orderhe_dagster.catalog.days import ONE_DAY, Window
from orderhe_dagster.catalog.segments import OUTSIDE, WHOLE, Outside, Segment, segments_of
from orderhe_dagster.catalog.table import Table


@dataclass(frozen=True)
class Step:
    """Which table, which of its days, by which run, and which days the shop has.

    `window` is what was asked for, None of a table without partitions; what has changed besides comes
    along. `history` has every day that is over. `run_id` names what is written: objects of the store,
    rows of the audit. Where only some segments of the window are asked for, `chosen` names them.
    `is_alone`: nothing comes along besides what was asked for.
    """

    table: Table
    window: Window | None
    run_id: str
    history: Window
    chosen: tuple[Segment, ...] | None = None
    is_alone: bool = False

    @property
    def segments(self) -> list[Segment]:
        """The segments that were asked for, in order."""
        return segments_of(self.window) if self.chosen is None else list(self.chosen)

    @property
    def cut(self) -> list[Segment]:
        """All segments that the table has as it is cut now: its days and `outside`, or the whole."""
        return [WHOLE] if self.window is None else [*segments_of(self.history), OUTSIDE]

    def has(self, segment: Segment) -> bool:
        """Whether it is a segment of the table as it is cut now; the ledger may know others of before."""
        if self.window is None:
            return segment == WHOLE
        return segment == OUTSIDE or segment.day in self.history

    @property
    def is_daily(self) -> bool:
        """Whether it reaches the last day that is over: then it looks after all of the past, too."""
        reaches = self.window is None or self.window.end >= self.history.end
        return reaches and self.chosen is None

    @property
    def outside(self) -> Outside:
        """What of the source is no day's: not the rows of today, which are a day's once it is over."""
        return Outside(self.history.start, self.history.end + ONE_DAY)

    @property
    def outside_of_days(self) -> Outside:
        """What of a copy is no day's: it holds no row of today."""
        return Outside.of(self.history)
