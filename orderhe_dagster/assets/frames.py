"""A table of the warehouse as a pandas frame that is what its file says: for a team's own Python assets."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from orderhe_dagster.catalog.ddl import qualified, quoted
from orderhe_dagster.catalog.table import Kind, Table
from orderhe_dagster.errors import OrderheError, counted
from orderhe_dagster.ports.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

_DTYPES: dict[Kind, str] = {
    "boolean": "boolean",
    "smallint": "Int64",
    "integer": "Int64",
    "bigint": "Int64",
    "real": "Float64",
    "double": "Float64",
    "date": "datetime64[us]",
    "timestamp": "datetime64[us]",
    "varchar": "string",
}
"""Kind -> the pandas type that holds its values and missing ones; the others stay Python's own.

A float that is no number (NaN) counts as missing, as pandas has it.
"""


class FrameError(OrderheError):
    """The name is no table, or its rows are not what its file says. The text names column and rows."""


def read_frame(warehouse: Warehouse, name: str) -> pd.DataFrame:
    """All rows of a table (`mart/daily_sales`) with its columns in the file's order; decimals are Decimal.

    FrameError where a NOT NULL column has gaps or an enum another value, by dagster-pandas' constraints.
    """
    import pandas as pd
    from dagster_pandas.constraints import ColumnConstraintViolationException

    table = _table(name)
    columns = ", ".join(quoted(column) for column in table.column_names)
    rows = warehouse.query(
        f"select {columns} from {qualified(table.read_as)}", f"frame {name}"
    ).rows
    frame = pd.DataFrame(
        [tuple(row) for row in rows], columns=list(table.column_names), dtype=object
    )
    frame = frame.astype(
        {c.name: _DTYPES[c.type.kind] for c in table.columns if c.type.kind in _DTYPES}
    )
    for column in _frame_columns(table):
        for constraint in column.constraints:
            try:
                constraint.validate(frame, column.name)
            except ColumnConstraintViolationException as error:
                raise FrameError(
                    f"{name}: {counted(len(error.offending_rows), 'row breaks', 'rows break')} the "
                    f"constraint of {column.name}: {constraint.markdown_description}. See what its "
                    f"checks say: orderhe run {name}"
                ) from None
    return frame


def _frame_columns(table: Table) -> list[Any]:
    """A `dagster_pandas.PandasColumn` for each column, with the constraints of the file."""
    from dagster_pandas.constraints import CategoricalColumnConstraint, NonNullableColumnConstraint
    from dagster_pandas.validation import PandasColumn

    columns = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are marked as beta; the version is pinned
        for column in table.columns:
            constraints: list[Any] = [] if column.nullable else [NonNullableColumnConstraint()]
            if column.values:
                values = set(column.values)
                constraints.append(CategoricalColumnConstraint(values, ignore_missing_vals=True))
            columns.append(PandasColumn(column.name, constraints=constraints))
    return columns


def _table(name: str) -> Table:
    """The table of that asset's name in the shop's catalogue."""
    from orderhe_dagster.settings.config import load_settings
    from orderhe_dagster.settings.project import read_catalogue

    catalogue = read_catalogue(load_settings())
    tables = {"/".join(t.read_as.path): t for t in catalogue.tables if t.layer != "export"}
    if name not in tables:
        raise FrameError(f"{name!r} is no table of the warehouse; there are {', '.join(tables)}")
    return tables[name]
