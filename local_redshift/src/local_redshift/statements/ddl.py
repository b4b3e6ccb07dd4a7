"""CREATE of schemas and tables; their attributes go to the catalog. Views: `views`; users: `principals`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.dialect import folded, quote
from local_redshift.read.syntax import parse
from local_redshift.read.words import Words
from local_redshift.statements import principals, views
from local_redshift.statements.columns import (
    Attributes,
    Reader,
    check_keys,
    check_names,
    definition,
    name_keys,
    place,
    query_columns,
    read_attributes,
    read_column,
    read_constraint,
)
from local_redshift.transactions.commands import Command, noted
from local_redshift.transactions.locks import Mode
from local_redshift.values.catalog import DATABASE, Column, Relation
from local_redshift.values.rights import Right
from local_redshift.values.scope import Query
from local_redshift.values.uses import Uses


def create(reader: Reader, words: Words) -> list[Command]:
    """CREATE SCHEMA, TABLE, VIEW, MATERIALIZED VIEW, USER, GROUP or ROLE, after the first word."""
    if words.take("schema"):
        return _create_schema(reader, words)
    if words.peek("view") or words.peek("or", "replace", "view"):
        return views.create_view(reader, words)
    if words.take("materialized", "view"):
        return views.create_materialized_view(reader, words)
    if any(words.peek(kind) for kind in ("user", "group", "role")):
        return principals.create(words, reader.catalog)
    words.take("local")
    temporary = words.take("temp") or words.take("temporary")
    if words.take("table"):
        return _create_table(reader, words, temporary)
    what = " ".join(word.text for word in words.words[:3])
    raise refuse(
        f"the statement {what}", "see docs/reference.md of local-redshift for what can be created"
    )


def _create_schema(reader: Reader, words: Words) -> list[Command]:
    lenient = words.take("if", "not", "exists")
    schema = words.name()
    catalog, owner = reader.catalog, ""
    if words.take("authorization"):
        owner = principals.checked_name(catalog, "user", words)
    if words.take("quota"):
        raise refuse("a quota of a schema", "leave it out")
    words.end()
    if schema in reader.catalog.schemas:
        if lenient:
            return []
        raise RedshiftError("42P06", f'Schema "{schema}" already exists')
    if schema in ("main", "information_schema", "temp") or schema.startswith("pg_"):
        raise RedshiftError("42939", f'unacceptable schema name "{schema}"')
    access = catalog.access
    if access is not None:
        if not access.has("database", DATABASE, "create"):
            raise RedshiftError("42501", f"permission denied for database {DATABASE}")
        owner = owner or catalog.user
    made = Command(f"CREATE SCHEMA {quote(DATABASE)}.{quote(schema)}", Uses())
    if ("user", owner) not in catalog.principals:
        return [made]
    owned = Right("owner", schema, "owner", ("user", owner))
    return [made, *principals.rights_changed(catalog, [owned], "to")]


def select_into(reader: Reader, sql: str) -> list[Command]:
    """SELECT … INTO [TEMP] [TABLE] name: CREATE TABLE AS in another order."""
    tree: Any = parse(sql)
    first = tree
    while first.key in ("union", "except", "intersect"):
        first = first.this
    into = first.args.get("into")
    if into is None or into.this.args.get("alias"):
        raise RedshiftError("42601", "syntax error at or near INTO: it follows the select list")
    first.set("into", None)
    schema, name = _into(reader, into)
    if (schema, name) in reader.catalog.relations:
        raise RedshiftError("42P07", f'Relation "{name}" already exists')
    query = reader.compiler(False).query(tree, None, {})
    columns = query_columns(query, [])
    check_names(name, columns)
    return _made(reader, Relation(schema, name, tuple(columns)), query)


def _into(reader: Reader, into: Any) -> tuple[str | None, str]:
    """The schema and name that INTO gives."""
    schema, name = into.this.args.get("db"), folded(str(into.this.name))
    if into.args.get("temporary") or name.startswith("#"):
        if schema is not None:
            raise RedshiftError("42P16", "temporary tables cannot specify a schema name")
        return None, name
    schema = folded(str(schema.name)) if schema else reader.catalog.search_path[0]
    if schema not in reader.catalog.schemas:
        raise RedshiftError("3F000", f'schema "{schema}" does not exist')
    return schema, name


# -- tables ----------------------------------------------------------------------------------------


def _create_table(reader: Reader, words: Words, temporary: bool) -> list[Command]:
    lenient = words.take("if", "not", "exists")
    schema, name = place(reader, words, temporary)
    there = reader.catalog.relations.get((schema, name))
    if there is not None and not lenient:
        raise RedshiftError("42P07", f'Relation "{name}" already exists')
    attributes: Attributes = {}
    columns, named = _listed(reader, words, attributes, name)
    read_attributes(words, attributes)
    query = None
    if named or not columns:
        words.expect("as")
        query = reader.compiler(False).query(parse(words.rest()), None, {})
        columns = query_columns(query, named)
    words.end()
    check_names(name, columns)
    name_keys(attributes, columns, query is not None)
    check_keys(name, columns, attributes)
    if there is not None:
        return []
    columns = _with_primary_key(columns, attributes)
    return _made(reader, Relation(schema, name, tuple(columns), False, attributes), query)


def _listed(
    reader: Reader, words: Words, attributes: Attributes, table: str
) -> tuple[list[Column], list[str]]:
    """What stands in brackets behind the name: columns, LIKE, or only names for a query's columns."""
    if words.peek("(", "like"):
        columns = _like(reader, words, attributes)
        if not words.done:
            raise words.error("a table LIKE another takes its keys, and no attributes")
        return columns, []
    if [word.lower for word in words.words[words.at + 2 : words.at + 3]] in ([","], [")"]):
        return [], words.names()
    if words.take("("):
        return _columns(reader, words, attributes, table), []
    return [], []


def _like(reader: Reader, words: Words, attributes: Attributes) -> list[Column]:
    """LIKE: columns, NOT NULL and the table's keys of distribution and order; no constraints."""
    words.expect("(", "like")
    source = reader.catalog.get(*words.table())
    if source.attributes.get("identity"):
        raise refuse(f"a table like {source}, which has an identity", "list the columns")
    defaults = words.take("including", "defaults")
    words.take("excluding", "defaults")
    words.expect(")")
    for word in ("diststyle", "distkey", "sortkey", "interleaved"):
        if word in source.attributes:
            attributes[word] = source.attributes[word]
    if not defaults:
        return [replace(column, default=None) for column in source.columns]
    if any(column.default is not None for column in source.columns):
        attributes["udfs"] = sorted(source.udfs)
    return list(source.columns)


def _columns(reader: Reader, words: Words, attributes: Attributes, table: str) -> list[Column]:
    """Columns and constraints, by commas, and the bracket behind them."""
    columns = []
    while True:
        if any(
            words.peek(word) for word in ("primary", "foreign", "unique", "constraint", "check")
        ):
            read_constraint(reader, words, attributes, table)
        else:
            columns.append(read_column(reader, words, attributes, table))
        if not words.take(","):
            break
    words.expect(")")
    return columns


def _with_primary_key(columns: list[Column], attributes: Attributes) -> list[Column]:
    """The columns, those of the primary key not null."""
    keys = [one[2] for one in attributes.get("constraints", []) if one[1] == "primary key"]
    return [
        replace(column, nullable=False) if any(column.name in key for key in keys) else column
        for column in columns
    ]


def _made(reader: Reader, table: Relation, query: Query | None) -> list[Command]:
    """The statements that make a table with its sequence, and fill it by a query."""
    table = replace(table, attributes=reader.catalog.made(table.schema, table.attributes))
    word = "CREATE TEMP TABLE" if table.schema is None else "CREATE TABLE"
    listed = ", ".join(map(definition, table.columns))
    commands = [
        Command(
            f"CREATE SEQUENCE {one['sequence']} START {one['seed']} INCREMENT {one['step']}", Uses()
        )
        for one in table.attributes.get("identity", {}).values()
    ]
    text = f"{word} {table.sql} ({listed})"
    commands += [Command(text, Uses(), table, Mode.ALONE), noted(table)]
    if query is not None:
        text = f"INSERT INTO {table.sql} {query.sql}"
        commands.append(Command(text, query.uses, table, Mode.APPEND))
    return commands
