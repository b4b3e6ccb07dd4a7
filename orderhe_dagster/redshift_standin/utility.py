"""SET, LOCK, ANALYZE, VACUUM, GRANT, COMMENT: read strictly, since a misspelt name fails on Redshift too.

None but search_path has an effect here. Statements that change tables or rows: `ddl`, `dml`.
"""

from __future__ import annotations

from dataclasses import replace

from orderhe_dagster.redshift_standin import principals
from orderhe_dagster.redshift_standin.catalog import Catalog, Relation
from orderhe_dagster.redshift_standin.catalog import comment as commented
from orderhe_dagster.redshift_standin.errors import RedshiftError, refuse
from orderhe_dagster.redshift_standin.words import Words

_PARAMETERS_TEXT = """
    application_name enable_result_cache_for_session query_group statement_timeout
    wlm_query_slot_count
"""
_PARAMETERS = frozenset(_PARAMETERS_TEXT.split())
_PRIVILEGES_TEXT = """
    select insert update delete drop references usage create alter truncate all
"""
_PRIVILEGES = frozenset(_PRIVILEGES_TEXT.split())


def set_(words: Words, catalog: Catalog) -> tuple[str, str]:
    """SET name TO value: both."""
    if not words.take("session"):
        words.take("local")
    name = words.name()
    if not words.take("to"):
        words.expect("=")
    values = [words.next()]
    while words.take(","):
        values.append(words.next())
    words.end()
    texts = [value.text.strip("'\"").lower() for value in values]
    if name == "search_path":
        schemas = [text for text in texts if text != "$user"]
        missing = [schema for schema in schemas if schema not in catalog.schemas]
        if missing or not schemas:
            raise RedshiftError("3F000", f'schema "{", ".join(missing)}" does not exist')
        catalog.search_path = tuple(schemas)
    elif name == "timezone":
        if texts != ["utc"]:
            raise refuse(f"set timezone to {texts[0]}", "keep UTC and use convert_timezone")
    elif name not in _PARAMETERS:
        raise refuse(
            f"set {name}", f"there are search_path, timezone, {', '.join(sorted(_PARAMETERS))}"
        )
    return name, ", ".join(value.text.strip("'\"") for value in values)


def reset(words: Words, catalog: Catalog) -> str:
    """RESET name: which."""
    name = words.name()
    words.end()
    if name == "search_path":
        catalog.search_path = ("public",)
    elif name not in _PARAMETERS:
        raise refuse(f"reset {name}")
    return name


def lock(words: Words, catalog: Catalog) -> list[Relation]:
    """LOCK [TABLE] a, b: the tables."""
    words.take("table")
    found = _tables(words, catalog)
    words.end()
    return found


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
        catalog.table(*words.table())
        if words.take("to"):
            words.next()
            words.expect("percent")
    words.end()


def grant(words: Words, catalog: Catalog, link: str) -> None:
    """GRANT … ON … TO …, and REVOKE … FROM …: there is one user here, the names must exist."""
    if words.next().lower not in _PRIVILEGES:
        words.at -= 1
        raise words.error("a privilege expected")
    words.take("privileges")
    while words.take(","):
        if words.next().lower not in _PRIVILEGES:
            words.at -= 1
            raise words.error("a privilege expected")
    words.expect("on")
    if words.take("schema") or words.take("all", "tables", "in", "schema"):
        schema = words.name()
        if schema not in catalog.schemas:
            raise RedshiftError("3F000", f'schema "{schema}" does not exist')
    else:
        words.take("table")
        _tables(words, catalog)
    words.expect(link)
    principals.recipients(words, catalog)
    words.end()


def comment(words: Words, catalog: Catalog) -> list[str]:
    """COMMENT ON TABLE, VIEW or COLUMN: kept with the table, as DuckDB text to run."""
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
    return [commented(replace(relation, attributes=attributes))]


def _tables(words: Words, catalog: Catalog) -> list[Relation]:
    found = [catalog.table(*words.table())]
    while words.take(","):
        found.append(catalog.table(*words.table()))
    return found
