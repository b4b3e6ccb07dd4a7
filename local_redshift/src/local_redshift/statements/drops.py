"""DROP of tables, views and schemas, and what depends on them. CREATE: `ddl`; ALTER: `alter`."""

from __future__ import annotations

from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.dialect import quote
from local_redshift.read.words import Words
from local_redshift.statements import principals
from local_redshift.transactions.commands import Command
from local_redshift.transactions.locks import Mode
from local_redshift.values.catalog import DATABASE, Catalog, Relation
from local_redshift.values.uses import Uses


def drop(words: Words, catalog: Catalog) -> list[Command]:
    """DROP TABLE, VIEW, MATERIALIZED VIEW, SCHEMA, USER, GROUP or ROLE."""
    if words.take("schema"):
        return _drop_schema(catalog, words)
    if any(words.peek(kind) for kind in ("user", "group", "role")):
        return principals.drop(words, catalog)
    kind = "table"
    if words.take("materialized", "view"):
        kind = "materialized view"
    elif words.take("view"):
        kind = "view"
    elif not words.take("table"):
        raise refuse(
            f"drop {words.next().text}", "there are drop table, view, materialized view, schema"
        )
    lenient = words.take("if", "exists")
    wanted = [words.table()]
    while words.take(","):
        wanted.append(words.table())
    cascade = words.take("cascade")
    words.take("restrict")
    words.end()
    places = [catalog.find(*place) if lenient else catalog.get(*place) for place in wanted]
    doomed = [relation for relation in places if relation is not None]
    statements: list[Command] = []
    for relation in doomed:
        if relation.kind != kind:
            raise RedshiftError(
                "42809", f'"{relation.name}" is a {relation.kind}: use drop {relation.kind}'
            )
        statements += _dropped(catalog, relation, cascade, {str(other) for other in doomed})
    return _once(statements)


def _dropped(
    catalog: Catalog, relation: Relation, cascade: bool, doomed: set[str]
) -> list[Command]:
    """The statements that drop a relation, and with `cascade` the views that read it."""
    statements: list[Command] = []
    for view in catalog.views_on(relation):
        if view in doomed:
            continue
        if not cascade:
            raise RedshiftError(
                "2BP01",
                f"cannot drop {relation} because view {view} depends on it; "
                "use drop … cascade to drop it too",
            )
        schema, name = view.split(".", 1)
        statements += _dropped(catalog, catalog.relations[schema, name], True, doomed)
    word = "VIEW" if relation.is_view else "TABLE"
    statements.append(Command(f"DROP {word} {relation.sql}", Uses(), relation, Mode.ALONE))
    for identity in relation.attributes.get("identity", {}).values():
        statements.append(Command(f"DROP SEQUENCE {identity['sequence']}", Uses()))
    return statements


def _drop_schema(catalog: Catalog, words: Words) -> list[Command]:
    lenient = words.take("if", "exists")
    schemas = [words.name()]
    while words.take(","):
        schemas.append(words.name())
    cascade = words.take("cascade")
    words.take("restrict")
    words.end()
    return [text for schema in schemas for text in _schema(catalog, schema, lenient, cascade)]


def _schema(catalog: Catalog, schema: str, lenient: bool, cascade: bool) -> list[Command]:
    if schema not in catalog.schemas:
        if lenient:
            return []
        raise RedshiftError("3F000", f'schema "{schema}" does not exist')
    inside = [r for r in catalog.relations.values() if r.schema == schema]
    if inside and not cascade:
        raise RedshiftError(
            "2BP01", f"cannot drop schema {schema} because {inside[0]} is in it; use cascade"
        )
    access = catalog.access
    if access is not None and not access.owns_schema(schema):
        raise RedshiftError("42501", f"must be owner of schema {schema}")
    doomed = {str(relation) for relation in inside}
    dropped = [one for relation in inside for one in _dropped(catalog, relation, True, doomed)]
    text = f"DROP SCHEMA {quote(DATABASE)}.{quote(schema)} CASCADE"
    of_it = [
        right
        for right in catalog.rights
        if right.kind in ("schema", "owner") and right.thing == schema
    ]
    forgotten = principals.rights_changed(catalog, of_it, "from") if of_it else []
    return [*_once(dropped), Command(text, Uses()), *forgotten]


def _once(commands: list[Command]) -> list[Command]:
    """Each of them once: a view may read several of the tables that go."""
    return list({command.sql: command for command in commands}.values())
