"""Agreement: source = backup = warehouse, by table and day. Nothing is changed here, only compared.

What a table promises of its own rows is a claim (`claims`).

Three measures of the same day are held side by side: rows, the exact sum of every numeric column, and an
order-free digest of all values, each computed inside the engine that holds the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import WHOLE, Segment, condition
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.measures import Measure, Touch
from orderhe_dagster.ports.source import Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Warehouse
from orderhe_dagster.road import audit, backups, load_sql, loads
from orderhe_dagster.road.audit import Loaded
from orderhe_dagster.road.backups import Record

Severity = Literal["stale", "wrong"]
"""stale: the source moved on after the backup, or the backup after the load; wrong: a copy is not
what it should be."""


@dataclass(frozen=True)
class Difference:
    """One segment of a table on which the layers do not agree."""

    segment: Segment
    severity: Severity
    text: str

    def __str__(self) -> str:
        return f"{self.segment}: {self.text}"


@dataclass(frozen=True)
class _Copies:
    """What the three hold of one segment; `touch` tells whether the source has moved on since."""

    segment: Segment
    source: Measure
    touch: Touch
    record: Record | None
    warehouse: Measure

    @property
    def backup(self) -> Measure:
        return self.record.measure if self.record else Measure(0)


@dataclass
class Agreement:
    """What the comparison of one table came to; the measures are totals over `days`."""

    table: str
    days: int = 0
    source: Measure = field(default_factory=lambda: Measure(0))
    backup: Measure = field(default_factory=lambda: Measure(0))
    warehouse: Measure = field(default_factory=lambda: Measure(0))
    differences: list[Difference] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether the three hold the same rows on every day."""
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
    table: Table,
    days: Iterable[date] | None,
    source: Source,
    store: Store,
    warehouse: Warehouse,
) -> Agreement:
    """Compare the three on each of `days` (None: a table without partitions).

    Other runs may go on meanwhile: the warehouse's rows are held against the generation that its
    audit names, in the same session, and a newer generation only makes them stale.
    """
    asked = sorted(set(days or ()))
    segments = [WHOLE] if days is None else [Segment.of(day) for day in asked]
    agreement = Agreement(table.name, days=len(segments))
    if not segments:
        return agreement
    held, loaded = _of_warehouse(table, segments, warehouse)
    records = backups.read_current(store, table.name, segments)
    span = Window.of(asked[0], asked[-1]) if asked else None
    live = source.measure(table, span)
    touches = source.touches(table, span)
    for segment in segments:
        copies = _Copies(
            segment,
            live.get(segment, Measure(0)),
            touches.get(segment, Touch(0)),
            records.get(segment),
            held.get(segment, Measure(0)),
        )
        agreement.count(copies)
        agreement.differences += _differences(table, store, copies, loaded.get(segment))
    return agreement


def _of_warehouse(
    table: Table, segments: Sequence[Segment], warehouse: Warehouse
) -> tuple[Mapping[Segment, Measure], Mapping[Segment, Loaded]]:
    """The rows by segment, and what the audit says was loaded, both at the same moment."""
    where = condition(table, segments)
    relation, name = ddl.qualified(table.read_as), f"warehouse.{table.name}"
    with warehouse.session(f"prove {table.name}", read_only=True) as session:
        rows = loads.measures(session, table, relation, where)
        return rows, audit.read(session, [name])[name]


def _differences(
    table: Table, store: Store, copies: _Copies, loaded: Loaded | None
) -> Iterator[Difference]:
    record = copies.record
    if record is None:
        if copies.source.rows or copies.warehouse.rows:
            yield _no_backup(copies)
        return
    if loads.difference(copies.source, record.measure):
        yield _of_source(table, copies, record)
    if loads.difference(copies.warehouse, record.measure):
        yield _of_load(store, record, copies.warehouse, loaded)


def _no_backup(copies: _Copies) -> Difference:
    return Difference(
        copies.segment,
        "wrong" if copies.warehouse.rows else "stale",
        f"no backup, but {counted(copies.source.rows, 'row')} in the source and "
        f"{copies.warehouse.rows:,} in the warehouse",
    )


def _of_source(table: Table, copies: _Copies, record: Record) -> Difference:
    """Whether the source has moved on since the backup, or the backup never was what it should be."""
    differs = loads.difference(copies.source, record.measure)
    text = f"the source has {differs} as in backup generation {record.generation}"
    if copies.touch != record.touch:
        return Difference(copies.segment, "stale", text)
    if table.cursor is None:
        text += f" (without @cursor in {table.path} a changed row cannot be told from a wrong copy)"
        return Difference(copies.segment, "stale", text)
    return Difference(copies.segment, "wrong", text)


def _of_load(store: Store, record: Record, held: Measure, loaded: Loaded | None) -> Difference:
    """Why the warehouse's rows of a segment are not those of its current backup."""
    differs = loads.difference(held, record.measure)
    text = f"the warehouse has {differs} as in backup generation {record.generation}"
    if loaded is None:
        severity: Severity = "wrong" if held.rows else "stale"
        return Difference(record.segment, severity, f"{text}: it was never loaded")
    if loaded.version == record.version:
        return Difference(record.segment, "wrong", text)
    if loaded.version.startswith(load_sql.MOVED):
        text += ": rows of it have moved to other days; load it again"
        return Difference(record.segment, "stale", text)
    before = backups.read_generation(store, record.table, record.segment, loaded.generation)
    why = loads.difference(held, before.measure) if before else "there is no such record"
    if why:
        text += f"; and it is not generation {loaded.generation}: {why}"
        return Difference(record.segment, "wrong", text)
    return Difference(
        record.segment, "stale", f"{text}: it still holds generation {loaded.generation}"
    )


def add(one: Measure, other: Measure) -> Measure:
    """The measure of both sets of rows together."""
    names = {*one.sums, *other.sums}
    sums = {n: one.sums.get(n, Decimal(0)) + other.sums.get(n, Decimal(0)) for n in names}
    return Measure(one.rows + other.rows, sums, one.digest + other.digest)
