"""Assets of the selects in `sql/warehouse/` and `sql/mart/`. The SQL of a build is in `builds`."""

import logging

import dagster as dg

from orderhe_dagster.assets.calendar import Calendar, report_days, say_days
from orderhe_dagster.assets.common import (
    PREVIEW_ROWS,
    asset_for,
    failing_clearly,
    preview,
    select_lineage,
    upstream_key,
)
from orderhe_dagster.builds import build
from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.resources.ports import Warehouse

log = logging.getLogger("orderhe.models")


def build_model_assets(catalogue: Catalogue, calendar: Calendar) -> list[dg.AssetsDefinition]:
    """One asset for each select of the warehouse and mart layers."""
    tables = (*catalogue.layer("warehouse"), *catalogue.layer("mart"))
    return [_model_asset(catalogue, table, calendar) for table in tables]


def _model_asset(catalogue: Catalogue, table: Table, calendar: Calendar) -> dg.AssetsDefinition:
    define = asset_for(
        catalogue,
        table,
        table.layer,
        deps=[upstream_key(catalogue, ref) for ref in table.depends_on],
        kinds={"redshift", "sql"},
        calendar=calendar,
        description=table.description,
    )
    asset = f"{table.layer}/{table.name}"

    @define
    def model(
        context: dg.AssetExecutionContext, warehouse: Warehouse
    ) -> dg.MaterializeResult[None]:
        window = calendar.window(context) if table.partition else None
        with failing_clearly(asset, window, context.retry_number):
            built = build(
                catalogue, table, window, warehouse, context.run.run_id, calendar.time_zone
            )
            total = warehouse.query(f"select count(*) from {ddl.qualified(table.ref)}").scalar()
            head = warehouse.query(f"select * from {ddl.qualified(table.ref)} limit {PREVIEW_ROWS}")
        log.info(
            "%s: %s, %s rows%s",
            asset,
            say_days(day for day in built.rows if day) if window else "whole",
            f"{built.total:,}",
            ", made anew for its new columns" if built.remade else "",
        )
        report_days(
            context,
            window or calendar.history(),
            {day: {"dagster/partition_row_count": rows} for day, rows in built.rows.items() if day},
        )
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": total,
                "rows_built": built.total,
                "dagster/uri": f"{warehouse.identity}#{table.ref}",
                "dagster/column_lineage": select_lineage(catalogue, table),
                "preview": preview(table.columns, head),
            }
        )

    return model
