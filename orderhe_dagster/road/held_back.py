"""What a load holds back: segments whose staged rows break a claim of their table. None is judged here.

Nothing of such a segment is loaded: the warehouse keeps what it had of it. The others go on, so that one
wrong row of an old day does not keep new days away; the load ends with an error, and nothing is built on
the table until a load has held nothing back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.warehouse import Session
from orderhe_dagster.road.remedies import again_command, segments_text
from orderhe_dagster.road.step import Step


@dataclass(frozen=True)
class Refusal:
    """Staged rows that break a claim: how many, in which segments, and the first of them."""

    claim: str
    description: str
    rows: int
    segments: frozenset[Segment]
    shown: Sequence[str]  # the first rows for a person, personal data masked

    def __str__(self) -> str:
        more = self.rows - len(self.shown)
        rows = "; ".join([*self.shown, *([f"and {more:,} more"] if more > 0 else [])])
        return (
            f"{counted(self.rows, 'row breaks', 'rows break')} {self.claim} "
            f"({self.description.rstrip('.')}) in {segments_text(self.segments)}: {rows}"
        )


class StageJudge(Protocol):
    """Judges what is staged before it is loaded, and keeps what came of it."""

    def refusals(self, session: Session, step: Step, stage: str) -> Sequence[Refusal]:
        """The claims that rows of the relation `stage` break."""

    def keep(self, session: Session, table: Table, refusals: Sequence[Refusal]) -> None:
        """Keep, for later runs, that these rows are held back; or that none are."""


def segments_of_refusals(refusals: Iterable[Refusal]) -> set[Segment]:
    """The segments that are held back."""
    return {segment for refusal in refusals for segment in refusal.segments}


def sentence(table: Table, refusals: Sequence[Refusal], loaded: Collection[Segment]) -> str:
    """What was held back and why, and what to do about it: a command at the end."""
    held_back = segments_of_refusals(refusals)
    others = f"; {counted(len(loaded), 'other segment was', 'other segments were')} loaded"
    return (
        f"{table.name}: {'. '.join(map(str, refusals))}. Held back: the warehouse keeps what it had of "
        f"{segments_text(held_back)}{others if loaded else ''}. Nothing is built on it meanwhile. Mend the "
        f"rows of {table.source_name} in the shop's database, or {table.path} where it promises too much; "
        f"then: {again_command(table.name, held_back)}"
    )
