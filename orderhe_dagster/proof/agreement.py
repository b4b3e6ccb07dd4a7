"""Agreement: source = backup = warehouse, by table and segment. Nothing is changed but the ledger's notes.

What a table promises of its own rows is a claim (`claims`).

Three measures of the same segment are held side by side: rows, the exact sum of every numeric column,
and an order-free digest of all values, each computed inside the engine that holds the rows. The backup's
is its record's, as long as its objects are, byte for byte, those that were measured when it was written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Literal

from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import UNDEFINED_TABLE, StatementError
from orderhe_dagster.ports.measures import Measure, Touch
from orderhe_dagster.ports.source import Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Warehouse
from orderhe_dagster.road import audit, backups, index, load_sql
from orderhe_dagster.road.audit import Loaded
from orderhe_dagster.road.backups import Record
from orderhe_dagster.road.index import Change
from orderhe_dagster.road.index_objects import Proven
from orderhe_dagster.road.measures import add, difference, measures
from orderhe_dagster.road.rota import scopes
from orderhe_dagster.road.row_differences import RowDifferences
from orderhe_dagster.road.source_proof import objects_wrong, soundness
from orderhe_dagster.road.step import Step

Severity = Literal["stale", "silent", "wrong"]
"""stale: the source moved on after the backup, or the backup after the load; silent: the source did, and
its cursor did not; wrong: a copy is not what it should be."""
Copy = Literal["source", "backup", "warehouse"]
_ALL_ROWS = 1 << 62


@dataclass(frozen=True)
class Difference:
    """One segment of a table on which the layers do not agree.

    `copy` is the one that differs: from the backup, or the backup from its own record. `rows` are those
    that differ, where somebody looked; `no_rows` says why nobody could.
    """

    segment: Segment
    severity: Severity
    text: str
    copy: Copy = "warehouse"
    rows: RowDifferences | None = None
    no_rows: str = ""

    def with_rows(self, rows: RowDifferences) -> Difference:
        """The difference with the rows that differ."""
        return replace(self, rows=rows)

    def without_rows(self, why: str) -> Difference:
        """The difference, of which no row can be named."""
        return replace(self, no_rows=why)

    def sentences(self, most: int) -> Iterator[str]:
        """The first rows that differ, for a person: so many at most, and how many more there are."""
        if self.rows is not None:
            yield from self.rows.first(most).sentences()
        if self.no_rows:
            yield self.no_rows

    def __str__(self) -> str:
        return f"{self.segment}: {self.text}"


@dataclass(frozen=True)
class _Copies:
    """What the three hold of one segment; `touch` tells whether the source has moved on since."""

    segment: Segment
    source: Measure
    touch: Touch
    record: Record | None
    is_sound: bool  # the backup's objects are as they were written
    warehouse: Measure

    @property
    def backup(self) -> Measure:
        return self.record.measure if self.record and self.is_sound else Measure(0)


@dataclass
class Agreement:
    """What the comparison of one table came to; the measures are totals over all that was compared."""

    table: str
    segments: int = 0
    source: Measure = field(default_factory=lambda: Measure(0))
    backup: Measure = field(default_factory=lambda: Measure(0))
    warehouse: Measure = field(default_factory=lambda: Measure(0))
    differences: list[Difference] = field(default_factory=list)
    proven: dict[Segment, Record] = field(default_factory=dict)
    """The segments of which all three are equal, with what they are equal to."""
    doubted: dict[Segment, Record] = field(default_factory=dict)
    """The records of the others, where there is one."""

    @property
    def agrees(self) -> bool:
        """Whether the three hold the same rows of every segment that was compared."""
        return not self.differences

    @property
    def wrong(self) -> list[Difference]:
        """The differences that no later change explains."""
        return [one for one in self.differences if one.severity == "wrong"]

    def count(self, copies: _Copies) -> None:
        """Add what the three hold of a segment to their totals."""
        self.source = add(self.source, copies.source)
        self.backup = add(self.backup, copies.backup)
        self.warehouse = add(self.warehouse, copies.warehouse)


def prove(
    step: Step,
    segments: Collection[Segment],
    source: Source,
    store: Store,
    warehouse: Warehouse,
) -> Agreement:
    """Compare the three on each of `segments`, and note in the ledger where they are equal.

    Other runs may go on meanwhile: the warehouse's rows are held against the generation that its
    audit names, in the same session, and a newer generation only makes them stale.
    """
    ordered = sorted(segments)
    agreement = Agreement(step.table.name, segments=len(ordered))
    if not ordered:
        return agreement
    held, loaded = _of_warehouse(step, ordered, warehouse)
    current = index.read(store, step.table.name).records
    records = {segment: current[segment] for segment in ordered if segment in current}
    sound = soundness(store, list(records.values()))
    live, touches = _of_source(step, ordered, records, source)
    for segment in ordered:
        copies = _Copies(
            segment,
            live.get(segment, Measure(0)),
            touches.get(segment, Touch(0)),
            records.get(segment),
            sound.get(segment, False),
            held.get(segment, Measure(0)),
        )
        agreement.count(copies)
        differences = list(_differences(step, store, copies, loaded.get(segment)))
        agreement.differences += differences
        if copies.record is not None:
            (agreement.doubted if differences else agreement.proven)[segment] = copies.record
    _note(step, agreement, store, warehouse)
    return agreement


def _note(step: Step, agreement: Agreement, store: Store, warehouse: Warehouse) -> None:
    """Keep in both halves of the ledger what was proven, and that what differs is not."""
    now = datetime.now(timezone.utc)
    proven = {segment: (record, Proven(now, now)) for segment, record in agreement.proven.items()}
    name = step.table.name
    if proven or agreement.doubted:
        index.commit(store, name, Change(proven=proven, doubted=agreement.doubted))
    differing = {difference.segment for difference in agreement.differences}
    if not (proven or differing):
        return
    with warehouse.session(f"note what was proven of {name}") as session:
        audit.prepare(session)
        versions = {segment: record.version for segment, record in agreement.proven.items()}
        audit.note_proven(session, f"warehouse.{name}", versions)
        audit.note_doubted(session, f"warehouse.{name}", differing)


def _of_warehouse(
    step: Step, segments: Sequence[Segment], warehouse: Warehouse
) -> tuple[Mapping[Segment, Measure], Mapping[Segment, Loaded]]:
    """The rows by segment, and what the audit says was loaded, both at the same moment."""
    table = step.table
    relation, name = ddl.qualified(table.read_as), f"warehouse.{table.name}"
    with warehouse.session(f"prove {table.name}", read_only=True) as session:
        loaded = audit.read_or_nothing(session, name)
        try:
            rows = measures(session, table, relation, segments, step.outside_of_days)
        except StatementError as error:
            if error.code not in (UNDEFINED_TABLE, audit.UNDEFINED_SCHEMA):
                raise
            rows = {}  # never made, or dropped by a hand: it holds nothing
    return rows, loaded


def _of_source(
    step: Step, segments: Sequence[Segment], records: Mapping[Segment, Record], source: Source
) -> tuple[Mapping[Segment, Measure], Mapping[Segment, Touch]]:
    """The rows by segment, and the fingerprints of those that are not what the backup has."""
    table, live = step.table, dict[Segment, Measure]()
    known = {segment: record.measure for segment, record in records.items()}
    for scope in scopes(segments, {}, step.outside, _ALL_ROWS):
        live.update(source.measure(table, scope, known))
    moved = [
        segment
        for segment in segments
        if segment in records
        and difference(live.get(segment, Measure(0)), records[segment].measure)
    ]
    touches: dict[Segment, Touch] = {}
    for scope in scopes(moved, {}, step.outside, _ALL_ROWS):
        touches.update(source.touches(table, scope))
    return live, touches


def _differences(
    step: Step, store: Store, copies: _Copies, loaded: Loaded | None
) -> Iterator[Difference]:
    record = copies.record
    if record is None:
        if copies.source.rows or copies.warehouse.rows:
            yield _no_backup(copies)
        return
    if not copies.is_sound:
        text = "; ".join(objects_wrong(store, record))
        yield Difference(copies.segment, "wrong", text, "backup")
    if difference(copies.source, record.measure):
        yield _moved(step, copies, record)
    if difference(copies.warehouse, record.measure):
        yield _of_load(store, record, copies.warehouse, loaded)


def _no_backup(copies: _Copies) -> Difference:
    return Difference(
        copies.segment,
        "wrong" if copies.warehouse.rows else "stale",
        f"no backup, but {counted(copies.source.rows, 'row')} in the source and "
        f"{copies.warehouse.rows:,} in the warehouse",
        "backup",
    )


def _moved(step: Step, copies: _Copies, record: Record) -> Difference:
    """How the source has moved on since the backup: in sight of its fingerprint, or not."""
    differs = difference(copies.source, record.measure)
    text = f"the source has {differs} as in backup generation {record.generation}"
    if copies.touch != record.touch:
        return Difference(copies.segment, "stale", text, "source")
    cursor = step.table.cursor
    why = f"its {cursor} did not move" if cursor else f"{step.table.path} has no @cursor"
    text += f": a change that only the proof sees, {why}"
    return Difference(copies.segment, "silent", text, "source")


def _of_load(store: Store, record: Record, held: Measure, loaded: Loaded | None) -> Difference:
    """Why the warehouse's rows of a segment are not those of its current backup."""
    differs = difference(held, record.measure)
    text = f"the warehouse has {differs} as in backup generation {record.generation}"
    if loaded is None:
        severity: Severity = "wrong" if held.rows else "stale"
        return Difference(record.segment, severity, f"{text}: it was never loaded")
    if loaded.version == record.version:
        return Difference(record.segment, "wrong", text)
    if loaded.version.startswith(load_sql.MOVED):
        text += ": rows of it have moved to other days; load it again"
        return Difference(record.segment, "stale", text)
    before = backups.read_sound(store, record.table, record.segment, loaded.generation)
    why = difference(held, before.measure) if before else "there is no such record"
    if why:
        text += f"; and it is not generation {loaded.generation}: {why}"
        return Difference(record.segment, "wrong", text)
    return Difference(
        record.segment, "stale", f"{text}: it still holds generation {loaded.generation}"
    )
