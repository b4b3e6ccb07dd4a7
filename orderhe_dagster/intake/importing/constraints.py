"""NOT NULL and enums of a contract, judged on rows of text. Types, ranges and keys are not judged here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from orderhe_dagster.catalog.table import Column, Table

if TYPE_CHECKING:
    import pyarrow as pa

MISSING = r"no value (\N) in a NOT NULL column"


def violations(table: Table, text: Mapping[str, pa.Array]) -> Iterator[tuple[int, Column, str]]:
    """(row, column, reason) of every text that breaks a constraint, by column; rows count from 0."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for column in table.columns:
        values = text.get(column.name)
        if values is None:
            continue
        if column.required:
            for row in _rows(pc.is_null(values)):
                yield row, column, MISSING
        if column.values:
            known = pc.is_in(values, value_set=pa.array(column.values, values.type))
            strange = pc.and_(pc.invert(known), pc.is_valid(values))
            for row in _rows(strange):
                yield row, column, f"not one of {', '.join(column.values)}"


def _rows(flags: Any) -> list[int]:
    """The places that are true."""
    import pyarrow.compute as pc

    places: list[int] = pc.indices_nonzero(flags).to_pylist()
    return places
