"""Who may do what: users, groups and roles, what they were granted, and what that comes to for one of them.

Superusers may do everything. What is granted on a relation is kept with it, the rest in tables of the
file. How GRANT and REVOKE are read: `statements.grants`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from local_redshift.errors import RedshiftError

ON_TABLES = ("select", "insert", "update", "delete", "drop", "references", "alter", "truncate")
ON_SCHEMAS = ("create", "usage", "alter", "drop")
ON_DATABASES = ("create", "temporary", "usage", "alter")
FOR_ROLES = ("copy", "unload", "external function", "create model")
"""What ASSUMEROLE is granted for."""
ANY_ROLE = "all"
PUBLIC = ("public", "")
Identity = tuple[str, str]
"""`user`, `group`, `role` or `public`, and a name."""


@dataclass(frozen=True)
class Right:
    """A privilege that was granted. `kind` and `thing`: on what; `option`: it may be passed on.

    Kinds: `schema`, `database`, `assumerole` (an ARN, `default` or `all`), `owner` (of a schema),
    `member` (of a group or role: `kind:name`), `default` (of tables to come: a user, and in the next
    line a schema or nothing).
    """

    kind: str
    thing: str
    privilege: str
    grantee: Identity
    option: bool = False


EVERYBODY_S = (
    Right("schema", "public", "create", PUBLIC),
    Right("schema", "public", "usage", PUBLIC),
    Right("database", "dev", "temporary", PUBLIC),
    *(Right("assumerole", ANY_ROLE, command, PUBLIC) for command in FOR_ROLES),
)
"""What every user has in a new database."""


@dataclass(frozen=True)
class User:
    """A user that was made by CREATE USER. `verifier`: what is kept of the password; "": none."""

    name: str
    is_superuser: bool = False
    verifier: str = field(default="", repr=False)


@dataclass(frozen=True)
class Granted:
    """A privilege on a relation, as it is kept with it."""

    privilege: str
    grantee: Identity
    option: bool = False

    @classmethod
    def of(cls, attributes: Mapping[str, Any]) -> list[Granted]:
        """What is granted on a relation of these attributes."""
        return [
            cls(privilege, (kind, name), bool(option))
            for privilege, kind, name, option in attributes.get("rights", ())
        ]

    @property
    def kept(self) -> list[Any]:
        """As it is written down."""
        return [self.privilege, *self.grantee, self.option]


def changed(
    there: Iterable[Granted], new: Iterable[Granted], gone: Iterable[Granted], only_option: bool
) -> list[list[Any]]:
    """What is kept with a relation after a grant of `new` or a revocation of `gone`."""
    held = {(one.privilege, one.grantee): one.option for one in there}
    for one in new:
        key = (one.privilege, one.grantee)
        held[key] = held.get(key, False) or one.option
    for one in gone:
        key = (one.privilege, one.grantee)
        if only_option and key in held:
            held[key] = False
        else:
            held.pop(key, None)
    return [Granted(*key, option).kept for key, option in sorted(held.items())]


@dataclass(frozen=True)
class Access:
    """What a user who is no superuser may: by its own name, its groups and roles, and as one of PUBLIC."""

    user: str
    rights: frozenset[Right]

    @cached_property
    def identities(self) -> frozenset[Identity]:
        """The user, PUBLIC, and all that it is a member of, roles of roles too."""
        own: set[Identity] = {("user", self.user), PUBLIC}
        members = [right for right in self.rights if right.kind == "member"]
        before = 0
        while len(own) != before:
            before = len(own)
            for right in members:
                if right.grantee in own:
                    kind, _, name = right.thing.partition(":")
                    own.add((kind, name))
        return frozenset(own)

    def has(self, kind: str, thing: str, privilege: str, option: bool = False) -> bool:
        """Whether it was granted; `option`: so that it may be passed on."""
        return any(
            right.kind == kind
            and right.thing == thing
            and right.privilege == privilege
            and right.grantee in self.identities
            and (right.option or not option)
            for right in self.rights
        )

    def owns_schema(self, schema: str) -> bool:
        """Whether it made the schema."""
        return any(
            right.kind == "owner" and right.thing == schema and right.grantee in self.identities
            for right in self.rights
        )

    def may_in(self, schema: str, privilege: str) -> bool:
        """Whether it may use a schema, or create in it."""
        return self.owns_schema(schema) or self.has("schema", schema, privilege)

    def owns(self, attributes: Mapping[str, Any]) -> bool:
        """Whether the relation of these attributes is its own."""
        return ("user", str(attributes.get("owner", ""))) in self.identities

    def may(self, attributes: Mapping[str, Any], *privileges: str, option: bool = False) -> bool:
        """Whether it has one of these privileges on the relation of these attributes."""
        return self.owns(attributes) or any(
            one.privilege in privileges
            and one.grantee in self.identities
            and (one.option or not option)
            for one in Granted.of(attributes)
        )

    def may_assume(self, role: str, command: str) -> bool:
        """Whether it may name an IAM role (an ARN, or `default`) for COPY or UNLOAD."""
        return any(self.has("assumerole", thing, command) for thing in (role, ANY_ROLE))


def no_schema(schema: str) -> RedshiftError:
    """Redshift's words for a schema that may not be used."""
    return RedshiftError("42501", f"permission denied for schema {schema}")


def no_relation(name: str) -> RedshiftError:
    """Redshift's words for a privilege on a table or view that is missing."""
    return RedshiftError("42501", f"permission denied for relation {name}")


def no_temporary_tables() -> RedshiftError:
    """Redshift's words for who may not make temporary tables."""
    return RedshiftError("42501", 'permission denied to create temporary tables in database "dev"')


def not_owner(name: str) -> RedshiftError:
    """Redshift's words for what only an owner does."""
    return RedshiftError("42501", f"must be owner of relation {name}")


def only_superusers(what: str) -> RedshiftError:
    """For what takes a superuser."""
    return RedshiftError("42501", f"permission denied: must be superuser to {what}")


def new_rights(rights: Iterable[Right], user: str, schema: str | None) -> list[list[Any]]:
    """What is granted on a relation that `user` makes in `schema`, by default privileges."""
    things = {f"{user}\n", f"{user}\n{schema}"}
    granted = [
        Granted(right.privilege, right.grantee, right.option)
        for right in rights
        if right.kind == "default" and right.thing in things
    ]
    return changed((), granted, (), False)
