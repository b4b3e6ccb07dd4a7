"""Which column would cut an adopted table into days, and which tells that a row changed. Guesses only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from orderhe_dagster.catalog.table import Column, Table

LEAST_DAYS = 30
"""A table that spans fewer days is read whole."""
_WHEN_IT_HAPPENED = re.compile(
    r"(created|placed|ordered|order|sold|paid|booked|happened|occurred|logged|inserted|visited|event)"
    r"_?(at|on|date|day|time|datetime)?|(date|day|at|ts|moment)"
)
_NOT_WHEN = re.compile(
    r"(updat|modif|chang|edit|delet|birth|born|dob|expir|valid|until|due|deliver|ship|start|end|last|next)"
)


@dataclass(frozen=True)
class Choice:
    """A column and why it was chosen; or no column, and why not."""

    column: str | None
    why: str


NONE = Choice(None, "")


def partition_of(table: Table, spans: Mapping[str, int]) -> Choice:
    """The column to cut into days by. `spans`: indexed date columns and the days they span."""
    named, reasons = [], []
    for column in table.columns:
        name = column.name.lower()
        if (
            column.type.kind not in ("date", "timestamp")
            or column.nullable
            or _NOT_WHEN.search(name)
        ):
            continue
        days = spans.get(column.name)
        if days is None:
            reasons.append(f"{column.name} has no index")
        elif days < LEAST_DAYS:
            reasons.append(f"{column.name} spans {days:,} day{'s' if days != 1 else ''}")
        else:
            called = _WHEN_IT_HAPPENED.fullmatch(name) is not None
            named.append((not called, -days, column.name))
    if not named:
        return Choice(None, "; ".join(reasons) or "no date or time that is not null and tells when")
    _, days, name = min(named)
    return Choice(name, f"not null, indexed, spans {-days:,} days")


def cursor_of(table: Table) -> Choice:
    """The column that MySQL moves whenever a row changes."""
    for column in table.columns:
        if column.type.kind == "timestamp" and _moves(table, column):
            return Choice(column.name, "on update current_timestamp")
    return Choice(None, "no column has on update current_timestamp")


def _moves(table: Table, column: Column) -> bool:
    line = table.sql.split("\n")[column.line - 1]
    # Comments end a column's line; a word in one is no option.
    return (
        re.search(r"\bON UPDATE (CURRENT_TIMESTAMP|NOW)\b", line.split(" COMMENT ")[0], re.I)
        is not None
    )
