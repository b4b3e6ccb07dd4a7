"""What the columns of a query are called under an alias. No query is compiled here; in DuckDB: `scope`."""

from __future__ import annotations

from typing import Any

from local_redshift.errors import RedshiftError
from local_redshift.read.dialect import name
from local_redshift.values.scope import Columns


def renamed(columns: Columns, alias: Any, called: str) -> Columns:
    """The columns under the names that an alias gives them, as far as it does."""
    new = [name(column) for column in alias.args.get("columns") or []]
    if len(new) > len(columns):
        raise RedshiftError(
            "42P10", f'table "{called}" has {len(columns)} columns but {len(new)} are named'
        )
    return tuple(
        (new[at] if at < len(new) else column, type_) for at, (column, type_) in enumerate(columns)
    )
