"""Export assets: what BI sees, a CSV file a select of `sql/export/`. Its looks are `csvfile`'s."""

import logging
from pathlib import Path

import dagster as dg

from orderhe_dagster.assets.calendar import Calendar
from orderhe_dagster.assets.common import (
    asset_for,
    failing_clearly,
    preview,
    select_lineage,
    upstream_key,
)
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.csvfile import write_csv
from orderhe_dagster.masking import hiding_values, reads_personal_data
from orderhe_dagster.resources.locks import file_lock
from orderhe_dagster.resources.ports import Warehouse
from orderhe_dagster.resources.scratch import scratch_folder

log = logging.getLogger("orderhe.export")


def build_export_assets(
    catalogue: Catalogue, calendar: Calendar, folder: Path, scratch: Path
) -> list[dg.AssetsDefinition]:
    """One asset for each select of the export layer; its file is `<folder>/<name>.csv`."""
    return [
        _export_asset(catalogue, table, calendar, folder / f"{table.name}.csv", scratch)
        for table in catalogue.layer("export")
    ]


def _export_asset(
    catalogue: Catalogue, table: Table, calendar: Calendar, path: Path, scratch: Path
) -> dg.AssetsDefinition:
    define = asset_for(
        catalogue,
        table,
        "export",
        deps=[upstream_key(catalogue, ref) for ref in table.depends_on],
        kinds={"csv"},
        calendar=calendar,
        description=table.description,
        partitioned=False,
    )

    @define
    def export(warehouse: Warehouse) -> dg.MaterializeResult[None]:
        with (
            failing_clearly(f"export/{table.name}", None),
            hiding_values(reads_personal_data(catalogue, table.depends_on)),
            # A slower run must not put what it read before over what another has read since.
            file_lock(scratch / f"export-{table.name}", label=f"export/{table.name}"),
        ):
            result = warehouse.query(table.sql, label=f"export/{table.name}")
            with scratch_folder(scratch, label=f"export {table.name}") as aside:
                rows = write_csv(path, table.column_names, result.rows, aside=aside)
        log.info("export/%s: %s rows to %s", table.name, f"{rows:,}", path)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": rows,
                "dagster/uri": path.as_uri(),
                "file": dg.MetadataValue.path(str(path)),
                "bytes": path.stat().st_size,
                "dagster/column_lineage": select_lineage(catalogue, table),
                "preview": preview(table.columns, result),
            }
        )

    return export
