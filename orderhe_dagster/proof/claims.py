"""Claims: what a table promises, as queries that return the wrong rows, and how they are judged. No Dagster.

That source, backup and warehouse agree is no claim but an agreement (`agreement`); what the latest
judgement came to is kept as a check result (`check_results`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from orderhe_dagster.catalog import ddl, measure
from orderhe_dagster.catalog.dependencies import check_dependencies, foreign_key_parents
from orderhe_dagster.catalog.measure import as_day
from orderhe_dagster.catalog.segments import OUTSIDE, WHOLE, Segment
from orderhe_dagster.catalog.table import Catalogue, ForeignKey, Layer, Table, TableRef
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import UNDEFINED_TABLE, StatementError
from orderhe_dagster.ports.warehouse import Result, Session
from orderhe_dagster.rendering.masking import hiding_values, masked
from orderhe_dagster.rendering.printing import markdown_table
from orderhe_dagster.road import audit
from orderhe_dagster.road.inputs import lagging

SHOWN = 20
_IsPartial = Callable[[str, Collection[Segment]], bool]


@dataclass(frozen=True)
class Claim:
    """A promise: `sql` returns the rows that break it."""

    name: str
    description: str
    sql: str
    needs: tuple[tuple[str, str], ...] = ()  # further tables that are to be there before it
    reads: tuple[TableRef, ...] = ()  # all models it compares, its own table among them
    foreign_key: ForeignKey | None = None
    table: Table | None = None  # whose promise it is
    personal: tuple[int, ...] = ()  # places of columns that show personal data under other names
    columns: tuple[str, ...] = ()  # of what the rows of its table tell by themselves: the columns
    is_key: bool = False  # these are to be unique together
    is_steady: bool = True  # False: it reads the clock, or may


@dataclass(frozen=True)
class Finding:
    """How many rows break a claim, and the first of them, personal data masked."""

    wrong: int
    pending: int = 0  # rows that may be right once what they are compared with is there
    behind: tuple[TableRef, ...] = ()  # what is to be built first, where it is a model
    segments: tuple[Segment, ...] = ()  # where the wrong rows lie, as far as they tell their day
    columns: tuple[str, ...] = ()
    rows: Sequence[tuple[Any, ...]] = field(default_factory=tuple)

    def sentence(self, claim: Claim) -> str:
        """The result in one sentence."""
        if self.wrong:
            return f"{counted(self.wrong, 'row breaks it', 'rows break it')}: {claim.description}"
        if self.behind:
            names = ", ".join("/".join(ref.path) for ref in self.behind)
            return (
                f"cannot be judged: {names} was built before what it is made of was loaded last, or "
                "never. Materialize it with its checks"
            )
        if self.pending:
            pending = counted(self.pending, "row is pending", "rows are pending")
            return f"{pending}: the parent may not have been read yet"
        return "holds for every row"


def claims_of(catalogue: Catalogue, table: Table, layer: Layer, relation: str = "") -> list[Claim]:
    """Everything that the file of `table` and `sql/checks` promise of `<layer>.<table>`.

    Those that have `columns` are of the rows of `relation`, where another than the table is named.
    """
    rows = relation or ddl.qualified(table.read_as)
    claims = [*_required(table, rows), *_unique_keys(table, rows), *_accepted_values(table, rows)]
    if layer == "warehouse" and table.layer == "raw":
        awaited = foreign_key_parents(catalogue)[table.name]
        claims += [_refers(table, key, key.parent in awaited) for key in table.foreign_keys]
    claims += _of_check_files(catalogue, TableRef(layer, table.name))
    return [replace(claim, table=table) for claim in _plainly_named(claims)]


def _required(table: Table, relation: str) -> Iterator[Claim]:
    required = [column.name for column in table.columns if not column.nullable]
    required += [name for name in table.grain if name not in required]
    if required:
        missing = " or ".join(f"{ddl.quoted(name)} is null" for name in required)
        yield Claim(
            "required_columns_are_filled",
            f"No NULL in {', '.join(required)}.",
            f"select * from {relation} where {missing}",
            columns=tuple(required),
        )


def _unique_keys(table: Table, relation: str) -> Iterator[Claim]:
    if table.grain:
        yield _unique(table, relation, table.grain, "grain")
    for key in table.unique:
        yield _unique(table, relation, key, "_".join(key))


def _accepted_values(table: Table, relation: str) -> Iterator[Claim]:
    for column in table.columns:
        if column.values:
            accepted = ", ".join(audit.expression(value) for value in column.values)
            yield Claim(
                f"{column.name}_is_accepted",
                f"{column.name} is one of {', '.join(column.values)}.",
                f"select * from {relation} where {ddl.quoted(column.name)} not in ({accepted})",
                columns=(column.name,),
            )


def _of_check_files(catalogue: Catalogue, ref: TableRef) -> Iterator[Claim]:
    awaited = check_dependencies(catalogue).get(ref, ())
    for check in catalogue.checks:
        if check.table == ref:
            yield Claim(
                check.claim,
                check.description or check.claim.replace("_", " "),
                check.sql,
                needs=tuple(read.path for read in check.reads if read in awaited),
                reads=(check.table, *check.reads) if check.reads else (),
                personal=check.personal,
                is_steady=check.is_steady,
            )


def _plainly_named(claims: Sequence[Claim]) -> list[Claim]:
    """The claims under names that Dagster takes (ASCII letters, digits, `_`), each its own.

    What is no such letter becomes `_`, with a few digits of the name's hash to tell two apart.
    """
    taken: set[str] = set()
    named = []
    for claim in claims:
        name = re.sub(r"[^A-Za-z0-9_]", "_", claim.name)
        if name != claim.name:
            name += "_" + hashlib.sha256(claim.name.encode()).hexdigest()[:6]
        plain, number = name, 1
        while name in taken:
            number += 1
            name = f"{plain}_{number}"
        taken.add(name)
        named.append(replace(claim, name=name))
    return named


def grouped_by(table: Table, key: Iterable[str]) -> list[str]:
    """What rows of a key are grouped by: its columns, of texts their MD5.

    It tells blanks at the end apart, which Redshift may not.
    """
    texts = {column.name for column in table.columns if column.type.kind == "varchar"}
    return [f"md5({ddl.quoted(name)})" if name in texts else ddl.quoted(name) for name in key]


def _unique(table: Table, relation: str, key: tuple[str, ...], name: str) -> Claim:
    grouped = grouped_by(table, key)
    shown = [
        quoted if by == quoted else f"max({quoted}) as {quoted}"
        for quoted, by in zip(map(ddl.quoted, key), grouped, strict=True)
    ]
    filled = " and ".join(f"{ddl.quoted(column)} is not null" for column in key)
    return Claim(
        f"{name}_is_unique",
        f"No two rows have the same {', '.join(key)}.",
        f"select {', '.join(shown)}, count(*) as row_count from {relation} where {filled}"
        f" group by {', '.join(grouped)} having count(*) > 1",
        columns=key,
        is_key=True,
    )


def _refers(table: Table, key: ForeignKey, awaited: bool) -> Claim:
    """Tables that refer to each other cannot both wait: what came before its parent is pending."""
    child = ddl.qualified(table.read_as)
    parent = f"warehouse.{ddl.quoted(key.parent)}"
    joined = " and ".join(
        f"child.{ddl.quoted(mine)} = parent.{ddl.quoted(theirs)}"
        for mine, theirs in zip(key.columns, key.parent_columns, strict=True)
    )
    filled = " and ".join(f"child.{ddl.quoted(column)} is not null" for column in key.columns)
    return Claim(
        f"{'_'.join(key.columns)}_is_in_{key.parent}",
        f"Every {', '.join(key.columns)} is a row of {key.parent}. Rows of {key.parent} may be in "
        f"quarantine: see the check nothing_quarantined of backup/{key.parent}.",
        f"select child.* from {child} as child left join {parent} as parent on {joined}"
        f" where parent.{ddl.quoted(key.parent_columns[0])} is null and {filled}",
        needs=(("warehouse", key.parent),) if awaited else (),
        foreign_key=key,
    )


def judge(
    session: Session,
    catalogue: Catalogue,
    claims: Sequence[Claim],
    unread: Callable[[Table, Collection[Segment]], bool] | None = None,
) -> list[tuple[Claim, Finding]]:
    """Run the claims and give the finding of each.

    `unread` says of a partitioned parent and the segments of it that are loaded whether the source
    has rows of it on other days; a child is not judged by a parent that is held in part only.
    """
    personal = personal_columns(catalogue)
    partitioned = {table.name: table for table in catalogue.layer("raw") if table.partition}

    def is_partial(parent: str, loaded: Collection[Segment]) -> bool:
        return bool(unread and parent in partitioned and unread(partitioned[parent], loaded))

    with hiding_values(bool(personal)):
        return [
            (claim, _judge_one(session, catalogue, claim, personal, is_partial)) for claim in claims
        ]


def personal_columns(catalogue: Catalogue) -> set[str]:
    """The names of all columns with personal data."""
    return {
        column.name
        for layer in ("raw", "warehouse")
        for table in catalogue.layer(layer)
        for column in table.columns
        if column.pii
    }


def _judge_one(
    session: Session,
    catalogue: Catalogue,
    claim: Claim,
    personal: set[str],
    is_partial: _IsPartial,
) -> Finding:
    try:
        count = session.execute(f"select count(*) from (\n{claim.sql}\n) as wrong").scalar()
    except StatementError as error:
        if error.code != UNDEFINED_TABLE:
            raise
        behind = tuple(lagging(session, catalogue, claim.reads))
        if claim.foreign_key is None and not behind:
            raise
        return Finding(0, pending=1, behind=behind)  # never loaded: nothing to judge by yet
    if not count:
        return Finding(0)
    result = session.execute(f"select * from (\n{claim.sql}\n) as wrong limit {SHOWN}")
    rows = masked(result.columns, result.rows, personal, claim.personal)
    behind = tuple(lagging(session, catalogue, claim.reads))
    lie = _segments(session, claim, result, count)
    waiting = lie if behind else _pending(session, claim, lie, count, is_partial)
    pending = count if behind else sum(waiting.values())
    segments = () if behind else tuple(sorted(lie.keys() - waiting.keys()))
    return Finding(count - pending, pending, behind, segments, result.columns, rows)


def _segments(session: Session, claim: Claim, wrong: Result, count: int) -> dict[Segment, int]:
    """How many of the wrong rows lie in each segment; nothing where they do not tell.

    A row before the shop's first day is counted to its own day, which no copy has as a segment.
    """
    table = claim.table
    if table is None:
        return {}
    if not table.partition:
        return {WHOLE: count}
    types = dict(zip(wrong.columns, wrong.types, strict=True))
    if not types.get(table.partition, "").startswith(("date", "timestamp")):
        return {}
    day = measure.day_expression(table, "redshift")
    result = session.execute(
        f"select {day} as day, count(*) as row_count from (\n{claim.sql}\n) as wrong group by {day}"
    )
    return {Segment.of(as_day(day)) if day else OUTSIDE: rows for day, rows in result.rows}


def _pending(
    session: Session,
    claim: Claim,
    lie: Mapping[Segment, int],
    count: int,
    is_partial: _IsPartial,
) -> Mapping[Segment, int]:
    """Which orphans may have their parent where it was not read: on another day, or since."""
    if claim.foreign_key is None or claim.table is None:
        return {}
    name, parent = f"warehouse.{claim.table.name}", f"warehouse.{claim.foreign_key.parent}"
    held = audit.read(session, [name, parent])
    parents_read = [row.snapshot_at for row in held[parent].values()]
    if not parents_read or is_partial(claim.foreign_key.parent, held[parent]):
        return lie
    read = max(parents_read)  # every day of a parent is looked at whenever one of it is read
    return {
        segment: rows
        for segment, rows in lie.items()
        if (loaded := held[name].get(segment, held[name].get(OUTSIDE)))
        and loaded.snapshot_at > read
    }


def wrong_rows_markdown(finding: Finding) -> str:
    """The first wrong rows as a Markdown table."""
    more = finding.wrong + finding.pending - len(finding.rows)
    table = markdown_table(finding.columns, finding.rows)
    return table + (f"\n\nand {more:,} more" if more > 0 else "")
