"""Backups: raw tables to immutable Parquet generations in the store. Loading is elsewhere."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg

from orderhe_dagster.assets.calendar import Calendar, days_text, report_days
from orderhe_dagster.assets.common import (
    asset_for,
    asset_options,
    content_version,
    failing_clearly,
    unchanged_since,
)
from orderhe_dagster.assets.drift import contract_matches, contract_spec, drift_of
from orderhe_dagster.assets.findings import differed_spec, nothing_differed
from orderhe_dagster.assets.policy import Policy
from orderhe_dagster.catalog.dependencies import foreign_key_parents
from orderhe_dagster.catalog.segments import WHOLE, Segment, days_of
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.source import Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Warehouse
from orderhe_dagster.proof.quarantine_limit import mend_quarantined
from orderhe_dagster.road import backups, index, volume
from orderhe_dagster.road.backups import Record
from orderhe_dagster.road.extracts import BackedUp, Parquet, Road, back_up
from orderhe_dagster.road.findings import Kind
from orderhe_dagster.road.leftover import Leftover, leftover
from orderhe_dagster.road.quarantine_report import (
    SHOWN,
    QuarantineReport,
    markdown,
    report_quarantine,
)
from orderhe_dagster.road.remedies import quarantine_command, replay_command
from orderhe_dagster.road.step import Step

NOTHING_QUARANTINED = "nothing_quarantined"
NOTHING_LEFT_OUT = "nothing_left_out"
USUAL_VOLUME = "usual_volume"
_DAYS_JUDGED = 7
log = logging.getLogger("orderhe.backup")


def build_backup_assets(
    catalogue: Catalogue, calendar: Calendar, scratch: Path, policy: Policy, parquet: Parquet
) -> list[dg.AssetsDefinition]:
    """One asset for each raw table. Parents are read after their children: a child's is there."""
    children = _children(catalogue)
    return [
        _backup_asset(
            catalogue, table, children.get(table.name, ()), calendar, scratch, policy, parquet
        )
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
    catalogue: Catalogue,
    table: Table,
    children: Sequence[str],
    calendar: Calendar,
    scratch: Path,
    policy: Policy,
    parquet: Parquet,
) -> dg.AssetsDefinition:
    options = asset_options(
        catalogue,
        table,
        "backup",
        calendar,
        deps=[
            ("raw", table.name),
            *(("raw", step.parent.name) for step in table.day_through),
            *(("backup", child) for child in children),
        ],
        description=f"Parquet generations of `raw/{table.name}`: {table.description}",
    )
    names = [one.name for one in catalogue.layer("raw")]

    @asset_for({**options, "check_specs": _check_specs(options["key"], table)})
    def backup(
        context: dg.AssetExecutionContext,
        source: dg.ResourceParam[Source],
        store: dg.ResourceParam[Store],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.MaterializeResult:  # type: ignore[type-arg] # Dagster takes no other beside checks
        window = calendar.window(context) if table.partition else None
        run_id = f"{context.run.run_id}{f'-{context.retry_number}' if context.retry_number else ''}"
        step = Step(table, window, run_id, calendar.history())
        with failing_clearly(f"backup/{table.name}", window, context.retry_number):
            changes = drift_of(table, source)
            rules = policy.of_source(context.run.tags)
            totals = index.TOTALS.of(context.run.run_id, store, names)
            share = rules.budget.share(totals, table.name)
            road = Road(source, store, warehouse, scratch, parquet)
            done = back_up(step, road, replace(rules, budget=share))
            index.TOTALS.note(context.run.run_id, table.name, done.rows)
            left = leftover(step, source, done.unread) if window else Leftover()
        _log(table, done)
        report_days(
            context,
            window or step.history,
            {
                day: _figures(store, done.records[segment])
                for segment in {*done.read, *step.segments}
                if (day := segment.day)
            },
        )
        asked = [done.records[segment] for segment in step.segments]
        since = [] if done.written else [record.snapshot_at for record in asked]
        quarantine = report_quarantine(store, table, done.records.values())
        # Of a table without a cursor nothing but its rows' number tells of a change: that is no alarm.
        usual: tuple[Kind, ...] = () if table.cursor else ("silent",)
        checks = [
            _nothing_quarantined(table, quarantine),
            nothing_differed(options["key"], done.findings, "read again", usual),
            contract_matches(table, changes, source.identity),
        ]
        if window:
            checks += [_nothing_left_out(step, left), _usual_volume(step, done.records)]
        return dg.MaterializeResult(
            metadata={
                **_metadata(table, done, store),
                **(_left_out(left) if window else {}),
                **_quarantine(table, quarantine),
                **({} if window else _figures(store, done.records[WHOLE])),
                "table_rows_in_quarantine": quarantine.rows,
                **unchanged_since(since),
            },
            data_version=content_version(f"{record.segment}={record.version}" for record in asked),
            check_results=checks,
        )

    return backup


def _check_specs(key: dg.AssetKey, table: Table) -> list[dg.AssetCheckSpec]:
    """The checks that a backup makes itself; none of them stops what follows."""
    specs = [
        dg.AssetCheckSpec(
            NOTHING_QUARANTINED,
            asset=key,
            description="Every row could be carried: none is in quarantine. Values that @bad_values "
            "lets become NULL are counted.",
        ),
        differed_spec(key),
        contract_spec(key),
    ]
    if table.partition:
        text = (
            "Every row is of a day of the shop's history that has a backup: none without a day, before "
            "the first or after today."
        )
        specs.append(dg.AssetCheckSpec(NOTHING_LEFT_OUT, asset=key, description=text))
        text = (
            f"The last {_DAYS_JUDGED} days of the run have as many rows as their weekday has had in the "
            f"{volume.WEEKS} weeks before: at least half of the least, at most thrice the most."
        )
        specs.append(dg.AssetCheckSpec(USUAL_VOLUME, asset=key, description=text))
    return specs


def _log(table: Table, done: BackedUp) -> None:
    read = days_text(days_of(done.read)) if days_of(done.read) else "whole"
    log.info(
        "backup/%s: %s read, %s in all, %s new",
        table.name,
        read if done.read else "nothing",
        counted(done.rows, "row"),
        counted(len(done.written), "generation"),
    )
    if done.proof.segments:
        log.info("backup/%s: %s", table.name, done.proof.sentence())


def _metadata(table: Table, done: BackedUp, store: Store) -> dict[str, Any]:
    folder = f"backup/{table.name}" if table.partition else backups.prefix(table.name, WHOLE)
    parts = [part for segment in done.written for part in done.records[segment].parts]
    return {
        "segments_written": sum(1 for one in done.written if done.records[one].generation),
        "rows_read": sum(done.records[segment].touch.rows for segment in done.read),
        "files_written": len(parts),
        "bytes_written": sum(part.size for part in parts),
        "dagster/row_count": done.rows,
        "dagster/uri": store.url(folder),
        "days_read": len(done.read) if table.partition else 0,
        "new_generations": len(done.written),
        "segments_proven": len(done.proof.proven),
        "nights_for_all": done.proof.nights,
    }


def _left_out(left: Leftover) -> dict[str, Any]:
    """How many rows are of no day of the shop's history, or of one that has no backup."""
    return {
        "rows_without_a_day": left.outside.undated,
        "rows_before_the_first_day": left.outside.before,
        "rows_after_today": left.outside.after,
        "days_without_a_backup": len(left.unread),
    }


def _nothing_left_out(step: Step, left: Leftover) -> dg.AssetCheckResult:
    text = left.sentence(step)
    if text:
        log.warning("backup/%s: %s", step.table.name, text)
    return dg.AssetCheckResult(
        check_name=NOTHING_LEFT_OUT,
        passed=not text,
        severity=dg.AssetCheckSeverity.WARN,
        description=text or "every row is of a day that has a backup",
        metadata=_left_out(left),
    )


def _usual_volume(step: Step, records: Mapping[Segment, Record]) -> dg.AssetCheckResult:
    rows = {segment.day: one.measure.rows for segment, one in records.items() if segment.day}
    days = sorted(days_of(step.segments))[-_DAYS_JUDGED:]
    found = volume.unusual(rows, days)
    text = "; ".join(map(str, found))
    if found:
        log.warning("backup/%s: %s", step.table.name, text)
        span = f"--from {found[-1].day} --to {found[0].day}"
        text += f"; whether source and copies agree: orderhe prove {step.table.name} {span}"
    return dg.AssetCheckResult(
        check_name=USUAL_VOLUME,
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description=text or f"{counted(len(days), 'day')} within the range of the weekday",
        metadata={f"{one.day}": one.rows for one in found},
    )


def _quarantine(table: Table, report: QuarantineReport) -> dict[str, Any]:
    """What could not be carried, or became NULL, over all days of the table."""
    if not (report.rows or report.nulled):
        return {}
    log.warning("backup/%s: %s", table.name, report.sentence())
    return {"values_made_null": report.nulled.total()}


def _nothing_quarantined(table: Table, report: QuarantineReport) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = {"rows_in_quarantine": report.rows}
    text = report.sentence()
    if report.rows:
        again = replay_command(table.name, report.segments)
        each = quarantine_command(table.name, report.segments, "--rows")
        text += f". {mend_quarantined(table, report.reasons)}; then: {again}; each row: {each}"
        metadata["days"] = {
            str(segment): rows for segment, rows in report.segments.most_common(SHOWN)
        }
        metadata["reasons"] = dict(report.reasons.most_common(SHOWN))
        metadata["rows"] = dg.MetadataValue.md(markdown(report))
        metadata["each_row"], metadata["read_again"] = each, again
    if report.nulled:
        metadata["values_made_null"] = dict(report.nulled)
    return dg.AssetCheckResult(
        check_name=NOTHING_QUARANTINED,
        passed=not report.rows,
        severity=dg.AssetCheckSeverity.WARN,
        description=text,
        metadata=metadata,
    )


def _figures(store: Store, record: Record) -> dict[str, Any]:
    # Always there: a curve of it has its zeros, and no day shows what is said of the whole run.
    apart: dict[str, Any] = {"rows_in_quarantine": record.quarantined}
    if record.quarantined:
        apart["quarantine"] = quarantine_command(record.table, [record.segment], "--rows")
    if record.nulled:
        apart["values_made_null"] = dict(record.nulled)
    return apart | {
        "dagster/partition_row_count": record.measure.rows,
        "generation": record.generation,
        "bytes": sum(part.size for part in record.parts),
        "manifest": store.url(record.manifest) if record.manifest else "no rows",
        "snapshot_at": record.snapshot_at.isoformat(),
    }
