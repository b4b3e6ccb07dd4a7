"""Tables as `orderhe adopt` sees them: of a `create table`, and of what its columns are said to hold."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, timedelta

from orderhe_dagster.intake.adopt.choose import Seen
from orderhe_dagster.intake.adopt.contract_text import contract_of
from orderhe_dagster.intake.adopt.names import derived
from orderhe_dagster.ports.source import ColumnLook, TableLook

LAST = date(2026, 11, 30)


def days(span: int, *, nulls: int = 0, none: int = 0) -> ColumnLook:
    """A column whose real days span so many, with NULLs and values that are no day."""
    first = LAST - timedelta(days=span - 1) if span else None
    return ColumnLook(nulls, {"z": none} if none else {}, first, LAST if span else None)


def seen(
    text: str,
    rows: int = 10_000,
    indexed: Collection[str] = (),
    parents: Collection[str] = (),
    /,
    **columns: ColumnLook,
) -> Seen:
    """A table by its `create table`, of so many rows, all of which were looked at."""
    match = re.match(r"create table `?([^`(]+?)`? \(", text)
    assert match is not None, text
    name = match[1]
    table = contract_of(derived(name), name, text, parents).table
    return Seen(table, rows, TableLook(rows, columns=columns), indexed)
