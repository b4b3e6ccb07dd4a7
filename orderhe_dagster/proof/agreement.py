"""Agreement: source = backup = warehouse, by table and day. Nothing is changed here, only compared.

What a table promises of its own rows is a claim (`claims`).

Three measures of the same day are held side by side: rows, the exact sum of every numeric column, and an
order-free digest of all values, each computed inside the engine that holds the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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

Verdict = Literal["stale", "wrong"]
"""stale: the source moved on after the backup, or the backup after the load; wrong: a copy is not
what it should be."""


@dataclass(frozen=True)
class Difference:
    """One segment of a table on which the layers do not agree."""

    segment: Segment
    verdict: Verdict
    text: str

    def __str__(self) -> str:
        return f"{self.segment}: {self.text}"


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
        return [one for one in self.differences if one.verdict == "wrong"]


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
        record, rows = records.get(segment), held.get(segment) or Measure(0)
        _compare(agreement, table, segment, live.get(segment), touches.get(segment), record, rows)
        if record is not None and loads.difference(rows, record.measure):
            agreement.differences.append(_of_load(store, record, rows, loaded.get(segment)))
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


def _of_load(store: Store, record: Record, held: Measure, loaded: Loaded | None) -> Difference:
    """Why the warehouse's rows of a segment are not those of its current backup."""
    segment, newest = record.segment, f"backup generation {record.generation}"
    text = f"the warehouse has {loads.difference(held, record.measure)} as in {newest}"
    if loaded is None:
        return Difference(
            segment, "wrong" if held.rows else "stale", f"{text}: it was never loaded"
        )
    if loaded.version == record.version:
        return Difference(segment, "wrong", text)
    if loaded.version.startswith(load_sql.MOVED):
        return Difference(
            segment, "stale", f"{text}: rows of it have moved to other days; load it again"
        )
    before = backups.read_generation(store, record.table, segment, loaded.generation)
    if before is None or (differs := loads.difference(held, before.measure)):
        why = differs if before else "there is no such record"
        return Difference(
            segment, "wrong", f"{text}; and it is not generation {loaded.generation}: {why}"
        )
    return Difference(segment, "stale", f"{text}: it still holds generation {loaded.generation}")


def _compare(
    agreement: Agreement,
    table: Table,
    segment: Segment,
    live: Measure | None,
    touch: Touch | None,
    record: Record | None,
    held: Measure,
) -> None:
    live = live or Measure(0)
    stored = record.measure if record else Measure(0)
    agreement.source = add(agreement.source, live)
    agreement.backup = add(agreement.backup, stored)
    agreement.warehouse = add(agreement.warehouse, held)
    if record is None:
        if live.rows or held.rows:
            there = f"{counted(live.rows, 'row')} in the source and {held.rows:,} in the warehouse"
            text = f"no backup, but {there}"
            agreement.differences.append(
                Difference(segment, "stale" if not held.rows else "wrong", text)
            )
        return
    if differs := loads.difference(live, stored):
        moved = (touch or Touch(0)) != record.touch
        text = f"the source has {differs} as in backup generation {record.generation}"
        if table.cursor is None and not moved:
            moved = True
            text += (
                f" (without @cursor in {table.path} a changed row cannot be told from a wrong copy)"
            )
        agreement.differences.append(Difference(segment, "stale" if moved else "wrong", text))


def add(one: Measure, other: Measure) -> Measure:
    """The measure of both sets of rows together."""
    names = {*one.sums, *other.sums}
    sums = {n: one.sums.get(n, Decimal(0)) + other.sums.get(n, Decimal(0)) for n in names}
    return Measure(one.rows + other.rows, sums, one.digest + other.digest)
