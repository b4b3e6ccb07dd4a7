"""Raw assets: the tables in the shop's own database.

Simulated: materializing a day makes that day happen in the shop. External: others fill the tables;
they are observed, never written. Reading them for the backup is `assets.backup`'s.
"""

import logging
from typing import cast

import dagster as dg

from orderhe_dagster.assets.calendar import Calendar, days_text, report_days
from orderhe_dagster.assets.common import asset_for, asset_options, failing_clearly
from orderhe_dagster.catalog.segments import WHOLE, Segment
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.measures import Touch
from orderhe_dagster.ports.source import Source
from orderhe_dagster.rendering.progress import reporter
from orderhe_dagster.shop.simulation import Simulation

log = logging.getLogger("orderhe.raw")


def build_raw_assets(
    catalogue: Catalogue, calendar: Calendar, simulation: Simulation | None
) -> list[dg.AssetsDefinition]:
    """One asset for each contract: made by the simulation, or (None) observed."""
    tables = catalogue.layer("raw")
    if simulation is None:
        return [_observed_asset(catalogue, table, calendar) for table in tables]
    daily = [table for table in tables if table.partition]
    return [
        *(_simulated_days(catalogue, table, calendar, simulation) for table in daily),
        *(
            _simulated_snapshot(catalogue, table, [("raw", t.name) for t in daily], calendar)
            for table in tables
            if not table.partition
        ),
    ]


def _simulated_days(
    catalogue: Catalogue, table: Table, calendar: Calendar, simulation: Simulation
) -> dg.AssetsDefinition:
    options = asset_options(
        catalogue,
        table,
        "raw",
        calendar,
        deps=(),
        description=f"{table.description}\n\nMaterializing a day makes it happen in the shop.",
    )

    @asset_for(options)
    def raw(
        context: dg.AssetExecutionContext, source: dg.ResourceParam[Source]
    ) -> dg.MaterializeResult[None]:
        window = calendar.window(context)
        with failing_clearly(f"raw/{table.name}", window, context.retry_number):
            simulated = simulation.make(
                source, list(window), reporter(log, f"raw/{table.name}", "days")
            )
            touches = source.touches(table, window)
        rows = sum(touch.rows for touch in touches.values())
        log.info("raw/%s: %s made, %s", table.name, days_text(window), counted(rows, "row"))
        report_days(
            context,
            window,
            {
                day: {"dagster/partition_row_count": touches.get(Segment.of(day), Touch(0)).rows}
                for day in window
            },
        )
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": rows,
                "dagster/uri": f"{source.identity}#{table.source_name}",
                "new_days": simulated.days,
                "new_customers": simulated.customers,
                "new_products": simulated.products,
                "earlier_days_moved_on": simulated.rewritten_days,
            }
        )

    return raw


def _simulated_snapshot(
    catalogue: Catalogue, table: Table, deps: list[tuple[str, str]], calendar: Calendar
) -> dg.AssetsDefinition:
    options = asset_options(
        catalogue,
        table,
        "raw",
        calendar,
        deps=deps,
        description=f"{table.description}\n\nThe days of the shop bring the rows they need.",
    )

    @asset_for(options)
    def raw(
        context: dg.AssetExecutionContext, source: dg.ResourceParam[Source]
    ) -> dg.MaterializeResult[None]:
        with failing_clearly(f"raw/{table.name}", None, context.retry_number):
            rows = source.touches(table, None)[WHOLE].rows
        log.info("raw/%s: %s", table.name, counted(rows, "row"))
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": rows,
                "dagster/uri": f"{source.identity}#{table.source_name}",
            }
        )

    return raw


def _observed_asset(catalogue: Catalogue, table: Table, calendar: Calendar) -> dg.AssetsDefinition:
    options = asset_options(
        catalogue,
        table,
        "raw",
        calendar,
        deps=(),
        description=f"{table.description}\n\nFilled by the shop itself; only observed here.",
    )
    # No partitions: one observation speaks of the whole table. No freshness: Dagster judges it by
    # materializations alone, and nobody materializes this asset; the backup's tells it.
    kept = ("key", "group_name", "owners", "description", "metadata")
    spec = dg.AssetSpec(**{name: options[name] for name in kept})

    def observe(
        context: dg.AssetExecutionContext, source: dg.ResourceParam[Source]
    ) -> dg.ObserveResult:
        window = calendar.history() if table.partition else None
        with failing_clearly(f"raw/{table.name}", None, context.retry_number):
            touches = source.touches(table, window)
        rows = sum(touch.rows for touch in touches.values())
        fingerprint = f"{rows}-{sum(touch.cursor_sum for touch in touches.values())}"
        return dg.ObserveResult(
            asset_key=spec.key,
            metadata={"dagster/row_count": rows, "days": len(touches)},
            data_version=dg.DataVersion(fingerprint),
        )

    decorate = dg.multi_observable_source_asset(specs=[spec], name=f"observe_raw_{table.name}")
    return cast("dg.AssetsDefinition", decorate(observe))
