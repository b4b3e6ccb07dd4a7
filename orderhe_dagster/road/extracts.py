"""The backup of a table's segments: decide what to read, extract, compare with what is stored, commit.

How records are kept is `backups`' and `index`' business; which days a run is about, its caller's.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from orderhe_dagster.catalog.days import Window, windows
from orderhe_dagster.catalog.measure import is_digested
from orderhe_dagster.catalog.segments import OUTSIDE, WHOLE, Scope, Segment, days_of, segments_of
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.measures import Touch
from orderhe_dagster.ports.source import Extract, Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Warehouse
from orderhe_dagster.road import audit, backups, index, index_objects
from orderhe_dagster.road.backups import Part, Record, in_parallel
from orderhe_dagster.road.findings import SHOWN_ROWS, SHOWN_SEGMENTS, Finding, rows_of
from orderhe_dagster.road.guards import (
    AS_USUAL,
    OTHER_SERVER,
    Rules,
    check_rows,
    check_whole,
    open_index,
)
from orderhe_dagster.road.index import Change
from orderhe_dagster.road.index_objects import Index, Proven
from orderhe_dagster.road.measures import difference
from orderhe_dagster.road.object_check import says
from orderhe_dagster.road.row_differences import RowDifferences
from orderhe_dagster.road.rows import Query, parquet_differences
from orderhe_dagster.road.source_proof import Proof, objects_wrong, prove_backups, soundness
from orderhe_dagster.road.step import Step
from orderhe_dagster.settings.scratch import scratch_folder

log = logging.getLogger("orderhe.backup")
MOST_SCANS = 8


Parquet = Callable[[Path], AbstractContextManager[Query]]
"""Opens what asks Parquet files of this machine; its folder takes what memory does not."""


@dataclass
class BackedUp:
    """What a step came to: every segment's current record, which were read, which are new.

    `findings` are the segments that differed where nothing had told it, and were read again for it.
    """

    index: Index
    read: set[Segment] = field(default_factory=set)
    written: set[Segment] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    proof: Proof = field(default_factory=Proof)
    """What of the other segments a daily step has proven."""
    unread: list[Segment] = field(default_factory=list)
    """Days with rows in the source that have no backup still."""

    @property
    def records(self) -> Mapping[Segment, Record]:
        """The current record of each segment."""
        return self.index.records

    @property
    def rows(self) -> int:
        """Rows in all the backups."""
        return sum(record.measure.rows for record in self.records.values())


@dataclass(frozen=True)
class Road:
    """The systems that a backup is made between, and where its working files lie."""

    source: Source
    store: Store
    warehouse: Warehouse
    scratch: Path
    parquet: Parquet

    def folder(self, label: str) -> AbstractContextManager[Path]:
        """A working folder of this machine for a block; nothing of it stays."""
        return scratch_folder(self.scratch, label=label)


def back_up(step: Step, road: Road, rules: Rules = AS_USUAL) -> BackedUp:
    """Back up what the step asks for, and the segments that need it besides.

    A segment that has a backup but another fingerprint in the source now (rows, or the sum of the
    cursor column) is read again. This needs no clock and no overlap: a transaction that commits
    late changes the fingerprint whenever it commits. So is one whose backup has other columns than
    the contract, and a day with rows that was skipped between others. A daily step also reads every day
    that has no backup. It, and any step that is to prove everything, proves as many segments as the
    `budget` lets it: those whose rows are not the backup's, or whose objects are damaged, are read again
    too, and told. Where the rows are as they were, the generation stays. What is extracted passes
    through a folder of its own under `scratch`.

    Stops (BackupError) where that would copy damage: see `guards`, and what the `rules` accept of it.
    """
    table, store = step.table, road.store
    opened, healed = open_index(step, road.source, store, road.warehouse, rules)
    known, rules = opened.of(step.cut), as_carried_on(rules)
    done, records = BackedUp(known, findings=healed), known.records
    _note_findings(step, healed, road.warehouse)
    # By its clock, as extracts are told: what is found to be the same is known to be as of then.
    looked_at = road.source.clock() if records.keys() & {*step.segments} else None
    touches = fingerprints(step, records, road.source)
    if step.window is not None:
        lost = check_rows(step, records, touches, rules)
        done.findings += lost
        _note_findings(step, lost, road.warehouse)
    todo = due(step, known, touches, road.source, store, rules)
    segments = todo.segments
    if todo.looks_after_all:
        done.proof = todo.proof
        same = {
            s: (records[s], looked_at) for s in step.segments if s not in segments and looked_at
        }
        change = Change(fresh=todo.empty, proven=todo.proof.proven, verified=same)
        done.index = index.commit(store, table.name, change).of(step.cut)
    for scope in scopes_of(step, segments):
        with road.folder(f"back up {table.name}") as folder:
            _back_up_scope(step, scope, road, folder, done, rules)
    done.unread = sorted(touches.keys() - done.records.keys())
    return done


def as_carried_on(rules: Rules) -> Rules:
    """The rules with what a person's word entails: of another server, all is proven anew."""
    if OTHER_SERVER not in rules.accepted:
        return rules
    return replace(rules, budget=replace(rules.budget, everything=True))


@dataclass
class Due:
    """What a step is to read, as `back_up` decides it, and `orderhe plan` says beforehand.

    `looks_after_all`: it looks after all of the past, by turns. `empty`: the records of what never had a
    row, which it brings then.
    """

    segments: set[Segment]
    proof: Proof = field(default_factory=Proof)
    empty: Sequence[Record] = ()
    looks_after_all: bool = False


def due(
    step: Step,
    known: Index,
    touches: Mapping[Segment, Touch],
    source: Source,
    store: Store,
    rules: Rules,
) -> Due:
    """Decide what is to be read, by the index and the fingerprints. Nothing is written; BackupError."""
    segments = _to_read(step, known, touches, rules)
    if not rules.proves(step):
        return Due(segments)
    proof = prove_backups(step, known, segments, source, store, rules)
    segments |= proof.doubted
    empty = _days_without_rows(step, known, touches, segments)
    return Due(segments, proof, empty, looks_after_all=True)


def _note_findings(step: Step, found: Sequence[Finding], warehouse: Warehouse) -> None:
    """Keep the findings before anything is mended: rather twice than, after a kill, not at all.

    A backup does not fail because the warehouse sleeps.
    """
    if not found:
        return
    name = f"backup.{step.table.name}"
    try:
        with warehouse.session(f"findings of {name}") as session:
            audit.prepare(session)
            audit.note_findings(session, name, rows_of(found), step.run_id)
    except PortError as error:
        log.warning("%s: what differed could not be noted in %s: %s", name, audit.FINDINGS, error)


def fingerprints(step: Step, known: Collection[Segment], source: Source) -> dict[Segment, Touch]:
    """The fingerprints of all segments that have rows; of a table without partitions, of the whole.

    But of days that are read whatever theirs is, as they have no backup yet: what is read tells it.
    """
    new = {segment for segment in step.segments if segment not in known}
    if step.window is None:
        return {} if WHOLE in new else source.touches(step.table, None)
    days = [day for day in step.history if Segment.of(day) not in new]
    touches = source.touches(step.table, Window.of(days[0], days[-1])) if days else {}
    outside = source.touches(step.table, step.outside).get(OUTSIDE, backups.NO_ROWS)
    return touches if outside == backups.NO_ROWS else {**touches, OUTSIDE: outside}


def _to_read(
    step: Step, index: Index, touches: Mapping[Segment, Touch], rules: Rules
) -> set[Segment]:
    """The segments that are out of date, those skipped, of a daily step all; and those asked for.

    Not what a daily step was asked for and is as it was backed up, by its fingerprint: the proof, which a
    daily step makes besides, looks at that first. Of what was asked for, a run that is for the quarantine
    reads what has no backup, and what stands in it.
    """
    known = index.records
    columns = backups.schema_fingerprint(step.table)
    mine = {segment for segment in known if step.has(segment)}
    changed = {
        segment
        for segment in mine
        if touches.get(segment, backups.NO_ROWS) != known[segment].touch
        or known[segment].schema != columns
    }
    asked = set(step.segments)
    if rules.replayed is not None:
        apart = {s for s in mine if known[s].quarantined and (s in asked or s.day is None)}
        asked = {s for s in asked if s not in mine}
        asked |= apart if step.table.name in rules.replayed else set()
    elif step.is_daily and is_digested(step.table):
        asked = {s for s in asked if s not in mine or index.is_doubted(s)}
    segments = asked | changed
    if step.window is None:
        return segments
    unknown = touches.keys() - known.keys()
    if step.is_daily:
        return segments | unknown
    segments |= unknown & {OUTSIDE}
    backed_up = days_of(mine)
    if backed_up:
        first, last = min(backed_up), max([*backed_up, step.window.end])
        segments |= {Segment.of(day) for day in days_of(unknown) if first < day < last}
    return segments


def _days_without_rows(
    step: Step, known: Index, touches: Mapping[Segment, Touch], to_read: Collection[Segment]
) -> list[Record]:
    """Records of what never had a row, day or `outside`: the source was asked, there is nothing to read."""
    if step.window is None:
        return []
    at = datetime.now(timezone.utc)
    schema = backups.schema_fingerprint(step.table)
    return [
        index_objects.empty_record(step.table.name, segment, schema, at)
        for segment in step.cut
        if segment not in known.entries and segment not in touches and segment not in to_read
    ]


def scopes_of(step: Step, segments: Collection[Segment]) -> list[Scope]:
    """What is read at once: days in a row, what lies outside of them, or all."""
    spans = windows(days_of(segments))
    if len(spans) > MOST_SCANS:
        spans = [Window(spans[0].start, spans[-1].end)]  # one scan of all beats many of few
    scopes: list[Scope] = [*spans]
    if OUTSIDE in segments:
        scopes.append(step.outside)
    return [*scopes, None] if WHOLE in segments else scopes


def _back_up_scope(
    step: Step, scope: Scope, road: Road, folder: Path, done: BackedUp, rules: Rules
) -> None:
    """Back up the segments of one extract, and note in `done` what came of it."""
    table, store, segments = step.table, road.store, segments_of(scope)
    known = done.records
    extract = road.source.extract(table, scope, folder / "parts")
    before = index.read(store, table.name).records
    fresh = _fresh_records(step, segments, extract, road.source.identity)
    if scope is None:
        lost = check_whole(before.get(WHOLE), fresh[WHOLE], table, rules)
        done.findings += lost
        _note_findings(step, lost, road.warehouse)

    again = list[Finding]()

    def stands(segment: Segment) -> bool:
        stored = before.get(segment)
        if stored is None or not stays(table, stored, fresh[segment], store):
            return False
        if stored.generation and not says(store.get(stored.key), stored):
            backups.write_again(store, stored)
            text = (
                f"{store.url(stored.key)} was lost or altered: written again, as the index has it"
            )
            again.append(Finding(segment, "damaged", text))
        return True

    unchanged = {segment for segment, same in in_parallel(stands, segments, store) if same}
    changed = [segment for segment in segments if segment not in unchanged]
    found = [*again, *_findings(step, changed, before, fresh, extract, road, folder)]
    _note_findings(step, found, road.warehouse)
    done.findings += found
    written = [fresh[segment] for segment in changed]
    now = datetime.now(timezone.utc)
    store.upload([*_files(extract, written), *_manifests(store, written, folder / "manifests")])
    change = Change(
        fresh=written,
        known={segment: known[segment] for segment in changed if segment in known},
        verified={segment: (before[segment], extract.snapshot_at) for segment in unchanged},
        # What was read is what is stored: the proof of both, without being asked for.
        proven={segment: (before[segment], Proven(now, now)) for segment in unchanged},
    )
    done.index = index.commit(store, table.name, change).of(step.cut)
    done.written.update(changed)
    done.read.update(segments)


def _findings(
    step: Step,
    changed: Sequence[Segment],
    before: Mapping[Segment, Record],
    fresh: Mapping[Segment, Record],
    extract: Extract,
    road: Road,
    folder: Path,
) -> list[Finding]:
    """What of the segments that get a new generation nothing had told: fingerprints are as they were."""
    result: list[Finding] = []
    store = road.store
    schema = backups.schema_fingerprint(step.table)
    for segment in changed:
        was, now = before.get(segment), fresh[segment]
        if was is None or was.touch != now.touch or was.schema != schema:
            continue
        wrong = objects_wrong(store, was)
        if was.same_rows(now):
            if not wrong and not is_digested(step.table):
                continue  # a floating column is in no digest: other bytes are no damage, and may be no change
            text = "; ".join(wrong) or f"{store.url(was.manifest)} is lost, or not of these objects"
            result.append(Finding(segment, "damaged", text))
            continue
        differs = difference(now.measure, was.measure)
        text = f"the source has {differs} as in backup generation {was.generation}"
        finding = Finding(segment, "silent", text)
        if len(result) < SHOWN_SEGMENTS and not wrong:
            rows = rows_moved(step.table, extract, was, road, folder, SHOWN_ROWS)
            finding = finding.with_rows([*rows.sentences()])
        result.append(finding)
    return result


def rows_moved(
    table: Table, extract: Extract, before: Record, road: Road, folder: Path, limit: int
) -> RowDifferences:
    """Which rows of a segment the source holds other than its backup; `folder` is the caller's to remove."""
    segment = before.segment
    old = backups.download_parts(road.store, before, folder / f"before-{segment}")
    with road.parquet(folder) as query:
        parts = extract.parts.get(segment, ())
        return parquet_differences(query, table, parts, old, limit=limit)


def _files(extract: Extract, records: Iterable[Record]) -> Iterator[tuple[str, Path]]:
    """The keys of the records' objects, each with the local file that is to lie there."""
    for record in records:
        for parts, files in (
            (record.parts, extract.parts),
            (record.quarantine, extract.quarantine),
        ):
            for part, path in zip(parts, files.get(record.segment, ()), strict=True):
                yield part.key, path


def _manifests(store: Store, records: Iterable[Record], folder: Path) -> Iterator[tuple[str, Path]]:
    """The keys of the records' manifests, each with a file of `folder` that is to lie there."""
    folder.mkdir()
    for number, record in enumerate(records):
        if record.parts:
            path = folder / f"{number:05d}.json"
            path.write_bytes(backups.manifest_body(store, record.parts))
            yield record.manifest, path


def stays(table: Table, before: Record, fresh: Record, store: Store) -> bool:
    """Whether the stored generation goes on counting: it holds these rows, and all its objects are sound."""
    return _holds(table, before, fresh) and is_sound(store, before)


def _holds(table: Table, before: Record, fresh: Record) -> bool:
    """Whether the stored generation already holds these rows."""
    if not before.same_rows(fresh) or before.touch != fresh.touch:
        return False
    # No digest sees floating columns: there, only the same bytes are the same rows.
    if is_digested(table):
        return True
    return [part.sha256 for part in before.parts] == [part.sha256 for part in fresh.parts]


def is_sound(store: Store, before: Record) -> bool:
    """Whether all objects of the stored generation are there, as they were written."""
    if not soundness(store, [before])[before.segment]:
        return False
    if not before.parts:
        return True
    manifest = store.get(before.manifest)
    return manifest is not None and manifest.body == backups.manifest_body(store, before.parts)


def _fresh_records(
    step: Step, segments: Sequence[Segment], extract: Extract, source: str
) -> dict[Segment, Record]:
    """The record that each segment would have if the extract were its backup."""
    table = step.table
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
