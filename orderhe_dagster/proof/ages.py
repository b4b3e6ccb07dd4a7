"""How old the proofs of a table are: of all its segments, not only of those that were looked at last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Warehouse
from orderhe_dagster.road import audit, index
from orderhe_dagster.road.audit import Loaded
from orderhe_dagster.road.index_objects import Index, Proven
from orderhe_dagster.road.rota import Turn, oldest, utc
from orderhe_dagster.road.step import Step


@dataclass(frozen=True)
class Ages:
    """How many segments a table has, how many never were proven, and since when all others are (UTC).

    `copies` says what of it was proven.
    """

    segments: int
    never: int
    oldest: datetime | None
    copies: str = "in all three"

    def sentence(self) -> str:
        """For a person, who may ask what "all agree" speaks of."""
        all_of = counted(self.segments, "segment")
        if not self.segments:
            return "nothing of it is in the ledger yet"
        if self.never == self.segments:
            return f"none of {all_of} is proven {self.copies}"
        since = f"the oldest proof of {self.oldest:%Y-%m-%d %H:%M} UTC" if self.oldest else ""
        if self.segments == 1 and self.oldest:
            return f"proven on {self.oldest:%Y-%m-%d %H:%M} UTC"
        if self.never:
            return f"{self.never:,} of {all_of} not proven; of the others {since}"
        return f"all {all_of} proven, {since}"


def ages(step: Step, store: Store, warehouse: Warehouse) -> Ages:
    """The ages of a raw table's proofs, by both halves of the ledger."""
    table = step.table.name
    known = index.read(store, table).of(step.cut)
    with warehouse.session(f"ages of the proofs of {table}", read_only=True) as session:
        held = audit.read_or_nothing(session, f"warehouse.{table}")
    turns = [
        Turn(entry.record.measure.rows, _proven(segment, known, held))
        for segment, entry in known.entries.items()
    ]
    never, since = oldest(turns)
    return Ages(len(turns), never, since)


def ages_of_model(own: Mapping[Segment, Loaded]) -> Ages:
    """The ages of a model's proofs, by what the audit says of its segments."""
    never, since = oldest(Turn(loaded.rows, utc(loaded.proven_at)) for loaded in own.values())
    return Ages(len(own), never, since, "to be as it was built")


def _proven(segment: Segment, known: Index, held: Mapping[Segment, Loaded]) -> datetime | None:
    """When source, backup and warehouse had all been seen to be equal; None: one never was."""
    seen = known.proven.get(segment, Proven())
    loaded = held.get(segment)
    there = None
    if loaded is not None and loaded.version == known.entries[segment].record.version:
        there = utc(loaded.proven_at)
    moments = [seen.source, seen.backup, there]
    return None if None in moments else min(moment for moment in moments if moment)
