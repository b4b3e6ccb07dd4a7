"""The check `few_rows_in_quarantine`: how much of a table may be set aside before nothing is built on it.

Single rows that cannot be carried are told and passed over; where they are many, what is left is not the
shop's day any more. The rows themselves are told by `road.quarantine_report`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import OUTSIDE, WHOLE, Segment
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.store import Store
from orderhe_dagster.road import index
from orderhe_dagster.road.backups import Record
from orderhe_dagster.road.quarantine_report import QuarantineReport, null_instead, report_quarantine
from orderhe_dagster.road.remedies import quarantine_command, replay_command

FEW_IN_QUARANTINE = "few_rows_in_quarantine"
MOST_SHARE, MOST_ROWS = 0.01, 3
"""A segment may have this share of its rows in quarantine, or this many, but never most of them."""
LIMIT = (
    f"No day has more than {MOST_SHARE:.0%} and more than {MOST_ROWS} of its rows in quarantine, "
    "none most of them, and no table all."
)
_LISTED = 5


@dataclass(frozen=True)
class Excess:
    """What of a table is in quarantine beyond the limit; no segments where nothing is."""

    table: Table
    segments: Mapping[Segment, tuple[int, int]]  # -> rows in quarantine, and rows there are
    is_all: bool
    report: QuarantineReport

    @property
    def rows(self) -> int:
        """Rows in quarantine, of these segments."""
        return sum(apart for apart, _ in self.segments.values())

    def sentence(self) -> str:
        """The result in one sentence, with what to do."""
        if not self.segments:
            return "no more rows are in quarantine than the limit allows"
        shown = [
            f"{segment} ({apart:,} of {counted(there, 'row')})"
            for segment, (apart, there) in sorted(self.segments.items())[:_LISTED]
        ]
        more = len(self.segments) - len(shown)
        listed = ", ".join(shown) + (f" and {more:,} more" if more else "")
        what = "all of its rows are in quarantine" if self.is_all else "too many for figures"
        name = self.table.name
        return (
            f"{what}: {listed}. {self.report.sentence()}. "
            f"{mend_quarantined(self.table, self.report.reasons)}; then: "
            f"{replay_command(name, self.segments)}; each row: "
            f"{quarantine_command(name, self.segments, '--rows')}"
        )


def mend_quarantined(table: Table, reasons: Iterable[str] = ()) -> str:
    """What to do about rows in quarantine for these reasons, before they are backed up again."""
    text = (
        f"Mend the rows of {table.source_name} in the shop's database, or see @bad_values for {table.path} "
        "in docs/types.md"
    )
    line = null_instead(table, reasons)
    return f"{text} (`{line}` at the end of its header loads such values as NULL)" if line else text


def excess(table: Table, history: Window, store: Store) -> Excess:
    """What the backups of a raw table have in quarantine beyond the limit."""
    own = {
        segment: record
        for segment, record in index.read(store, table.name).records.items()
        if (segment == WHOLE if not table.partition else _is_of(segment, history))
    }
    rows = sum(record.touch.rows for record in own.values())
    apart = sum(record.quarantined for record in own.values())
    is_all = 0 < rows <= apart
    over = {
        segment: record
        for segment, record in own.items()
        if record.quarantined and (is_all or _is_over(record))
    }
    counts = {segment: (one.quarantined, one.touch.rows) for segment, one in over.items()}
    return Excess(table, counts, is_all, report_quarantine(store, table, over.values()))


def _is_of(segment: Segment, history: Window) -> bool:
    return segment == OUTSIDE or (segment.day is not None and segment.day in history)


def _is_over(record: Record) -> bool:
    rows = record.touch.rows
    most = min(max(MOST_ROWS, rows * MOST_SHARE), rows / 2)
    return record.quarantined > most
