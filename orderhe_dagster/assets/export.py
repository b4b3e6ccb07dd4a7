"""Export assets: what BI sees, a CSV file a select of `sql/export/`. Its looks are not decided here."""

import logging
from pathlib import Path
from typing import Any

import dagster as dg

from orderhe_dagster.assets.calendar import Calendar
from orderhe_dagster.assets.common import (
    PREVIEW_ROWS,
    asset_for,
    asset_options,
    failing_clearly,
    preview,
    select_lineage,
    upstream_key,
)
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.source import Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Result, Warehouse
from orderhe_dagster.proof.judgement import Judge
from orderhe_dagster.rendering.csv_files import csv_file, first_rows
from orderhe_dagster.rendering.masking import hiding_values, reads_personal_data
from orderhe_dagster.road.export_files import ExportFiles, describe_folder
from orderhe_dagster.settings.locks import file_lock
from orderhe_dagster.settings.scratch import scratch_folder

log = logging.getLogger("orderhe.export")
_MB = 1_000_000


def build_export_assets(
    catalogue: Catalogue, calendar: Calendar, folder: Path, scratch: Path, max_mb: int
) -> list[dg.AssetsDefinition]:
    """One asset for each select of the export layer; its file is `<folder>/<name>.csv`.

    A file of more than `max_mb` million bytes is there in parts, too, for tools that limit uploads.
    """
    return [
        _export_asset(catalogue, table, calendar, ExportFiles(folder, table.name), scratch, max_mb)
        for table in catalogue.layer("export")
    ]


def _export_asset(
    catalogue: Catalogue,
    table: Table,
    calendar: Calendar,
    files: ExportFiles,
    scratch: Path,
    max_mb: int,
) -> dg.AssetsDefinition:
    options = asset_options(
        catalogue,
        table,
        "export",
        calendar,
        deps=[upstream_key(catalogue, ref) for ref in table.depends_on],
        description=table.description,
    )

    @asset_for(options)
    def export(
        context: dg.AssetExecutionContext,
        source: dg.ResourceParam[Source],
        store: dg.ResourceParam[Store],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.MaterializeResult[None]:
        label = f"export/{table.name}"
        judge = Judge(catalogue, calendar.history(), source, store, context.run.run_id)
        with (
            failing_clearly(label, None),
            hiding_values(reads_personal_data(catalogue, table.depends_on)),
            # A slower run must not put what it read before over what another has read since.
            file_lock(scratch / f"export-{table.name}", label=label),
        ):
            judge.require_passed_of(warehouse, table, label)
            with scratch_folder(scratch, label=f"export {table.name}") as aside:
                path = aside / files.csv.name
                with csv_file(path, table.column_names, max_mb * _MB) as file:
                    warehouse.write(table.sql, file, label=label)
                    whole = file.written(path)
                # What was built meanwhile may be what was read.
                judge.require_passed_of(warehouse, table, label)
                parts = files.publish(whole, table)
            describe_folder(catalogue, files.folder, scratch)
        log.info("%s: %s to %s", label, counted(whole.rows, "row"), files.csv)
        return dg.MaterializeResult(
            metadata=_metadata(catalogue, table, files)
            | {"dagster/row_count": whole.rows, "bytes": whole.size, "parts": parts}
        )

    return export


def _metadata(catalogue: Catalogue, table: Table, files: ExportFiles) -> dict[str, Any]:
    """Where the files are, and how the first rows look there."""
    rows = [tuple(text or None for text in row) for row in first_rows(files.csv, PREVIEW_ROWS)]
    return {
        "dagster/uri": files.csv.as_uri(),
        "file": dg.MetadataValue.path(str(files.csv)),
        "schema": dg.MetadataValue.path(str(files.schema)),
        "dagster/column_lineage": select_lineage(catalogue, table),
        "preview": preview(table.columns, Result(table.column_names, rows=rows)),
    }
