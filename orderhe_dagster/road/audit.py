"""The warehouse's half of the ledger: `warehouse._loads`, what it holds, one row a table and segment.

Its tables are all made here; `warehouse._checks` and `_judged` are written and read by `proof`.

It is written in the same transaction as the rows it speaks of, so it can be believed where a
client's memory cannot: after a lost connection it tells whether the transaction was committed.
No rows are moved here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from orderhe_dagster.catalog import ddl, types
from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import Layer, Table
from orderhe_dagster.ports.errors import UNDEFINED_TABLE, PortError, StatementError
from orderhe_dagster.ports.warehouse import Session, Warehouse

LOADS = "warehouse._loads"
TABLES = "warehouse._tables"
CHECKS = "warehouse._checks"
JUDGED = "warehouse._judged"
FINDINGS = "warehouse._findings"
UPSTREAMS = "warehouse._upstreams"
CHANGED = "changed"
DISPUTED = "disputed"
"""How the version of a segment begins that was found not to agree with its source."""

_AUDIT_DDL = (
    "create schema if not exists warehouse",
    (
        f"create table if not exists {LOADS} ("
        "table_name varchar(300) not null, "
        "segment varchar(10) not null, "  # an ISO day, or 'all'
        "version varchar(128) not null, "  # what tells this content from any other
        "generation integer not null, "  # of the backup; 0 for a model
        "run_id varchar(128) not null, "
        "row_count bigint not null, "
        "digest varchar(64) not null, "
        "inputs varchar(64) not null, "  # of a model: fingerprint of what it was built from; see loads.Load
        "snapshot_at timestamp not null, "
        "loaded_at timestamp not null)"
    ),
    (
        f"create table if not exists {TABLES} ("
        "table_name varchar(300) not null, definition varchar(65535) not null)"
    ),
    (
        f"create table if not exists {CHECKS} ("  # the latest result of each check
        "table_name varchar(300) not null, "
        "claim varchar(300) not null, "
        "passed boolean not null, "
        "wrong_rows bigint not null, "  # of the proof: days that differ
        "only_stale boolean not null, "  # failed because a copy is older; none is wrong
        "checked_at timestamp not null, "  # UTC
        "run_id varchar(128) not null, "
        "days integer, "  # these four: of the proof
        "source_rows bigint, "
        "backup_rows bigint, "
        "warehouse_rows bigint)"
    ),
    (
        f"create table if not exists {JUDGED} ("  # which content of a table its claims have judged
        "table_name varchar(300) not null, content varchar(64) not null)"
    ),
    (
        f"create table if not exists {FINDINGS} ("  # what differed, and what was done about it
        "table_name varchar(300) not null, "
        "segment varchar(10) not null, "
        "kind varchar(20) not null, "
        "detail varchar(16000) not null, "
        "run_id varchar(128) not null, "
        "found_at timestamp not null)"
    ),
    (
        f"create table if not exists {UPSTREAMS} ("  # what a model last read of tables without days
        "table_name varchar(300) not null, "
        "upstream varchar(300) not null, "
        "versions varchar(64) not null, "
        "content varchar(64) not null)"
    ),
)
_ADDED_COLUMNS = (
    (LOADS, "proven_at timestamp"),  # when the rows were last measured, and were those (UTC)
    (LOADS, "confirmed_at timestamp"),  # when a run asked for it last and found it as it was to be
    (LOADS, "column_versions varchar(65535)"),  # which columns later versions changed; NULL: any
    (CHECKS, "segments_held integer"),  # these three: of the proof, over all of the table
    (CHECKS, "never_proven integer"),
    (CHECKS, "oldest_proof timestamp"),
)
"""Columns that tables of earlier versions do not have."""
_DETAIL_BYTES = 16_000
_STATEMENT_BYTES = 80_000
_LEDGER = "_ledger"
"""The name under which `_tables` keeps the form that these tables have."""
_FORM = "4"
UNDEFINED_SCHEMA, UNDEFINED_COLUMN, DUPLICATE_COLUMN = "3F000", "42703", "42701"


@dataclass(frozen=True)
class Loaded:
    """What the audit says of one segment of a table."""

    version: str
    generation: int
    run_id: str
    rows: int
    digest: str
    inputs: str
    snapshot_at: str
    proven_at: datetime | None = field(default=None, compare=False)
    """When the rows that are there were last measured and found to be those (UTC, naive)."""
    loaded_at: datetime | None = field(default=None, compare=False)
    """When they were loaded or built (UTC, naive)."""
    column_versions: str = field(default="", compare=False)
    """Which columns this version changed, and those before it; see `column_versions`."""


def literal(text: str) -> str:
    """A text as SQL. Backslashes are refused: Redshift reads them as escapes."""
    if "\\" in text:
        raise ValueError(f"a backslash cannot stand in this literal: {text!r}")
    return "'" + text.replace("'", "''") + "'"


def expression(text: str) -> str:
    """Any text as an SQL expression: a backslash is written as chr(92), which means nothing else.

    It stands in for a letter that the text has not: a chain of `||` for many would be too deep.
    """
    if "\\" not in text:
        return literal(text)
    other = next(letter for letter in map(chr, range(0xE000, 0xF900)) if letter not in text)
    return f"replace({literal(text.replace(chr(92), other))}, {literal(other)}, chr(92))"


def asserting(condition: str, message: str, relation: str = "") -> str:
    """A statement that fails with `message` unless `condition` holds: aggregate SQL expressions.

    The text is cast to a number: the one way of raising an error that plain Redshift SQL has.
    The message must depend on the rows, or the planner would evaluate the cast beforehand.
    """
    tail = f" from {relation}" if relation else ""
    return f"select cast(case when {condition} then '0' else {message} end as int){tail}"


def prepare(session: Session) -> None:
    """Create the audit tables where they are missing, and bring those of earlier versions to today's form.

    PortError where a newer version has made them.
    """
    form = _form(session)
    if form == _FORM and _all_there(session):
        return
    if form is not None and int(form) > int(_FORM):
        raise PortError(
            f"the ledger of this warehouse ({LOADS}) is of form {form}, and this version writes {_FORM}: a "
            "newer orderhe made it. Nothing was changed. Install that version here too."
        )
    for statement in _AUDIT_DDL:
        session.execute(statement)
    for table, column in _ADDED_COLUMNS:
        _add_column(session, table, column)
    session.transaction(
        [
            f"lock table {TABLES}",  # another run may do the same just now
            *_fences_among_marts(session),
            f"delete from {TABLES} where table_name = {literal(_LEDGER)}",
            f"insert into {TABLES} (table_name, definition) values ({literal(_LEDGER)}, {literal(_FORM)})",
        ]
    )


def _fences_among_marts(session: Session) -> list[str]:
    """Statements that drop the fences of before form 4, which lay where BI tools look."""
    rows = session.execute(
        "select table_name from svv_tables where table_schema = 'mart' and left(table_name, 7) = '_fence_'"
    ).rows
    return [f"drop table if exists mart.{ddl.quoted(str(name))}" for (name,) in rows]


def _all_there(session: Session) -> bool:
    """Whether no other hand has dropped one of the audit tables: the next run fills it again."""
    names = (LOADS, CHECKS, JUDGED, FINDINGS, UPSTREAMS)
    try:
        session.execute(f"select 1 as one from {', '.join(names)} where false")
    except StatementError as error:
        if error.code != UNDEFINED_TABLE:
            raise
        return False
    return True


def _add_column(session: Session, table: str, column: str) -> None:
    """Add a column (name and type) where the table does not have it yet."""
    try:
        session.execute(f"select {column.split(maxsplit=1)[0]} from {table} limit 1")
    except StatementError as error:
        if error.code != UNDEFINED_COLUMN:
            raise
        try:
            session.execute(f"alter table {table} add column {column}")
        except StatementError as other:
            if other.code != DUPLICATE_COLUMN:  # another run was quicker
                raise


def _form(session: Session) -> str | None:
    """The form that the audit tables are in; None where they are older than forms, or not there."""
    return stored_definition(session, _LEDGER)


def fence(layer: str, name: str) -> str:
    """The table that writers of a table lock first: tiny, and read by nobody.

    Those of marts lie in the warehouse, too: who reads marts sees marts.
    """
    of = "" if layer == "warehouse" else f"{layer}_"
    return f"warehouse.{ddl.quoted(f'_fence_{of}{name}')}"


def prepare_fence(session: Session, layer: Layer, name: str) -> None:
    """Create the schema and the fence of a table where they are missing."""
    session.execute(f"create schema if not exists {layer}")
    session.execute(f"create table if not exists {fence(layer, name)} (held integer)")


def read(session: Session, tables: Sequence[str]) -> dict[str, dict[Segment, Loaded]]:
    """Table -> segment -> what was loaded last. Tables never loaded are empty."""
    held: dict[str, dict[Segment, Loaded]] = {name: {} for name in tables}
    names = ", ".join(literal(name) for name in tables)
    if not names:
        return held
    columns = (
        "table_name, segment, version, generation, run_id, row_count, digest, inputs, snapshot_at,"
        " loaded_at"
    )
    where = f"from {LOADS} where table_name in ({names})"
    try:
        # A moment to come is of a clock that was ahead: it must not keep a segment from its turn.
        past = "case when proven_at < dateadd(hour, 1, getdate()) then proven_at end as proven_at"
        result = session.execute(f"select {columns}, {past}, column_versions {where}")
    except StatementError as error:
        if error.code != UNDEFINED_COLUMN:
            raise
        older = "null::timestamp as proven_at, null::varchar as column_versions"
        result = session.execute(f"select {columns}, {older} {where}")
    for name, segment, version, generation, run_id, rows, digest, *others in result.rows:
        inputs, snapshot_at, loaded_at, proven_at, changed = others
        held[name][Segment(segment)] = Loaded(
            *(version, generation, run_id, rows, digest, inputs, snapshot_at.isoformat()),
            proven_at=proven_at,
            loaded_at=loaded_at,
            column_versions=changed or "",
        )
    return held


def read_or_nothing(session: Session, name: str) -> dict[Segment, Loaded]:
    """What the audit says of a table; nothing where the warehouse was never written to."""
    try:
        return read(session, [name])[name]
    except StatementError as error:
        if error.code not in (UNDEFINED_TABLE, UNDEFINED_SCHEMA):
            raise
        return {}


def loaded_rows(session: Session, layer: str) -> dict[str, int]:
    """How many rows each table of a layer has, by the audit."""
    result = session.execute(
        f"select table_name, sum(row_count) as row_total from {LOADS}"
        f" where table_name like '{layer}.%' group by table_name"
    )
    return {name: int(rows) for name, rows in result.rows}


def failed_claims(session: Session, name: str) -> list[str]:
    """The claims of a table that its rows broke when they were judged last."""
    failed = f"table_name = {literal(name)} and passed = false"
    result = session.execute(f"select claim from {CHECKS} where {failed} order by claim")
    return [str(claim) for (claim,) in result.rows]


def note_proven(session: Session, name: str, versions: Mapping[Segment, str]) -> None:
    """Keep that the rows of these segments were just measured and are those of these versions."""
    # A version that has moved on meanwhile is left out.
    pairs = (literal(f"{segment}={version}") for segment, version in sorted(versions.items()))
    for some in _pieces(pairs):
        session.execute(
            f"update {LOADS} set proven_at = getdate() where table_name = {literal(name)}"
            f" and segment || '=' || version in ({', '.join(some)})"
        )


def note_confirmed(session: Session, name: str, segments: Iterable[Segment]) -> None:
    """Keep that a run asked for these segments, and nothing of them was to be done."""
    _note(session, name, segments, "confirmed_at = getdate()")


def note_doubted(session: Session, name: str, segments: Iterable[Segment]) -> None:
    """Keep that these segments were found to differ: they count as never proven, their turn comes first."""
    _note(session, name, segments, "proven_at = null")


def note_other_inputs(session: Session, name: str, segments: Iterable[Segment]) -> None:
    """Keep that these segments of a model were not built of what it reads: its next build makes them anew."""
    _note(session, name, segments, "inputs = '', proven_at = null")


def _note(session: Session, name: str, segments: Iterable[Segment], what: str) -> None:
    """Set something in the rows of some segments of a table."""
    listed = ", ".join(literal(segment.text) for segment in sorted(segments))
    if listed:
        session.execute(
            f"update {LOADS} set {what} where table_name = {literal(name)} and segment in ({listed})"
        )


def note_findings(
    session: Session, name: str, findings: Sequence[tuple[Segment, str, str]], run_id: str
) -> None:
    """Keep what was found to differ (segment, kind, detail) by a run that mends it."""
    rows = (
        f"({literal(name)}, {literal(segment.text)}, {literal(kind)}, "
        f"{expression(_cut(detail))}, {literal(run_id)}, getdate())"
        for segment, kind, detail in findings
    )
    for statement in inserts(FINDINGS, rows):
        session.execute(statement)


def inserts(into: str, rows: Iterable[str]) -> list[str]:
    """The statements that insert rows of values, none of them longer than the Data API takes.

    `into` is the table, with its columns where they are named.
    """
    return [f"insert into {into} values {', '.join(some)}" for some in _pieces(rows)]


def _pieces(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts of a list in SQL, as many at once as a statement has room for."""
    some: list[str] = []
    size = 0
    for text in texts:
        length = len(text.encode("utf-8"))
        if some and size + length > _STATEMENT_BYTES:
            yield some
            some, size = [], 0
        some.append(text)
        size += length + 2
    if some:
        yield some


def _cut(text: str) -> str:
    """As much of a text as the ledger's column holds."""
    encoded = text.encode()
    if len(encoded) <= _DETAIL_BYTES:
        return text
    return encoded[: _DETAIL_BYTES - 3].decode(errors="ignore") + "…"


def look_up(warehouse: Warehouse, name: str) -> dict[Segment, Loaded]:
    """What the audit says of a table, asked on a connection of its own behind the table's fence.

    For a writer that lost its connection while it committed: the fence is had only once the server
    has ended that transaction, one way or the other.
    """
    layer, _, bare = name.partition(".")
    with warehouse.session(f"look up {name}") as session:
        session.transaction([f"lock table {fence(layer, bare)}"])
        return read(session, [name])[name]


def unchanged(held: Mapping[str, Mapping[Segment, Loaded]]) -> list[str]:
    """Statements that fail when the audit says anything else of these tables than was read before."""
    statements = []
    for name, segments in sorted(held.items()):
        digest = sum(_sixty_bits(f"{at}={row.version}") for at, row in segments.items())
        counted = (
            "sum(cast(strtol(left(md5(segment || '=' || version), 15), 16) as decimal(38, 0)))"
        )
        statements.append(
            asserting(
                f"count(*) = {len(segments)} and coalesce({counted}, 0) = {digest}",
                f"'{CHANGED}: {name} was loaded meanwhile, with ' || count(*) || ' segments'",
                f"{LOADS} where table_name = {literal(name)}",
            )
        )
    return statements


def _sixty_bits(text: str) -> int:
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:15], 16)


def definition(table: Table) -> str:
    """What a table was made from: how it is cut and laid out, then its columns, one a line."""
    laid_out = f"partition {table.partition}, distkey {table.distkey}, sortkey {table.sortkey}"
    return "\n".join([laid_out, *_column_lines(table)])


def _column_lines(table: Table) -> list[str]:
    return [
        f"{column.name} {types.redshift_text(column.type)}{'' if column.nullable else ' not null'}"
        for column in table.columns
    ]


def stored_definition(session: Session, name: str) -> str | None:
    """The definition a table was made with; None where it was never made."""
    try:
        result = session.execute(
            f"select definition from {TABLES} where table_name = {literal(name)}"
        )
    except StatementError as error:
        if error.code not in (UNDEFINED_TABLE, UNDEFINED_SCHEMA):
            raise
        return None  # the ledger is not there either
    return str(result.rows[0][0]) if result.rows else None


def stored(session: Session, name: str) -> tuple[str | None, str | None]:
    """The definition a table was made with, and what is remembered of its comments (`comments.marks`)."""
    both = f"{literal(name)}, {literal(_comments_of(name))}"
    try:
        result = session.execute(
            f"select table_name, definition from {TABLES} where table_name in ({both})"
        )
    except StatementError as error:
        if error.code not in (UNDEFINED_TABLE, UNDEFINED_SCHEMA):
            raise
        return None, None  # the ledger is not there either
    texts = {str(key): str(text) for key, text in result.rows}
    return texts.get(name), texts.get(_comments_of(name))


def remember_definition(table: Table, name: str) -> list[str]:
    """The statements that store a table's definition, and forget what its comments were."""
    return [
        (
            f"delete from {TABLES}"
            f" where table_name in ({literal(name)}, {literal(_comments_of(name))})"
        ),
        (
            f"insert into {TABLES} (table_name, definition)"
            f" values ({literal(name)}, {expression(definition(table))})"
        ),
    ]


def remember_comments(name: str, marks: str) -> list[str]:
    """The statements that store what a table's comments are."""
    key = literal(_comments_of(name))
    return [
        f"delete from {TABLES} where table_name = {key}",
        f"insert into {TABLES} (table_name, definition) values ({key}, {literal(marks)})",
    ]


def _comments_of(name: str) -> str:
    return f"comments of {name}"


def is_there(session: Session, relation: str, columns: Sequence[str] = ()) -> bool:
    """Whether a table is there, with these columns, whatever the audit says of it."""
    named = ddl.quoted_names(columns) if columns else "1 as one"
    try:
        session.execute(f"select {named} from {relation} limit 1")
    except StatementError as error:
        if error.code not in (UNDEFINED_TABLE, UNDEFINED_SCHEMA, UNDEFINED_COLUMN):
            raise
        return False
    return True


def dispute(session: Session, name: str, segments: Iterable[Segment], run_id: str) -> None:
    """Note that segments of a table are not what their source holds.

    The next load brings them again, its checks look at them again, and no model is built on them.
    """
    version = literal(f"{DISPUTED} by {run_id}"[:128])
    _note(session, name, segments, f"version = {version}, proven_at = null")
