"""Assets of the selects in `sql/warehouse/` and `sql/mart/`. The SQL of a build is in `builds`."""

import logging
from datetime import date
from functools import partial
from typing import Any

import dagster as dg

from orderhe_dagster.assets.calendar import Calendar, days_text, report_days
from orderhe_dagster.assets.common import (
    FOLLOWS_ITS_INPUTS,
    PREVIEW_ROWS,
    asset_for,
    asset_options,
    carried,
    content_version,
    failing_clearly,
    preview,
    select_lineage,
    unchanged_since,
    upstream_key,
)
from orderhe_dagster.assets.findings import differed_spec, nothing_differed
from orderhe_dagster.assets.policy import Policy
from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.days import ONE_DAY
from orderhe_dagster.catalog.segments import days_of
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.source import Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Session, Warehouse
from orderhe_dagster.proof.judgement import Judge
from orderhe_dagster.rendering.pictures import PictureError, picture, points_sql
from orderhe_dagster.road.builds import build
from orderhe_dagster.road.step import Step
from orderhe_dagster.settings.interrupts import raise_if_interrupted

log = logging.getLogger("orderhe.models")
ROW_COUNT, PREVIEW, PLOT = "dagster/row_count", "preview", "plot"
_SHOWN = (ROW_COUNT, PREVIEW, PLOT)


def build_model_assets(
    catalogue: Catalogue, calendar: Calendar, policy: Policy
) -> list[dg.AssetsDefinition]:
    """One asset for each select of the warehouse and mart layers."""
    tables = (*catalogue.layer("warehouse"), *catalogue.layer("mart"))
    return [_model_asset(catalogue, table, calendar, policy) for table in tables]


def _model_asset(
    catalogue: Catalogue, table: Table, calendar: Calendar, policy: Policy
) -> dg.AssetsDefinition:
    options = asset_options(
        catalogue,
        table,
        table.layer,
        calendar,
        deps=[upstream_key(catalogue, ref) for ref in table.depends_on],
        description=table.description,
    )
    asset = f"{table.layer}/{table.name}"

    @asset_for(
        {
            **options,
            "check_specs": [differed_spec(options["key"])],
            "automation_condition": FOLLOWS_ITS_INPUTS,
        }
    )
    def model(
        context: dg.AssetExecutionContext,
        source: dg.ResourceParam[Source],
        store: dg.ResourceParam[Store],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.MaterializeResult:  # type: ignore[type-arg] # Dagster takes no other beside checks
        window = calendar.window(context) if table.partition else None
        with failing_clearly(asset, window, context.retry_number):
            step = Step(table, window, context.run.run_id, calendar.history())
            judge = Judge(catalogue, step.history, source, store, step.run_id)
            built = build(
                step,
                catalogue,
                warehouse,
                partial(judge.require_passed, table=table),
                policy.of_copies(context.run.tags),
            )
            is_same = not (built.rows or built.remade or built.findings)
            shown = carried(context, _SHOWN) if is_same else None
            if shown is None or (table.plot and PLOT not in shown):
                shown = _shown(table, warehouse)
        if built.rows:
            log.info(
                "%s: %s, %s%s",
                asset,
                days_text(days_of(built.rows)) if window else "whole",
                counted(built.total, "row"),
                ", made anew for its new columns" if built.remade else "",
            )
        else:
            log.info("%s: unchanged", asset)
        if built.left_out:
            rows = counted(built.left_out, "row")
            log.info("%s leaves out %s of no day of the shop's history", asset, rows)
        by_segment = {s: loaded.rows for s, loaded in built.asked.items()} | {**built.rows}
        figures: dict[date, dict[str, Any]] = {
            day: {"dagster/partition_row_count": rows}
            for segment, rows in by_segment.items()
            if (day := segment.day)
        }
        # Each day of a range gets the metadata of the whole: a picture is for one of them.
        if window and PLOT in shown:
            figures.setdefault(window.end - ONE_DAY, {})[PLOT] = shown.pop(PLOT)
        report_days(context, window or calendar.history(), figures)
        since = [] if built.rows else [one.loaded_at for one in built.asked.values()]
        return dg.MaterializeResult(
            metadata={
                **shown,
                "rows_built": built.total,
                "segments_built": len(built.rows),
                **unchanged_since(since),
                **({"rows_of_no_day_left_out": built.left_out} if built.left_out else {}),
                "dagster/uri": f"{warehouse.identity}#{table.ref}",
                "dagster/column_lineage": select_lineage(catalogue, table),
            },
            data_version=content_version(
                f"{segment}={loaded.version}" for segment, loaded in sorted(built.asked.items())
            ),
            check_results=[nothing_differed(options["key"], built.findings, "built again")],
        )

    return model


def _shown(table: Table, warehouse: Warehouse) -> dict[str, Any]:
    """How many rows the table has, the first ones, and its picture, of one session."""
    with warehouse.session(f"preview of {table.ref}", read_only=True) as session:
        total = session.execute(f"select count(*) from {ddl.qualified(table.ref)}").scalar()
        head = session.execute(_first_rows(table))
        return {
            ROW_COUNT: total,
            PREVIEW: preview(table.columns, head),
            **_picture(table, session),
        }


def _picture(table: Table, session: Session) -> dict[str, dg.MetadataValue[Any]]:
    """The picture that @plot asks for, as metadata. The mart is built: without a picture it stays so."""
    if table.plot is None:
        return {}
    try:
        points = session.execute(points_sql(table, table.plot))
        return {PLOT: dg.MetadataValue.md(picture(table, table.plot, points.rows))}
    except PictureError as none:
        log.info("%s/%s: no picture: %s", table.layer, table.name, none)
    except Exception as error:
        raise_if_interrupted()
        log.warning("%s/%s: its picture failed: %s", table.layer, table.name, error)
    return {}


def _first_rows(table: Table) -> str:
    """The rows of the preview: the last days first, and each time the same."""
    by = [f"{ddl.quoted(table.partition)} desc"] if table.partition else []
    by += [ddl.quoted(name) for name in table.grain if name != table.partition]
    order = f" order by {', '.join(by)}" if by else ""
    return f"select * from {ddl.qualified(table.ref)}{order} limit {PREVIEW_ROWS}"
