"""The pages, the dashboard and the column lineage, as assets. What they show is the room `dashboard`'s."""

import hashlib
import json
import logging
from dataclasses import astuple
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg

from orderhe_dagster.assets.calendar import Calendar
from orderhe_dagster.assets.common import (
    DEFAULT_OWNER,
    FOLLOWS_ITS_INPUTS,
    failing_clearly,
    unchanged_since,
)
from orderhe_dagster.catalog.table import Catalogue
from orderhe_dagster.dashboard.figures import figures, ranges
from orderhe_dagster.dashboard.kept_data import KeptData
from orderhe_dagster.dashboard.lineage_html import lineage_page
from orderhe_dagster.dashboard.page import page_version, render, replace_text, vega_bundle
from orderhe_dagster.dashboard.panels import readable
from orderhe_dagster.dashboard.payload import Data, build_payload
from orderhe_dagster.dashboard.state import read_state
from orderhe_dagster.ports.warehouse import Warehouse
from orderhe_dagster.rendering.printing import markdown_table
from orderhe_dagster.road.export_records import record_of
from orderhe_dagster.settings.home import Home
from orderhe_dagster.settings.locks import file_lock
from orderhe_dagster.settings.scratch import scratch_folder

log = logging.getLogger("orderhe.dashboard")

DASHBOARD, LINEAGE = "export/dashboard", "export/lineage"
FRESH = timedelta(hours=26)
"""A day and two hours: the daily chain draws it anew each night."""


def build_dashboard_assets(
    catalogue: Catalogue, calendar: Calendar, state: Home, currency: str
) -> list[dg.AssetsDefinition]:
    """The page `<home>/dashboard/index.html`; none where the catalogue has no export that it shows."""
    read = readable(catalogue)
    if not read:
        return []
    path = state.dashboard / "index.html"

    @dg.asset(
        key=DASHBOARD.split("/"),
        deps=[dg.AssetKey(list(table.ref.path)) for table in read.values()],
        group_name="export",
        kinds={"html"},
        owners=[DEFAULT_OWNER],
        description=f"The page for the shop's owner: one file for any browser, {path}. Sales, customers, "
        "products and the state of the data, drawn from the exports alone; no rows of persons "
        "or single orders, and nothing is fetched from the network.",
        code_version=page_version(),
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=FRESH),
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool="export_dashboard",
        automation_condition=FOLLOWS_ITS_INPUTS,
    )
    def dashboard(warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
        with (
            failing_clearly(DASHBOARD, None),
            # A slower run must not put what it read before over what another has read since.
            file_lock(state.scratch / "export-dashboard", label=DASHBOARD),
        ):
            kept = KeptData(state.cache / "dashboard.json", state.cache)
            data, since = kept.read(catalogue, state.exports, partial(_confirmed_at, state))
            payload = build_payload(
                data,
                read_state(catalogue, warehouse, data.written),
                time_zone=calendar.time_zone,
                currency=currency,
                made_at=datetime.now(timezone.utc),
                lineage=path.with_name("lineage.html").is_file(),
            )
            page = render(payload, vega_bundle(state.cache))
            with scratch_folder(state.scratch, label=DASHBOARD) as aside:
                size = replace_text(path, page, aside)
        for text in data.left_out:
            log.info("%s leaves out a panel: %s", DASHBOARD, text)
        log.info("%s: %s bytes to %s", DASHBOARD, f"{size:,}", path)
        return dg.MaterializeResult(
            # The page tells the state as of now: the figures alone may have stood.
            metadata=_metadata(data, path, size)
            | {f"figures_{name}": text for name, text in unchanged_since([since]).items()},
            data_version=dg.DataVersion(_version(data, currency)),
        )

    return [dashboard]


def _version(data: Data, currency: str) -> str:
    """What the figures are and how they look; of the same figures it is the same, whenever drawn."""
    shown = [page_version(), currency, data.exports, data.price_changes]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:32]


def _confirmed_at(state: Home, name: str) -> datetime | None:
    """When an export was last found to be what would be written now."""
    there = record_of(state, name).there()
    return there.confirmed_at if there else None


def _metadata(data: Data, path: Path, size: int) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "dagster/uri": path.as_uri(),
        "file": dg.MetadataValue.path(str(path)),
        "bytes": size,
        "exports": ", ".join(data.exports),
    }
    if data.first_day and data.last_day:
        metadata["days"] = f"{data.first_day}...{data.last_day}"
        metadata["preview"] = dg.MetadataValue.md(_preview(data, data.first_day, data.last_day))
    if data.left_out:
        metadata["panels_left_out"] = dg.MetadataValue.md(
            "\n".join(f"- {text}" for text in data.left_out)
        )
    return metadata


def _preview(data: Data, first_day: str, last_day: str) -> str:
    """The figures at the top of the page, for a few ranges of days."""
    head = ("range", "revenue", "orders", "average order", "repeat rate", "return rate")
    rows = []
    for name, first, last in ranges(first_day, last_day):
        revenue, orders, average, repeats, returns = astuple(figures(data.exports, first, last))
        rows.append(
            (
                name,
                *(
                    None if value is None else f"{value:,.0f}"
                    for value in (revenue, orders, average)
                ),
                *(None if value is None else f"{value:.1%}" for value in (repeats, returns)),
            )
        )
    return markdown_table(head, rows)


def build_lineage_asset(catalogue: Catalogue, state: Home) -> dg.AssetsDefinition:
    """The page `<home>/dashboard/lineage.html`: of any shop, since it needs no data."""
    path = state.dashboard / "lineage.html"
    versions = "".join(table.code_version for table in catalogue.tables)

    @dg.asset(
        key=LINEAGE.split("/"),
        group_name="export",
        kinds={"html"},
        owners=[DEFAULT_OWNER],
        description="Where each column comes from and what is made of it, from the shop's tables to the "
        f"CSV files: one file for any browser, {path}. It is read from the SQL files; nothing "
        "is fetched from the network.",
        code_version=hashlib.sha256(versions.encode()).hexdigest()[:12],
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool="export_lineage",
    )
    def lineage() -> dg.MaterializeResult[None]:
        with failing_clearly(LINEAGE, None):
            page = lineage_page(catalogue, dashboard=bool(readable(catalogue)))
            metadata: dict[str, Any] = {
                "dagster/uri": path.as_uri(),
                "file": dg.MetadataValue.path(str(path)),
                "bytes": len(page.encode("utf-8")),
                "tables": len(catalogue.tables),
            }
            since = _since(path, page)
            if since is None:
                with scratch_folder(state.scratch, label=LINEAGE) as aside:
                    replace_text(path, page, aside)
                log.info("%s: %s bytes to %s", LINEAGE, f"{metadata['bytes']:,}", path)
            else:
                log.info("%s: unchanged since %s", LINEAGE, f"{since:%Y-%m-%d %H:%M} UTC")
                metadata |= unchanged_since([since])
        version = hashlib.sha256(page.encode("utf-8")).hexdigest()[:32]
        return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(version))

    return lineage


def _since(path: Path, page: str) -> datetime | None:
    """Since when (UTC) the file is this page; None where it is not, or not there."""
    try:
        same = path.read_bytes() == page.encode("utf-8")
        return datetime.fromtimestamp(path.stat().st_mtime, timezone.utc) if same else None
    except FileNotFoundError:
        return None
