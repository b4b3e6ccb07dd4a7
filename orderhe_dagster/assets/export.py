"""Export assets: what BI sees, a CSV file a select of `sql/export/`. Its looks are not decided here."""

import logging
from functools import partial
from typing import Any

import dagster as dg

from orderhe_dagster.assets.calendar import Calendar
from orderhe_dagster.assets.common import (
    FOLLOWS_ITS_INPUTS,
    PREVIEW_ROWS,
    asset_for,
    asset_options,
    failing_clearly,
    preview,
    select_lineage,
    unchanged_since,
    upstream_key,
)
from orderhe_dagster.catalog.table import Catalogue
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.source import Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Result, Warehouse
from orderhe_dagster.proof.judgement import Judge
from orderhe_dagster.rendering.csv_files import first_rows
from orderhe_dagster.rendering.masking import hiding_values, reads_personal_data
from orderhe_dagster.road.export_files import describe_folder
from orderhe_dagster.road.export_records import Exported, record_of
from orderhe_dagster.road.exports import Export, export
from orderhe_dagster.settings.home import Home

log = logging.getLogger("orderhe.export")
_MB = 1_000_000


def build_export_assets(
    catalogue: Catalogue, calendar: Calendar, state: Home, max_mb: int
) -> list[dg.AssetsDefinition]:
    """One asset for each select of the export layer; its file is `<exports>/<name>.csv`.

    A file of more than `max_mb` million bytes is there in parts, too, for tools that limit uploads.
    """
    return [
        _export_asset(
            catalogue, calendar, state, Export(table, record_of(state, table.name), max_mb * _MB)
        )
        for table in catalogue.layer("export")
    ]


def _export_asset(
    catalogue: Catalogue, calendar: Calendar, state: Home, wanted: Export
) -> dg.AssetsDefinition:
    table, label = wanted.table, wanted.label
    options = asset_options(
        catalogue,
        table,
        "export",
        calendar,
        deps=[upstream_key(catalogue, ref) for ref in table.depends_on],
        description=table.description,
    )

    @asset_for({**options, "kinds": {"csv"}, "automation_condition": FOLLOWS_ITS_INPUTS})
    def export_(
        context: dg.AssetExecutionContext,
        source: dg.ResourceParam[Source],
        store: dg.ResourceParam[Store],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.MaterializeResult[None]:
        judge = Judge(catalogue, calendar.history(), source, store, context.run.run_id)
        with (
            failing_clearly(label, None),
            hiding_values(reads_personal_data(catalogue, table.depends_on)),
        ):
            require_passed = partial(judge.require_passed_of, warehouse, table, label)
            outcome = export(wanted, warehouse, require_passed)
            exported = outcome.exported
            describe_folder(catalogue, wanted.files.folder, state.scratch)
            metadata = _metadata(catalogue, wanted, exported)
        metadata["files_written"] = max(1, exported.parts) if outcome.is_new else 0
        if outcome.months:
            metadata["months_written"] = ", ".join(outcome.months)
        if outcome.is_new:
            log.info("%s: %s to %s", label, counted(exported.rows, "row"), wanted.files.csv)
        else:
            log.info("%s: unchanged since %s", label, f"{exported.at:%Y-%m-%d %H:%M} UTC")
            metadata |= unchanged_since([exported.at])
        return dg.MaterializeResult(
            metadata=metadata,
            data_version=dg.DataVersion(exported.content) if exported.content else None,
        )

    return export_


def _metadata(catalogue: Catalogue, wanted: Export, exported: Exported) -> dict[str, Any]:
    """Where the files are, their figures, and how the first rows look there."""
    table, files = wanted.table, wanted.files
    rows = [tuple(text or None for text in row) for row in first_rows(files.csv, PREVIEW_ROWS)]
    return {
        "dagster/uri": files.csv.as_uri(),
        "file": dg.MetadataValue.path(str(files.csv)),
        "schema": dg.MetadataValue.path(str(files.schema)),
        "dagster/column_lineage": select_lineage(catalogue, table),
        "preview": preview(table.columns, Result(table.column_names, rows=rows)),
        "dagster/row_count": exported.rows,
        "bytes": exported.size,
        "parts": exported.parts,
    }
