"""Backups: raw tables to immutable Parquet generations in the store. Loading is elsewhere."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from orderhe_dagster.assets.calendar import Calendar, days_text, report_days
from orderhe_dagster.assets.common import asset_for, asset_options, failing_clearly
from orderhe_dagster.catalog.days import ONE_DAY, Window
from orderhe_dagster.catalog.dependencies import foreign_key_parents
from orderhe_dagster.catalog.segments import WHOLE, Outside, days_of
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.measures import OutsideRows
from orderhe_dagster.ports.source import Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.road import backups
from orderhe_dagster.road.backups import Record
from orderhe_dagster.road.extracts import MAY_BE_EMPTY_TAG, BackedUp, back_up
from orderhe_dagster.road.quarantine_report import (
    SHOWN,
    QuarantineReport,
    markdown,
    report_quarantine,
)
from orderhe_dagster.road.step import Step

NOTHING_QUARANTINED = "nothing_quarantined"
LEFT_OUT = "left_out"
"""Of a backup's metadata: what lies before the shop's history, for a person."""
log = logging.getLogger("orderhe.backup")


def build_backup_assets(
    catalogue: Catalogue, calendar: Calendar, scratch: Path
) -> list[dg.AssetsDefinition]:
    """One asset for each raw table. Parents are read after their children: a child's is there."""
    children = _children(catalogue)
    return [
        _backup_asset(catalogue, table, children.get(table.name, ()), calendar, scratch)
        for table in catalogue.layer("raw")
    ]


def _children(catalogue: Catalogue) -> Mapping[str, Sequence[str]]:
    """Parent -> the tables that refer to it; where they refer to each other, one direction."""
    children: dict[str, list[str]] = {}
    for child, parents in foreign_key_parents(catalogue).items():
        for parent in parents:
            children.setdefault(parent, []).append(child)
    return children


def _backup_asset(
    catalogue: Catalogue, table: Table, children: Sequence[str], calendar: Calendar, scratch: Path
) -> dg.AssetsDefinition:
    options = asset_options(
        catalogue,
        table,
        "backup",
        calendar,
        deps=[("raw", table.name), *(("backup", child) for child in children)],
        description=f"Parquet generations of `raw/{table.name}`: {table.description}",
    )
    check = dg.AssetCheckSpec(
        NOTHING_QUARANTINED,
        asset=options["key"],
        description="Every row could be carried: none is in quarantine. Values that @bad_values lets "
        "become NULL are counted.",
    )

    @asset_for({**options, "check_specs": [check]})
    def backup(
        context: dg.AssetExecutionContext,
        source: dg.ResourceParam[Source],
        store: dg.ResourceParam[Store],
    ) -> dg.MaterializeResult:  # type: ignore[type-arg] # Dagster takes no other beside checks
        window = calendar.window(context) if table.partition else None
        history = calendar.history()
        run_id = f"{context.run.run_id}{f'-{context.retry_number}' if context.retry_number else ''}"
        with failing_clearly(f"backup/{table.name}", window, context.retry_number):
            done = back_up(
                Step(table, window, run_id),
                history,
                source,
                store,
                scratch,
                may_be_empty=context.run.tags.get(MAY_BE_EMPTY_TAG) == "true",
            )
            left_out = source.outside(table, Outside.of(history)) if window else OutsideRows()
        _log(table, done)
        report_days(
            context,
            window or history,
            {
                day: _figures(store, done.records[segment])
                for segment in done.read
                if (day := segment.day)
            },
        )
        quarantine = report_quarantine(store, done.records.values())
        return dg.MaterializeResult(
            metadata={
                **_metadata(table, done, store),
                **_left_out(table, history, left_out.before, left_out.after),
                **_quarantine(table, quarantine),
                **({} if window else _figures(store, done.records[WHOLE])),
            },
            check_results=[_nothing_quarantined(table, quarantine)],
        )

    return backup


def _log(table: Table, done: BackedUp) -> None:
    log.info(
        "backup/%s: %s read, %s in all, %s new",
        table.name,
        days_text(days_of(done.read)) if table.partition else "whole",
        counted(done.rows, "row"),
        counted(len(done.written), "generation"),
    )


def _metadata(table: Table, done: BackedUp, store: Store) -> dict[str, Any]:
    folder = f"backup/{table.name}" if table.partition else backups.prefix(table.name, WHOLE)
    return {
        "dagster/row_count": done.rows,
        "dagster/uri": store.url(folder),
        "days_read": len(done.read) if table.partition else 0,
        "new_generations": len(done.written),
    }


def _left_out(table: Table, history: Window, before: int, after: int) -> dict[str, Any]:
    """How many rows lie outside of the shop's days; of those before them, how to take them in."""
    metadata: dict[str, Any] = {
        "rows_before_the_first_day": before,
        "rows_from_today_on": after,
    }
    if before:
        text = (
            f"backup/{table.name}: {before:,} row{'s lie' if before > 1 else ' lies'} before "
            f"{history.start}, the first day of this shop's history, and in no backup; to take in what "
            f"came before: orderhe run '*' --from <its first day> --to {history.start - ONE_DAY} "
            "(where ORDERHE_START_DATE is set, set it to that day first)"
        )
        log.warning("%s", text)
        metadata[LEFT_OUT] = text
    return metadata


def _quarantine(table: Table, report: QuarantineReport) -> dict[str, Any]:
    """What could not be carried, or became NULL, over all days of the table."""
    if not (report.rows or report.nulled):
        return {}
    log.warning("backup/%s: %s", table.name, report.sentence())
    return {"rows_in_quarantine": report.rows, "values_made_null": report.nulled.total()}


def _nothing_quarantined(table: Table, report: QuarantineReport) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = {"rows_in_quarantine": report.rows}
    if report.rows:
        metadata["days"] = {
            str(segment): rows for segment, rows in report.segments.most_common(SHOWN)
        }
        metadata["rows"] = dg.MetadataValue.md(markdown(report))
    if report.nulled:
        metadata["values_made_null"] = dict(report.nulled)
    return dg.AssetCheckResult(
        check_name=NOTHING_QUARANTINED,
        passed=not report.rows,
        severity=dg.AssetCheckSeverity.WARN,
        description=report.sentence()
        + (
            f"; mend them in the source, or see @bad_values for {table.path} in docs/types.md"
            if report.rows
            else ""
        ),
        metadata=metadata,
    )


def _figures(store: Store, record: Record) -> dict[str, Any]:
    apart: dict[str, Any] = {}
    if record.quarantined:
        apart["rows_in_quarantine"] = record.quarantined
    if record.nulled:
        apart["values_made_null"] = dict(record.nulled)
    return apart | {
        "dagster/partition_row_count": record.measure.rows,
        "generation": record.generation,
        "bytes": sum(part.size for part in record.parts),
        "manifest": store.url(record.manifest) if record.manifest else "no rows",
        "snapshot_at": record.snapshot_at.isoformat(),
    }
