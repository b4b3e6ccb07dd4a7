"""The load of a table's backups into the warehouse: COPY to a stage, then one transaction.

The transaction's SQL is in `load_sql`; who runs a load, and when, is not said here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from orderhe_dagster.catalog import ddl, measure
from orderhe_dagster.catalog.segments import WHOLE, Segment
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import CommitUnknown, ConnectionLost, PortError, StatementError
from orderhe_dagster.ports.measures import Measure
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Session, Warehouse
from orderhe_dagster.road import audit, backups
from orderhe_dagster.road.audit import LOADS, Loaded, literal
from orderhe_dagster.road.backups import Part, Record
from orderhe_dagster.road.load_sql import INCOMING, STAGE, incoming_rows, load_statements
from orderhe_dagster.road.step import Step

_ATTEMPTS = 3


class LoadError(PortError):
    """A load stopped before anything changed. Names table, day and the next action."""


class _Superseded(LoadError):
    """The warehouse holds newer generations of these segments than the backups that were read."""

    def __init__(self, message: str, newer: Mapping[Segment, Loaded]) -> None:
        super().__init__(message)
        self.newer = newer


def load(
    step: Step, history: Iterable[date], store: Store, warehouse: Warehouse
) -> dict[Segment, Record]:
    """Bring the current backups that the step asks for into `warehouse.<table>`, all or none.

    Days of `history` that have a backup which the warehouse does not hold come along: a load that
    failed, a day that was backed up again, a warehouse that was lost.
    Returns the records loaded. Raises LoadError, StatementError.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return _attempt(step, history, store, warehouse)
        except _Superseded as error:
            if not _backed_up_since(store, step.table, error.newer):
                raise
        except ConnectionLost:
            pass  # nothing of it was committed, as far as is known: once more
    return _attempt(step, history, store, warehouse)


def _attempt(
    step: Step, history: Iterable[date], store: Store, warehouse: Warehouse
) -> dict[Segment, Record]:
    """Load once, in a session of its own."""
    table, name = step.table, f"warehouse.{step.table.name}"
    records: dict[Segment, Record] = {}
    try:
        with warehouse.session(f"load warehouse/{table.name} run {step.run_id}") as session:
            audit.prepare(session)
            audit.prepare_loaded_table(session, table)
            held = audit.read(session, [name])[name]
            records = _records(step, history, held, store)
            try:
                _load(session, step, records, store, warehouse)
            except StatementError as error:
                newer = _newer(records, audit.read(session, [name])[name])
                if not newer:
                    raise
                raise _Superseded(_older_store(table, store, newer), newer) from error
    except CommitUnknown:
        if not (records and _is_committed(warehouse, name, records, step.run_id)):
            raise
    return records


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
    current = backups.read_current(store, table.name, list(newer))
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
        "to an older state, or another store is set. To go on with this store: delete from "
        f"{LOADS} where table_name = 'warehouse.{table.name}'; then run the load again."
    )


def _records(
    step: Step, history: Iterable[date], held: Mapping[Segment, Loaded], store: Store
) -> dict[Segment, Record]:
    """The current backups that were asked for, and those of other days that are not loaded."""
    table, segments = step.table, step.segments
    others: list[Segment] = []
    if table.partition:
        others = sorted({*map(Segment.of, history), *held} - {*segments, WHOLE})
    current = backups.read_current(store, table.name, [*segments, *others])
    missing = [segment for segment in segments if segment not in current]
    if missing:
        raise LoadError(
            f"no backup of {table.name} for {len(missing)} of {len(segments)} days, the first "
            f"{missing[0]}. "
            f"Materialize backup/{table.name} for these days first."
        )
    outdated = [
        segment
        for segment in others
        if segment in current
        and (segment not in held or current[segment].version != held[segment].version)
    ]
    wanted = backups.schema_fingerprint(table)
    records = {segment: current[segment] for segment in [*segments, *outdated]}
    for segment, record in records.items():
        if record.schema != wanted:
            raise LoadError(
                f"the backup of {table.name} {segment} was written with other columns "
                f"than {table.path} has now. Materialize backup/{table.name} for that day again."
            )
    return records


def _load(
    session: Session,
    step: Step,
    records: Mapping[Segment, Record],
    store: Store,
    warehouse: Warehouse,
) -> None:
    table = step.table
    columns = ", ".join(ddl.quoted(name) for name in table.column_names)
    session.execute(f"create temp table {STAGE} (like warehouse.{ddl.quoted(table.name)})")
    parts = [part for record in records.values() for part in record.parts]
    if parts:
        manifest = literal(_manifest(step, records, parts, store))
        try:
            session.execute(
                f"copy {STAGE} ({columns}) from {manifest}"
                f" {warehouse.copy_authorization} format as parquet manifest"
            )
        except StatementError as error:
            again = (
                f" If an object is missing or damaged, materialize backup/{table.name} for these "
                "days again."
            )
            raise LoadError(
                f"{table.name}: COPY of the backup failed: {error}. Nothing was changed."
                # Of a bucket that the warehouse does not reach, another backup would be no cure.
                + ("" if "NoSuchBucket" in error.message else again)
            ) from error
    _check_stage(session, table, records)
    session.execute(f"create temp table {INCOMING} (like {LOADS})")
    session.execute(incoming_rows(step, records))
    session.transaction(load_statements(step, records))


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
    key = f"backup/{step.table.name}/loads/{step.run_id}.json"
    store.put(key, body)
    return store.url(key)


def _check_stage(session: Session, table: Table, records: Mapping[Segment, Record]) -> None:
    """Compare what COPY brought with what the backup says: rows, sums and digest of every segment."""
    staged = measures(session, table, STAGE)
    for segment, record in records.items():
        copied = staged.pop(segment, Measure(0))
        if not same(copied, record.measure):
            raise LoadError(
                f"{table.name} {segment}: the stage differs from backup generation "
                f"{record.generation}: {difference(copied, record.measure)}. Nothing was changed. "
                f"Materialize backup/{table.name} for that day again: a part may be damaged."
            )
    if staged:
        strays = ", ".join(map(str, sorted(staged)))
        raise LoadError(f"{table.name}: the parts hold rows of other days: {strays}")


def measures(
    session: Session, table: Table, relation: str, where: str | None = None
) -> dict[Segment, Measure]:
    """Rows, sums and digest of a relation in the warehouse, by segment."""
    by_day = table.partition is not None
    sql = measure.measure_select(table, relation, "redshift", where=where, by_day=by_day)
    rows = [measure.measured(table, row, by_day=by_day) for row in session.execute(sql).rows]
    return {row.segment: Measure(row.rows, row.sums, row.digest) for row in rows}


def same(one: Measure, other: Measure) -> bool:
    """Whether two measures are equal; a sum over no values is 0."""
    return not difference(one, other)


def difference(one: Measure, other: Measure) -> str:
    """What differs, for a person; '' where nothing does."""
    texts = []
    if one.rows != other.rows:
        texts.append(f"{counted(one.rows, 'row')}, not {other.rows:,}")
    for name in sorted({*one.sums, *other.sums}):
        left, right = one.sums.get(name, 0), other.sums.get(name, 0)
        if left != right:
            texts.append(f"sum of {name} {left:,}, not {right:,}")
    if not texts and one.digest != other.digest:
        texts.append("equal rows and sums, but other values (digest)")
    return "; ".join(texts)
