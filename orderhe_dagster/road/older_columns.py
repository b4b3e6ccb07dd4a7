"""Generations of an older contract: whether their columns fit the table, and how their rows are staged.

Which generation is loaded is decided elsewhere. The source is the truth: where it is there, days of
another shape are read from it again. This is for a restore, which has the generations alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from orderhe_dagster.catalog import ddl, types
from orderhe_dagster.catalog.measure import stands_hashed
from orderhe_dagster.catalog.table import Column, ColumnType, Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.measures import Measure
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Session, Warehouse
from orderhe_dagster.road import backups
from orderhe_dagster.road.audit import literal
from orderhe_dagster.road.backups import Record
from orderhe_dagster.road.load_sql import STAGE
from orderhe_dagster.road.measures import difference, measures
from orderhe_dagster.road.reshape import holds_all
from orderhe_dagster.road.step import Step
from orderhe_dagster.settings.scratch import scratch_folder

OLDER = "_older"  # no table is called so: names of files begin with a letter
_KINDS: dict[str, ColumnType] = {
    types.arrow_text(kind): kind
    for kind in (
        *(ColumnType("boolean"), ColumnType("smallint"), ColumnType("integer")),
        *(ColumnType("bigint"), ColumnType("real"), ColumnType("double"), ColumnType("date")),
        *(ColumnType("timestamp"), ColumnType("varchar"), ColumnType("varbyte")),
    )
}


class OlderColumnsError(PortError):
    """A generation's columns do not fit the table, or its rows did not arrive as it says."""


@dataclass(frozen=True)
class Written:
    """A column as the Parquet of a generation has it."""

    name: str
    arrow: str  # its type, as pyarrow prints it
    type: ColumnType | None  # None: no type that we write


def columns_written(store: Store, record: Record, scratch: Path) -> list[Written]:
    """The columns of a generation, from the footer of its first part: one statement wrote them all.

    [] where it has no rows. OlderColumnsError where the part is not there or no Parquet.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not record.parts:
        return []
    key = record.parts[0].key
    with scratch_folder(scratch, label=f"columns of {record.table} {record.segment}") as folder:
        try:
            store.download(key, folder / "part.parquet")
            schema = pq.read_schema(folder / "part.parquet")
        except (pa.ArrowInvalid, OSError) as error:
            raise OlderColumnsError(
                f"{record.table} {record.segment}: part {store.url(key)} of generation "
                f"{record.generation} is no Parquet ({error}). Take another generation"
            ) from error
    return [written(field.name, str(field.type)) for field in schema]


def written(name: str, arrow: str) -> Written:
    """A column by its name and its Arrow type, as pyarrow prints it."""
    decimal = re.fullmatch(r"decimal128\((\d+), (\d+)\)", arrow)
    if decimal:
        kind = ColumnType("decimal", precision=int(decimal[1]), scale=int(decimal[2]))
        return Written(name, arrow, kind)
    return Written(name, arrow, _KINDS.get(arrow))


def obstacles(columns: Sequence[Written], table: Table) -> list[str]:
    """Why rows of these columns cannot be loaded into the table without loss; [] where they can.

    Lengths of texts and NULLs are in no schema: a text that is too long, and a NULL where the table has
    none, stop the load by themselves.
    """
    ours = {column.name: column for column in table.columns}
    there = {one.name for one in columns}
    told = []
    for one in columns:
        column = ours.get(one.name)
        if column is None:
            told.append(f"it has {one.name} ({one.arrow}), and {table.path} does not")
        elif one.type is None or not holds_all(column.type, _of_length(one.type, column)):
            told.append(
                f"it has {one.name} as {one.arrow}, and {table.path} as "
                f"{types.redshift_text(column.type)}"
            )
    told += [
        f"it has no {name}, which is not null in {table.path}"
        for name, column in ours.items()
        if columns and name not in there and not column.nullable
    ]
    return told


def _of_length(kind: ColumnType, column: Column) -> ColumnType:
    """The type with the table's own length: what is longer stops at COPY."""
    return replace(kind, length=column.type.length) if kind.kind in ("varchar", "varbyte") else kind


def as_written(table: Table, columns: Sequence[Written]) -> Table:
    """The table as it was when these columns were written, as far as that is known. No obstacle is left."""
    old = tuple(
        replace(column, type=_of_length(one.type, column), nullable=True)
        for one in columns
        if one.type is not None
        for column in (table.column(one.name),)
    )
    return replace(table, columns=old)


def stage_older(
    session: Session,
    step: Step,
    records: Sequence[Record],
    columns: Sequence[Written],
    store: Store,
    warehouse: Warehouse,
) -> None:
    """Bring the rows of generations that all have these columns into the stage, which is there already.

    COPY of Parquet wants the very types, so it fills a stage of the old ones; that is compared with the
    records, and from there casts that lose nothing go on. OlderColumnsError; nothing but the stage changed.
    """
    table = step.table
    if told := obstacles(columns, table):
        days = counted(len(records), "generation")
        raise OlderColumnsError(
            f"{table.name}: {days} cannot be loaded, the first of {records[0].segment}: {'; '.join(told)}"
        )
    parts = [part for record in records for part in record.parts]
    if not parts:
        return
    older = as_written(table, columns)
    listed = ", ".join(
        f"{ddl.quoted(column.name)} {types.redshift_text(column.type)}" for column in older.columns
    )
    names = ddl.quoted_names(older.column_names)
    key = f"backup/{table.name}/loads/{step.run_id}-older.json"
    store.put(key, backups.manifest_body(store, parts))
    session.execute(f"drop table if exists {OLDER}")
    session.execute(f"create temp table {OLDER} ({listed})")
    session.execute(
        f"copy {OLDER} ({names}) from {literal(store.url(key))}"
        f" {warehouse.copy_authorization} format as parquet manifest"
    )
    _check(session, step, older, records)
    casts = ", ".join(
        f"cast({ddl.quoted(name)} as {types.redshift_text(table.column(name).type)})"
        for name in older.column_names
    )
    session.execute(f"insert into {STAGE} ({names}) select {casts} from {OLDER}")


def _check(session: Session, step: Step, older: Table, records: Sequence[Record]) -> None:
    """Compare what COPY brought with the records: rows and sums, and the digest where it can be had.

    A digest of long rows depends on the lengths that the texts had then, which nothing tells any more.
    """
    segments = [record.segment for record in records]
    staged = measures(session, older, OLDER, segments, step.outside_of_days)
    for record in records:
        copied, wanted = staged.get(record.segment, Measure(0)), record.measure
        if stands_hashed(older):
            copied = replace(copied, digest=wanted.digest)
        if told := difference(copied, wanted):
            raise OlderColumnsError(
                f"{older.name} {record.segment}: the stage differs from backup generation "
                f"{record.generation}: {told}. A part may be damaged: take another generation"
            )
    total = session.execute(f"select count(*) from {OLDER}").scalar()
    rows = sum(record.measure.rows for record in records)
    if total != rows:
        raise OlderColumnsError(
            f"{older.name}: the parts hold {total:,} rows, {rows:,} of them of the segments that are loaded"
        )
