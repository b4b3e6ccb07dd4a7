"""Expected rows against the rows there are: what is missing, what is unexpected, which cells differ.

The rows of an export are compared in order; those of other tables are a set. Nothing is printed here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orderhe_dagster.catalog.table import Column

if TYPE_CHECKING:
    from orderhe_dagster.examples.reader import Example

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Cell:
    """A cell that differs, in the row that `key` names by the table's grain."""

    key: Row
    column: str
    expected: Any
    actual: Any


@dataclass(frozen=True)
class Difference:
    """All that differs. `columns` name the values of the rows, `key` those of the cells' keys.

    `order` holds the rows as they came, where they are the expected ones in another order.
    """

    columns: tuple[str, ...]
    key: tuple[str, ...] = ()
    missing: tuple[Row, ...] = ()
    unexpected: tuple[Row, ...] = ()
    cells: tuple[Cell, ...] = ()
    order: tuple[Row, ...] = ()


def difference(example: Example, rows: Sequence[Row]) -> Difference | None:
    """How the rows of the whole table differ from the expected ones; None where they do not."""
    columns = example.columns or example.table.columns
    names = tuple(column.name for column in columns)
    places = [example.table.column_names.index(name) for name in names]
    actual = [tuple(row[place] for place in places) for row in rows]
    missing, unexpected = _unmatched(columns, example.expected, actual)
    if not missing and not unexpected:
        if example.table.layer == "export" and not _alike_in_order(
            columns, example.expected, actual
        ):
            return Difference(names, order=tuple(actual))
        return None
    key = example.table.grain if set(example.table.grain) <= set(names) else ()
    missing, unexpected, cells = _by_key(columns, key, missing, unexpected)
    return Difference(names, key, tuple(missing), tuple(unexpected), tuple(cells))


def _unmatched(
    columns: Sequence[Column], expected: Sequence[Row], actual: Sequence[Row]
) -> tuple[list[Row], list[Row]]:
    """What is left when equal rows are taken away in pairs."""
    left, missing = list(actual), []
    for row in expected:
        twin = next((at for at, other in enumerate(left) if _alike(columns, row, other)), None)
        if twin is None:
            missing.append(row)
        else:
            del left[twin]
    return missing, left


def _by_key(
    columns: Sequence[Column], key: Sequence[str], missing: list[Row], unexpected: list[Row]
) -> tuple[list[Row], list[Row], list[Cell]]:
    """Rows of one key on both sides, as their cells that differ; the others stay rows."""
    names = [column.name for column in columns]
    places = [names.index(name) for name in key]
    left, lost, cells = list(unexpected), [], []
    for row in missing:
        of = tuple(row[place] for place in places)
        twin = next((other for other in left if tuple(other[p] for p in places) == of), None)
        if not key or twin is None:
            lost.append(row)
            continue
        left.remove(twin)
        cells += [
            Cell(of, column.name, wanted, there)
            for column, wanted, there in zip(columns, row, twin, strict=True)
            if not _equal(column, wanted, there)
        ]
    return lost, left, cells


def _alike_in_order(columns: Sequence[Column], expected: Sequence[Row], actual: list[Row]) -> bool:
    return all(_alike(columns, *pair) for pair in zip(expected, actual, strict=True))


def _alike(columns: Sequence[Column], one: Row, other: Row) -> bool:
    return all(map(_equal, columns, one, other))


def _equal(column: Column, wanted: Any, there: Any) -> bool:
    """Equal values of one type; a float as far as its sums are the same in any order."""
    if wanted is None or there is None:
        return wanted is there
    if column.type.kind in ("real", "double"):
        tolerance = 1e-5 if column.type.kind == "real" else 1e-12
        return math.isclose(wanted, there, rel_tol=tolerance) or (
            math.isnan(wanted) and math.isnan(there)
        )
    return type(wanted) is type(there) and bool(wanted == there)
