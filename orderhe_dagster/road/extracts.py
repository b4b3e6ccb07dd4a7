"""The backup of a table's days: extract, compare with what is stored, upload, commit.

How records are kept is `backups`' business; which days a run is about, its caller's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

from orderhe_dagster.catalog.days import Window, windows
from orderhe_dagster.catalog.measure import DIGESTED
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.measures import Touch
from orderhe_dagster.ports.source import Extract, Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.road import backups
from orderhe_dagster.road.backups import Part, Record
from orderhe_dagster.settings.scratch import scratch_folder

_T = TypeVar("_T")
MAY_BE_EMPTY_TAG = "orderhe/allow_empty"
"""Tag of a run that may back up a table as empty which was not."""
MOST_SCANS = 8


@dataclass
class BackedUp:
    """What a step found and did: every day's current record, which were read, which are new."""

    records: dict[date | None, Record] = field(default_factory=dict)
    read: set[date | None] = field(default_factory=set)
    written: set[date | None] = field(default_factory=set)

    @property
    def rows(self) -> int:
        """Rows in all the backups."""
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
    *,
    may_be_empty: bool = False,
) -> BackedUp:
    """Back up the days of `window` (None: the whole table), and those that need it besides.

    A day that has a backup but another fingerprint in the source now (rows, or the sum of the
    cursor column) is read again. This needs no clock and no overlap: a transaction that commits
    late changes the fingerprint whenever it commits. So is a day whose backup has other columns than
    the contract, and a day with rows that was skipped between others. Where the rows are as they
    were, the generation stays. What is extracted passes through a folder of its own under `scratch`.

    A table that had rows and has none at all now stops (BackupError), unless it `may_be_empty`.
    """
    done = BackedUp()
    todo: list[Window | None] = [None]
    if window is not None:
        known = backups.read_current(store, table.name, list(history))
        done.records.update(known)
        touches = source.touches(table, history, time_zone)
        if not touches and done.rows and not may_be_empty:
            raise _emptied(table, done.rows)
        todo = list(_spans(table, window, known, touches))
    for span in todo:
        with scratch_folder(scratch, label=f"back up {table.name}") as folder:
            _back_up_span(table, span, source, store, run_id, time_zone, folder, done, may_be_empty)
    return done


def _emptied(table: Table, rows: int, quarantined: int = 0) -> backups.BackupError:
    why = "has no row in the source, where its backups have"
    question = "Was it emptied or made anew by mistake?"
    if quarantined:
        there = counted(quarantined, "row")
        why = f"has {there} in the source, and none that can be carried; its backups have"
        question = f"Mend the rows, or see @bad_values for {table.path}."
    return backups.BackupError(
        f"table {table.name} {why} {rows:,}. {question} "
        "Nothing was changed. If it is meant to be empty, run again with "
        f"`orderhe run … --allow-empty` (in the Dagster UI: tag {MAY_BE_EMPTY_TAG} = true)"
    )


def _spans(
    table: Table,
    window: Window,
    known: Mapping[date | None, Record],
    touches: Mapping[date | None, Touch],
) -> list[Window]:
    """The days to read: those asked for, those that are out of date, and those skipped in between."""
    columns = backups.schema_fingerprint(table)
    days = set(window)
    days |= {
        day
        for day, record in known.items()
        if day is not None
        and (touches.get(day, Touch(0)) != record.touch or record.schema != columns)
    }
    backed_up = [day for day in known if day is not None]
    if backed_up:
        first, last = min(backed_up), max([*backed_up, window.end])
        days |= {day for day in touches if day and first < day < last and day not in known}
    found = windows(days)
    if len(found) <= MOST_SCANS:
        return found
    return [Window(found[0].start, found[-1].end)]  # one scan of all beats many of few


def _back_up_span(
    table: Table,
    span: Window | None,
    source: Source,
    store: Store,
    run_id: str,
    time_zone: str,
    folder: Path,
    done: BackedUp,
    may_be_empty: bool,
) -> None:
    days: list[date | None] = [None] if span is None else list(span)
    known = backups.read_current(store, table.name, days) if span is None else {**done.records}
    extract = source.extract(table, span, folder / "parts", time_zone)
    before = backups.read_current(store, table.name, days)
    fresh = _fresh_records(table, extract, days, store, run_id, source.identity)
    if span is None and not may_be_empty:
        whole = before.get(None)
        if whole is not None and whole.measure.rows and not fresh[None].measure.rows:
            raise _emptied(table, whole.measure.rows, fresh[None].quarantined)

    def stands(day: date | None) -> bool:
        return _stands(table, store, before.get(day), fresh[day])

    unchanged = {day for day, found in _side_by_side(stands, days, store) if found}
    changed = [day for day in days if day not in unchanged]
    store.upload(
        (part.key, path)
        for day in changed
        for stored, files in (
            (fresh[day].parts, extract.parts),
            (fresh[day].quarantine, extract.quarantine),
        )
        for part, path in zip(stored, files.get(day, ()), strict=True)
    )

    def settle(day: date | None) -> Record:
        if day in unchanged:
            return backups.verify(store, before[day], extract.snapshot_at)
        record = fresh[day]
        if record.parts:
            store.put(record.manifest, backups.manifest_body(store, record.parts))
        return backups.commit(store, record, known.get(day))

    done.records.update(_side_by_side(settle, days, store))
    done.written.update(changed)
    done.read.update(days)


def _side_by_side(
    work: Callable[[date | None], _T], days: Sequence[date | None], store: Store
) -> Iterator[tuple[date | None, _T]]:
    """What `work` makes of each day, in order, as many at once as the store takes well."""
    if store.requests_at_once == 1 or len(days) == 1:
        yield from zip(days, map(work, days), strict=True)
        return
    with ThreadPoolExecutor(min(store.requests_at_once, len(days))) as pool:
        yield from zip(days, pool.map(work, days), strict=True)


def _stands(table: Table, store: Store, before: Record | None, fresh: Record) -> bool:
    """Whether the stored generation already holds these rows, with all its objects sound."""
    if before is None or not before.same_rows(fresh) or before.touch != fresh.touch:
        return False
    # No digest sees binary and floating columns: there, only the same bytes are the same rows.
    if any(column.type.kind not in DIGESTED for column in table.columns) and [
        part.sha256 for part in before.parts
    ] != [part.sha256 for part in fresh.parts]:
        return False
    stored = [*before.parts, *before.quarantine]
    if not stored:
        return True
    hashes = store.hashes([part.key for part in stored])
    if hashes != [part.sha256 for part in stored]:
        return False
    if not before.parts:
        return True
    manifest = store.get(before.manifest)
    return manifest is not None and manifest.body == backups.manifest_body(store, before.parts)


def _fresh_records(
    table: Table,
    extract: Extract,
    days: Sequence[date | None],
    store: Store,
    run_id: str,
    source: str,
) -> dict[date | None, Record]:
    paths = [
        path
        for day in days
        for files in (extract.parts, extract.quarantine)
        for path in files.get(day, ())
    ]
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
        quarantine = tuple(
            Part(f"{folder}/quarantine-{number:05d}.jsonl", path.stat().st_size, hashes[path])
            for number, path in enumerate(extract.quarantine.get(day, ()))
        )
        _check_all_there(table, segment, extract, day)
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
            verified_at=extract.snapshot_at,
            quarantine=quarantine,
            quarantined=extract.quarantined.get(day, 0),
            nulled=dict(extract.nulled.get(day, {})),
        )
    return records


def _check_all_there(table: Table, segment: str, extract: Extract, day: date | None) -> None:
    """Rows read = rows to be loaded + rows in quarantine."""
    read = extract.touches.get(day, Touch(0)).rows
    kept, apart = extract.measures[day].rows, extract.quarantined.get(day, 0)
    if read != kept + apart:
        raise backups.BackupError(
            f"backup of {table.name} {segment}: {read:,} rows were read, but {kept:,} are to be loaded "
            f"and {apart:,} in quarantine. Nothing was stored; run it again, and tell us if it stays so."
        )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
