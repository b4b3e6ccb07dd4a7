"""The tables without days that a model reads: what it was built from, which days their changes reach.

Beside a daily model a copy is kept of the columns that it reads of such a table, as they were when all of
its days were last in step. Held against the table as it is now, it tells the rows that changed; the links
of the select (`catalog.parent_links`) tell the days that have such rows. Nothing is built here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from orderhe_dagster.catalog import ddl, measure
from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import Catalogue, ParentLink, Table, TableRef
from orderhe_dagster.ports.errors import UNDEFINED_TABLE, StatementError
from orderhe_dagster.ports.warehouse import Session
from orderhe_dagster.road import audit
from orderhe_dagster.road.audit import UNDEFINED_COLUMN, UNDEFINED_SCHEMA, UPSTREAMS, literal

_NAME_BYTES = 120


@dataclass(frozen=True)
class Known:
    """A table without days, as a model knows it: its versions, and the values of the columns that are read.

    Where these cannot be digested, `content` is no more than the versions.
    """

    versions: str
    content: str

    @property
    def is_exact(self) -> bool:
        """Whether the content tells the values, not only the versions."""
        return self.content != self.versions


@dataclass(frozen=True)
class Coming:
    """What is known beforehand of a table without days that a run is to write, and then builds from.

    `is_same`: its values will be those that the model was built from. `days`: which ones its changes reach;
    None: any.
    """

    is_same: bool
    days: Collection[Segment] | None = None

    def known(self, versions: str, before: Known | None) -> Known:
        """What the model will find of these versions: as before, or values that nobody can read yet."""
        if before is not None and self.is_same:
            return before
        return Known(digest([versions, "to come"]), digest([versions, "to come"]))


def columns_read(table: Table, ref: TableRef) -> list[str]:
    """The columns of `ref` that the select of a model reads."""
    return [column.column for column in table.reads if column.table == ref]


def known_before(session: Session, table: Table) -> dict[str, Known]:
    """What a model was last built from, by the upstream's name; nothing where none is kept."""
    try:
        result = session.execute(
            f"select upstream, versions, content from {UPSTREAMS}"
            f" where table_name = {literal(str(table.ref))}"
        )
    except StatementError as error:
        if error.code not in (UNDEFINED_TABLE, UNDEFINED_SCHEMA):
            raise
        return {}
    return {upstream: Known(versions, content) for upstream, versions, content in result.rows}


def known_now(
    session: Session, upstream: Table, names: Sequence[str], versions: str, before: Known | None
) -> Known:
    """What there is now; the rows are read only where the versions are others than before."""
    versions = digest([versions, *names])
    if before is not None and before.versions == versions:
        return before
    return read_again(session, upstream, names, Known(versions, versions))


def read_again(session: Session, upstream: Table, names: Sequence[str], known: Known) -> Known:
    """The same versions with the values that are there."""
    content = digest_of_columns(session, upstream, names, ddl.qualified(upstream.read_as))
    return Known(known.versions, content or known.versions)


def reached_days(
    session: Session, catalogue: Catalogue, table: Table, ref: TableRef, before: Known
) -> set[Segment] | None:
    """The days of a daily model that a change of `ref` since then reaches; None: it may be any.

    Old and new rows count: those that came, went, or have another value in a column that is read.
    """
    links = [link for link in table.links if link.parent == ref]
    parent, names = catalogue.get(ref), columns_read(table, ref)
    copy = copy_name(table, ref)
    if not links or not before.is_exact:
        return None
    if digest_of_columns(session, parent, names, copy) != before.content:
        return None  # it is gone, or was altered by a hand
    days: set[Segment] = set()
    for link in links:
        result = session.execute(_days_sql(catalogue.get(link.child), parent, names, copy, link))
        days |= {Segment.of(measure.as_day(day)) for (day,) in result.rows if day is not None}
    return days


def _days_sql(
    child: Table, parent: Table, names: Sequence[str], copy: str, link: ParentLink
) -> str:
    """The days of the child's rows that have a key of a row which came, went, or was there more often.

    Rows are told by the MD5 of their text: Redshift's `except` passes over blanks at the end.
    """
    narrow = replace(parent, columns=tuple(c for c in parent.columns if c.name in names))
    keys = [f"_key_{place}" for place in range(len(link.columns))]
    values = ", ".join(
        f"max({ddl.quoted(mine)}) as {key}"
        for key, (_, mine) in zip(keys, link.columns, strict=True)
    )
    equal = " and ".join(
        f"child.{ddl.quoted(theirs)} = moved.{key}"
        for key, (theirs, _) in zip(keys, link.columns, strict=True)
    )

    def rows(relation: str) -> str:
        one = f"{measure.row_hash(narrow)} as _row"
        return f"select {one}, {values}, count(*) as _row_count from {relation} group by 1"

    def only_in(here: str, there: str) -> str:
        return (
            f"select {', '.join(f'{here}.{key}' for key in keys)} from {here} left join {there}"
            f" on {here}._row = {there}._row and {here}._row_count = {there}._row_count"
            f" where {there}._row is null"
        )

    return (
        f"with were as ({rows(copy)}), now as ({rows(ddl.qualified(parent.read_as))}),"
        f" moved as ({only_in('now', 'were')} union all {only_in('were', 'now')})"
        f" select distinct {measure.day_expression(child, 'redshift')} as shop_day"
        f" from {ddl.qualified(child.read_as)} as child inner join moved on {equal}"
    )


def statements(
    session: Session,
    catalogue: Catalogue,
    table: Table,
    now: Known,
    ref: TableRef,
    before: Known | None,
) -> list[str]:
    """The statements of a build's transaction that keep what `ref` was when all was in step with it."""
    result: list[str] = []
    if now != before:
        name, upstream = literal(str(table.ref)), literal(str(ref))
        result += [
            f"delete from {UPSTREAMS} where table_name = {name} and upstream = {upstream}",
            (
                f"insert into {UPSTREAMS} (table_name, upstream, versions, content)"
                f" values ({name}, {upstream}, {literal(now.versions)}, {literal(now.content)})"
            ),
        ]
    names = columns_read(table, ref)
    copy = copy_name(table, ref)
    is_kept = any(link.parent == ref for link in table.links) and now.is_exact
    if is_kept and (
        before is None
        or before.content != now.content
        or not audit.is_there(session, copy, tuple(names))
    ):
        columns = ", ".join(ddl.quoted(name) for name in names)
        there = ddl.qualified(catalogue.get(ref).read_as)
        result += [
            f"drop table if exists {copy}",
            f"create table {copy} as select {columns} from {there}",
        ]
    return result


def copy_name(table: Table, ref: TableRef) -> str:
    """The table that holds what a model reads of `ref`: in `warehouse`, where personal data may stay."""
    name = f"_read_{table.layer}_{table.name}__{ref.layer}_{ref.name}"
    if len(name.encode()) > _NAME_BYTES:
        name = f"{name.encode()[:80].decode(errors='ignore')}_{digest([name])[:16]}"
    return f"warehouse.{ddl.quoted(name)}"


def digest_of_columns(
    session: Session, table: Table, names: Sequence[str], relation: str
) -> str | None:
    """A digest of the rows of a relation by some of its columns.

    None where one of them cannot be digested, and where the relation or a column is not there.
    """
    columns = tuple(column for column in table.columns if column.name in names)
    if any(column.type.kind not in measure.DIGESTED for column in columns):
        return None
    narrow = replace(table, columns=columns)
    sql = measure.measure_select(narrow, relation, "redshift")
    try:
        measured = measure.measured(narrow, session.execute(sql).rows[0])
    except StatementError as error:
        if error.code not in (UNDEFINED_TABLE, UNDEFINED_COLUMN):
            raise
        return None
    return digest([*(column.name for column in columns), str(measured.rows), str(measured.digest)])


def digest(texts: Iterable[str]) -> str:
    """What tells these texts from any others."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:32]
