"""What the warehouse says of itself: how fresh each table is, what its checks and proofs found last.

Read in one short session; nothing is compared here, that is `proof`'s and `claims`'.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orderhe_dagster.catalog.segments import OUTSIDE, WHOLE
from orderhe_dagster.catalog.table import Catalogue, Layer, Table, TableRef
from orderhe_dagster.ports.errors import UNDEFINED_TABLE, StatementError
from orderhe_dagster.ports.warehouse import Session, Warehouse
from orderhe_dagster.proof.check_results import AGREES, CheckResult, check_results
from orderhe_dagster.road.audit import LOADS, UNDEFINED_COLUMN
from orderhe_dagster.road.inputs import lagging

_IN_WAREHOUSE: tuple[Layer, ...] = ("raw", "warehouse", "mart")
CLOCKS = timedelta(minutes=1)
"""How far the warehouse's clock may be from this machine's before an export is taken for older."""


@dataclass(frozen=True)
class Freshness:
    """When a table was last loaded, built or written (UTC, naive), and the days it has, if it has days.

    `outside_rows` are those of no day of the shop's history. `confirmed_at` is when a run last found
    that nothing of it was to be done.
    """

    at: datetime
    last_day: str | None
    days: int = 0
    outside_rows: int = 0
    confirmed_at: datetime | None = None


def read_state(
    catalogue: Catalogue, warehouse: Warehouse, exports: Mapping[str, Freshness]
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
    warehouse_tables = [table for layer in _IN_WAREHOUSE for table in catalogue.layer(layer)]
    return {
        "layers": _layers(catalogue, results, built),
        "checks": {
            "passed": sum(result.passed for result in results),
            "failed": [_failed(result) for result in results if not result.passed],
        },
        "freshness": [
            _freshness_row(table, {**built, **written}) for table in (*warehouse_tables, *shown)
        ],
        "behind": [
            "/".join(table.ref.path)
            for table in shown
            if _behind(table, exports[table.name], built, lags)
        ],
    }


def _behind(
    table: Table, written: Freshness, built: Mapping[str, Freshness], lags: Collection[TableRef]
) -> bool:
    """Whether an export is older than what it is made of, or that than what the warehouse holds."""
    return any(
        ref in lags or (str(ref) in built and built[str(ref)].at - written.at > CLOCKS)
        for ref in table.depends_on
    )


def _built(session: Session) -> dict[str, Freshness]:
    """By the name that SQL calls a table; empty where nothing was ever loaded."""
    no_days = f"'{WHOLE}', '{OUTSIDE}'"
    select = (
        "select table_name, max(loaded_at) as built_at,"
        f" max(case when segment not in ({no_days}) then segment end) as last_day,"
        f" count(case when segment not in ({no_days}) then segment end) as days,"
        f" coalesce(sum(case when segment = '{OUTSIDE}' then row_count end), 0)::bigint as outside_rows"
    )
    try:
        try:
            result = session.execute(
                f"{select}, max(confirmed_at) as confirmed_at from {LOADS} group by table_name"
            )
        except StatementError as error:
            if error.code != UNDEFINED_COLUMN:  # of an earlier version: the next run adds it
                raise
            result = session.execute(f"{select} from {LOADS} group by table_name")
    except StatementError as error:
        if error.code != UNDEFINED_TABLE:
            raise
        return {}
    return {name: Freshness(*values) for name, *values in result.rows}


def _layers(
    catalogue: Catalogue, results: Sequence[CheckResult], built: Mapping[str, Freshness]
) -> list[dict[str, Any]]:
    """The latest proof of every raw table. A proof of nothing at all has shown nothing."""
    proofs = {
        result.table_name: result
        for result in results
        if result.claim == AGREES and result.days != 0
    }
    return [
        _proof(table, proofs.get(str(table.read_as)), built.get(str(table.read_as)))
        for table in catalogue.layer("raw")
    ]


def _proof(table: Table, proof: CheckResult | None, held: Freshness | None) -> dict[str, Any]:
    """What was proven of a table: of what was compared last, and how old the proofs of all of it are."""
    return {
        "table": table.name,
        "segments": proof and proof.segments_held,
        "never_proven": proof and proof.never_proven,
        "oldest_proof": proof and proof.oldest_proof and instant(proof.oldest_proof),
        "outside_rows": held.outside_rows if held else 0,
        "source_rows": proof and proof.source_rows,
        "backup_rows": proof and proof.backup_rows,
        "warehouse_rows": proof and proof.warehouse_rows,
        "agrees": proof and proof.passed,
        "only_stale": proof and proof.only_stale,
        "proved_at": proof and instant(proof.checked_at),
    }


def _failed(result: CheckResult) -> dict[str, Any]:
    return {
        "table": result.table_name,
        "claim": result.claim,
        "wrong_rows": result.wrong_rows,
        "only_stale": result.only_stale,
        "checked_at": instant(result.checked_at),
    }


def _freshness_row(table: Table, built: Mapping[str, Freshness]) -> dict[str, Any]:
    times = built.get(str(table.read_as))
    limit = table.freshness
    return {
        "asset": "/".join(table.read_as.path),
        "built_at": None
        if times is None
        else instant(max(times.at, times.confirmed_at or times.at)),
        "limit_hours": None if limit is None else round(limit.total_seconds() / 3600, 2),
        "last_day": None if times is None else times.last_day,
    }


def instant(at: datetime) -> str:
    """A moment in UTC as the page reads it, to the second."""
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"
