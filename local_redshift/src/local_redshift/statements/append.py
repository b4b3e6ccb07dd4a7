"""ALTER TABLE … APPEND: rows move from one table to another, by Amazon's rules. Other ALTERs: `alter`."""

from __future__ import annotations

from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.dialect import quote
from local_redshift.read.words import Words
from local_redshift.transactions.commands import Command
from local_redshift.transactions.locks import Mode
from local_redshift.values.catalog import Catalog, Column, Relation
from local_redshift.values.uses import Uses


def appended(words: Words, target: Relation, catalog: Catalog) -> list[Command]:
    """The statements of APPEND FROM after these words; the source is empty afterwards."""
    words.expect("from")
    source = catalog.table(*words.table())
    extra = "ignoreextra" if words.take("ignoreextra") else ""
    extra = "filltarget" if words.take("filltarget") else extra
    words.end()
    for table in (target, source):
        if table.schema is None:
            raise RedshiftError("0A000", f"ALTER TABLE APPEND: {table} is a temporary table")
    if str(source) == str(target):
        raise RedshiftError("0A000", f"ALTER TABLE APPEND: {source} cannot be its own source")
    shared = _shared(source, target, extra)
    for word in ("distkey", "diststyle", "sortkey", "interleaved"):
        if target.attributes.get(word) != source.attributes.get(word):
            raise _different(source, target, f"the {word} is not the same in both")
    if not shared:
        raise refuse("an append of tables without a common column", "insert by select")
    listed = ", ".join(map(quote, shared))
    moved = f"INSERT INTO {target.sql} ({listed}) SELECT {listed} FROM {source.sql}"
    return [
        Command(moved, catalog.reading(source), target, Mode.APPEND),
        Command(f"DELETE FROM {source.sql}", Uses(), source, Mode.WRITE),
    ]


def _shared(source: Relation, target: Relation, extra: str) -> list[str]:
    """The columns that are in both; `extra` says which of them may have more."""
    here, there = _named(target), _named(source)
    if set(there) - set(here) and extra != "ignoreextra":
        raise _different(source, target, "the source has more columns: add IGNOREEXTRA")
    if set(here) - set(there) and extra != "filltarget":
        raise _different(source, target, "the target has more columns: add FILLTARGET")
    shared = [name for name in here if name in there]
    fixed = {**_always(target), **_always(source)}
    for name in shared:
        one, two = here[name], there[name]
        if (one.type, one.nullable) != (two.type, two.nullable):
            raise _different(source, target, f"the column {name} is not the same in both")
        if name in fixed:
            raise _different(source, target, f"the identity column {name} cannot be appended")
    return shared


def _named(table: Relation) -> dict[str, Column]:
    return {column.name: column for column in table.columns}


def _always(table: Relation) -> dict[str, bool]:
    identity = table.attributes.get("identity", {})
    return {name: True for name, one in identity.items() if one["always"]}


def _different(source: Relation, target: Relation, why: str) -> RedshiftError:
    return RedshiftError("0A000", f"ALTER TABLE APPEND: cannot append {source} to {target}: {why}")
