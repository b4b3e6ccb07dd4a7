"""`@partition order_id -> orders.order_date`: a table without a date is cut by the day of its parent.

Read and held against the contracts here; how a statement joins the parents is `source_rows`'.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from orderhe_dagster.catalog.drift import contract_keys
from orderhe_dagster.catalog.errors import Problem, close_to, listing
from orderhe_dagster.catalog.header import Entry, unquoted
from orderhe_dagster.catalog.table import (
    DAY_COLUMN,
    MOMENT_COLUMN,
    Column,
    ColumnType,
    DayStep,
    Table,
)

ARROW = "->"
EXAMPLE = "order_id -> orders.order_date"
_NAME = r"`(?:[^`]|``)+`|\"(?:[^\"]|\"\")+\"|[^\s.,()`\"]+"
_FIRST = re.compile(rf"\s*({_NAME})\s*")
_STEP = re.compile(rf"\s*({_NAME})\s*(?:\(\s*({_NAME})\s*\))?\s*\.\s*({_NAME})\s*")
_NUMBERS = ("smallint", "integer", "bigint", "decimal")
_TIMES = ("date", "timestamp")


@dataclass(frozen=True)
class NamedStep:
    """A step as it is written: the parent, its key ("": its own), and the column to go on from."""

    parent: str
    key: str
    column: str


def is_link(entry: Entry | None) -> bool:
    """Whether a @partition names a parent."""
    return entry is not None and ARROW in entry.value


def through_parents(table: Table, entry: Entry, contracts: Mapping[str, Table]) -> Table:
    """The contract with the day of its parent, as its @partition says. Problem."""
    reading = _Reading(table, entry, contracts)
    first, named = reading.parsed()
    steps = reading.steps(first, named)
    for column in table.columns:
        if column.name.lower() in (DAY_COLUMN, MOMENT_COLUMN):
            raise reading.wrong(
                f"{table.name} has a column {column.name} of its own, under which the day of the parent "
                f"would travel: take it out of the contract and write `-- @leave_out {column.name}`"
            )
    return with_day(table, steps)


def with_day(table: Table, steps: Sequence[tuple[str, Table, str, str]]) -> Table:
    """The table cut by its parent's day; a step: column, parent, the parent's key, its next column."""
    through = []
    for place, (column, parent, key, then) in enumerate(steps):
        is_last = place == len(steps) - 1
        there = replace(parent.in_source, partition=then if is_last else None)  # not its own days
        through.append(DayStep(column, there, key))
    last = through[-1].parent
    told = last.column(str(last.partition))
    day = Column(
        DAY_COLUMN,
        ColumnType("date", declared="date"),
        f"Day of its row in {last.name} ({told.name}), when it was read",
        pii=told.pii,
        is_added=True,
    )
    return replace(
        table,
        columns=(*table.in_source.columns, day),
        partition=DAY_COLUMN,
        day_through=tuple(through),
    )


def named_steps(table: Table) -> list[tuple[str, str, str, str]]:
    """The steps of a table by names, of which `with_day` makes them again."""
    steps = table.day_through
    then = [*(step.column for step in steps[1:]), *(str(s.parent.partition) for s in steps[-1:])]
    return [
        (step.column, step.parent.name, step.key, column)
        for step, column in zip(steps, then, strict=True)
    ]


class _Reading:
    """One @partition that names a parent."""

    def __init__(self, table: Table, entry: Entry, contracts: Mapping[str, Table]) -> None:
        self.table, self.entry, self.contracts = table, entry, contracts

    def wrong(self, text: str) -> Problem:
        """The problem to raise."""
        return Problem(
            self.table.path,
            self.entry.line,
            f"@partition {' '.join(self.entry.value.split())}: {text}",
        )

    def parsed(self) -> tuple[str, list[NamedStep]]:
        """The first column, and the steps from there, by the words of the file."""
        first, *others = self.entry.value.split(ARROW)
        start = _FIRST.fullmatch(first)
        steps = [_STEP.fullmatch(other) for other in others]
        if start is None or None in steps:
            raise self.wrong(
                "write the column that names the parent, and the parent's column that is the day, as in "
                f"{EXAMPLE}; over a table between them: item_id -> order_items.order_id -> "
                "orders.order_date; by another key than the parent's own: order_no -> "
                "orders(order_no).order_date"
            )
        return unquoted(start[1]), [
            NamedStep(unquoted(step[1]), unquoted(step[2] or ""), unquoted(step[3]))
            for step in steps
            if step is not None
        ]

    def steps(self, first: str, named: Sequence[NamedStep]) -> list[tuple[str, Table, str, str]]:
        """The steps, each held against the contract of its parent."""
        result: list[tuple[str, Table, str, str]] = []
        here, column = self.table, self.column(self.table, first)
        passed = [self.table.name]
        for place, step in enumerate(named):
            parent = self.parent(step.parent)
            if parent.name in passed:
                raise self.wrong(f"it goes through {parent.name} twice: name each table once")
            passed.append(parent.name)
            key = self.key(parent, step.key, here, column)
            then = self.column(parent, step.column)
            if place == len(named) - 1 and then.type.kind not in _TIMES:
                raise self.wrong(
                    f"{parent.name}.{then.name} is a {then.type.declared}, which has no day: end with a "
                    "date, datetime or timestamp column of a parent"
                )
            result.append((column.name, parent, key, then.name))
            here, column = parent, then
        return result

    def parent(self, name: str) -> Table:
        """The contract of that name."""
        if name in self.contracts:
            return self.contracts[name]
        raise self.wrong(
            f"there is no contract of {name!r}{close_to(name, self.contracts)}; add raw/{name}.sql, or "
            "leave @partition out: the table is then copied whole"
        )

    def column(self, table: Table, name: str) -> Column:
        """The column that is so called, capitals apart."""
        columns = table.in_source.columns
        spelling = {column.source_name.lower(): column for column in columns}
        spelling |= {column.name.lower(): column for column in columns}
        if name.lower() in spelling:
            return spelling[name.lower()]
        raise self.wrong(f"{table.name} has no column {name!r}{close_to(name.lower(), spelling)}")

    def key(self, parent: Table, name: str, child: Table, column: Column) -> str:
        """The parent's key of one column that `column` of the child names a row by."""
        keys = _keys(parent)
        wanted = self.column(parent, name).name if name else _own(parent, keys)
        if not wanted:
            choices = f" ({listing(keys)})" if keys else ""
            raise self.wrong(
                f"{parent.name} has {'no' if not keys else 'more than one'} primary or unique key of one "
                f"column{choices}, so it does not say which row {child.name}.{column.name} names: "
                + (
                    f"write which, as in {column.name} -> {parent.name}({keys[0]}).…"
                    if keys
                    else "leave @partition out: the table is then copied whole"
                )
            )
        if wanted not in keys:
            raise self.wrong(
                f"{parent.name}.{wanted} is no primary or unique key by itself, so a row of {child.name} "
                f"could have two parents and be read twice: name a key of one column{_or(keys)}, or leave "
                "@partition out: the table is then copied whole"
            )
        theirs = parent.column(wanted)
        if column.type.kind not in (*_NUMBERS, "varchar", "varbyte"):
            raise self.wrong(
                f"{child.name}.{column.name} is {column.type.declared}: a parent is named by a number, a "
                "text or bytes. Leave @partition out: the table is then copied whole"
            )
        if _family(column) != _family(theirs):
            raise self.wrong(
                f"{child.name}.{column.name} is {column.type.declared}, {parent.name}.{wanted} is "
                f"{theirs.type.declared}: values of two sorts are not equal for certain. Name columns of "
                "one sort, or leave @partition out: the table is then copied whole"
            )
        return wanted


def _or(keys: Sequence[str]) -> str:
    return f" ({listing(keys)})" if keys else ""


def _keys(table: Table) -> list[str]:
    """The columns that are unique by themselves in the source: @grain is a claim, no key of the shop's."""
    spelling = {column.name.lower(): column.name for column in table.columns}
    keys = contract_keys(table)
    alone = [key[0] for key in (keys.primary, *sorted(keys.unique)) if len(key) == 1]
    return [spelling[name] for name in dict.fromkeys(alone) if name in spelling]


def _own(table: Table, keys: Sequence[str]) -> str:
    """The primary key where it is one column, else the only unique key of one; "": there is no such."""
    primary = contract_keys(table).primary
    if len(primary) == 1:
        return keys[0]
    return keys[0] if len(keys) == 1 else ""


def _family(column: Column) -> str:
    kind = column.type.kind
    if kind in _NUMBERS:
        return f"number of {column.type.scale} digits behind the point"
    return kind
