"""What stands in quarantine, over all the backups of a table, for a person: counts and the first rows.

The files themselves are written by the adapters (`resources.extract.faulty_rows`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from orderhe_dagster.catalog.header import as_written
from orderhe_dagster.catalog.segments import WHOLE, Segment
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.store import Store
from orderhe_dagster.road.backups import BackupError, Record
from orderhe_dagster.road.quarantine import WHY, key_text, lines_of

SHOWN = 20  # rows
_LISTED = 3  # reasons, and keys of rows, in a sentence
_READ_BYTES = 4_000_000  # of quarantine that is read, at most


@dataclass
class QuarantineReport:
    """What stands in quarantine, and what became NULL, over all the days of a table."""

    rows: int = 0
    segments: Counter[Segment] = field(default_factory=Counter)  # -> rows in quarantine
    nulled: Counter[str] = field(default_factory=Counter)  # column -> values that became NULL
    reasons: Counter[str] = field(default_factory=Counter)  # columns and why -> rows, of those read
    first: list[dict[str, Any]] = field(default_factory=list)  # rows, personal data masked
    problems: list[str] = field(default_factory=list)  # which objects of it could not be read

    def sentence(self) -> str:
        """The result in one sentence."""
        texts = []
        if self.rows:
            they = "it is" if self.rows == 1 else "they are"
            days = (
                "" if {*self.segments} == {WHOLE} else f" of {counted(len(self.segments), 'day')}"
            )
            texts.append(
                f"{counted(self.rows, 'row')}{days} could not be carried: {they} in quarantine"
                f"{self._reasons()}"
            )
        texts += [
            f"{counted(count, 'value')} of {name} became NULL"
            for name, count in self.nulled.items()
        ]
        texts += self.problems[:1]
        return "; ".join(texts) or "every row was carried"

    def _reasons(self) -> str:
        """The reasons with their rows, and the keys of the first rows."""
        if not self.first:
            return ""
        read = self.reasons.total()
        reasons = [f"{text} ({rows:,})" for text, rows in self.reasons.most_common(_LISTED)]
        more = len(self.reasons) - len(reasons)
        reasons += [f"{more:,} more reasons"] if more > 0 else []
        keys = "; ".join(key for row in self.first[:_LISTED] if (key := key_text(row)))
        part = f", of the first {read:,}" if read < self.rows else ""
        return f"{part}: {', '.join(reasons)}{f'; the first: {keys}' if keys else ''}"


def report_quarantine(store: Store, table: Table, records: Iterable[Record]) -> QuarantineReport:
    """Count what stands in quarantine in these records, and read the first rows of it."""
    report = QuarantineReport()
    budget = _READ_BYTES
    for record in sorted(records, key=lambda record: record.segment):
        report.rows += record.quarantined
        report.nulled.update(record.nulled)
        if record.quarantined:
            report.segments[record.segment] += record.quarantined
        size = sum(part.size for part in record.quarantine)
        if not record.quarantine or len(report.first) >= SHOWN or size > budget:
            continue
        budget -= size
        try:
            rows = lines_of(store, table, record)
        except BackupError as error:
            report.problems.append(str(error))
            continue
        report.first += rows[: SHOWN - len(report.first)]
        report.reasons.update(str(row.get(WHY)) for row in rows)
    return report


def null_instead(table: Table, reasons: Iterable[str]) -> str:
    """The line of the table's contract by which such values become NULL; '' where none helps.

    `reasons` are those of the quarantine: columns and why. What the contract says of others is kept.
    """
    texts = [f"{text} " for reason in reasons for text in reason.split("; ")]
    names = {
        column.name
        for column in table.columns
        if column.name not in table.grain and any(t.startswith(f"{column.name} ") for t in texts)
    }
    if not names:
        return ""
    policies = {
        column.name: "null" if column.name in names else column.bad_values
        for column in table.columns
        if column.name in names or column.bad_values != "quarantine"
    }
    written = ", ".join(f"{as_written(name)} {policy}" for name, policy in policies.items())
    return f"-- @bad_values {written}"


def markdown(report: QuarantineReport) -> str:
    """The first rows as a list: why, and the key."""
    lines = []
    for row in report.first:
        key = key_text(row)
        lines.append(f"- {_plain(str(row.get(WHY)))}" + (f" ({_plain(key)})" if key else ""))
    more = report.rows - len(report.first)
    return "\n".join([*lines, *([f"- and {more:,} more"] if more else [])])


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("`", "'")
