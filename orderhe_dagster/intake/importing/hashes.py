"""Hashes of keys: 64 bits for each row. Whether keys with one hash are equal is for others to see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from orderhe_dagster.intake.importing.collation import folded_text

if TYPE_CHECKING:
    import pyarrow as pa

_FACTOR = 1_000_003


def hashes_of(rows: pa.Table, names: Sequence[str], folded: Sequence[str] = ()) -> Any:
    """A uint64 for each row, the same for equal keys; the columns `folded` as MySQL compares them."""
    import numpy as np
    from pandas.util import hash_array

    total = np.zeros(rows.num_rows, np.uint64)
    for name in names:
        column = folded_text(rows[name]) if name in folded else rows[name]
        with np.errstate(over="ignore"):
            total = total * np.uint64(_FACTOR) + hash_array(_values(column), categorize=False)
    return total


def meeting(hashes: Sequence[Any]) -> Any:
    """The hashes that occur more than once, each once."""
    import numpy as np

    if not hashes:
        return np.zeros(0, np.uint64)
    in_order = np.sort(np.concatenate(hashes))
    return np.unique(in_order[1:][in_order[1:] == in_order[:-1]])


def _values(column: pa.ChunkedArray) -> Any:
    """NumPy values that are equal where the column's are; the column has no NULL."""
    import pyarrow as pa
    import pyarrow.types as is_

    kind = column.type
    if is_.is_date(kind):
        return column.cast(pa.int32()).to_numpy()
    if is_.is_timestamp(kind):
        return column.cast(pa.int64()).to_numpy()
    if is_.is_floating(kind):
        return column.to_numpy() + 0.0  # there are two zeros, and they are equal
    return (column.cast(pa.string()) if is_.is_decimal(kind) else column).to_numpy()
