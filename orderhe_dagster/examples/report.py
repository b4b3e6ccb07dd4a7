"""Verdicts on examples, as lines for a terminal. Nothing is run or compared here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from orderhe_dagster.catalog.table import Table
from orderhe_dagster.examples.compare import Difference
from orderhe_dagster.examples.runner import Verdict
from orderhe_dagster.rendering.printing import table, text

_INDENT = "    "


def lines_of(verdict: Verdict) -> Iterator[str]:
    """A line that says how it went; below it, what differs."""
    example = verdict.example
    if verdict.passed:
        yield f"passed   {example.name}"
        return
    yield f"{'failed ' if verdict.failure else 'differs'}  {example.name} ({example.path}:{example.line})"
    lines = verdict.failure.splitlines()
    if verdict.difference is not None:
        lines = list(_difference_lines(verdict.difference))
    yield from (_INDENT + line if line else "" for line in lines)


def summary(verdicts: Sequence[Verdict], tables: Sequence[Table]) -> Iterator[str]:
    """How many passed, and which of the tables have no example at all."""
    passed = sum(verdict.passed for verdict in verdicts)
    tested = {verdict.example.table.ref for verdict in verdicts}
    if verdicts:
        many = f"{len(tested):,} table{'s' if len(tested) > 1 else ''}"
        yield f"{passed:,} of {len(verdicts):,} examples of {many} passed"
    bare = [f"{table.layer}/{table.name}" for table in tables if table.ref not in tested]
    if bare:
        yield f"without examples: {', '.join(bare)}"


def _difference_lines(difference: Difference) -> Iterator[str]:
    if difference.cells:
        rows = [(*c.key, c.column, c.expected, c.actual) for c in difference.cells]
        yield from _table((*difference.key, "column", "expected", "found"), rows)
    for title, lines in (
        ("missing: expected, and not there", difference.missing),
        ("unexpected: there, and not expected", difference.unexpected),
        ("the rows are right, their order is not; they come as", difference.order),
    ):
        if lines:
            yield f"{title}:"
            yield from _table(difference.columns, lines)


def _table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    numbers = [
        place
        for place in range(len(names))
        if any(isinstance(row[place], (int, float, Decimal)) for row in rows)
    ]
    shown = table(names, [tuple(map(shown_value, row)) for row in rows], right=numbers)
    return [_INDENT + line for line in shown.splitlines()]


def shown_value(value: Any) -> str:
    """A value as an example writes it, but for the backslash before a bar."""
    if value is None:
        return "null"
    if isinstance(value, str) and (value in ("", "null") or value != value.strip().strip("'")):
        return "'" + value.replace("'", "''") + "'"
    return text(value)
