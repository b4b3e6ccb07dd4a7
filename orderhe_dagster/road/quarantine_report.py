"""What the backups say of rows that could not be carried: counts, and the first of them. No Dagster."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.store import Store
from orderhe_dagster.road.backups import Record

SHOWN = 20  # rows
_TOLD = 3  # reasons, and keys of rows, in a sentence
_READ_BYTES = 4_000_000  # of quarantine that are looked into, at most
WHY = "quarantined_because"
"""The member of a quarantined row that tells why; the others are its key."""


@dataclass
class Found:
    """What stands in quarantine, and what became NULL, over all the days of a table."""

    rows: int = 0
    segments: Counter[Segment] = field(default_factory=Counter)  # -> rows in quarantine
    nulled: Counter[str] = field(default_factory=Counter)  # column -> values that became NULL
    reasons: Counter[str] = field(default_factory=Counter)  # columns and why -> rows, of those read
    first: list[dict[str, Any]] = field(default_factory=list)  # rows, personal data masked

    def says(self) -> str:
        """The result in one sentence."""
        told = []
        if self.rows:
            they = "it is" if self.rows == 1 else "they are"
            told.append(
                f"{counted(self.rows, 'row')} of {counted(len(self.segments), 'day')} could not be carried: "
                f"{they} in quarantine{self._why()}"
            )
        told += [
            f"{counted(count, 'value')} of {name} became NULL"
            for name, count in self.nulled.items()
        ]
        return "; ".join(told) or "every row was carried"

    def _why(self) -> str:
        """The reasons with their rows, and the keys of the first rows."""
        if not self.first:
            return ""
        read = self.reasons.total()
        why = [f"{text} ({rows:,})" for text, rows in self.reasons.most_common(_TOLD)]
        more = len(self.reasons) - len(why)
        why += [f"{more:,} more reasons"] if more > 0 else []
        keys = "; ".join(key for row in self.first[:_TOLD] if (key := _key(row)))
        part = f", of the first {read:,}" if read < self.rows else ""
        return f"{part}: {', '.join(why)}{f'; the first: {keys}' if keys else ''}"


def look(store: Store, records: Iterable[Record]) -> Found:
    """Count what stands in quarantine in these records, and read the first rows of it."""
    found = Found()
    budget = _READ_BYTES
    for record in sorted(records, key=lambda record: record.segment):
        found.rows += record.quarantined
        found.nulled.update(record.nulled)
        if record.quarantined:
            found.segments[record.segment] += record.quarantined
        for part in record.quarantine:
            if len(found.first) >= SHOWN or part.size > budget:
                break
            budget -= part.size
            stored = store.get(part.key)
            rows = [] if stored is None else [json.loads(line) for line in stored.body.splitlines()]
            found.first += rows[: SHOWN - len(found.first)]
            found.reasons.update(str(row.get(WHY)) for row in rows)
    return found


def markdown(found: Found) -> str:
    """The first rows as a list: why, and the key."""
    lines = []
    for row in found.first:
        key = _key(row)
        lines.append(f"- {_plain(str(row.get(WHY)))}" + (f" ({_plain(key)})" if key else ""))
    more = found.rows - len(found.first)
    return "\n".join([*lines, *([f"- and {more:,} more"] if more else [])])


def _key(row: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in row.items() if name != WHY)


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("`", "'")
