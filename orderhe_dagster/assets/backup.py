"""Backups: raw tables to immutable Parquet generations in the store. Loading is elsewhere."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

from orderhe_dagster import backups
from orderhe_dagster.assets.calendar import Calendar, report_days, say_days
from orderhe_dagster.assets.common import asset_for, failing_clearly
from orderhe_dagster.backups import Part, Record
from orderhe_dagster.catalog.days import Window, windows
from orderhe_dagster.catalog.measure import DIGESTED
from orderhe_dagster.catalog.parents import parents_of
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.resources.ports import Extract, Source, Store, Touch
from orderhe_dagster.resources.scratch import scratch_folder

log = logging.getLogger("orderhe.backup")


@dataclass
class BackedUp:
    """What a step did: the current record of each day, and which of them are new."""

    records: dict[date | None, Record] = field(default_factory=dict)
    written: set[date | None] = field(default_factory=set)

    @property
    def rows(self) -> int:
        """Rows in the days' backups."""
        return sum(record.measure.rows for record in self.records.values())


def back_up(
    table: Table,
    window: Window | None,
    history: Window,
    source: Source,
    store: Store,
    run_id: str,
    time_zone: str,
    scratch: Path,
) -> BackedUp:
    """Back up the days of `window` (None: the whole table) and those touched since their backup.

    A day that has a backup but another fingerprint in the source now (rows, or the sum of the
    cursor column) is read again. This needs no clock and no overlap: a transaction that commits
    late changes the fingerprint whenever it commits. Where the rows are as they were, the generation
    stays. What is extracted passes through a folder of its own under `scratch`.
    """
    done = BackedUp()
    todo: list[Window | None] = [None]
    if window is not None:
        known = backups.read_current(store, table.name, list(history))
        touches = source.touches(table, history, time_zone)
        again = {
            day
            for day, record in known.items()
            if day is not None and touches.get(day, Touch(0)) != record.touch
        }
        todo = list(windows(again | set(window)))
    for span in todo:
        with scratch_folder(scratch, label=f"back up {table.name}") as folder:
            _back_up_span(table, span, source, store, run_id, time_zone, folder, done)
    return done


def _back_up_span(
    table: Table,
    span: Window | None,
    source: Source,
    store: Store,
    run_id: str,
    time_zone: str,
    folder: Path,
    done: BackedUp,
) -> None:
    extract = source.extract(table, span, folder / "parts", time_zone)
    days: list[date | None] = [None] if span is None else list(span)
    before = backups.read_current(store, table.name, days)
    fresh = _fresh_records(table, extract, days, store, run_id, source.identity)
    changed = [day for day in days if not _stands(table, store, before.get(day), fresh[day])]
    store.upload(
        (part.key, path)
        for day in changed
        for part, path in zip(fresh[day].parts, extract.parts.get(day, ()), strict=True)
    )
    for day in days:
        if day in changed:
            record = fresh[day]
            if record.parts:
                store.put(record.manifest, backups.manifest_body(store, record.parts))
            done.records[day] = backups.commit(store, record)
            done.written.add(day)
        else:
            done.records[day] = before[day]


def _stands(table: Table, store: Store, before: Record | None, fresh: Record) -> bool:
    """Whether the stored generation already holds these rows, with all its parts in place."""
    if before is None or not before.same_rows(fresh) or before.touch != fresh.touch:
        return False
    # No digest sees binary and floating columns: there, only the same bytes are the same rows.
    if any(column.type.kind not in DIGESTED for column in table.columns) and [
        part.sha256 for part in before.parts
    ] != [part.sha256 for part in fresh.parts]:
        return False
    sizes = store.sizes([part.key for part in before.parts])
    return sizes == [part.size for part in before.parts]


def _fresh_records(
    table: Table,
    extract: Extract,
    days: Sequence[date | None],
    store: Store,
    run_id: str,
    source: str,
) -> dict[date | None, Record]:
    paths = [path for day in days for path in extract.parts.get(day, ())]
    with ThreadPoolExecutor(2) as pool:
        hashes = dict(zip(paths, pool.map(_sha256, paths), strict=True))
    records = {}
    for day in days:
        segment = backups.segment_of(day)
        folder = f"{backups.prefix(table.name, segment)}/{run_id}"
        parts = tuple(
            Part(f"{folder}/part-{number:05d}.parquet", path.stat().st_size, hashes[path])
            for number, path in enumerate(extract.parts.get(day, ()))
        )
        records[day] = Record(
            table=table.name,
            segment=segment,
            generation=0,
            run_id=run_id,
            manifest=f"{folder}/manifest.json" if parts else "",
            measure=extract.measures[day],
            touch=extract.touches.get(day, Touch(0)),
            parts=parts,
            schema=backups.schema_fingerprint(table),
            source=source,
            snapshot_at=extract.snapshot_at,
        )
    return records


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


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
    found: dict[str, list[str]] = {}
    for child, parents in parents_of(catalogue).items():
        for parent in parents:
            found.setdefault(parent, []).append(child)
    return found


def _backup_asset(
    catalogue: Catalogue, table: Table, children: Sequence[str], calendar: Calendar, scratch: Path
) -> dg.AssetsDefinition:
    @asset_for(
        catalogue,
        table,
        "backup",
        deps=[("raw", table.name), *(("backup", child) for child in children)],
        kinds={"s3", "parquet"},
        calendar=calendar,
        description=f"Parquet generations of `raw/{table.name}`: {table.description}",
    )
    def backup(
        context: dg.AssetExecutionContext, source: Source, store: Store
    ) -> dg.MaterializeResult[None]:
        window = calendar.window(context) if table.partition else None
        history = calendar.history()
        run_id = f"{context.run.run_id}{f'-{context.retry_number}' if context.retry_number else ''}"
        with failing_clearly(f"backup/{table.name}", window):
            done = back_up(
                table, window, history, source, store, run_id, calendar.time_zone, scratch
            )
            before, after = source.outside(table, history, calendar.time_zone) if window else (0, 0)
        days = [day for day in done.records if day is not None]
        log.info(
            "backup/%s: %s, %s rows, %s of %s generations new",
            table.name,
            say_days(days) if window else "whole",
            f"{done.rows:,}",
            len(done.written),
            len(done.records),
        )
        if before:
            log.warning(
                "backup/%s: rows before %s, the first day of the shop's history, which are in no backup: %s",
                table.name,
                history.start,
                f"{before:,}",
            )
        report_days(
            context,
            window or history,
            {day: _figures(store, record) for day, record in done.records.items() if day},
        )
        folder = backups.prefix(table.name, "" if window else backups.WHOLE).rstrip("/")
        metadata: dict[str, Any] = {
            "dagster/row_count": done.rows,
            "dagster/uri": store.url(folder),
            "days": len(days),
            "new_generations": len(done.written),
            "rows_before_the_first_day": before,
            "rows_in_the_future": after,
        }
        return dg.MaterializeResult(
            metadata=metadata | (_figures(store, done.records[None]) if not window else {})
        )

    return backup


def _figures(store: Store, record: Record) -> dict[str, Any]:
    return {
        "dagster/partition_row_count": record.measure.rows,
        "generation": record.generation,
        "bytes": sum(part.size for part in record.parts),
        "manifest": store.url(record.manifest) if record.manifest else "no rows",
        "snapshot_at": record.snapshot_at.isoformat(),
    }
