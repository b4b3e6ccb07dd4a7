"""What tables and columns mean, in the warehouse: COMMENT ON as the files of `sql/` say, kept in step.

Which comments were written last is remembered beside the table's definition, which a load and a build
read anyway: where nothing was described anew, nothing is asked and nothing is run. Tables are made, and
their comments carried over to a new one, in `reshape` and `builds`.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence

from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.table import Table, TableRef
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.warehouse import Session, Warehouse
from orderhe_dagster.road import audit
from orderhe_dagster.road.audit import literal

log = logging.getLogger("orderhe.comments")

_MOST_BYTES = 8_000  # of a comment: no limit is documented, and a batch must have room for it
_BATCH_STATEMENTS, _BATCH_BYTES = (
    35,
    80_000,
)  # what the Data API runs at once, with what comes along
_PATIENCE_S = 10
"""How long a comment waits for whoever holds the table: nobody is to queue behind it for long."""


NONE = ""
"""What is remembered of a table without any comment."""


def wanted(table: Table) -> dict[str, str]:
    """Column -> what the file says of it, "" -> of the table; nothing of what it is silent on."""
    texts = {"": table.description, **{c.name.lower(): c.meaning for c in table.columns}}
    cut = ((name, _cut(text)) for name, text in texts.items())
    return {name: text for name, text in cut if text}


def marks(table: Table) -> str:
    """What is remembered of a table's comments: a mark of each name with its text."""
    return " ".join(sorted(_mark(name, text) for name, text in wanted(table).items()))


def keep(warehouse: Warehouse, table: Table, remembered: str | None, *, look: bool = False) -> None:
    """Bring the comments on a table and its columns in step with its file.

    `remembered` is what `audit.stored` gave, or NONE of a table that was just made; the catalogue is
    read only where that is not what the file says, or at a `look`. A comment of another hand stays
    where the file says nothing of the thing. The rows are there already: what goes wrong here is a
    warning, and the next run tries it again.

    It is a transaction of its own, behind the rows': COMMENT may lock the table against readers, and
    they are not to wait for rows.
    """
    if remembered == marks(table) and not look:
        return
    try:
        with warehouse.session(f"describe {table.read_as}") as session:
            there = {} if remembered == NONE and not look else stored(session, table.read_as)
            changed = _changed(table, there, (remembered or "").split())
            if not changed and remembered == marks(table):
                return
            session.execute(f"set statement_timeout to {int(_PATIENCE_S * 1000)}")
            for statements in _transactions(table, changed):
                session.transaction(statements)
    except PortError as error:
        log.warning(
            "%s: its descriptions were not all written as comments, the next run tries again. "
            "COMMENT needs the table's owner, and nobody who holds it for more than %s s: %s",
            table.read_as,
            _PATIENCE_S,
            error,
        )
        return
    if changed:
        log.debug("%s: %s", table.read_as, counted(len(changed), "comment"))


def stored(session: Session, ref: TableRef) -> dict[str, str]:
    """The comments that the warehouse has on a table ("") and its columns."""
    result = session.execute(
        "select a.attname, d.description from pg_description d join pg_class c on c.oid = d.objoid"
        " join pg_namespace n on n.oid = c.relnamespace left join pg_attribute a"
        f" on a.attrelid = c.oid and a.attnum = d.objsubid where n.nspname = {literal(ref.layer)}"
        f" and c.relname = {literal(ref.name)}"
    )
    return {str(column or "").lower(): str(text) for column, text in result.rows}


def statements(ref: TableRef, texts: Mapping[str, str]) -> list[str]:
    """COMMENT ON the table ("") and columns of these names; an empty text takes a comment away."""
    relation = ddl.qualified(ref)
    return [
        f"comment on {f'column {relation}.{ddl.quoted(name)}' if name else f'table {relation}'}"
        f" is {_literal(text)}"
        for name, text in texts.items()
    ]


def _changed(table: Table, there: Mapping[str, str], ours: Sequence[str]) -> dict[str, str]:
    """The comments to be written: those that differ, and "" for ours of which the file is silent now."""
    now = wanted(table)
    differ = {name: text for name, text in now.items() if there.get(name) != text}
    gone = {n: "" for n, text in there.items() if n not in now and _mark(n, text) in ours}
    return {**differ, **gone}


def _transactions(table: Table, changed: Mapping[str, str]) -> Iterator[list[str]]:
    """The statements by transaction; the last one remembers, so that a run that is killed is taken up."""
    ref = table.read_as
    fence = f"lock table {audit.fence(ref.layer, ref.name)}"
    some, size = [fence], 0
    for statement in statements(ref, changed):
        length = len(statement.encode())
        if len(some) > _BATCH_STATEMENTS or (size and size + length > _BATCH_BYTES):
            yield some
            some, size = [fence], 0
        some.append(statement)
        size += length
    remember = audit.remember_comments(str(ref), marks(table))
    if size + sum(len(sql) for sql in remember) > _BATCH_BYTES:
        yield some
        some = [fence]
    yield [*some, *remember]


def _mark(name: str, text: str) -> str:
    return hashlib.sha256(f"{name}\0{text}".encode()).hexdigest()[:16]


def _cut(text: str) -> str:
    """A text that the warehouse takes: no NUL, no backslash, which may escape, but its like; not endless."""
    encoded = text.replace("\0", "").replace("\\", "\N{SET MINUS}").strip().encode()
    if len(encoded) <= _MOST_BYTES:
        return encoded.decode()
    return encoded[: _MOST_BYTES - 3].decode(errors="ignore") + "…"


def _literal(text: str) -> str:
    """COMMENT takes a literal, no expression: a backslash is doubled, as Redshift reads one."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'" if text else "null"
