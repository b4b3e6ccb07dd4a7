"""Verifies `@partition` of a select."""

from __future__ import annotations

from orderhe_dagster.catalog.lineage import Query
from orderhe_dagster.catalog.table import Table


def check_daily(query: Query, table: Table, line: int) -> None:
    """Placeholder until written."""
