"""The page's data: the exports' columns and the state of the warehouse, as one object for JSON.

Where the files lie and how the page looks is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

from orderhe_dagster.catalog.table import Catalogue
from orderhe_dagster.dashboard.export_reader import ExportError, read_export
from orderhe_dagster.dashboard.panels import PANELS, Row, misfits, price_changes, readable
from orderhe_dagster.dashboard.state import Freshness, instant

Columns = Mapping[str, Sequence[Any]]
Confirmed = Callable[[str], datetime | None]
"""When an export was last looked at and left, as nothing had changed (UTC); None where nobody knows."""


def never(name: str) -> datetime | None:
    """Nobody knows."""
    return None


@dataclass(frozen=True)
class Data:
    """The exports as the page gets them: name -> column -> values; why others are left out."""

    exports: Mapping[str, Columns]
    first_day: str | None = None
    last_day: str | None = None
    price_changes: Mapping[str, int] | None = None
    left_out: Sequence[str] = field(default_factory=tuple)
    written: Mapping[str, Freshness] = field(default_factory=dict)  # when each export was


def read_data(catalogue: Catalogue, folder: Path, confirmed_at: Confirmed = never) -> Data:
    """Read the exports of `folder` that the page shows. One that was never written is left out.

    ExportError where none is there, or a file is not what its select says.
    """
    tables = readable(catalogue)
    left_out = misfits(catalogue)
    rows: dict[str, Sequence[Row]] = {}
    times: dict[str, datetime] = {}
    for name, table in tables.items():
        path = folder / f"{name}.csv"
        try:
            # Asked before it is read: a file that is put there meanwhile is newer.
            times[name] = written_at(folder, name, confirmed_at)
            all_rows = read_export(path, PANELS[name].columns(table))
        except FileNotFoundError:
            left_out.append(f"{path} is not there: materialize export/{name}")
            continue
        rows[name] = [row for row in all_rows if PANELS[name].has_its_days(row)]
        if dayless := len(all_rows) - len(rows[name]):
            left_out.append(f"{dayless:,} of the rows of {path} have no day, so they are left out")
    if not rows:
        raise ExportError(
            "There is no export to draw the dashboard from. "
            + "; ".join(left_out or ["none of sql/export is one that it shows"])
        )
    days = [row["order_date"] for row in rows.get("daily_sales", ())]
    first, last = min(days, default=None), max(days, default=None)
    last_day = date.fromisoformat(last) if last else None
    exports = {
        name: _columns(
            PANELS[name].choose(shown, last_day), list(PANELS[name].columns(tables[name]))
        )
        for name, shown in rows.items()
    }
    prices = rows.get("price_history")
    changes = None if prices is None else price_changes(prices, last_day)
    written = {name: Freshness(times[name], _last_day(shown)) for name, shown in rows.items()}
    return Data(exports, first, last, changes, left_out, written)


def written_at(folder: Path, name: str, confirmed_at: Confirmed) -> datetime:
    """When an export was last written, or found to be what would be written (UTC, naive)."""
    written = datetime.fromtimestamp((folder / f"{name}.csv").stat().st_mtime, timezone.utc)
    confirmed = confirmed_at(name)
    at = written if confirmed is None else max(written, confirmed)
    return at.astimezone(timezone.utc).replace(tzinfo=None)


def _last_day(rows: Sequence[Row]) -> str | None:
    return max((row["order_date"] for row in rows if "order_date" in row), default=None)


def _columns(rows: Sequence[Row], names: Sequence[str]) -> Columns:
    return {name: [row[name] for row in rows] for name in names}


def build_payload(
    data: Data,
    state: Mapping[str, Any],
    *,
    time_zone: str,
    currency: str,
    made_at: datetime,
    lineage: bool,
) -> dict[str, Any]:
    """The object that the page holds; `state` is what `state.read_state` gives, `made_at` aware.

    `lineage` says that a lineage.html lies beside the page, to link to.
    """
    return {
        "made_at": instant(made_at.astimezone(timezone.utc)),
        "time_zone": time_zone,
        "currency": currency,
        "first_day": data.first_day,
        "last_day": data.last_day,
        "lineage": lineage,
        "price_changes": data.price_changes,
        "exports": data.exports,
        **state,
    }
