"""The load of a table's backups into the warehouse: COPY to a stage, then one transaction.

The transaction's SQL is in `load_sql`; who runs a load, and when, is not said here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.segments import OUTSIDE, Segment, condition
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import CommitUnknown, ConnectionLost, PortError, StatementError
from orderhe_dagster.ports.measures import Measure
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Session, Warehouse
from orderhe_dagster.road import audit, backups, comments, findings, index
from orderhe_dagster.road.audit import LOADS, Loaded, literal
from orderhe_dagster.road.backups import Part, Record
from orderhe_dagster.road.column_versions import ColumnVersions, changed_columns
from orderhe_dagster.road.findings import SHOWN_ROWS, SHOWN_SEGMENTS, Finding
from orderhe_dagster.road.guards import AS_USUAL, Rules
from orderhe_dagster.road.held_back import (
    Refusal,
    StageJudge,
    segments_of_refusals,
    sentence,
)
from orderhe_dagster.road.load_sql import (
    INCOMING,
    MOMENT,
    PUT_ASIDE,
    STAGE,
    incoming_rows,
    load_statements,
)
from orderhe_dagster.road.measures import difference, measures, same, share_of
from orderhe_dagster.road.remedies import again_command, segments_text
from orderhe_dagster.road.reshape import prepare_loaded_table
from orderhe_dagster.road.rota import Turn, choose, utc
from orderhe_dagster.road.row_differences import RowDifferences
from orderhe_dagster.road.rows import warehouse_differences
from orderhe_dagster.road.source_proof import objects_wrong, soundness
from orderhe_dagster.road.step import Step

_ATTEMPTS = 3


class LoadError(PortError):
    """A load stopped before anything changed. Names table, day and the next action."""


class _Superseded(LoadError):
    """The warehouse holds newer generations of these segments than the backups that were read."""

    def __init__(self, message: str, newer: Mapping[Segment, Loaded]) -> None:
        super().__init__(message)
        self.newer = newer


@dataclass
class Load:
    """What a load came to: the records it brought, and the segments it found altered and put right.

    `proven` counts the segments that were measured besides, and are what was loaded. `inputs` says of
    those that may have been loaded before in the same version which run last brought them where nobody
    knows what lay there meanwhile: what was built from that must not count as built from this.
    """

    records: dict[Segment, Record] = field(default_factory=dict)
    held: Mapping[Segment, Loaded] = field(default_factory=dict)
    """What the warehouse held before."""
    current: Mapping[Segment, Record] = field(default_factory=dict)
    """The current backup of every segment."""
    known: Collection[Segment] = ()
    """The segments to be loaded over whose rows, as loaded, can be told from what is there."""
    findings: list[Finding] = field(default_factory=list)
    proven: int = 0
    refusals: Sequence[Refusal] = ()
    inputs: dict[Segment, str] = field(default_factory=dict)


def load(
    step: Step,
    store: Store,
    warehouse: Warehouse,
    rules: Rules = AS_USUAL,
    judge: StageJudge | None = None,
) -> Load:
    """Bring the current backups that the step asks for into `warehouse.<table>`, all or none.

    Days of the history that have a backup which the warehouse does not hold come along: a load that
    failed, a day that was backed up again, a warehouse that was lost; not where the step is alone. A daily
    step also measures as many segments as the budget lets it: whose rows are not those that were
    loaded, are loaded again.

    Segments whose rows break a claim, as `judge` finds on the stage, are held back: the others are
    loaded, and LoadError says what was not, and why. Raises LoadError, StatementError.
    """
    done = _load_retried(step, store, warehouse, rules, judge)
    if done.refusals:
        raise LoadError(sentence(step.table, done.refusals, done.records))
    return done


def _load_retried(
    step: Step, store: Store, warehouse: Warehouse, rules: Rules, judge: StageJudge | None
) -> Load:
    for _ in range(_ATTEMPTS - 1):
        try:
            return _attempt(step, store, warehouse, rules, judge)
        except _Superseded as error:
            if not _backed_up_since(store, step.table, error.newer):
                raise
        except ConnectionLost:
            pass  # nothing of it was committed, as far as is known: once more
    return _attempt(step, store, warehouse, rules, judge)


def _attempt(
    step: Step, store: Store, warehouse: Warehouse, rules: Rules, judge: StageJudge | None
) -> Load:
    """Load once, in a session of its own."""
    table, name = step.table, f"warehouse.{step.table.name}"
    done = Load()
    try:
        with warehouse.session(f"load warehouse/{table.name} run {step.run_id}") as session:
            audit.prepare(session)
            prepared = prepare_loaded_table(session, table)
            done.findings = [Finding(s, "gone", "its table was gone") for s in prepared.lost]
            audit.note_findings(session, name, findings.rows_of(done.findings), step.run_id)
            held = done.held = audit.read(session, [name])[name]
            current = done.current = index.read(store, table.name).of(step.cut).records
            done.records = to_load(step, held, current)
            _prove(session, step, held, current, done, rules, store)
            _note_seen(session, step, held, current, done)
            try:
                _load(session, step, done, store, warehouse, judge)
            except StatementError as error:
                newer = _newer(done.records, audit.read(session, [name])[name])
                if not newer:
                    raise
                raise _Superseded(_older_store(table, store, newer), newer) from error
    except CommitUnknown:
        if not (done.records and _is_committed(warehouse, name, done.records, step.run_id)):
            raise
    comments.keep(warehouse, table, prepared.comments, look=rules.budget.everything)
    return done


def _prove(
    session: Session,
    step: Step,
    held: Mapping[Segment, Loaded],
    current: Mapping[Segment, Record],
    done: Load,
    rules: Rules,
    store: Store,
) -> None:
    """Measure the segments whose turn it is, and those that are loaded over in any case, before they are.

    Those that are not what was loaded join the records. Whoever built a model from such rows must know when
    they are put right: `inputs`.
    """
    name = f"warehouse.{step.table.name}"
    done.inputs = {
        segment: held[segment].inputs
        if segment in held and held[segment].version == record.version
        else step.run_id[:64]
        for segment, record in done.records.items()
        if segment not in held
        or held[segment].version.startswith(PUT_ASIDE)
        or held[segment].version == record.version
    }
    seen = look(session, step, held, current, done.records, rules, store)
    done.known = seen.known
    equal: dict[Segment, str] = {}
    for segment, differs in seen.differs.items():
        record = current[segment]
        if differs:
            done.records[segment] = record
            done.inputs[segment] = step.run_id[:64]
            done.findings.append(Finding(segment, "wrong", differs))
        elif segment not in done.records:
            equal[segment] = record.version
    done.proven = len(equal)
    audit.note_proven(session, name, equal)


@dataclass(frozen=True)
class Look:
    """A look at rows that were loaded: how those of each segment differ from what was; "": they do not.

    `known`: the segments to be loaded over whose rows, as loaded, can be told from what is there.
    """

    known: Collection[Segment] = ()
    differs: Mapping[Segment, str] = field(default_factory=dict)


def look(
    session: Session,
    step: Step,
    held: Mapping[Segment, Loaded],
    current: Mapping[Segment, Record],
    records: Mapping[Segment, Record],
    rules: Rules,
    store: Store,
) -> Look:
    """Measure what a load looks at besides the `records` that it brings, and what these are to replace."""
    table, name = step.table, f"warehouse.{step.table.name}"
    asked = {*step.segments}
    turns = {
        segment: Turn(record.measure.rows, utc(held[segment].proven_at))
        for segment, record in current.items()
        if segment not in records
        and segment in held
        and held[segment].version == record.version
        and (segment in asked or not step.is_alone)
    }
    chosen = (
        choose(turns, share_of(session, name, rules.budget)) if turns and rules.proves(step) else []
    )
    # What was asked for is there already: held to its backup, it need not be loaded again.
    chosen = [*chosen, *(s for s in step.segments if s.day and s in turns and s not in chosen)]
    known = _loaded_alike(records, held, store)
    looked_at = sorted({*chosen, *known})
    if not looked_at:
        return Look(known)
    there = measures(session, table, ddl.qualified(table.read_as), looked_at, step.outside_of_days)
    return Look(
        known,
        {s: _unlike(there.get(s, Measure(0)), held[s], current[s]) for s in looked_at},
    )


def _note_seen(
    session: Session,
    step: Step,
    held: Mapping[Segment, Loaded],
    current: Mapping[Segment, Record],
    done: Load,
) -> None:
    """Keep when the source was seen to hold what was asked for and is loaded already."""
    seen: dict[datetime, list[str]] = {}
    name = f"warehouse.{step.table.name}"
    audit.note_confirmed(session, name, {*step.segments} - done.records.keys())
    for segment in step.segments:
        if segment in done.records:
            continue
        at = current[segment].verified_at.replace(tzinfo=None)
        if at > datetime.fromisoformat(held[segment].snapshot_at):
            seen.setdefault(at, []).append(literal(segment.text))
    for at, segments in seen.items():
        session.execute(
            f"update {LOADS} set snapshot_at = '{at:{MOMENT}}'"
            f" where table_name = {literal(name)}"
            f" and segment in ({', '.join(segments)}) and snapshot_at < '{at:{MOMENT}}'"
        )


def _loaded_alike(
    records: Mapping[Segment, Record], held: Mapping[Segment, Loaded], store: Store
) -> set[Segment]:
    """The segments to be loaded over whose rows, as loaded, can be told from what is there.

    Not where rows have moved out of them, nor where the contract's columns were others then. Of
    `outside` where another generation is loaded, the days may have been others: nothing tells which.
    """
    known = {
        segment
        for segment, record in records.items()
        if segment in held
        and not held[segment].version.startswith(PUT_ASIDE)
        and (segment != OUTSIDE or held[segment].version == record.version)
    }
    other = sorted(s for s in known if held[s].version != records[s].version)

    def has_its_columns(segment: Segment) -> bool:
        record, number = records[segment], held[segment].generation
        if number == 0:  # a day that never had a row
            return True
        before = backups.read_sound(store, record.table, segment, number)
        return before is not None and before.schema == record.schema

    unlike = {s for s, alike in backups.in_parallel(has_its_columns, other, store) if not alike}
    return known - unlike


def _unlike(found: Measure, loaded: Loaded, record: Record) -> str:
    """How the rows that are there are not those that were loaded, which the backup may have no more."""
    if loaded.version == record.version:
        differs = difference(found, record.measure)
    elif found.rows != loaded.rows:
        differs = f"{counted(found.rows, 'row')}, not {loaded.rows:,}"
    else:
        same = str(found.digest) == loaded.digest
        differs = "" if same else "equal rows, but other values (digest)"
    generation = loaded.generation
    return (
        f"the warehouse had {differs} as loaded of backup generation {generation}"
        if differs
        else ""
    )


def _is_committed(
    warehouse: Warehouse, name: str, records: Mapping[Segment, Record], run_id: str
) -> bool:
    """Whether the audit holds all of these records by this run: its transaction was committed."""
    held = audit.look_up(warehouse, name)
    return all(
        segment in held
        and (held[segment].run_id, held[segment].version) == (run_id, record.version)
        for segment, record in records.items()
    )


def _newer(
    records: Mapping[Segment, Record], held: Mapping[Segment, Loaded]
) -> dict[Segment, Loaded]:
    """The segments of which the warehouse holds a newer generation than the one to be loaded."""
    return {
        segment: held[segment]
        for segment, record in records.items()
        if segment in held and held[segment].generation > record.generation
    }


def _backed_up_since(store: Store, table: Table, newer: Mapping[Segment, Loaded]) -> bool:
    """Whether the store has these generations by now: another run has just brought and loaded them."""
    current = index.read(store, table.name).records
    return all(
        segment in current and current[segment].generation >= loaded.generation
        for segment, loaded in newer.items()
    )


def _older_store(table: Table, store: Store, newer: Iterable[Segment]) -> str:
    """What it means that the warehouse holds newer generations than the store, and what to do."""
    segments = sorted(newer)
    return (
        f"warehouse.{table.name} holds newer backups of {counted(len(segments), 'day')} "
        f"(the first {segments[0]}) than {store.url('backup/' + table.name)} has: the store was restored "
        "to an older state, or another store is set. To go on with this store, have the warehouse forget "
        f"what it loaded: orderhe query \"delete from {LOADS} where table_name = 'warehouse.{table.name}'\"; "
        "then load it again: orderhe restore warehouse"
    )


def to_load(
    step: Step, held: Mapping[Segment, Loaded], current: Mapping[Segment, Record]
) -> dict[Segment, Record]:
    """The current backups that the warehouse does not hold, of what was asked for and of the other days."""
    table, segments = step.table, step.segments
    missing = [segment for segment in segments if segment not in current]
    if missing:
        days = (
            f" for {len(missing)} of {counted(len(segments), 'day')}, the first {missing[0]}"
            if table.partition
            else ""
        )
        raise LoadError(
            f"no backup of {table.name}{days}, so there is nothing to load. Back it up and load it: "
            f"{again_command(table.name, missing)} (what is built of it comes along with a star before its "
            "name, as in '*mart/daily_sales'; a plus is one step only)"
        )
    outdated = [
        segment
        for segment, record in sorted(current.items())
        if (segment in segments or (table.partition and step.has(segment) and not step.is_alone))
        and (segment not in held or record.version != held[segment].version)
    ]
    wanted = backups.schema_fingerprint(table)
    records = {segment: current[segment] for segment in outdated}
    others = [s for s in sorted({*segments, *outdated}) if current[s].schema != wanted]
    if others:
        raise LoadError(
            f"the backup of {table.name} {segments_text(others)}, was written with other columns "
            f"than {table.path} has now. Back it up again: {again_command(table.name, others)}"
        )
    return records


def stage(
    session: Session,
    step: Step,
    records: Mapping[Segment, Record],
    store: Store,
    warehouse: Warehouse,
) -> None:
    """COPY the parts of these records into the session's stage. LoadError."""
    table = step.table
    columns = ", ".join(ddl.quoted(name) for name in table.column_names)
    session.execute(ddl.redshift_stage(table, STAGE))
    parts = [part for record in records.values() for part in record.parts]
    if not parts:
        return
    manifest = literal(_manifest(step, records, parts, store))
    try:
        session.execute(
            f"copy {STAGE} ({columns}) from {manifest}"
            f" {warehouse.copy_authorization} format as parquet manifest"
        )
    except StatementError as error:
        raise LoadError(
            f"{table.name}: COPY of the backup failed: {error}. Nothing was changed."
            + _cure(table, records, store)
        ) from error


def manifest_key(step: Step) -> str:
    """Where the manifest of several records, or of moved ones, is written for a COPY of this step."""
    return f"backup/{step.table.name}/loads/{step.run_id}.json"


def staged_differences(
    session: Session, step: Step, segment: Segment, limit: int = SHOWN_ROWS
) -> RowDifferences:
    """The rows of one segment that differ: those of its backup, staged, against the table's."""
    table = step.table
    where = condition(table, [segment], step.outside_of_days) or ""
    target = f"warehouse.{ddl.quoted(table.name)}"
    return warehouse_differences(session, table, STAGE, target, where, where, limit=limit)


def _load(
    session: Session,
    step: Step,
    done: Load,
    store: Store,
    warehouse: Warehouse,
    judge: StageJudge | None,
) -> None:
    table, records = step.table, done.records
    if not records:
        return
    stage(session, step, records, store, warehouse)
    _check_stage(session, step, records)
    if judge is not None:
        _hold_back(session, step, done, judge)
    wrong = [one for one in done.findings if one.kind == "wrong"]
    gone = [one for one in done.findings if one.kind == "gone"]
    wrong[:SHOWN_SEGMENTS] = [_with_rows(session, step, one) for one in wrong[:SHOWN_SEGMENTS]]
    done.findings = gone + wrong
    if not done.records:
        return
    session.execute(f"create temp table {INCOMING} (like {LOADS})")
    versions = _column_versions(session, step, done)
    # What is told by columns is told from the rows that lay there, so their mark stays.
    inputs = {segment: done.held[segment].inputs for segment, text in versions.items() if text}
    for statement in incoming_rows(step, done.records, done.inputs | inputs, versions):
        session.execute(statement)
    # Before they are mended: rather twice than, after a kill, not at all.
    audit.note_findings(session, f"warehouse.{table.name}", findings.rows_of(wrong), step.run_id)
    session.transaction(load_statements(step, done.records))
    if judge is not None and not done.refusals:
        judge.keep(session, table, ())


def _column_versions(session: Session, step: Step, done: Load) -> dict[Segment, str]:
    """Of the segments that replace others with the same keys, which columns have changed."""
    unlike = {finding.segment for finding in done.findings}
    rows = {
        segment: rows
        for segment in done.known
        if segment in done.records
        and segment not in unlike
        and (rows := done.records[segment].measure.rows)
    }
    texts: dict[Segment, str] = {}
    for segment, names in changed_columns(session, step, STAGE, rows).items():
        was, version = done.held[segment], done.records[segment].version
        before = ColumnVersions.of(was.column_versions, was.version)
        texts[segment] = before.moved(version, names).text(version)
    return texts


def _hold_back(session: Session, step: Step, done: Load, judge: StageJudge) -> None:
    """Take the segments out of the load whose staged rows break a claim; kept before anything is loaded."""
    has_rows = any(record.parts for record in done.records.values())
    done.refusals = judge.refusals(session, step, STAGE) if has_rows else ()
    if not done.refusals:
        return
    judge.keep(session, step.table, done.refusals)
    held_back = segments_of_refusals(done.refusals)
    where = condition(step.table, held_back, step.outside_of_days)
    session.execute(f"delete from {STAGE}{f' where {where}' if where else ''}")
    done.records = {s: record for s, record in done.records.items() if s not in held_back}
    done.findings = [finding for finding in done.findings if finding.segment not in held_back]


def _with_rows(session: Session, step: Step, finding: Finding) -> Finding:
    """The finding with the rows that differ."""
    return finding.with_rows([*staged_differences(session, step, finding.segment).sentences()])


def _cure(table: Table, records: Mapping[Segment, Record], store: Store) -> str:
    """What to do where COPY failed for the objects of a backup; of another reason, nothing is known."""
    sound = soundness(store, list(records.values()))
    unsound = sorted(segment for segment, is_whole in sound.items() if not is_whole)
    if not unsound:
        return ""
    texts = objects_wrong(store, records[unsound[0]])
    return (
        f" Objects of {segments_text(unsound)}, are lost or damaged: {'; '.join(texts)}. Back up again "
        f"from the source: {again_command(table.name, unsound)}"
    )


def _manifest(
    step: Step, records: Mapping[Segment, Record], parts: list[Part], store: Store
) -> str:
    """The address of one manifest for all the parts: the day's own, or one written for this load.

    A day's own may name other addresses: those of the store that its backup was copied from.
    """
    body = backups.manifest_body(store, parts)
    with_rows = [record for record in records.values() if record.parts]
    if len(with_rows) == 1:
        own = store.get(with_rows[0].manifest)
        if own is not None and own.body == body:
            return store.url(with_rows[0].manifest)
    key = manifest_key(step)
    store.put(key, body)
    return store.url(key)


def _check_stage(session: Session, step: Step, records: Mapping[Segment, Record]) -> None:
    """Compare what COPY brought with what the backup says: rows, sums and digest of every segment."""
    table = step.table
    staged = measures(session, table, STAGE, records, step.outside_of_days)
    for segment, record in records.items():
        copied = staged.get(segment, Measure(0))
        if not same(copied, record.measure):
            raise LoadError(
                f"{table.name} {segment}: the stage differs from backup generation "
                f"{record.generation}: {difference(copied, record.measure)}. Nothing was changed. A part "
                f"may be damaged. Back it up again: {again_command(table.name, [segment])}"
            )
    total = session.execute(f"select count(*) from {STAGE}").scalar()
    wanted = sum(record.measure.rows for record in records.values())
    if total != wanted:
        raise LoadError(
            f"{table.name}: the parts hold {total:,} rows, {wanted:,} of them of the segments that are "
            f"loaded ({segments_text(records)}). Nothing was changed. Back them up again: "
            f"{again_command(table.name, records)}"
        )
