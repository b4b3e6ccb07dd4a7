"""Equality of source, backup and warehouse, by table and day. Nothing is changed here, only compared.

Three measures of the same day are held side by side: rows, the exact sum of every numeric column, and an
order-free digest of all values, each computed inside the engine that holds the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from orderhe_dagster import audit, backups, loads
from orderhe_dagster.backups import Record
from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.days import Window, windows
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.resources.ports import Measure, Source, Store, Touch, Warehouse

Verdict = Literal["stale", "wrong"]
"""stale: the source moved on after the backup; wrong: a copy is not what it should be."""


@dataclass(frozen=True)
class Difference:
    """One day of a table on which the layers do not agree."""

    day: date | None
    verdict: Verdict
    text: str

    def __str__(self) -> str:
        return f"{backups.segment_of(self.day)}: {self.text}"


@dataclass
class Agreement:
    """What the comparison of one table found; the measures are totals over `days`."""

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
        """The differences that no change of the source explains."""
        return [found for found in self.differences if found.verdict == "wrong"]


def prove(
    table: Table,
    days: Iterable[date] | None,
    source: Source,
    store: Store,
    warehouse: Warehouse,
    time_zone: str,
) -> Agreement:
    """Compare the three on each of `days` (None: a table without partitions)."""
    asked = sorted(set(days or ()))
    wanted: list[date | None] = [None] if days is None else [*asked]
    spans: list[Window | None] = [None] if days is None else [*windows(asked)]
    records = backups.read_current(store, table.name, wanted)
    held = _warehouse_measures(table, asked, warehouse, time_zone)
    found = Agreement(table.name, days=len(wanted))
    for span in spans:
        live = source.measure(table, span, time_zone)
        touches = source.touches(table, span, time_zone)
        for day in [None] if span is None else span:
            _compare(found, day, live.get(day), touches.get(day), records.get(day), held.get(day))
    return found


def _warehouse_measures(
    table: Table, days: list[date], warehouse: Warehouse, time_zone: str
) -> Mapping[date | None, Measure]:
    where = audit.days_predicate(table, days, time_zone) if days else None
    relation = ddl.qualified(table.read_as)
    with warehouse.session(f"prove {table.name}", read_only=True) as session:
        return loads.measures(session, table, relation, time_zone, where)


def _compare(
    found: Agreement,
    day: date | None,
    live: Measure | None,
    touch: Touch | None,
    record: Record | None,
    held: Measure | None,
) -> None:
    live, held = live or Measure(0), held or Measure(0)
    stored = record.measure if record else Measure(0)
    found.source = add(found.source, live)
    found.backup = add(found.backup, stored)
    found.warehouse = add(found.warehouse, held)
    if record is None:
        if live.rows or held.rows:
            text = f"no backup, but {live.rows:,} rows in the source and {held.rows:,} in the warehouse"
            found.differences.append(Difference(day, "stale" if not held.rows else "wrong", text))
        return
    if text := loads.difference(live, stored):
        moved = (touch or Touch(0)) != record.touch
        said = f"the source has {text} as in backup generation {record.generation}"
        found.differences.append(Difference(day, "stale" if moved else "wrong", said))
    if text := loads.difference(held, stored):
        said = f"the warehouse has {text} as in backup generation {record.generation}"
        found.differences.append(Difference(day, "wrong", said))


def add(one: Measure, other: Measure) -> Measure:
    """The measure of both sets of rows together."""
    names = {*one.sums, *other.sums}
    sums = {n: one.sums.get(n, Decimal(0)) + other.sums.get(n, Decimal(0)) for n in names}
    return Measure(one.rows + other.rows, sums, one.digest + other.digest)
