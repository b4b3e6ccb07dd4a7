"""What the steps of a run would do, told before it: the run's own decisions, and nothing is written.

Each step is decided by the function that the run decides by (`extracts.due`, `loads.to_load` and `look`,
`builds.plan_of`, `exports.content_of`), on what the systems hold now and on what the steps before it will
have left there. Two outlooks go side by side: `sure` takes every row that may turn out as it was to do so,
`most` takes it to differ. What both come to is certain; what only the second does is told as such.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from orderhe_dagster.catalog import ddl, types
from orderhe_dagster.catalog.measure import is_digested
from orderhe_dagster.catalog.segments import Segment, segments_of
from orderhe_dagster.catalog.table import Catalogue, Table, TableRef
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.measures import Measure, Touch
from orderhe_dagster.ports.source import Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Result, Session, Take, Warehouse
from orderhe_dagster.road import altered, audit, backups, builds, extracts, index, loads, reshape
from orderhe_dagster.road.audit import Loaded
from orderhe_dagster.road.backups import Part, Record
from orderhe_dagster.road.column_versions import ColumnVersions, is_compared
from orderhe_dagster.road.exports import Export, content_of
from orderhe_dagster.road.guards import Rules, check_rows, open_index
from orderhe_dagster.road.index_objects import Index, chunk_of, is_empty
from orderhe_dagster.road.inputs import missing
from orderhe_dagster.road.load_sql import PUT_ASIDE
from orderhe_dagster.road.parents import Coming
from orderhe_dagster.road.step import Step

RUN = "planned"
"""The run that there is not yet, as versions name it."""
MOST_MEASURED = 1_000_000
"""So many rows that are to be read are measured in the source, so that those set apart are known."""


@dataclass
class Planned:
    """What one step of a run would do.

    `does`: the segments that it reads, loads, builds or writes, and why. `perhaps`: those that it does so
    only if what is named turns out otherwise than it was. `rows` of a backup are those that are read, of a
    load those that are loaded; of a model and an export about as many as it had (`is_about`). `new`: the
    segments of a backup that get a generation, `empty` the records of those that never had a row. `files`
    are Parquet parts or CSV files; `size` is in bytes, about; `puts` and `gets` are requests to the store.
    `stops`: the error that the step would end with. `waits`: the step that stops before it.
    """

    asset: str
    does: dict[Segment, str] = field(default_factory=dict)
    perhaps: dict[Segment, str] = field(default_factory=dict)
    rows: int = 0
    is_about: bool = False
    new: set[Segment] = field(default_factory=set)
    empty: Sequence[Record] = field(default=(), repr=False)
    files: int = 0
    size: int = 0
    puts: int = 0
    gets: int = 0
    ddl: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stops: str = ""
    waits: str = ""

    @property
    def does_nothing(self) -> bool:
        """Whether all is as it is to be."""
        return not (self.does or self.perhaps or self.ddl or self.stops or self.waits)


@dataclass
class World:
    """What the warehouse will hold when a later step of the run begins, by one of the two outlooks.

    `is_sure`: what may turn out as it was does so; `coming` is of tables without days.
    """

    is_sure: bool
    held: dict[str, dict[Segment, Loaded]] = field(default_factory=dict)
    coming: dict[TableRef, Coming] = field(default_factory=dict)


@dataclass
class Outlook:
    """What the steps that were planned so far leave behind."""

    records: dict[str, dict[Segment, Record]] = field(default_factory=dict)
    sure: World = field(default_factory=lambda: World(is_sure=True))
    most: World = field(default_factory=lambda: World(is_sure=False))


class Remembering:
    """A session that asks nothing twice: both outlooks ask much the same, of rows that stand still.

    `results` are those of the sessions before it, too.
    """

    def __init__(self, session: Session, results: dict[str, Result | Exception]) -> None:
        self._session, self._results = session, results

    def execute(self, sql: str) -> Result:
        """Run one statement, or tell what it came to before."""
        if sql not in self._results:
            try:
                self._results[sql] = self._session.execute(sql)
            except Exception as error:  # told again, each time that it is asked
                self._results[sql] = error
        result = self._results[sql]
        if isinstance(result, Exception):
            raise result
        return result

    def stream(self, sql: str, take: Take) -> Result:
        """Run a query."""
        return self._session.stream(sql, take)

    def transaction(self, statements: Sequence[str]) -> list[Result]:
        """A plan changes nothing."""
        raise AssertionError(f"a plan would have run {statements[0]}")


# -- backups ----------------------------------------------------------------------------------------


def plan_backup(
    step: Step,
    source: Source,
    store: Store,
    warehouse: Warehouse,
    rules: Rules,
    outlook: Outlook,
) -> Planned:
    """What a backup would read, and of which segments it would write a generation. BackupError: it stops.

    `store` keeps what is written to it aside: an index that was never read, is damaged or of an earlier
    version is opened as the run opens it.
    """
    table, planned = step.table, Planned(f"backup/{step.table.name}")
    whole, healed = open_index(step, source, store, warehouse, rules)
    planned.notes += [str(finding) for finding in healed]
    known, rules = whole.of(step.cut), extracts.as_carried_on(rules)
    touches = dict(extracts.fingerprints(step, known.records, source))
    if step.window is not None:
        check_rows(step, known.records, touches, rules)
    todo = extracts.due(step, known, touches, source, store, rules)
    read = [s for scope in extracts.scopes_of(step, todo.segments) for s in segments_of(scope)]
    touches |= _other_fingerprints(step, source, [s for s in read if s not in touches])
    live = _live(step, source, known.records, touches, todo, read)
    current, bytes_a_row = dict(known.records), _bytes_a_row(table, known.records.values())
    current |= {record.segment: record for record in todo.empty}
    for segment in read:
        before = known.records.get(segment)
        fresh = _fresh(step, segment, before, touches, live, bytes_a_row)
        planned.does[segment] = _why_read(step, segment, before, touches, todo)
        planned.rows += fresh.touch.rows
        if before is not None and segment in live and segment not in todo.proof.unsound:
            kept = replace(before, measure=fresh.measure, touch=fresh.touch, schema=fresh.schema)
            if extracts.stays(table, before, kept, store):
                continue
        current[segment] = _numbered(fresh, before, whole.floor)
        if current[segment].generation:  # what never had a row has no object
            planned.new.add(segment)
        planned.files += len(fresh.parts)
        planned.size += sum(part.size for part in fresh.parts)
        if fresh.quarantined:
            rows = counted(fresh.quarantined, "row")
            planned.notes.append(f"{segment}: {rows} cannot be carried: quarantine")
    outlook.records[table.name] = current
    planned.empty = [
        record
        for segment, record in current.items()
        if not record.generation and segment not in known.records
    ]
    if planned.does and not is_digested(table):
        planned.notes.append("its floating columns are in no digest: what is read may be new, too")
    _count_requests(planned, step, whole, todo)
    return planned


def _other_fingerprints(
    step: Step, source: Source, segments: Collection[Segment]
) -> dict[Segment, Touch]:
    """The fingerprints of what has no backup, which a run does not ask for: it reads the rows."""
    touches: dict[Segment, Touch] = {}
    for scope in extracts.scopes_of(step, segments):
        touches |= source.touches(step.table, scope)
    return {segment: touches.get(segment, Touch(0)) for segment in segments}


def _live(
    step: Step,
    source: Source,
    known: Mapping[Segment, Record],
    touches: Mapping[Segment, Touch],
    todo: extracts.Due,
    read: Sequence[Segment],
) -> dict[Segment, Measure]:
    """What the source holds of segments whose fingerprint does not tell; of all, where they are few."""
    columns = backups.schema_fingerprint(step.table)
    open_ = {
        s
        for s in read
        if s in known and touches.get(s, Touch(0)) == known[s].touch and known[s].schema == columns
    }
    rows = sum(touches.get(s, Touch(0)).rows for s in read)
    wanted = {*read} if rows <= MOST_MEASURED else open_
    live: dict[Segment, Measure] = {}
    expected = {segment: known[segment].measure for segment in open_}
    for scope in extracts.scopes_of(step, wanted):
        live |= source.measure(step.table, scope, expected)
    return {segment: measure for segment, measure in live.items() if segment in wanted}


def _fresh(
    step: Step,
    segment: Segment,
    before: Record | None,
    touches: Mapping[Segment, Touch],
    live: Mapping[Segment, Measure],
    bytes_a_row: float,
) -> Record:
    """The record that the segment's backup would have, with one part: DuckDB writes one a segment."""
    touch = touches.get(segment, Touch(0))
    measure = live.get(segment, Measure(touch.rows))
    folder = f"{backups.prefix(step.table.name, segment)}/{RUN}"
    size = int(measure.rows * bytes_a_row)
    parts = (Part(f"{folder}/part-00000.parquet", size, ""),) if measure.rows else ()
    now = datetime.now(timezone.utc)
    return Record(
        table=step.table.name,
        segment=segment,
        generation=0,
        run_id=RUN,
        manifest=f"{folder}/manifest.json" if parts else "",
        measure=measure,
        touch=touch,
        parts=parts,
        schema=backups.schema_fingerprint(step.table),
        source="",
        snapshot_at=now,
        verified_at=now,
        quarantined=touch.rows - measure.rows,
    )


def _numbered(fresh: Record, before: Record | None, floor: int) -> Record:
    """The record under the number that it would get."""
    last = before.generation if before else floor
    if is_empty(fresh) and last == 0:
        return replace(fresh, run_id="")
    return replace(fresh, generation=last + 1)


def _why_read(
    step: Step,
    segment: Segment,
    before: Record | None,
    touches: Mapping[Segment, Touch],
    todo: extracts.Due,
) -> str:
    if before is None:
        return "never backed up"
    now = touches.get(segment, backups.NO_ROWS)
    is_asked = segment in step.segments
    reasons = {
        f"changed in the source: {counted(now.rows, 'row')}, {before.touch.rows:,} before": (
            now.rows != before.touch.rows
        ),
        "changed in the source: its cursor has moved": now != before.touch,
        "its contract has other columns now": (
            before.schema != backups.schema_fingerprint(step.table)
        ),
        "its backup is damaged or lost": segment in todo.proof.unsound,
        "changed in the source without its cursor": segment in todo.proof.doubted,
        "rows of it are in quarantine": bool(before.quarantined) and not is_asked,
        "asked for": is_asked,
    }
    return next((why for why, holds in reasons.items() if holds), "lies between days that are read")


def _bytes_a_row(table: Table, records: Iterable[Record]) -> float:
    """About how many bytes a row takes in Parquet: as in the backups, else by its columns."""
    rows = size = 0
    for record in records:
        rows += record.measure.rows
        size += sum(part.size for part in record.parts)
    if rows:
        return size / rows
    wide = {"varchar": 5.0, "varbyte": 5.0, "boolean": 0.2}  # as the demo's own shop has them
    return sum(wide.get(column.type.kind, 2.0) for column in table.columns)


def _count_requests(planned: Planned, step: Step, opened: Index, todo: extracts.Due) -> None:
    """About how many requests a backup makes: see docs/plan.md for how near that came."""
    scopes = [segments_of(scope) for scope in extracts.scopes_of(step, todo.segments)]
    # The index is written when it is opened first, after the proof, and after each extract.
    indexes = [{chunk_of(segment) for segment in segments} for segments in scopes]
    if todo.looks_after_all:
        others = {s for s in step.segments if s not in planned.does}
        indexes.append({chunk_of(segment) for segment in (*others, *_segments(todo.empty))})
    objects = 2 * planned.files + len(planned.new)  # part, manifest, the generation's record
    first = 0 if opened.chunks else 1
    planned.puts = objects + first + sum(len(chunks) + 1 for chunks in indexes)
    with_rows = sum(1 for record, _ in todo.proof.proven.values() if record.parts)
    planned.gets = 5 + len(opened.chunks) + 2 * with_rows + 3 * len(planned.does)


def _segments(records: Iterable[Record]) -> list[Segment]:
    return [record.segment for record in records]


# -- loads ------------------------------------------------------------------------------------------


def plan_load(
    step: Step, store: Store, session: Session, rules: Rules, outlook: Outlook
) -> Planned:
    """Which segments a load would bring, and why. LoadError, DefinitionError: it stops."""
    table, name = step.table, f"warehouse.{step.table.name}"
    planned = Planned(f"warehouse/{table.name}")
    shape = reshape.shape_of(session, table)
    planned.ddl = _ddl_of(table, shape)
    held = audit.read_or_nothing(session, name) if shape.there else {}
    current: Mapping[Segment, Record] | None = outlook.records.get(table.name)
    if current is None:
        current = index.read(store, table.name).of(step.cut).records
    records = loads.to_load(step, held, current)
    # Columns that are yet to come cannot be measured; and all that has others is loaded anew.
    seen = (
        loads.Look()
        if shape.plan
        else loads.look(session, step, held, current, records, rules, store)
    )
    altered_ = {segment: text for segment, text in seen.differs.items() if text}
    for segment in sorted({*records, *altered_}):
        record = current[segment]
        planned.does[segment] = _why_loaded(segment, held, record, altered_)
        planned.rows += record.measure.rows
        planned.files += len(record.parts)
        planned.size += sum(part.size for part in record.parts)
    if planned.does:
        planned.gets = 2 + planned.files
        planned.puts = 0 if planned.files == 1 else 1
    elif not shape.there:
        planned.ddl.append(f"forget what {name} held: its table is gone")
    _leave_loads(step, held, {s: current[s] for s in planned.does}, seen, altered_, outlook)
    return planned


def _ddl_of(table: Table, shape: reshape.Shape) -> list[str]:
    """What is done to the table before rows come. DefinitionError where it is refused."""
    name = f"warehouse.{table.name}"
    if shape.is_wanted:
        return []
    if shape.plan is None:
        return [f"create table {name}" + ("" if shape.there else ", which was dropped")]
    plan = shape.plan
    if plan.refused:
        raise reshape.DefinitionError(reshape.refusal(table, plan.refused))
    if plan.made_anew:
        return [f"create table {name} anew with its rows, in the contract's types"]
    longer = [
        f"alter table {name} alter column {column.name} type {types.redshift_text(column.type)}"
        for column in plan.longer
    ]
    added = [
        f"alter table {name} add column {column.name} {types.redshift_text(column.type)}"
        for column in plan.added
    ]
    return [*longer, *added] or [f"note the new definition of {name}"]


def _why_loaded(
    segment: Segment,
    held: Mapping[Segment, Loaded],
    record: Record,
    altered_: Mapping[Segment, str],
) -> str:
    if segment not in held:
        return "never loaded"
    if altered_.get(segment) and held[segment].version == record.version:
        return f"altered in the warehouse: {altered_[segment]}"
    if held[segment].version.startswith(audit.DISPUTED):
        return "found not to agree with its source"
    if held[segment].version.startswith(PUT_ASIDE):
        return "rows have moved out of it"
    if record.run_id == RUN:
        return "a new backup is made of it first"
    return f"backup generation {record.generation} is not loaded"


def _leave_loads(
    step: Step,
    held: Mapping[Segment, Loaded],
    records: Mapping[Segment, Record],
    seen: loads.Look,
    altered_: Mapping[Segment, str],
    outlook: Outlook,
) -> None:
    """What the audit will say of the table after the load, by both outlooks."""
    table, ref = step.table, step.table.read_as
    sure, most = dict(held), dict(held)
    rows = {s: records[s].measure.rows for s in seen.known if s in records}
    is_told = is_compared(table, rows)
    may_be_same = True
    for segment, record in records.items():
        before = held.get(segment)
        new = Loaded(
            version=record.version,
            generation=record.generation,
            run_id=RUN,
            rows=record.measure.rows,
            digest=str(record.measure.digest),
            inputs=RUN,
            snapshot_at="",
        )
        sure[segment] = most[segment] = new
        is_open = (
            before is not None
            and is_told
            and segment in rows
            and segment not in altered_
            and before.rows == new.rows
        )
        if is_open and before is not None and new.rows:
            kept = ColumnVersions.of(before.column_versions, before.version).moved(new.version, ())
            sure[segment] = replace(
                new, column_versions=kept.text(new.version), inputs=before.inputs
            )
        may_be_same &= before is not None and before.rows == new.rows
    outlook.sure.held[str(ref)], outlook.most.held[str(ref)] = sure, most
    if records and not table.partition:
        outlook.sure.coming[ref] = Coming(is_same=may_be_same, days=())
        outlook.most.coming[ref] = Coming(is_same=False)


# -- models and exports -----------------------------------------------------------------------------


def plan_build(
    step: Step, catalogue: Catalogue, session: Session, rules: Rules, outlook: Outlook
) -> Planned:
    """Which segments of a model would be built, and why. BuildError: it stops."""
    table, name = step.table, str(step.table.ref)
    planned = Planned(f"{table.layer}/{table.name}", is_about=True)
    own = audit.read_or_nothing(session, name)
    sure = _build_in(outlook.sure, own, step, catalogue, session, rules)
    most = _build_in(outlook.most, own, step, catalogue, session, rules)
    sure.inputs.require_ready(sure.segments)
    found = {finding.segment for finding in sure.findings}
    for segment in sorted(most.segments | sure.segments):
        why = _why_built(step, segment, sure, most, found, own, outlook)
        (planned.does if segment in sure.segments else planned.perhaps)[segment] = why
    planned.rows = _about(own, planned.does)
    if sure.is_new:
        planned.ddl.append(f"create table {name}")
    elif sure.remade:
        planned.ddl.append(f"drop and create table {name}: its columns are others")
    planned.ddl += [
        f"create table {sql.split(' ')[2]}: what it reads of a table without days"
        for sql in most.of_parents
        if sql.startswith("create table")
    ]
    if sure.left:
        days = counted(len(sure.left), "day")
        planned.notes.append(f"{days} that the shop has no more are taken out")
    return planned


def _require_there(session: Session, catalogue: Catalogue, table: Table, outlook: Outlook) -> None:
    """BuildError where a table that is read is not there, and no step before this one makes it."""
    for ref in table.depends_on:
        if not outlook.sure.held[str(ref)]:
            relation = ddl.qualified(catalogue.get(ref).read_as)
            if not audit.is_there(session, relation):
                raise missing(table, f"{ref} is not there")


def _build_in(
    world: World,
    own: Mapping[Segment, Loaded],
    step: Step,
    catalogue: Catalogue,
    session: Session,
    rules: Rules,
) -> builds.Plan:
    """The build as one outlook has it, and what it leaves behind there."""
    table, name = step.table, str(step.table.ref)
    for ref in map(str, table.depends_on):
        if ref not in world.held:
            world.held[ref] = audit.read_or_nothing(session, ref)
    held = {name: own, **{str(ref): world.held[str(ref)] for ref in table.depends_on}}
    plan = builds.plan_of(session, step, catalogue, rules, held, world.coming, altered.look_on)
    after = {} if plan.remade else dict(own)
    found = {finding.segment for finding in plan.findings}
    for segment in plan.left:
        after.pop(segment, None)
    for segment in plan.segments:
        before = own.get(segment)
        new = Loaded(RUN, 0, RUN, before.rows if before else 0, RUN, RUN, "")
        may_stay = (
            world.is_sure
            and before is not None
            and before.digest
            and plan.may_keep_versions
            and is_digested(table)
            and segment not in found
        )
        after[segment] = replace(before, inputs=RUN) if may_stay and before else new
    world.held[name] = after
    if plan.segments and not table.partition:
        stays = world.is_sure and all(after[s].version != RUN for s in plan.segments)
        world.coming[table.ref] = Coming(stays, () if world.is_sure else None)
    return plan


def _why_built(
    step: Step,
    segment: Segment,
    sure: builds.Plan,
    most: builds.Plan,
    found: Collection[Segment],
    own: Mapping[Segment, Loaded],
    outlook: Outlook,
) -> str:
    table = step.table
    if sure.is_new or segment not in own:
        return "never built"
    moved = [ref for ref in table.depends_on if _is_written(outlook.most, str(ref), segment)]
    newer = [
        ref for ref in table.depends_on if _is_newer(most.held[str(ref)], segment, own[segment])
    ]
    reasons = {
        "its columns are others now": sure.remade,
        "altered in the warehouse": segment in found,
        f"if what it reads of {_named(moved)} comes out otherwise": segment not in sure.segments,
        f"{_named(moved)} will be new": bool(moved),
        f"{_named(newer)} is newer": bool(newer),
        "it reads the clock": not table.is_steady,
    }
    return next((why for why, holds in reasons.items() if holds), "its select has changed")


def _named(refs: Iterable[TableRef]) -> str:
    return ", ".join("/".join(ref.path) for ref in refs)


def _is_written(world: World, name: str, segment: Segment) -> bool:
    """Whether the run writes what a segment of a model reads of a table."""
    held = world.held.get(name, {})
    rows = [held[segment]] if segment in held else [*held.values()]
    return any(RUN in (row.run_id, row.inputs) for row in rows)


def _is_newer(held: Mapping[Segment, Loaded], segment: Segment, built: Loaded) -> bool:
    rows = [held[segment]] if segment in held else [*held.values()]
    return any(r.loaded_at and built.loaded_at and r.loaded_at > built.loaded_at for r in rows)


def _about(own: Mapping[Segment, Loaded], segments: Iterable[Segment]) -> int:
    """About how many rows segments of a model will have: as they had, or as the others have."""
    known = [loaded.rows for loaded in own.values()]
    usual = round(sum(known) / len(known)) if known else 0
    return sum(own[s].rows if s in own else usual for s in segments)


def plan_export(
    wanted: Export, catalogue: Catalogue, identity: str, session: Session, outlook: Outlook
) -> Planned:
    """Whether an export's files would be written. BuildError: what it reads is not there."""
    planned = Planned(wanted.label, is_about=True)
    there = wanted.record.there()
    contents = []
    for world in (outlook.sure, outlook.most):
        names = sorted(map(str, wanted.table.depends_on))
        for name in names:
            if name not in world.held:
                world.held[name] = audit.read_or_nothing(session, name)
        contents.append(content_of(wanted, identity, {name: world.held[name] for name in names}))
    whole = Segment("all")
    known = there.content if there else None
    written = [content is None or known is None or content != known for content in contents]
    if not any(written):
        return planned
    _require_there(session, catalogue, wanted.table, outlook)
    if there is None:
        why = "never written, or its files were touched"
    elif contents[0] is None:
        why = "it is written each time"
    else:
        why = "what it reads is new" if written[0] else "if what it reads comes out otherwise"
    (planned.does if written[0] else planned.perhaps)[whole] = why
    planned.rows, planned.size = (there.rows, there.size) if there else (0, 0)
    planned.files = max(1, there.parts) if there else 1
    return planned
