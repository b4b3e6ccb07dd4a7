"""The backup of a table's days: extract, compare with what is stored, upload, commit.

How records are kept is `backups`' business; which days a run is about, its caller's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from orderhe_dagster.catalog.days import Window, windows
from orderhe_dagster.catalog.measure import DIGESTED
from orderhe_dagster.catalog.segments import WHOLE, Segment, days_of, segments_of
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.measures import Touch
from orderhe_dagster.ports.source import Extract, Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.road import backups
from orderhe_dagster.road.backups import Part, Record
from orderhe_dagster.road.step import Step
from orderhe_dagster.settings.scratch import scratch_folder

_T = TypeVar("_T")
MAY_BE_EMPTY_TAG = "orderhe/allow_empty"
"""Tag of a run that may back up a table as empty which was not."""
MOST_SCANS = 8


@dataclass
class BackedUp:
    """What a step came to: every segment's current record, which were read, which are new."""

    records: dict[Segment, Record] = field(default_factory=dict)
    read: set[Segment] = field(default_factory=set)
    written: set[Segment] = field(default_factory=set)

    @property
    def rows(self) -> int:
        """Rows in all the backups."""
        return sum(record.measure.rows for record in self.records.values())


def back_up(
    step: Step,
    history: Window,
    source: Source,
    store: Store,
    scratch: Path,
    *,
    may_be_empty: bool = False,
) -> BackedUp:
    """Back up what the step asks for, and the days of `history` that need it besides.

    A day that has a backup but another fingerprint in the source now (rows, or the sum of the
    cursor column) is read again. This needs no clock and no overlap: a transaction that commits
    late changes the fingerprint whenever it commits. So is a day whose backup has other columns than
    the contract, and a day with rows that was skipped between others. Where the rows are as they
    were, the generation stays. What is extracted passes through a folder of its own under `scratch`.

    A table that had rows and has none at all now stops (BackupError), unless it `may_be_empty`.
    """
    table, done = step.table, BackedUp()
    spans: list[Window | None] = [None]
    if step.window is not None:
        done.records.update(backups.read_current(store, table.name, segments_of(history)))
        touches = source.touches(table, history)
        if not touches and done.rows and not may_be_empty:
            raise _emptied_error(table, done.rows)
        spans = [*_spans(table, step.window, done.records, touches)]
    for span in spans:
        with scratch_folder(scratch, label=f"back up {table.name}") as folder:
            _back_up_span(replace(step, window=span), source, store, folder, done, may_be_empty)
    return done


def _emptied_error(table: Table, rows: int, quarantined: int = 0) -> backups.BackupError:
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
    known: Mapping[Segment, Record],
    touches: Mapping[Segment, Touch],
) -> list[Window]:
    """The days to read: those asked for, those that are out of date, and those skipped in between."""
    columns = backups.schema_fingerprint(table)
    days = set(window)
    days |= {
        day
        for segment, record in known.items()
        if (day := segment.day)
        and (touches.get(segment, Touch(0)) != record.touch or record.schema != columns)
    }
    backed_up = days_of(known)
    if backed_up:
        first, last = min(backed_up), max([*backed_up, window.end])
        days |= {day for day in days_of(touches.keys() - known.keys()) if first < day < last}
    spans = windows(days)
    if len(spans) <= MOST_SCANS:
        return spans
    return [Window(spans[0].start, spans[-1].end)]  # one scan of all beats many of few


def _back_up_span(
    step: Step,
    source: Source,
    store: Store,
    folder: Path,
    done: BackedUp,
    may_be_empty: bool,
) -> None:
    """Back up the step's own days from one extract, and note in `done` what came of it."""
    table, segments = step.table, step.segments
    whole = step.window is None
    known = backups.read_current(store, table.name, segments) if whole else {**done.records}
    extract = source.extract(table, step.window, folder / "parts")
    before = backups.read_current(store, table.name, segments)
    fresh = _fresh_records(step, extract, source.identity)
    if whole and not may_be_empty:
        rows = before[WHOLE].measure.rows if WHOLE in before else 0
        if rows and not fresh[WHOLE].measure.rows:
            raise _emptied_error(table, rows, fresh[WHOLE].quarantined)

    def stands(segment: Segment) -> bool:
        stored = before.get(segment)
        return (
            stored is not None
            and _holds(table, stored, fresh[segment])
            and _is_sound(store, stored)
        )

    unchanged = {segment for segment, same in _in_parallel(stands, segments, store) if same}
    changed = [segment for segment in segments if segment not in unchanged]
    store.upload(_files(extract, [fresh[segment] for segment in changed]))

    def commit(segment: Segment) -> Record:
        if segment in unchanged:
            return backups.verify(store, before[segment], extract.snapshot_at)
        record = fresh[segment]
        if record.parts:
            store.put(record.manifest, backups.manifest_body(store, record.parts))
        return backups.commit(store, record, known.get(segment))

    done.records.update(_in_parallel(commit, segments, store))
    done.written.update(changed)
    done.read.update(segments)


def _files(extract: Extract, records: Iterable[Record]) -> Iterator[tuple[str, Path]]:
    """The keys of the records' objects, each with the local file that is to lie there."""
    for record in records:
        for parts, files in (
            (record.parts, extract.parts),
            (record.quarantine, extract.quarantine),
        ):
            for part, path in zip(parts, files.get(record.segment, ()), strict=True):
                yield part.key, path


def _in_parallel(
    work: Callable[[Segment], _T], segments: Sequence[Segment], store: Store
) -> Iterator[tuple[Segment, _T]]:
    """What `work` makes of each segment, in order, as many at once as the store takes well."""
    if store.requests_at_once == 1 or len(segments) == 1:
        yield from zip(segments, map(work, segments), strict=True)
        return
    with ThreadPoolExecutor(min(store.requests_at_once, len(segments))) as pool:
        yield from zip(segments, pool.map(work, segments), strict=True)


def _holds(table: Table, before: Record, fresh: Record) -> bool:
    """Whether the stored generation already holds these rows."""
    if not before.same_rows(fresh) or before.touch != fresh.touch:
        return False
    # No digest sees floating columns: there, only the same bytes are the same rows.
    if all(column.type.kind in DIGESTED for column in table.columns):
        return True
    return [part.sha256 for part in before.parts] == [part.sha256 for part in fresh.parts]


def _is_sound(store: Store, before: Record) -> bool:
    """Whether all objects of the stored generation are there, as they were written."""
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


def _fresh_records(step: Step, extract: Extract, source: str) -> dict[Segment, Record]:
    """The record that each segment would have if the extract were its backup."""
    table, segments = step.table, step.segments
    paths = [
        path
        for segment in segments
        for files in (extract.parts, extract.quarantine)
        for path in files.get(segment, ())
    ]
    with ThreadPoolExecutor(2) as pool:
        hashes = dict(zip(paths, pool.map(_sha256, paths), strict=True))
    records = {}
    for segment in segments:
        folder = f"{backups.prefix(table.name, segment)}/{step.run_id}"
        parts = tuple(
            Part(f"{folder}/part-{number:05d}.parquet", path.stat().st_size, hashes[path])
            for number, path in enumerate(extract.parts.get(segment, ()))
        )
        quarantine = tuple(
            Part(f"{folder}/quarantine-{number:05d}.jsonl", path.stat().st_size, hashes[path])
            for number, path in enumerate(extract.quarantine.get(segment, ()))
        )
        _check_counts(table, segment, extract)
        records[segment] = Record(
            table=table.name,
            segment=segment,
            generation=0,
            run_id=step.run_id,
            manifest=f"{folder}/manifest.json" if parts else "",
            measure=extract.measures[segment],
            touch=extract.touches.get(segment, Touch(0)),
            parts=parts,
            schema=backups.schema_fingerprint(table),
            source=source,
            snapshot_at=extract.snapshot_at,
            verified_at=extract.snapshot_at,
            quarantine=quarantine,
            quarantined=extract.quarantined.get(segment, 0),
            nulled=dict(extract.nulled.get(segment, {})),
        )
    return records


def _check_counts(table: Table, segment: Segment, extract: Extract) -> None:
    """Rows read = rows to be loaded + rows in quarantine."""
    read = extract.touches.get(segment, Touch(0)).rows
    kept, apart = extract.measures[segment].rows, extract.quarantined.get(segment, 0)
    if read != kept + apart:
        raise backups.BackupError(
            f"backup of {table.name} {segment}: {read:,} rows were read, but {kept:,} are to be loaded "
            f"and {apart:,} in quarantine. Nothing was stored. Run it again; if it stays so, "
            "it is a fault of orderhe: report it as CONTRIBUTING.md says."
        )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
