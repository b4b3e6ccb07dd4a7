"""What one step of a run is about, as one value. What is done about it is in the other modules."""

from __future__ import annotations

from dataclasses import dataclass

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import Segment, segments_of
from orderhe_dagster.catalog.table import Table


@dataclass(frozen=True)
class Step:
    """Which table, which of its days, and by which run.

    `window` is what was asked for, None of a table without partitions; what has changed besides comes
    along. `run_id` names what is written: objects of the store, rows of the audit.
    """

    table: Table
    window: Window | None
    run_id: str

    @property
    def segments(self) -> list[Segment]:
        """The segments that were asked for, in order."""
        return segments_of(self.window)
