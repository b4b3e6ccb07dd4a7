"""Warehouse assets of raw contracts: backups into Redshift. The SQL of a load is in `loads`."""

import logging
from typing import Any

import dagster as dg

from orderhe_dagster.assets.calendar import Calendar, days_text, report_days
from orderhe_dagster.assets.common import (
    PREVIEW_ROWS,
    asset_for,
    asset_options,
    carried,
    content_version,
    copied_lineage,
    failing_clearly,
    preview,
    unchanged_since,
)
from orderhe_dagster.assets.findings import differed_spec, nothing_differed
from orderhe_dagster.assets.policy import Policy
from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.segments import days_of
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Warehouse
from orderhe_dagster.proof.staging import Stage
from orderhe_dagster.road import loads
from orderhe_dagster.road.step import Step

log = logging.getLogger("orderhe.warehouse")
_SHOWN = ("dagster/row_count", "preview")


def build_warehouse_assets(
    catalogue: Catalogue, calendar: Calendar, policy: Policy
) -> list[dg.AssetsDefinition]:
    """One asset for each raw table: the table in Redshift."""
    return [_loaded_asset(catalogue, table, calendar, policy) for table in catalogue.layer("raw")]


def _loaded_asset(
    catalogue: Catalogue, table: Table, calendar: Calendar, policy: Policy
) -> dg.AssetsDefinition:
    options = asset_options(
        catalogue,
        table,
        "warehouse",
        calendar,
        deps=[("backup", table.name)],
        description=f"{table.description}\n\nLoaded from the backup, and proven equal to it.",
    )
    name = f"warehouse.{table.name}"

    @asset_for({**options, "check_specs": [differed_spec(options["key"])]})
    def warehouse_table(
        context: dg.AssetExecutionContext,
        store: dg.ResourceParam[Store],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.MaterializeResult:  # type: ignore[type-arg] # Dagster takes no other beside checks
        window = calendar.window(context) if table.partition else None
        with failing_clearly(f"warehouse/{table.name}", window, context.retry_number):
            step = Step(table, window, context.run.run_id, calendar.history())
            stage = Stage(catalogue, step.run_id)
            done = loads.load(step, store, warehouse, policy.of_copies(context.run.tags), stage)
            records = done.records
            shown = None if records or done.findings else carried(context, _SHOWN)
            shown = _shown(table, warehouse) if shown is None else shown
        rows = sum(record.measure.rows for record in records.values())
        if records:
            log.info(
                "warehouse/%s: %s, %s loaded, %s in the table",
                table.name,
                days_text(days_of(records)) if window else "whole",
                counted(rows, "row"),
                f"{shown['dagster/row_count']:,}",
            )
        else:
            log.info("warehouse/%s: unchanged", table.name)
        asked = {segment: done.current[segment] for segment in step.segments}
        report_days(
            context,
            window or calendar.history(),
            {
                day: {
                    "dagster/partition_row_count": record.measure.rows,
                    "generation": record.generation,
                }
                for segment, record in (asked | records).items()
                if (day := segment.day)
            },
        )
        since = [] if records else [done.held[segment].loaded_at for segment in asked]
        return dg.MaterializeResult(
            metadata={
                **shown,
                "rows_loaded": rows,
                "segments_loaded": len(records),
                **unchanged_since(since),
                "dagster/uri": f"{warehouse.identity}#{name}",
                "dagster/column_lineage": copied_lineage(table, ("backup", table.name)),
                "segments_proven": done.proven,
            },
            data_version=content_version(
                f"{segment}={record.version}" for segment, record in asked.items()
            ),
            check_results=[nothing_differed(options["key"], done.findings, "loaded again")],
        )

    return warehouse_table


def _shown(table: Table, warehouse: Warehouse) -> dict[str, Any]:
    """How many rows the table has, and the first ones."""
    there = ddl.qualified(table.read_as)
    with warehouse.session(f"preview of warehouse.{table.name}", read_only=True) as session:
        total = session.execute(f"select count(*) from {there}").scalar()
        head = session.execute(f"select * from {there} limit {PREVIEW_ROWS}")
    return {"dagster/row_count": total, "preview": preview(table.columns, head)}
