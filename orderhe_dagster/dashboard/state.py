"""What the warehouse says of itself: how fresh each table is, what its checks and proofs found last.

Read in one short session; nothing is compared here, that is `proof`'s and `claims`'.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orderhe_dagster.catalog.segments import OUTSIDE, WHOLE
from orderhe_dagster.catalog.table import Catalogue, Layer, Table, TableRef
from orderhe_dagster.ports.errors import UNDEFINED_TABLE, StatementError
from orderhe_dagster.ports.warehouse import Session, Warehouse
from orderhe_dagster.proof.verdicts import AGREES, CheckResult, check_results
from orderhe_dagster.road.audit import LOADS
from orderhe_dagster.road.inputs import lagging

_IN_WAREHOUSE: tuple[Layer, ...] = ("raw", "warehouse", "mart")
CLOCKS = timedelta(minutes=1)
"""How far the warehouse's clock may be from this machine's before an export is taken for older."""


@dataclass(frozen=True)
class Built:
    """When a table was last loaded, built or written (UTC, naive), and the days it has, if it has days."""

    at: datetime
    last_day: str | None
    days: int = 0


def read_state(
    catalogue: Catalogue, warehouse: Warehouse, exports: Mapping[str, Built]
) -> dict[str, Any]:
    """The payload's `layers`, `checks`, `freshness` and `behind`: what of `exports` is older than its marts.

    PortError where the warehouse cannot be asked.
    """
    shown = [table for table in catalogue.layer("export") if table.name in exports]
    with warehouse.session("export/dashboard", read_only=True) as session:
        built = _built(session)
        results = check_results(session, catalogue)
        read = dict.fromkeys(ref for table in shown for ref in table.depends_on)
        lags = set(lagging(session, catalogue, read) if built else read)
    written = {str(table.ref): exports[table.name] for table in shown}
    proofs = {found.table_name: found for found in results if found.claim == AGREES}
    return {
        "layers": [
            _proved(table, proofs.get(str(table.read_as)), built.get(str(table.read_as)))
            for table in catalogue.layer("raw")
        ],
        "checks": {
            "passed": sum(found.passed for found in results),
            "failed": [_failed(found) for found in results if not found.passed],
        },
        "freshness": [
            _freshness(table, {**built, **written})
            for table in (
                *(one for layer in _IN_WAREHOUSE for one in catalogue.layer(layer)),
                *shown,
            )
        ],
        "behind": [
            "/".join(table.ref.path)
            for table in shown
            if _behind(table, exports[table.name], built, lags)
        ],
    }


def _behind(
    table: Table, written: Built, built: Mapping[str, Built], lags: Collection[TableRef]
) -> bool:
    """Whether an export is older than what it is made of, or that than what the warehouse holds."""
    return any(
        ref in lags or (str(ref) in built and built[str(ref)].at - written.at > CLOCKS)
        for ref in table.depends_on
    )


def _built(session: Session) -> dict[str, Built]:
    """By the name that SQL calls a table; empty where nothing was ever loaded."""
    no_days = f"'{WHOLE}', '{OUTSIDE}'"
    try:
        found = session.execute(
            "select table_name, max(loaded_at) as built_at,"
            f" max(case when segment not in ({no_days}) then segment end) as last_day,"
            f" count(case when segment not in ({no_days}) then segment end) as days"
            f" from {LOADS} group by table_name"
        )
    except StatementError as error:
        if error.code != UNDEFINED_TABLE:
            raise
        return {}
    return {name: Built(*values) for name, *values in found.rows}


def _proved(table: Table, found: CheckResult | None, held: Built | None) -> dict[str, Any]:
    """The latest proof of a table: over the days that its last run loaded, of those that are held.

    A proof of no day at all has shown nothing.
    """
    if found is not None and found.days == 0:
        found = None
    return {
        "table": table.name,
        "days": found.days if found and table.partition else None,
        "days_held": held.days if held and table.partition else None,
        "source_rows": found and found.source_rows,
        "backup_rows": found and found.backup_rows,
        "warehouse_rows": found and found.warehouse_rows,
        "agrees": found and found.passed,
        "only_stale": found and found.only_stale,
        "proved_at": found and instant(found.checked_at),
    }


def _failed(found: CheckResult) -> dict[str, Any]:
    return {
        "table": found.table_name,
        "claim": found.claim,
        "wrong_rows": found.wrong_rows,
        "only_stale": found.only_stale,
        "checked_at": instant(found.checked_at),
    }


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
