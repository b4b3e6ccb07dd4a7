"""GRANT, REVOKE and default privileges: read strictly, without effect, for there are no rights here.

A schema, table, user or group that is not there is an error, as on Redshift.
"""

from __future__ import annotations

from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.words import Words
from local_redshift.statements import principals
from local_redshift.values.catalog import DATABASE, Catalog

# What may be granted on each kind of thing, `all` aside.
_ON = {
    "table": ("select", "insert", "update", "delete", "drop", "references", "alter", "truncate"),
    "schema": ("create", "usage", "alter", "drop"),
    "database": ("create", "temporary", "temp", "usage", "alter"),
}
_EVERY = {privilege for privileges in _ON.values() for privilege in privileges}


def grant(words: Words, catalog: Catalog, link: str) -> None:
    """GRANT … TO …, or REVOKE … FROM …: `link` is TO or FROM."""
    if link == "from":
        words.take("grant", "option", "for")
    if words.take("role"):
        _roles(words, catalog, link)
        return
    privileges, by_column = _privileges(words)
    words.expect("on")
    kind = _things(words, catalog)
    wrong = [one for one in privileges if one != "all" and one not in _ON[kind]]
    if wrong or (by_column and kind != "table"):
        raise RedshiftError("0LP01", f"invalid privilege type {', '.join(wrong)} for {kind}")
    words.expect(link)
    principals.recipients(words, catalog)
    _ = words.take("cascade") or words.take("restrict")
    words.end()


def default_privileges(words: Words, catalog: Catalog) -> None:
    """ALTER DEFAULT PRIVILEGES [FOR USER …] [IN SCHEMA …] GRANT or REVOKE … ON TABLES …."""
    words.expect("default", "privileges")
    if words.take("for", "user"):
        principals.check_principal(catalog, "user", words.name())
        while words.take(","):
            principals.check_principal(catalog, "user", words.name())
    if words.take("in", "schema"):
        _schemas(words, catalog)
    link = "to" if words.take("grant") else "from"
    if link == "from":
        words.expect("revoke")
        words.take("grant", "option", "for")
    privileges, _ = _privileges(words)
    words.expect("on")
    if not words.take("tables"):
        raise refuse(f"default privileges on {words.next().text}", "there are tables")
    if wrong := [one for one in privileges if one not in ("all", *_ON["table"])]:
        raise RedshiftError("0LP01", f"invalid privilege type {', '.join(wrong)} for table")
    words.expect(link)
    principals.recipients(words, catalog)
    words.take("restrict")
    words.end()


def _privileges(words: Words) -> tuple[list[str], bool]:
    """The privileges, and whether columns are named with them."""
    privileges, by_column = [], False
    while True:
        word = words.next().lower
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


def _things(words: Words, catalog: Catalog) -> str:
    """What stands behind ON; its kind."""
    if words.take("schema"):
        _schemas(words, catalog)
        return "schema"
    if words.take("all", "tables", "in", "schema"):
        _schemas(words, catalog)
        return "table"
    if words.take("database"):
        name = words.name()
        if name != DATABASE:
            raise RedshiftError("3D000", f'database "{name}" does not exist')
        return "database"
    for kind in ("function", "procedure", "language", "datashare", "external", "model"):
        if words.peek(kind) or words.peek("all", f"{kind}s"):
            raise refuse(f"a grant on {kind}", "leave it out: there is none here")
    words.take("table")
    catalog.get(*words.table())
    while words.take(","):
        catalog.get(*words.table())
    return "table"


def _schemas(words: Words, catalog: Catalog) -> None:
    while True:
        schema = words.name()
        if schema not in catalog.schemas:
            raise RedshiftError("3F000", f'schema "{schema}" does not exist')
        if not words.take(","):
            return


def _roles(words: Words, catalog: Catalog, link: str) -> None:
    """GRANT ROLE a, ROLE b TO user, or ROLE c."""
    principals.check_principal(catalog, "role", words.name())
    while words.take(","):
        words.take("role")
        principals.check_principal(catalog, "role", words.name())
    words.expect(link)
    principals.recipients(words, catalog)
    words.take("with", "admin", "option")
    words.end()
