"""The contract's column constraints in dagster-pandas' terms, and how they judge rows of text.

NOT NULL and enums are judged here. Types, ranges and keys are not: a pandas column of numbers with
gaps is one of floats, which would round what it should judge.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from orderhe_dagster.catalog.table import Column, Table

if TYPE_CHECKING:
    import pyarrow as pa

MISSING = r"no value (\N) in a NOT NULL column"


def pandas_columns(table: Table) -> dict[str, Any]:
    """A `dagster_pandas.PandasColumn` for each column of the contract that has a constraint."""
    from dagster_pandas.constraints import CategoricalColumnConstraint, NonNullableColumnConstraint
    from dagster_pandas.validation import PandasColumn

    columns = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are marked as beta; the version is pinned
        for column in table.columns:
            constraints: list[Any] = []
            if not column.nullable:
                constraints.append(NonNullableColumnConstraint())
            if column.values:
                constraints.append(
                    CategoricalColumnConstraint(set(column.values), ignore_missing_vals=True)
                )
            if constraints:
                columns[column.name] = PandasColumn(
                    column.name, constraints=constraints, is_required=False
                )
    return columns


def violations(
    table: Table, columns: Mapping[str, Any], text: Mapping[str, pa.Array]
) -> Iterator[tuple[int, Column, str]]:
    """(row, column, reason) of every text that breaks a constraint of `pandas_columns`."""
    import pandas as pd
    from dagster_pandas.constraints import (
        ColumnConstraintViolationException,
        NonNullableColumnConstraint,
    )

    for name, judged in columns.items():
        if name not in text:
            continue
        column = table.column(name)
        frame = pd.DataFrame({name: text[name].to_pandas()})
        for constraint in judged.constraints:
            try:
                constraint.validate(frame, name)
            except ColumnConstraintViolationException as error:
                missing = isinstance(constraint, NonNullableColumnConstraint)
                says = MISSING if missing else f"not one of {', '.join(column.values)}"
                for row in _rows(error.offending_rows):
                    yield row, column, says


def _rows(offending: Any) -> list[int]:
    """The row numbers in what dagster-pandas gives: a frame, or pairs of number and value."""
    import pandas as pd

    if isinstance(offending, pd.DataFrame):
        return [int(row) for row in offending.index]
    return sorted(int(row) for row, _ in offending)
