"""Users, groups and roles, kept in the file: who there is, with what password, and a member of what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from local_redshift.database.passwords import Verifier, checked
from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.dialect import string
from local_redshift.read.words import Words
from local_redshift.transactions.commands import Command
from local_redshift.transactions.locks import Mode
from local_redshift.values.catalog import PRINCIPALS, RIGHTS, SALTS, USERS, Catalog
from local_redshift.values.rights import (
    EVERYBODY_S,
    PUBLIC,
    Identity,
    Right,
    only_superusers,
)
from local_redshift.values.uses import Uses

_FLAGS = ("createdb", "nocreatedb", "createuser", "nocreateuser")
_KEY = ("kind", "thing", "privilege", "grantee_kind", "grantee")


def check_principal(catalog: Catalog, kind: str, name: str) -> None:
    """RedshiftError 42704 where there is no such user, group or role."""
    if (kind, name) not in catalog.principals and (kind, name) != ("user", catalog.user):
        raise RedshiftError("42704", f'{kind} "{name}" does not exist')


def checked_name(catalog: Catalog, kind: str, words: Words) -> str:
    """The next word, as the name of a user, group or role that is there."""
    name = words.name()
    if words.peek(":"):
        raise refuse(
            f"the {kind} {name}:{words.rest()[1:][:60].strip()}",
            "there are the roles that create role made, and no identity provider",
        )
    check_principal(catalog, kind, name)
    return name


def create(words: Words, catalog: Catalog) -> list[Command]:
    """CREATE USER, GROUP or ROLE after its first word; of a password what proves it is kept."""
    kind = words.next().lower
    name = words.name()
    if words.peek(":"):
        raise refuse(f"a {kind} of an identity provider", "leave out what stands before the colon")
    if (kind, name) in catalog.principals or (kind, name) == ("user", catalog.user):
        raise RedshiftError("42710", f'{kind} "{name}" already exists')
    members: list[str] = []
    options = _Options()
    if kind == "group":
        if words.take("with", "user") or words.take("user"):
            members = _names(words, catalog)
    elif kind == "user":
        words.take("with")
        options = _options(words, name, catalog, True)
    words.end()
    _only_superusers(catalog, f"create {kind}s")
    table = f"CREATE TABLE IF NOT EXISTS {PRINCIPALS.sql} (kind VARCHAR, name VARCHAR)"
    row = f"INSERT INTO {PRINCIPALS.sql} VALUES ({string(kind)}, {string(name)})"
    commands = [
        Command(table, Uses(), PRINCIPALS, Mode.ALONE),
        Command(row, Uses(), PRINCIPALS, Mode.APPEND),
    ]
    if kind == "user":
        if (SALTS, catalog.salts) not in catalog.principals:
            row = f"INSERT INTO {PRINCIPALS.sql} VALUES ({string(SALTS)}, {string(catalog.salts)})"
            commands.append(Command(row, Uses(), PRINCIPALS, Mode.APPEND))
        commands += _user_written(name, bool(options.is_superuser), options.verifier or "")
    rights = [_member("group", name, member) for member in members]
    rights += [_member("group", group, name) for group in options.groups]
    return commands + (rights_changed(catalog, rights, "to") if rights else [])


def alter(words: Words, catalog: Catalog) -> list[Command]:
    """ALTER USER … PASSWORD and its options; ALTER GROUP … ADD or DROP USER."""
    kind = words.next().lower
    name = checked_name(catalog, kind, words)
    if kind == "group":
        link = "to" if words.take("add", "user") else "from"
        if link == "from":
            words.expect("drop", "user")
        members = _names(words, catalog)
        words.end()
        _only_superusers(catalog, "alter groups")
        return rights_changed(catalog, [_member("group", name, one) for one in members], link)
    words.take("with")
    there = catalog.users.get(name)
    for word in ("rename", "set", "reset"):
        if words.peek(word):
            raise refuse(f"alter user … {word}", f"there are password, {', '.join(_FLAGS)}")
    options = _options(words, name, catalog, False)
    words.end()
    own = name == catalog.user and options == _Options(verifier=options.verifier)
    if not own:
        _only_superusers(catalog, "alter users")
    if ("user", name) not in catalog.principals:
        raise refuse(
            f"alter user {name}, whose password the server was started with", "start it again"
        )
    before = (there.is_superuser, there.verifier) if there else (False, "")
    is_superuser = before[0] if options.is_superuser is None else options.is_superuser
    verifier = before[1] if options.verifier is None else options.verifier
    return _user_written(name, is_superuser, verifier)


def drop(words: Words, catalog: Catalog) -> list[Command]:
    """DROP USER, GROUP or ROLE after its first word."""
    kind = words.next().lower
    lenient = words.take("if", "exists") if kind == "user" else False
    names = [words.name()]
    while kind == "user" and words.take(","):
        names.append(words.name())
    forced = kind == "role" and words.take("force")
    if kind == "role" and not forced:
        words.take("restrict")
    words.end()
    statements: list[Command] = []
    for name in names:
        if lenient and (kind, name) not in catalog.principals:
            continue
        if (kind, name) == ("user", catalog.user):
            raise RedshiftError("55006", "current user cannot be dropped")
        check_principal(catalog, kind, name)
        _check_unused(catalog, kind, name, forced)
        _only_superusers(catalog, f"drop {kind}s")
        text = f"DELETE FROM {PRINCIPALS.sql} WHERE kind = {string(kind)} AND name = {string(name)}"
        statements.append(Command(text, Uses(), PRINCIPALS, Mode.WRITE))
        if kind == "user" and name in catalog.users:
            text = f"DELETE FROM {USERS.sql} WHERE name = {string(name)}"
            statements.append(Command(text, Uses(), USERS, Mode.WRITE))
        gone = [
            right
            for right in catalog.rights
            if right.grantee == (kind, name) or right.thing == f"{kind}:{name}"
        ]
        statements += rights_changed(catalog, gone, "from") if gone else []
    return statements


def _check_unused(catalog: Catalog, kind: str, name: str, forced: bool) -> None:
    """RedshiftError where something is owned by, or granted to, who is to be dropped."""
    relations = catalog.relations.values()
    owned = [one for one in relations if one.attributes.get("owner") == name]
    schemas = [
        right.thing
        for right in catalog.rights
        if right.kind == "owner" and right.grantee == (kind, name)
    ]
    if kind == "user" and (owned or schemas):
        first = owned[0] if owned else f"schema {schemas[0]}"
        raise RedshiftError("2BP01", f'user "{name}" cannot be dropped because it owns {first}')
    held = any(
        [kind, name] == granted[1:3]
        for relation in relations
        for granted in relation.attributes.get("rights", ())
    ) or any(right.grantee == (kind, name) and right.kind != "member" for right in catalog.rights)
    if held and not forced:
        raise RedshiftError(
            "55006",
            f'{kind} "{name}" cannot be dropped because the {kind} has a privilege on some object',
        )


def recipients(words: Words, catalog: Catalog) -> list[tuple[Identity, bool]]:
    """The names behind TO or FROM of GRANT and REVOKE: users, groups, roles, or PUBLIC.

    With each, whether it has the grant option.
    """
    found: list[tuple[Identity, bool]] = []
    while True:
        if words.take("group"):
            grantee = ("group", checked_name(catalog, "group", words))
        elif words.take("role"):
            grantee = ("role", checked_name(catalog, "role", words))
        elif words.take("public"):
            grantee = PUBLIC
        else:
            grantee = ("user", checked_name(catalog, "user", words))
        found.append((grantee, words.take("with", "grant", "option")))
        if not words.take(","):
            return found


def rights_changed(
    catalog: Catalog, rights: Iterable[Right], link: str, only_option: bool = False
) -> list[Command]:
    """The statements that keep (`link` to) or take away (from) rights on what is no relation."""
    commands = [] if catalog.has_rights else _rights_begun()
    for right in rights:
        if link == "to":
            commands += [_deleted(right), _inserted(right)]
        elif only_option:
            text = f"UPDATE {RIGHTS.sql} SET option = false WHERE {_same(right)}"
            commands.append(Command(text, Uses(), RIGHTS, Mode.WRITE))
        else:
            commands.append(_deleted(right))
    return commands


def _rights_begun() -> list[Command]:
    """The table of rights, with what everybody has."""
    columns = ", ".join((*(f"{column} VARCHAR" for column in _KEY), "option BOOLEAN"))
    text = f"CREATE TABLE IF NOT EXISTS {RIGHTS.sql} ({columns})"
    return [Command(text, Uses(), RIGHTS, Mode.ALONE), *map(_inserted, EVERYBODY_S)]


def _inserted(right: Right) -> Command:
    texts = (right.kind, right.thing, right.privilege, *right.grantee)
    values = ", ".join((*map(string, texts), str(right.option).lower()))
    return Command(f"INSERT INTO {RIGHTS.sql} VALUES ({values})", Uses(), RIGHTS, Mode.APPEND)


def _deleted(right: Right) -> Command:
    text = f"DELETE FROM {RIGHTS.sql} WHERE {_same(right)}"
    return Command(text, Uses(), RIGHTS, Mode.WRITE)


def _same(right: Right) -> str:
    texts = (right.kind, right.thing, right.privilege, *right.grantee)
    return " AND ".join(
        f"{column} = {string(text)}" for column, text in zip(_KEY, texts, strict=True)
    )


def _user_written(name: str, is_superuser: bool, verifier: str) -> list[Command]:
    """The statements that keep a user's password and whether it is a superuser."""
    table = f"CREATE TABLE IF NOT EXISTS {USERS.sql} (name VARCHAR, is_superuser BOOLEAN, verifier VARCHAR)"
    gone = f"DELETE FROM {USERS.sql} WHERE name = {string(name)}"
    values = f"{string(name)}, {str(is_superuser).lower()}, {string(verifier)}"
    row = f"INSERT INTO {USERS.sql} VALUES ({values})"
    return [
        Command(table, Uses(), USERS, Mode.ALONE),
        Command(gone, Uses(), USERS, Mode.WRITE),
        Command(row, Uses(), USERS, Mode.APPEND),
    ]


def _only_superusers(catalog: Catalog, what: str) -> None:
    if catalog.access is not None:
        raise only_superusers(what)


def _member(kind: str, of: str, user: str) -> Right:
    return Right("member", f"{kind}:{of}", "member", ("user", user))


def _names(words: Words, catalog: Catalog) -> list[str]:
    names = [checked_name(catalog, "user", words)]
    while words.take(","):
        names.append(checked_name(catalog, "user", words))
    return names


@dataclass
class _Options:
    """What CREATE and ALTER USER say of a user; None: nothing."""

    is_superuser: bool | None = None
    verifier: str | None = None
    groups: tuple[str, ...] = ()


def _options(words: Words, name: str, catalog: Catalog, is_new: bool) -> _Options:
    """The options behind a user's name: read strictly; password, groups and CREATEUSER have an effect."""
    options = _Options()
    while not words.done:
        if words.take("password"):
            options.verifier = (
                "" if words.take("disable") else Verifier.of(checked(words.string())).kept
            )
        elif is_new and words.peek("in", "group"):
            words.at += 2
            options.groups = (*options.groups, checked_name(catalog, "group", words))
            while words.take(","):
                options.groups = (*options.groups, checked_name(catalog, "group", words))
        elif words.words[words.at].lower in _FLAGS:
            flag = words.next().lower
            if flag.endswith("createuser"):
                options.is_superuser = flag == "createuser"
        else:
            _without_effect(words)
    if is_new and options.verifier is None:
        raise words.error(f"the password of {name}, or password disable, expected")
    return options


def _without_effect(words: Words) -> None:
    """An option of a user that is read only."""
    if words.take("valid", "until"):
        words.string()
    elif words.take("connection", "limit") or words.take("session", "timeout"):
        words.next()
    elif words.take("syslog", "access"):
        if not (words.take("restricted") or words.take("unrestricted")):
            raise words.error("restricted or unrestricted expected")
    else:
        raise refuse(f"{words.next().text} in create user", "leave it out")
