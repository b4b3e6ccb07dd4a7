"""What the warehouse says of itself: how fresh each table is, what its checks and proofs found last.

Read from the audit in one short session; nothing is compared here, that is `proof`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orderhe_dagster.audit import LOADS
from orderhe_dagster.backups import WHOLE
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.resources.ports import UNDEFINED_TABLE, Session, StatementError, Warehouse


@dataclass(frozen=True)
class Built:
    """When a table was last loaded or built (UTC, naive), and the last day it has, if it has days."""

    at: datetime
    last_day: str | None


def read_state(catalogue: Catalogue, warehouse: Warehouse) -> dict[str, Any]:
    """The payload's `layers`, `checks` and `freshness`. PortError where the warehouse cannot be asked."""
    with warehouse.session("export/dashboard", read_only=True) as session:
        built = _built(session)
    return {
        "layers": [_never_proved(table) for table in catalogue.layer("raw")],
        "checks": {"passed": 0, "failed": []},
        "freshness": [
            _freshness(table, built)
            for layer in ("raw", "warehouse", "mart")
            for table in catalogue.layer(layer)
        ],
    }


def _built(session: Session) -> dict[str, Built]:
    """By the name that SQL calls a table; empty where nothing was ever loaded."""
    try:
        found = session.execute(
            "select table_name, max(loaded_at) as built_at,"
            f" max(case when segment <> '{WHOLE}' then segment end) as last_day"
            f" from {LOADS} group by table_name"
        )
    except StatementError as error:
        if error.code != UNDEFINED_TABLE:
            raise
        return {}
    return {name: Built(at, last_day) for name, at, last_day in found.rows}


def _never_proved(table: Table) -> dict[str, Any]:
    numbers = ("days", "source_rows", "backup_rows", "warehouse_rows")
    return {"table": table.name, **dict.fromkeys(numbers), "agrees": None, "proved_at": None}


def _freshness(table: Table, built: Mapping[str, Built]) -> dict[str, Any]:
    found = built.get(str(table.read_as))
    limit = table.freshness
    return {
        "asset": "/".join(table.read_as.path),
        "built_at": None if found is None else instant(found.at),
        "limit_hours": None if limit is None else round(limit.total_seconds() / 3600, 2),
        "last_day": None if found is None else found.last_day,
    }


def instant(at: datetime) -> str:
    """A moment in UTC as the page reads it, to the second."""
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"
