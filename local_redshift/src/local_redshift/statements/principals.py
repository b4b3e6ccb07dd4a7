"""Users, groups and roles: their names, kept in the file. There are no passwords and no rights here."""

from __future__ import annotations

from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.dialect import string
from local_redshift.read.words import Words
from local_redshift.transactions.commands import Command
from local_redshift.transactions.locks import Mode
from local_redshift.values.catalog import Catalog, Relation
from local_redshift.values.uses import Uses

_TABLE = Relation("main", "principals", ())
_FLAGS_TEXT = """
    createdb nocreatedb createuser nocreateuser
"""
_FLAGS = frozenset(_FLAGS_TEXT.split())


def check_principal(catalog: Catalog, kind: str, name: str) -> None:
    """RedshiftError 42704 where there is no such user, group or role."""
    if (kind, name) not in catalog.principals and (kind, name) != ("user", catalog.user):
        raise RedshiftError("42704", f'{kind} "{name}" does not exist')


def create(words: Words, catalog: Catalog) -> list[Command]:
    """CREATE USER, GROUP or ROLE after its first word: the name is kept, a password is not."""
    kind = words.next().lower
    name = words.name()
    if (kind, name) in catalog.principals or (kind, name) == ("user", catalog.user):
        raise RedshiftError("42710", f'{kind} "{name}" already exists')
    if kind == "group":
        if words.take("with", "user") or words.take("user"):
            _members(words, catalog)
    elif kind == "user":
        _options(words, name, catalog)
    words.end()
    table = f"CREATE TABLE IF NOT EXISTS {_TABLE.sql} (kind VARCHAR, name VARCHAR)"
    row = f"INSERT INTO {_TABLE.sql} VALUES ({string(kind)}, {string(name)})"
    return [
        Command(table, Uses(), _TABLE, Mode.ALONE),
        Command(row, Uses(), _TABLE, Mode.APPEND),
    ]


def drop(words: Words, catalog: Catalog) -> list[Command]:
    """DROP USER, GROUP or ROLE after its first word."""
    kind = words.next().lower
    lenient = words.take("if", "exists") if kind == "user" else False
    names = [words.name()]
    while kind == "user" and words.take(","):
        names.append(words.name())
    if kind == "role":
        _ = words.take("force") or words.take("restrict")
    words.end()
    statements = []
    for name in names:
        if lenient and (kind, name) not in catalog.principals:
            continue
        if (kind, name) == ("user", catalog.user):
            raise RedshiftError("55006", "current user cannot be dropped")
        check_principal(catalog, kind, name)
        owned = [one for one in catalog.relations.values() if one.attributes.get("owner") == name]
        if kind == "user" and owned:
            raise RedshiftError(
                "2BP01", f'user "{name}" cannot be dropped because it owns {owned[0]}'
            )
        text = f"DELETE FROM {_TABLE.sql} WHERE kind = {string(kind)} AND name = {string(name)}"
        statements.append(Command(text, Uses(), _TABLE, Mode.WRITE))
    return statements


def recipients(words: Words, catalog: Catalog) -> None:
    """The names behind TO or FROM of GRANT and REVOKE: users, groups, roles, or PUBLIC."""
    while True:
        if words.take("group"):
            check_principal(catalog, "group", words.name())
        elif words.take("role"):
            check_principal(catalog, "role", words.name())
        elif not words.take("public"):
            check_principal(catalog, "user", words.name())
        words.take("with", "grant", "option")
        if not words.take(","):
            return


def _members(words: Words, catalog: Catalog) -> None:
    check_principal(catalog, "user", words.name())
    while words.take(","):
        check_principal(catalog, "user", words.name())


def _options(words: Words, name: str, catalog: Catalog) -> None:
    """The options of CREATE USER: read strictly, not kept."""
    words.take("with")
    if not words.take("password"):
        raise words.error(f"the password of {name}, or password disable, expected")
    if not words.take("disable"):
        words.string()
    while not words.done:
        if words.peek("in", "group"):
            words.at += 2
            check_principal(catalog, "group", words.name())
        elif words.words[words.at].lower in _FLAGS:
            words.next()
        elif words.take("valid", "until"):
            words.string()
        elif words.take("connection", "limit") or words.take("session", "timeout"):
            words.next()
        elif words.take("syslog", "access"):
            if not (words.take("restricted") or words.take("unrestricted")):
                raise words.error("restricted or unrestricted expected")
        else:
            raise refuse(f"{words.next().text} in create user", "leave it out")
