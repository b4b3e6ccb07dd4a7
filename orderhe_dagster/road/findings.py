"""What a run finds to differ and mends: one value for a segment of a table. Nothing is compared here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.errors import counted

Kind = Literal["silent", "damaged", "wrong", "gone", "altered", "fewer", "index"]
"""silent: the source moved and neither its rows' number nor the cursor did; damaged: objects of the
backup are lost or not as they were written; wrong: the warehouse's rows are not those that were loaded;
gone: their table was dropped; altered: a model's rows are not those that were built; fewer: most rows of
it went from the source, which a person accepted; index: the table's index was damaged."""
_WORDS: dict[Kind, str] = {
    "silent": "changed in the source without its cursor",
    "damaged": "damaged in the backup",
    "wrong": "altered in the warehouse",
    "gone": "dropped in the warehouse",
    "altered": "altered in the warehouse",
    "fewer": "with most rows gone from the source",
    "index": "of a table whose index was damaged",
}
SHOWN_ROWS = 20
"""How many differing rows of a segment the ledger names."""
SHOWN_SEGMENTS = 100
"""Of so many segments the rows that differ are looked for: each costs a statement, or its old objects."""
_SHOWN = 3
_SHOWN_ROWS = 5


@dataclass(frozen=True)
class Finding:
    """One segment that differed, and what of it: `rows` names some by key and column."""

    segment: Segment
    kind: Kind
    text: str
    rows: tuple[str, ...] = ()

    def with_rows(self, rows: Sequence[str]) -> Finding:
        """The finding with the rows that differ."""
        return replace(self, rows=tuple(rows))

    def __str__(self) -> str:
        """For a line: the first rows alone."""
        rows = [*self.rows[:_SHOWN_ROWS]]
        if len(self.rows) > _SHOWN_ROWS:
            rows.append("and more, see warehouse._findings")
        return f"{self.segment}: {'; '.join([self.text, *rows])}"


def sentence(findings: Sequence[Finding], done: str) -> str:
    """Findings of one asset for a person: how many of each kind, the first of them, and what was `done`."""
    counts: dict[str, int] = {}
    for finding in findings:
        counts[_WORDS[finding.kind]] = counts.get(_WORDS[finding.kind], 0) + 1
    kinds = ", ".join(f"{counted(many, 'segment')} {words}" for words, many in counts.items())
    shown = [str(finding) for finding in findings[:_SHOWN]]
    more = len(findings) - len(shown)
    rest = f"; and {more:,} more" if more else ""
    return f"{kinds}; {done}. {'; '.join(shown)}{rest}"


def rows_of(findings: Iterable[Finding]) -> list[tuple[Segment, str, str]]:
    """Findings as the audit keeps them: segment, kind, detail."""
    return [(one.segment, one.kind, "; ".join([one.text, *one.rows])) for one in findings]
