"""The warehouse's table of a contract: made, and brought to the contract's columns without losing a row.

What may change by itself is the policy of docs/schema-changes.md. Three ways lead there::

    new columns that may be null     alter table … add column, with the new definition in one transaction
    longer texts                     alter table … alter column … type: Redshift does it in no transaction
    other types that hold it all     a new table beside, filled from the old, which takes its place

Each leaves the table as before or as after; a run that is killed between statements is taken up by the
next. Rows are loaded in `loads`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orderhe_dagster.catalog import ddl, types
from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import Column, ColumnType, Table, TableRef
from orderhe_dagster.ports.errors import PortError, StatementError
from orderhe_dagster.ports.warehouse import Session
from orderhe_dagster.road import audit, comments
from orderhe_dagster.road.audit import LOADS, TABLES, Loaded, asserting, expression, literal

NOT_SUPPORTED, DEPENDENT_OBJECTS = "0A000", "2BP01"
_ATTEMPTS = 3
_COLUMN = re.compile(
    r"(.+) (boolean|smallint|integer|bigint|decimal\(\d+, \d+\)|real|double precision|date|timestamp"
    r"|varchar\(\d+\)|varbyte\(\d+\))( not null)?"
)
_INTEGER_DIGITS = {"smallint": 5, "integer": 10, "bigint": 19}
_INTEGERS = tuple(_INTEGER_DIGITS)
_GRANTED = frozenset(
    {"SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES", "DROP", "ALTER", "TRUNCATE"}
)


class DefinitionError(PortError):
    """A warehouse table's columns are not the contract's, and rows could be lost on the way there."""


@dataclass(frozen=True)
class Plan:
    """What brings a table from the columns it was made with to the contract's."""

    added: tuple[Column, ...] = ()
    longer: tuple[Column, ...] = ()  # texts
    made_anew: bool = False
    refused: tuple[str, ...] = ()  # what cannot be done by itself, and why


@dataclass(frozen=True)
class Shape:
    """What a loaded table is like. `plan`: what brings it to its contract; None: it is made, or is so."""

    stored: str | None  # the definition that it was made with; None: it never was
    there: bool = True
    is_wanted: bool = False
    plan: Plan | None = None
    comments: str | None = None  # what is remembered of its comments (`comments.keep`)


def shape_of(session: Session, table: Table) -> Shape:
    """Look at `warehouse.<table>` of a raw contract; nothing is changed."""
    stored, remembered = audit.stored(session, f"warehouse.{table.name}")
    wanted = audit.definition(table)
    if stored is None:
        return Shape(None)
    columns = table.column_names if stored == wanted else ()
    there = audit.is_there(session, ddl.qualified(table.read_as), columns)
    if not there or stored == wanted:
        return Shape(stored, there, is_wanted=there, comments=remembered)
    return Shape(stored, plan=plan_of(stored, table))


@dataclass(frozen=True)
class Prepared:
    """A table that is as its contract says: what had been loaded where another hand had dropped it.

    `comments`: what is remembered of its comments (`comments.keep`).
    """

    lost: Mapping[Segment, Loaded] = field(default_factory=dict)
    comments: str | None = None


def prepare_loaded_table(session: Session, table: Table) -> Prepared:
    """Create `warehouse.<table>` for a raw contract, or bring it to the contract's columns.

    DefinitionError where rows could be lost, or views stand in the way; nothing was changed then.
    """
    name = f"warehouse.{table.name}"
    audit.prepare_fence(session, "warehouse", table.name)
    relation = ddl.qualified(table.read_as)
    for attempt in range(_ATTEMPTS):
        shape = shape_of(session, table)
        stored, there, plan = shape.stored, shape.there, shape.plan
        if shape.is_wanted:
            return Prepared(comments=shape.comments)
        if plan is None:
            # Dropped by a hand, or a column of it: what it held is not there, whatever the audit says.
            forget = [] if there else [f"delete from {LOADS} where table_name = {literal(name)}"]
            drop = [] if there else [f"drop table if exists {relation}"]
            lost = {} if there else audit.read(session, [name])[name]
            remember = audit.remember_definition(table, name)
            session.transaction([*drop, ddl.redshift_create(table), *forget, *remember])
            return Prepared(lost, comments.NONE)
        if plan.refused:
            raise DefinitionError(refusal(table, plan.refused))
        assert stored is not None  # a plan leads from something
        try:
            _carry_out(session, table, stored, plan)
        except StatementError as error:
            if attempt + 1 < _ATTEMPTS and audit.stored_definition(session, name) != stored:
                continue  # another run has just done it
            raise _explained(error, table) from error
        break
    return Prepared()


def plan_of(stored: str, table: Table) -> Plan:
    """The plan from the definition that a table was made with (`audit.definition`)."""
    layout, *lines = stored.splitlines()
    old = {match[1]: match for line in lines if (match := _COLUMN.fullmatch(line))}
    new = {column.name: column for column in table.columns}
    refused = [f"it has {line}, which the contract does not" for line in _gone(lines, new)]
    if layout != audit.definition(table).splitlines()[0]:
        refused.append(f"it is laid out by {layout}")
    added, longer, made_anew = [], [], False
    for name, column in new.items():
        now = types.redshift_text(column.type) + ("" if column.nullable else " not null")
        if name not in old:
            added.append(column)
            if not column.nullable:
                refused.append(
                    f"its rows have no {name}, which is not null in the contract: take `not null` out there"
                )
            continue
        before = _type_of(old[name][2])
        may_be_null = old[name][3] is None
        if not holds_all(column.type, before) or (may_be_null and not column.nullable):
            refused.append(f"it has {old[name][0]}, the contract {name} {now}")
        elif may_be_null != column.nullable or before.kind != column.type.kind:
            made_anew = True
        elif types.redshift_text(before) != types.redshift_text(column.type):
            longer += [column] if column.type.kind == "varchar" else []
            made_anew |= column.type.kind != "varchar"
    return Plan(tuple(added), tuple(longer), made_anew, tuple(refused))


def _gone(lines: Sequence[str], new: dict[str, Column]) -> list[str]:
    """The stored columns that the contract has no more."""
    matches = ((line, _COLUMN.fullmatch(line)) for line in lines)
    return [line for line, match in matches if match is None or match[1] not in new]


def holds_all(new: ColumnType, old: ColumnType) -> bool:
    """Whether every value of the old type is one of the new, equal and exact."""
    if old.kind == new.kind:
        if old.kind == "decimal":
            return new.scale >= old.scale and new.precision - new.scale >= old.precision - old.scale
        return new.length >= old.length
    if old.kind in _INTEGERS and new.kind in _INTEGERS:
        return _INTEGERS.index(old.kind) < _INTEGERS.index(new.kind)
    if old.kind in _INTEGERS and new.kind == "decimal":
        return new.precision - new.scale >= _INTEGER_DIGITS[old.kind]
    return (old.kind, new.kind) == ("real", "double")


def _type_of(text: str) -> ColumnType:
    """A type as `types.redshift_text` writes it."""
    name, _, arguments = text.rstrip(")").partition("(")
    return types.redshift_type(name, [part.strip() for part in arguments.split(",") if part])


def _carry_out(session: Session, table: Table, stored: str, plan: Plan) -> None:
    if plan.made_anew or not _lengthened(session, table, plan.longer):
        session.transaction(made_anew(session, table, stored))
        return
    name, relation = f"warehouse.{table.name}", ddl.qualified(table.read_as)
    adding = [
        f"alter table {relation} add column {ddl.quoted(column.name)}"
        f" {types.redshift_text(column.type)}"
        for column in plan.added
    ]
    session.transaction(
        [
            f"lock table {audit.fence('warehouse', table.name)}",
            _still(name, stored),
            *adding,
            *audit.remember_definition(table, name),
        ]
    )


def _still(name: str, stored: str) -> str:
    """A statement that fails where another run has changed the table meanwhile."""
    return asserting(
        "count(*) = 1",
        f"'{audit.CHANGED}: {name} was altered meanwhile, ' || count(*) || ' definitions are as before'",
        f"{TABLES} where table_name = {literal(name)} and definition = {expression(stored)}",
    )


def _lengthened(session: Session, table: Table, longer: Sequence[Column]) -> bool:
    """Make texts longer; False where Redshift cannot do that in place (by their encoding, for one)."""
    if not longer:
        return True
    result = session.execute(
        "select column_name, character_maximum_length from svv_columns where table_schema = 'warehouse'"
        f" and table_name = {literal(table.name)}"
    )
    # A run that was killed behind one of them is gone on with: Redshift refuses a length that is there.
    lengths = {str(name).lower(): int(length or 0) for name, length in result.rows}
    for column in longer:
        if lengths.get(column.name.lower(), 0) >= column.type.length:
            continue
        try:
            session.execute(
                f"alter table {ddl.qualified(table.read_as)} alter column {ddl.quoted(column.name)}"
                f" type {types.redshift_text(column.type)}"
            )
        except StatementError as error:
            if error.code != NOT_SUPPORTED:
                raise
            return False
    return True


def made_anew(session: Session, table: Table, stored: str) -> list[str]:
    """The one transaction that puts a table of the new columns, with the old rows, into its place.

    Who reads meanwhile sees the old table, and waits at most for the commit. Comments and grants are
    given to the new table; what else hangs on the old one is in docs/schema-changes.md.
    """
    name, old = f"warehouse.{table.name}", ddl.qualified(table.read_as)
    beside = TableRef("warehouse", f"_new_{table.name}")  # no file is called so
    new = ddl.qualified(beside)
    there = {match[1] for line in stored.splitlines() if (match := _COLUMN.fullmatch(line))}
    kept = [column for column in table.columns if column.name in there]
    casts = ", ".join(
        f"cast({ddl.quoted(column.name)} as {types.redshift_text(column.type)})"
        f" as {ddl.quoted(column.name)}"
        for column in kept
    )
    names = ddl.quoted_names(column.name for column in kept)
    hanging = [*_comments(session, table), *_grants(session, table)]
    return [
        f"lock table {audit.fence('warehouse', table.name)}",
        _still(name, stored),
        ddl.redshift_create(table, beside),
        f"insert into {new} ({names}) select {casts} from {old}",
        asserting(
            "max(made) = max(there)",
            f"'{name} has ' || max(there) || ' rows, the new table ' || max(made)",
            f"(select (select count(*) from {new}) as made, (select count(*) from {old}) as there)"
            " as counted",
        ),
        f"drop table {old}",
        f"alter table {new} rename to {ddl.quoted(table.name)}",
        *hanging,
        *audit.remember_definition(table, name),
    ]


def _comments(session: Session, table: Table) -> list[str]:
    """The statements that give the table and its columns the comments that they have now."""
    ours = {"", *(column.name.lower() for column in table.columns)}
    there = comments.stored(session, table.read_as)
    return comments.statements(table.read_as, {n: text for n, text in there.items() if n in ours})


def _grants(session: Session, table: Table) -> list[str]:
    """The statements that grant on the table what is granted now."""
    result = session.execute(
        "select privilege_type, identity_name, identity_type, admin_option from svv_relation_privileges"
        f" where namespace_name = 'warehouse' and relation_name = {literal(table.name)}"
    )
    return grant_statements(ddl.qualified(table.read_as), result.rows)


def grant_statements(relation: str, rows: Sequence[Sequence[object]]) -> list[str]:
    """GRANT for rows of privilege, name, kind of identity, and whether it may be passed on."""
    statements = []
    for privilege, who, kind, passed_on in rows:
        word, of = str(privilege).upper(), str(kind).lower()
        if word not in _GRANTED:  # RULE and TRIGGER, which Redshift keeps and does not grant
            continue
        named = "" if of == "user" else f"{of} "
        whom = "public" if of == "public" else f"{named}{ddl.quoted(str(who))}"
        option = " with grant option" if passed_on in (True, "t", "true") and of == "user" else ""
        statements.append(f"grant {word.lower()} on table {relation} to {whom}{option}")
    return statements


def refusal(table: Table, refused: Sequence[str]) -> str:
    """Why a table is not brought to its contract's columns, and the ways out."""
    name, relation = f"warehouse.{table.name}", ddl.qualified(table.read_as)
    where = f"where table_name = {literal(name)}"
    return (
        f"{name} was made in another shape than {table.path} has now: {'; '.join(refused)}. Nothing was "
        "changed. Put the contract back; or accept that the table is made anew and filled from the source: "
        f"orderhe query 'drop table {relation}'; orderhe query \"delete from {TABLES} {where}\"; "
        f'orderhe query "delete from {LOADS} {where}"; '
        f"orderhe run 'backup/{table.name},warehouse/{table.name}' (every day that has a backup is loaded)."
    )


def _explained(error: StatementError, table: Table) -> PortError:
    if error.code not in (DEPENDENT_OBJECTS, NOT_SUPPORTED):
        return error
    return DefinitionError(
        f"warehouse.{table.name} is to get the columns of {table.path}, and cannot: {error.message}. If "
        "views stand on it, drop them, or make them `with no schema binding`, and run this again. Nothing "
        "was lost."
    )
