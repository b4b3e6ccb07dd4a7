"""LOCK, ANALYZE, VACUUM, COMMENT: read strictly, since a misspelt name fails on Redshift too.

SET and SHOW: `settings`; GRANT: `grants`; statements that change tables or rows: `ddl`, `dml`.
"""

from __future__ import annotations

from dataclasses import replace

from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.words import Words
from local_redshift.transactions.commands import Command, noted
from local_redshift.values.catalog import Catalog, Relation
from local_redshift.values.rights import not_owner


def lock(words: Words, catalog: Catalog) -> list[Relation]:
    """LOCK [TABLE] a, b: the tables."""
    words.take("table")
    tables = _tables(words, catalog)
    words.end()
    return tables


def analyze(words: Words, catalog: Catalog) -> None:
    """ANALYZE [table [(columns)]]."""
    if words.peek("compression"):
        raise refuse("analyze compression", "leave it out")
    words.take("verbose")
    if not words.done:
        table = catalog.table(*words.table())
        if words.peek("("):
            for column in words.names():
                if column not in [there.name for there in table.columns]:
                    raise RedshiftError("42703", f'column "{column}" of {table} does not exist')
        _ = words.take("predicate", "columns") or words.take("all", "columns")
    words.end()


def vacuum(words: Words, catalog: Catalog) -> None:
    """VACUUM [kind] [table [TO n PERCENT]]."""
    _ = (
        words.take("full")
        or words.take("sort", "only")
        or words.take("delete", "only")
        or words.take("reindex")
        or words.take("recluster")
    )
    if not words.done:
        table = catalog.table(*words.table())
        access = catalog.access
        if access is not None and not access.owns(table.attributes):
            raise not_owner(table.name)
        if words.take("to"):
            if not words.next().text.isdigit():
                words.at -= 1
                raise words.error("a number of percent expected")
            words.expect("percent")
        words.take("boost")
    words.end()


def comment(words: Words, catalog: Catalog) -> list[Command]:
    """COMMENT ON TABLE, VIEW or COLUMN: kept with the table."""
    words.expect("on")
    column = ""
    if words.take("table") or words.take("view"):
        relation = catalog.get(*words.table())
    elif words.take("column"):
        parts = [words.name()]
        while words.take("."):
            parts.append(words.name())
        if len(parts) not in (2, 3):
            raise words.error("table.column expected")
        relation = catalog.get(parts[0] if len(parts) == 3 else None, parts[-2])
        column = parts[-1]
        if column not in [one.name for one in relation.columns]:
            raise RedshiftError("42703", f'column "{column}" of {relation} does not exist')
    else:
        raise refuse("comment on other than a table, view or column")
    words.expect("is")
    text = None if words.take("null") else words.string()
    words.end()
    attributes = dict(relation.attributes)
    if column:
        attributes["comments"] = {**attributes.get("comments", {}), column: text}
    else:
        attributes["comment"] = text
    return [noted(replace(relation, attributes=attributes))]


def _tables(words: Words, catalog: Catalog) -> list[Relation]:
    tables = [catalog.table(*words.table())]
    while words.take(","):
        tables.append(catalog.table(*words.table()))
    return tables
