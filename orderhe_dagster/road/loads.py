"""The load of a table's backups into the warehouse: COPY to a stage, then one transaction.

The transaction's SQL is in `load_sql`; who runs a load, and when, is not said here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from orderhe_dagster.catalog import ddl, measure
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

_ATTEMPTS = 3


class LoadError(PortError):
    """A load stopped before anything changed. Names table, day and the next action."""


def load(
    table: Table,
    days: list[date | None],
    history: Iterable[date],
    store: Store,
    warehouse: Warehouse,
    run_id: str,
    time_zone: str,
) -> dict[date | None, Record]:
    """Bring the current backups of `days` into `warehouse.<table>`, all of them or none.

    Days of `history` that have a backup which the warehouse does not hold come along: a load that
    failed, a day that was backed up again, a warehouse that was lost.
    Returns the records loaded. Raises LoadError, StatementError.
    """
    name = f"warehouse.{table.name}"
    for attempt in range(1, _ATTEMPTS + 1):
        last = attempt == _ATTEMPTS
        records: dict[date | None, Record] = {}
        try:
            with warehouse.session(f"load warehouse/{table.name} run {run_id}") as session:
                audit.prepare(session)
                audit.prepare_loaded_table(session, table)
                held = audit.read(session, [name])[name]
                records = _records(table, days, history, held, store)
                try:
                    _load(session, table, records, store, warehouse, run_id, time_zone)
                except StatementError as error:
                    newer = _newer(records, audit.read(session, [name])[name])
                    if not newer:
                        raise
                    _refuse_older_store(table, newer, store, error, last=last)
                else:
                    return records
        except CommitUnknown:
            if records and _arrived(warehouse, name, records, run_id):
                return records
            if last:
                raise
        except ConnectionLost:
            if last:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def _arrived(
    warehouse: Warehouse, name: str, records: Mapping[date | None, Record], run_id: str
) -> bool:
    """Whether the audit holds all of these records by this run: its transaction was committed."""
    held = audit.look_up(warehouse, name)
    return all(
        (found := held.get(record.segment)) is not None
        and (found.run_id, found.version) == (run_id, record.version)
        for record in records.values()
    )


def _newer(
    records: Mapping[date | None, Record], held: Mapping[str, Loaded]
) -> dict[date | None, Loaded]:
    """The days of which the warehouse holds a newer generation than the one to be loaded."""
    return {
        day: held[record.segment]
        for day, record in records.items()
        if record.segment in held and held[record.segment].generation > record.generation
    }


def _refuse_older_store(
    table: Table,
    newer: Mapping[date | None, Loaded],
    store: Store,
    error: StatementError,
    *,
    last: bool,
) -> None:
    """Return where another run has just backed up and loaded; LoadError where the store went back."""
    current = backups.read_current(store, table.name, list(newer))
    if not last and all(
        day in current and current[day].generation >= loaded.generation
        for day, loaded in newer.items()
    ):
        return
    segments = sorted(backups.segment_of(day) for day in newer)
    raise LoadError(
        f"warehouse.{table.name} holds newer backups of {counted(len(segments), 'day')} "
        f"(the first {segments[0]}) than {store.url('backup/' + table.name)} has: the store was restored "
        "to an older state, or another store is set. To go on with this store: delete from "
        f"{LOADS} where table_name = 'warehouse.{table.name}'; then run the load again."
    ) from error


def _records(
    table: Table,
    days: list[date | None],
    history: Iterable[date],
    held: Mapping[str, Loaded],
    store: Store,
) -> dict[date | None, Record]:
    others: list[date | None] = []
    if table.partition:
        others = sorted({*history, *map(backups.day_of, held)} - {*days, None}, key=str)
    current = backups.read_current(store, table.name, [*days, *others])
    missing = [day for day in days if day not in current]
    if missing:
        first = backups.segment_of(missing[0])
        raise LoadError(
            f"no backup of {table.name} for {len(missing)} of {len(days)} days, the first {first}. "
            f"Materialize backup/{table.name} for these days first."
        )
    versions = {segment: loaded.version for segment, loaded in held.items()}
    outdated = [
        day
        for day in others
        if day in current and current[day].version != versions.get(backups.segment_of(day))
    ]
    wanted = backups.schema_fingerprint(table)
    records = {day: current[day] for day in [*days, *outdated]}
    for day, record in records.items():
        if record.schema != wanted:
            raise LoadError(
                f"the backup of {table.name} {backups.segment_of(day)} was written with other columns "
                f"than {table.path} has now. Materialize backup/{table.name} for that day again."
            )
    return records


def _load(
    session: Session,
    table: Table,
    records: Mapping[date | None, Record],
    store: Store,
    warehouse: Warehouse,
    run_id: str,
    time_zone: str,
) -> None:
    columns = ", ".join(ddl.quoted(name) for name in table.column_names)
    session.execute(f"create temp table {STAGE} (like warehouse.{ddl.quoted(table.name)})")
    parts = [part for record in records.values() for part in record.parts]
    if parts:
        manifest = literal(_manifest(table, records, parts, store, run_id))
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
    _judge_stage(session, table, records, time_zone)
    session.execute(f"create temp table {INCOMING} (like {LOADS})")
    session.execute(incoming_rows(table, records, run_id))
    session.transaction(load_statements(table, records, run_id, time_zone))


def _manifest(
    table: Table,
    records: Mapping[date | None, Record],
    parts: list[Part],
    store: Store,
    run_id: str,
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
    key = f"backup/{table.name}/loads/{run_id}.json"
    store.put(key, body)
    return store.url(key)


def _judge_stage(
    session: Session, table: Table, records: Mapping[date | None, Record], time_zone: str
) -> None:
    """Compare what COPY brought with what the backup says: rows, sums and digest of every day."""
    staged = measures(session, table, STAGE, time_zone)
    for day, record in records.items():
        found = staged.pop(day, Measure(0))
        if not same(found, record.measure):
            raise LoadError(
                f"{table.name} {backups.segment_of(day)}: the stage differs from backup generation "
                f"{record.generation}: {difference(found, record.measure)}. Nothing was changed. "
                f"Materialize backup/{table.name} for that day again: a part may be damaged."
            )
    if staged:
        strays = ", ".join(sorted(backups.segment_of(day) for day in staged))
        raise LoadError(f"{table.name}: the parts hold rows of other days: {strays}")


def measures(
    session: Session, table: Table, relation: str, time_zone: str, where: str | None = None
) -> dict[date | None, Measure]:
    """Rows, sums and digest of a relation in the warehouse, by day; key None: no partitions."""
    by_day = table.partition is not None
    sql = measure.measure_select(
        table, relation, "redshift", where=where, by_day=by_day, time_zone=time_zone
    )
    rows = [measure.measured(table, row, by_day=by_day) for row in session.execute(sql).rows]
    return {row.day: Measure(row.rows, row.sums, row.digest) for row in rows}


def same(one: Measure, other: Measure) -> bool:
    """Whether two measures are equal; a sum over no values is 0."""
    return not difference(one, other)


def difference(one: Measure, other: Measure) -> str:
    """What differs, for a person; '' where nothing does."""
    said = []
    if one.rows != other.rows:
        said.append(f"{counted(one.rows, 'row')}, not {other.rows:,}")
    for name in sorted({*one.sums, *other.sums}):
        left, right = one.sums.get(name, 0), other.sums.get(name, 0)
        if left != right:
            said.append(f"sum of {name} {left:,}, not {right:,}")
    if not said and one.digest != other.digest:
        said.append("equal rows and sums, but other values (digest)")
    return "; ".join(said)
