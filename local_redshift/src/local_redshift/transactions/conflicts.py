"""Rows that two transactions changed: snapshot isolation lets the first of them win. Table locks: `locks`.

DuckDB finds two changes of one value; not an update and a delete of one row, nor two columns of it.
"""

from __future__ import annotations

from typing import Any

_UNCOMMITTED = 36_028_797_018_960_000
"""DuckDB numbers the rows that a transaction inserts from here on, until it commits."""
Image = tuple[Any, Any]
"""The ids of a table's rows and a hash of each, as NumPy arrays, in the order of the ids."""


def image(connection: Any, table: str) -> Image:
    """What a connection's snapshot shows of a table (its DuckDB name), without what it inserted itself."""
    columns = connection.execute(
        f'SELECT rowid AS id, hash("_t") AS seen FROM {table} AS "_t" '
        f"WHERE rowid < {_UNCOMMITTED} ORDER BY 1"
    ).fetchnumpy()
    return columns["id"], columns["seen"]


def changed(before: Image, after: Image) -> Any:
    """The ids of the rows of `before` that are gone in `after`, or other there."""
    import numpy as np

    (ids, seen), (later_ids, later_seen) = before, after
    if not len(later_ids):
        return ids
    places = np.minimum(np.searchsorted(later_ids, ids), len(later_ids) - 1)
    same = (later_ids[places] == ids) & (later_seen[places] == seen)
    return ids[~same]


def share(one: Any, other: Any) -> bool:
    """Whether two lists of ids have one in common."""
    import numpy as np

    return bool(np.intersect1d(one, other).size)
