"""GRANT, REVOKE and default privileges: read strictly, and kept with what they are on.

A schema, table, user or group that is not there is an error. What rights come to: `values.rights`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.words import Words
from local_redshift.statements import principals
from local_redshift.transactions.commands import Command, noted
from local_redshift.values.catalog import DATABASE, Catalog, Relation
from local_redshift.values.rights import (
    ANY_ROLE,
    FOR_ROLES,
    ON_DATABASES,
    ON_SCHEMAS,
    ON_TABLES,
    Granted,
    Identity,
    Right,
    changed,
    no_relation,
    no_schema,
    only_superusers,
)

_ON = {"table": ON_TABLES, "schema": ON_SCHEMAS, "database": (*ON_DATABASES, "temp")}
_ALL = {"table": ON_TABLES, "schema": ("create", "usage"), "database": ("create", "temporary")}
"""What ALL is, of each kind of thing."""
_OTHER = ("access", "analyze", "cancel", "execute", "explain", "ignore", "share", "vacuum")
"""Privileges of r_GRANT on what there is not: functions, models, datashares, the system's own."""
_EVERY = {privilege for privileges in _ON.values() for privilege in privileges}
Recipients = Sequence[tuple[Identity, bool]]
"""Who is granted something, and whether it may be passed on."""


@dataclass(frozen=True)
class _Things:
    """What stands behind ON."""

    kind: str
    schemas: tuple[str, ...] = ()
    relations: tuple[Relation, ...] = ()


def grant(words: Words, catalog: Catalog, link: str) -> list[Command]:
    """GRANT … TO …, or REVOKE … FROM …: `link` is TO or FROM."""
    only_option = link == "from" and words.take("grant", "option", "for")
    if link == "from" and words.peek("admin", "option", "for"):
        raise refuse("revoke admin option for a role", "revoke the role")
    if words.take("role"):
        return _roles(words, catalog, link)
    if words.take("assumerole"):
        return _assumed(words, catalog, link)
    privileges, by_column = _privileges(words)
    words.expect("on")
    things = _things(words, catalog)
    kind = things.kind
    wrong = [one for one in privileges if one != "all" and one not in _ON[kind]]
    if wrong or (by_column and kind != "table"):
        raise RedshiftError("0LP01", f"invalid privilege type {', '.join(wrong)} for {kind}")
    if by_column:
        raise refuse("a grant on columns", "grant on the table, or on a view of those columns")
    words.expect(link)
    if words.peek("rls"):
        raise refuse("row-level security", "write a view that shows the rows")
    to = principals.recipients(words, catalog)
    _ = words.take("cascade") or words.take("restrict")
    words.end()
    each = _each(kind, privileges)
    if kind == "table":
        return [
            command
            for relation in things.relations
            for command in _on_relation(catalog, relation, each, to, link, only_option)
        ]
    names = things.schemas if kind == "schema" else (DATABASE,)
    for name in names:
        _check_passes_on(catalog, kind, name, each)
    rights = [
        Right(kind, name, privilege, grantee, option)
        for name in names
        for privilege in each
        for grantee, option in to
    ]
    return principals.rights_changed(catalog, rights, link, only_option)


def default_privileges(words: Words, catalog: Catalog) -> list[Command]:
    """ALTER DEFAULT PRIVILEGES [FOR USER …] [IN SCHEMA …] GRANT or REVOKE … ON TABLES …."""
    words.expect("default", "privileges")
    users = [catalog.user]
    if words.take("for", "user"):
        users = [principals.checked_name(catalog, "user", words)]
        while words.take(","):
            users.append(principals.checked_name(catalog, "user", words))
    schemas = _schemas(words, catalog) if words.take("in", "schema") else ()
    link = "to" if words.take("grant") else "from"
    only_option = False
    if link == "from":
        words.expect("revoke")
        only_option = words.take("grant", "option", "for")
    privileges, _ = _privileges(words)
    words.expect("on")
    if not words.take("tables"):
        raise refuse(f"default privileges on {words.next().text}", "there are tables")
    if wrong := [one for one in privileges if one not in ("all", *_ON["table"])]:
        raise RedshiftError("0LP01", f"invalid privilege type {', '.join(wrong)} for table")
    words.expect(link)
    to = principals.recipients(words, catalog)
    words.take("restrict")
    words.end()
    if catalog.access is not None and users != [catalog.user]:
        raise only_superusers("alter the default privileges of others")
    things = [f"{user}\n{schema}" for user in users for schema in schemas or ("",)]
    rights = [
        Right("default", thing, privilege, grantee, option)
        for thing in things
        for privilege in _each("table", privileges)
        for grantee, option in to
    ]
    return principals.rights_changed(catalog, rights, link, only_option)


def _each(kind: str, privileges: Iterable[str]) -> tuple[str, ...]:
    """The privileges, ALL as those that it is."""
    each: list[str] = []
    for privilege in privileges:
        each += _ALL[kind] if privilege == "all" else [privilege]
    return tuple(dict.fromkeys("temporary" if one == "temp" else one for one in each))


def _on_relation(
    catalog: Catalog,
    relation: Relation,
    privileges: Sequence[str],
    to: Recipients,
    link: str,
    only_option: bool,
) -> list[Command]:
    """The statement that writes onto a relation what is granted there now."""
    if relation.schema is None:
        raise refuse("a grant on a temporary table", "it is its session's alone")
    access = catalog.access
    if access is not None and not all(
        access.may(relation.attributes, privilege, option=True) for privilege in privileges
    ):
        raise no_relation(relation.name)
    rights = [Granted(one, grantee, option) for one in privileges for grantee, option in to]
    new, gone = (rights, ()) if link == "to" else ((), rights)
    kept = changed(Granted.of(relation.attributes), new, gone, only_option)
    command = noted(replace(relation, attributes={**relation.attributes, "rights": kept}))
    return [replace(command, permitted=True, grants=True)]


def _check_passes_on(catalog: Catalog, kind: str, name: str, privileges: Sequence[str]) -> None:
    """RedshiftError where the user may not grant that on a schema or the database."""
    access = catalog.access
    if access is None or (kind == "schema" and access.owns_schema(name)):
        return
    if not all(access.has(kind, name, privilege, option=True) for privilege in privileges):
        if kind == "schema":
            raise no_schema(name)
        raise RedshiftError("42501", f"permission denied for database {name}")


def _privileges(words: Words) -> tuple[list[str], bool]:
    """The privileges, and whether columns are named with them."""
    privileges, by_column = [], False
    while True:
        word = words.next().lower
        if word in _OTHER or (
            word in ("create", "alter", "drop", "truncate") and _names_more(words)
        ):
            words.at -= 1
            raise refuse(
                f"the privilege {words.rest()[:60]}", "grant what is on tables and schemas"
            )
        if word != "all" and word not in _EVERY:
            words.at -= 1
            raise words.error("a privilege expected")
        privileges.append(word)
        if word == "all":
            words.take("privileges")
        if words.peek("("):
            words.names()
            by_column = True
        if not words.take(","):
            return privileges, by_column


def _names_more(words: Words) -> bool:
    """Whether another word belongs to the privilege, as in CREATE USER."""
    return not any(words.peek(sign) for sign in (",", "(", "on"))


def _things(words: Words, catalog: Catalog) -> _Things:
    """What stands behind ON."""
    if words.take("schema"):
        return _Things("schema", _schemas(words, catalog))
    if words.take("all", "tables", "in", "schema"):
        schemas = _schemas(words, catalog)
        inside = [one for one in catalog.relations.values() if one.schema in schemas]
        return _Things("table", schemas, tuple(inside))
    if words.take("database"):
        name = words.name()
        if name != DATABASE:
            raise RedshiftError("3D000", f'database "{name}" does not exist')
        return _Things("database")
    for kind in ("function", "procedure", "language", "datashare", "external", "model"):
        if words.peek(kind) or words.peek("all", f"{kind}s"):
            raise refuse(f"a grant on {kind}", "leave it out: there is none here")
    words.take("table")
    relations = [catalog.get(*words.table())]
    while words.take(","):
        relations.append(catalog.get(*words.table()))
    return _Things("table", (), tuple(relations))


def _schemas(words: Words, catalog: Catalog) -> tuple[str, ...]:
    schemas = []
    while True:
        schema = words.name()
        if schema not in catalog.schemas:
            raise RedshiftError("3F000", f'schema "{schema}" does not exist')
        schemas.append(schema)
        if not words.take(","):
            return tuple(schemas)


def _roles(words: Words, catalog: Catalog, link: str) -> list[Command]:
    """GRANT ROLE a, ROLE b TO user, or ROLE c."""
    roles = [principals.checked_name(catalog, "role", words)]
    while words.take(","):
        words.take("role")
        roles.append(principals.checked_name(catalog, "role", words))
    words.expect(link)
    to = principals.recipients(words, catalog)
    words.take("with", "admin", "option")
    words.end()
    if catalog.access is not None:
        raise only_superusers("grant a role")
    rights = [
        Right("member", f"role:{role}", "member", grantee) for role in roles for grantee, _ in to
    ]
    return principals.rights_changed(catalog, rights, link)


def _assumed(words: Words, catalog: Catalog, link: str) -> list[Command]:
    """GRANT ASSUMEROLE ON 'arn', DEFAULT or ALL TO … FOR …: who may name an IAM role, and where."""
    words.expect("on")
    things = []
    while True:
        if words.take("default"):
            things.append("default")
        elif words.take("all"):
            things.append(ANY_ROLE)
        else:
            things.append(words.string())
        if not words.take(","):
            break
    words.expect(link)
    to = principals.recipients(words, catalog)
    words.expect("for")
    commands: list[str] = []
    while True:
        named = next((one for one in FOR_ROLES if words.take(*one.split())), None)
        if named is None and not words.take("all"):
            raise words.error(f"all, {', '.join(FOR_ROLES)} expected")
        commands += [named] if named else FOR_ROLES
        if not words.take(","):
            break
    words.end()
    if catalog.access is not None:
        raise only_superusers("grant or revoke assumerole")
    rights = [
        Right("assumerole", thing, command, grantee)
        for thing in things
        for command in commands
        for grantee, _ in to
    ]
    return principals.rights_changed(catalog, rights, link)
