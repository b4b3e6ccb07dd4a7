"""Which columns of a loaded segment a new generation changed: who reads none of them need not be built again.

Beside a segment's version the audit keeps since which version its rows are the same ones, by their keys,
and of each column that has changed since then the version that it last did with.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.measure import is_digested
from orderhe_dagster.catalog.segments import Segment, condition
from orderhe_dagster.catalog.table import Column, Table
from orderhe_dagster.ports.warehouse import Session
from orderhe_dagster.road.load_sql import segment_expression
from orderhe_dagster.road.step import Step

_MOST_ROWS = 1_000_000
"""More rows than these are not compared: to build again from them costs less than it would spare."""
_MOST_BYTES = 60_000


@dataclass(frozen=True)
class ColumnVersions:
    """Since which version a segment has the same rows, and the version of each column changed since."""

    rows: str
    columns: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str, version: str) -> ColumnVersions:
        """What the audit keeps as `text` of a segment of that version; '' of one that came as a whole."""
        if not text:
            return cls(version)
        raw = json.loads(text)
        return cls(raw["rows"], raw["columns"])

    def moved(self, version: str, columns: Collection[str]) -> ColumnVersions:
        """The same rows in a later version, which has other values in these columns."""
        return ColumnVersions(self.rows, {**self.columns, **dict.fromkeys(columns, version)})

    def text(self, version: str) -> str:
        """What the audit keeps."""
        if self == ColumnVersions(version):
            return ""
        raw = {"rows": self.rows, "columns": self.columns}
        text = json.dumps(raw, ensure_ascii=False, separators=(",", ":"))
        return text if len(text.encode()) <= _MOST_BYTES else ""

    def seen_by(self, columns: Collection[str]) -> str:
        """What tells the values of these columns alone from any others."""
        changed = [f"{name}={v}" for name, v in sorted(self.columns.items()) if name in columns]
        return "@".join([self.rows, *changed])


def is_compared(table: Table, rows: Mapping[Segment, int]) -> bool:
    """Whether staged rows are held against those that they replace, column by column."""
    return bool(table.grain and is_digested(table) and rows and sum(rows.values()) <= _MOST_ROWS)


def changed_columns(
    session: Session, step: Step, stage: str, rows: Mapping[Segment, int]
) -> dict[Segment, set[str]]:
    """The columns in which staged rows differ from those of the same keys in the table, by segment.

    Of the segments of `rows` (how many each has) that have the same keys on both sides. Nothing of a table
    without a key or with columns that no digest sees, and of very many rows.
    """
    table = step.table
    if not is_compared(table, rows):
        return {}
    others = [column for column in table.columns if column.name not in table.grain]
    where = condition(table, rows, step.outside_of_days)
    result = session.execute(_select(step, stage, others, where))
    changed: dict[Segment, set[str]] = {}
    for segment, unmatched, *counts in result.rows:
        if not unmatched:
            names = {column.name for column, count in zip(others, counts, strict=True) if count}
            changed[Segment(segment)] = names
    return changed


def _select(step: Step, stage: str, others: Sequence[Column], where: str | None) -> str:
    table = step.table
    by_name = {column.name: column for column in table.columns}
    keys = [f"{_plain(by_name[name])} as _key_{place}" for place, name in enumerate(table.grain)]
    values = [f"{_plain(column)} as _value_{place}" for place, column in enumerate(others)]
    segment = segment_expression(step) if table.partition else "cast('all' as varchar(10))"
    of_these = f" where {where}" if where else ""

    def side(relation: str) -> str:
        columns = ", ".join([f"{segment} as _segment", *keys, *values])
        return f"select {columns} from {relation}{of_these}"

    equal = " and ".join(
        ["here._segment = there._segment"]
        + [f"here._key_{place} = there._key_{place}" for place in range(len(keys))]
    )
    differs = [
        f"sum(case when here._value_{n} = there._value_{n}"
        f" or (here._value_{n} is null and there._value_{n} is null) then 0 else 1 end) as _count_{n}"
        for n in range(len(others))
    ]
    alone = "here._segment is null or there._segment is null"
    unmatched = f"sum(case when {alone} then 1 else 0 end) as _unmatched"
    return (
        f"with here as ({side(f'warehouse.{ddl.quoted(table.name)}')}), there as ({side(stage)})"
        f" select coalesce(here._segment, there._segment) as _of, {', '.join([unmatched, *differs])}"
        f" from here full join there on {equal} group by 1"
    )


def _plain(column: Column) -> str:
    """A value that is equal to another only where both are the same: = passes over blanks at the end."""
    name = ddl.quoted(column.name)
    return f"md5({name})" if column.type.kind == "varchar" else name
