"""What tables there are: Redshift's types and attributes, kept as comments on the tables of the DuckDB file.

A comment lives and dies, and is rolled back, with its table. System views: `system_views`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from local_redshift.errors import RedshiftError
from local_redshift.read.dialect import DATABASE, quote, string
from local_redshift.values.rights import (
    EVERYBODY_S,
    ON_TABLES,
    Access,
    Right,
    User,
    new_rights,
    no_relation,
    no_schema,
)
from local_redshift.values.scope import Columns, Query
from local_redshift.values.types import Type, from_carrier, parse_type
from local_redshift.values.uses import EVERY, Uses

__all__ = ["DATABASE", "Catalog", "Column", "Relation", "comment", "path"]
_HIDDEN = ("main", "information_schema", "pg_catalog")


@dataclass(frozen=True)
class Column:
    """A column of a table that is there. `default` is DuckDB text."""

    name: str
    type: Type
    nullable: bool = True
    default: str | None = None


@dataclass(frozen=True)
class Relation:
    """A table or view. `schema` None: a temporary table. `attributes`: what Redshift would keep."""

    schema: str | None
    name: str
    columns: tuple[Column, ...]
    is_view: bool = False
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """What it is to a user: `table`, `view` or `materialized view`."""
        if "materialized" in self.attributes:
            return "materialized view"
        return "view" if self.is_view else "table"

    @property
    def sql(self) -> str:
        """Its full name in DuckDB."""
        return path(self.schema, self.name)

    @property
    def udfs(self) -> frozenset[str]:
        """The functions in Python that its kept texts call: a view's query, its columns' defaults."""
        if "udfs" in self.attributes:
            return frozenset(self.attributes["udfs"])
        bound = self.is_view and "unbound" not in self.attributes
        defaults = any(column.default is not None for column in self.columns)
        # An older version made it, which did not note them.
        kept = bound or defaults or "materialized" in self.attributes
        return frozenset((EVERY,)) if kept else frozenset()

    @property
    def shape(self) -> Columns:
        """Names and types."""
        return tuple((column.name, column.type) for column in self.columns)

    def __str__(self) -> str:
        return self.name if self.schema is None else f"{self.schema}.{self.name}"


RIGHTS, USERS, PRINCIPALS = (
    Relation("main", name, ()) for name in ("rights", "users", "principals")
)
"""Where the file keeps what is granted on other than relations, and the users that were made."""
SALTS = "salts"
"""What stands among the principals beside users, groups and roles: the key of `passwords.salt_of`."""


def path(schema: str | None, name: str) -> str:
    """The DuckDB name of a table; schema None: a temporary one."""
    if schema is None:
        return f'"temp"."main".{quote(name)}'
    return f"{quote(DATABASE)}.{quote(schema)}.{quote(name)}"


def comment(relation: Relation) -> str:
    """The statement that writes a relation's types and attributes onto it."""
    word = "VIEW" if relation.is_view else "TABLE"
    types = {column.name: str(column.type) for column in relation.columns}
    text = json.dumps({"columns": types, **relation.attributes}, ensure_ascii=False)
    return f"COMMENT ON {word} {relation.sql} IS {string(text)}"


@dataclass
class Settings:
    """What a session set, by name. What it may mean: `settings`."""

    values: dict[str, str] = field(default_factory=dict)
    _before: dict[str, str] | None = None  # at the begin of the transaction
    _local: dict[str, str | None] = field(default_factory=dict)

    def put(self, name: str, value: str | None, local: bool = False) -> None:
        """Set it, or leave it to its default; `local`: until the transaction ends."""
        if local and self._before is None:  # alone, it is a transaction that has ended already
            return
        if local:
            self._local.setdefault(name, self.values.get(name))
        else:
            self._local.pop(name, None)
        self.values.pop(name, None)
        if value is not None:
            self.values[name] = value

    def mark(self) -> None:
        """A transaction begins."""
        self._before, self._local = dict(self.values), {}

    def unmark(self, kept: bool) -> None:
        """It ends: what it set stays if it is kept, but for what was local."""
        if not kept and self._before is not None:
            self.values = self._before
        for name, value in self._local.items() if kept else ():
            self.values.pop(name, None)
            if value is not None:
                self.values[name] = value
        self._before, self._local = None, {}


def _no_system_view(schema: str | None, name: str) -> tuple[str, Columns] | None:
    return None


@dataclass(frozen=True)
class Definitions:
    """What all sessions of a database see alike, as it was at a version."""

    version: int
    schemas: frozenset[str]
    relations: Mapping[tuple[str | None, str], Relation]
    principals: frozenset[tuple[str, str]]
    users: Mapping[str, User]
    rights: frozenset[Right] | None


@dataclass
class Shared:
    """The definitions that a session of a database read last, for those that come after it."""

    latest: Definitions | None = None


class Catalog:
    """The schemas and relations that a session sees, read once and again after each change.

    `version` counts the changes that sessions committed; `frozen` says that this session's snapshot
    is taken, so that others' changes are not seen. `system` answers for system views. What is read is
    left in `shared`.
    """

    def __init__(
        self,
        connection: Any,
        version: Callable[[], int] = lambda: 0,
        frozen: Callable[[], bool] = lambda: False,
        system: Callable[[str | None, str], tuple[str, Columns] | None] = _no_system_view,
        shared: Shared | None = None,
    ) -> None:
        self._connection, self._version, self._frozen = connection, version, frozen
        self._system = system
        self._shared = shared or Shared()
        self._has_own = False  # it may have defined what no other session sees
        self._read_at = -1  # the version that was read
        self._schemas: set[str] | None = None
        self._relations: dict[tuple[str | None, str], Relation] = {}
        self.search_path: tuple[str, ...] = ("public",)
        self.user = ""
        self.is_made = False
        """Whether the user was made by CREATE USER; it stays one when it is dropped meanwhile."""
        self.temporary = "pg_temp_1"
        """The schema of its temporary tables; another session's has another number."""
        self.salts = ""
        """What the file keeps as its `SALTS`, once it has users."""
        self.settings = Settings()
        self._principals: frozenset[tuple[str, str]] = frozenset()
        self._users: Mapping[str, User] = {}
        self._rights: frozenset[Right] | None = None  # none were ever granted or revoked
        self._access: tuple[object, Access | None] = (None, None)  # and what it was made of
        self._owner: str | None = None  # of the view whose query is looked up
        self.asked: set[str] = set()
        """The lasting relations that were looked up since this was emptied."""

    def forget(self) -> None:
        """Read again at the next question: something was made, changed, dropped or rolled back."""
        self._schemas = None
        self._has_own = True

    @property
    def schemas(self) -> set[str]:
        """The schemas a user sees."""
        self._fresh()
        return self._schemas or set()

    @property
    def relations(self) -> dict[tuple[str | None, str], Relation]:
        """Tables and views by (schema, name); schema None: temporary."""
        self._fresh()
        return self._relations

    @property
    def principals(self) -> frozenset[tuple[str, str]]:
        """Kind (`user`, `group`, `role`) and name of those that were created."""
        self._fresh()
        return self._principals

    @property
    def users(self) -> Mapping[str, User]:
        """The users that were made by CREATE USER, by name."""
        self._fresh()
        return self._users

    @property
    def has_rights(self) -> bool:
        """Whether the file has a table of rights."""
        self._fresh()
        return self._rights is not None

    @property
    def rights(self) -> frozenset[Right]:
        """What is granted on other than relations."""
        self._fresh()
        return frozenset(EVERYBODY_S) if self._rights is None else self._rights

    @property
    def access(self) -> Access | None:
        """What this session's user may; None: everything, as one that was not made by CREATE USER.

        Inside of `owned_by`: what that owner may.
        """
        if self._owner is not None:
            return self.access_of(self._owner)
        if not self.principals and not self.is_made:
            return None
        made_of = (self._principals, self._users, self._rights, self.user, self.is_made)
        if self._access[0] != made_of:
            self.note_user()
            there = self._users.get(self.user)
            is_free = not self.is_made or (there is not None and there.is_superuser)
            self._access = made_of, None if is_free else Access(self.user, self.rights)
        return self._access[1]

    def access_of(self, owner: str) -> Access | None:
        """What the owner of a relation may; None: everything. Without a name it is a superuser's."""
        there = self.users.get(owner)
        is_free = there.is_superuser if there else ("user", owner) not in self.principals
        return None if is_free else Access(owner, self.rights)

    @contextmanager
    def owned_by(self, view: Relation) -> Iterator[None]:
        """What is looked up inside is read by the right of a view's owner, whoever reads the view."""
        before, self._owner = self._owner, str(view.attributes.get("owner", ""))
        try:
            yield
        finally:
            self._owner = before

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """What is looked up inside is what the session's own user may see, also in a view of another's."""
        before, self._owner = self._owner, None
        try:
            yield
        finally:
            self._owner = before

    def permit_reads(self, relation: Relation) -> None:
        """RedshiftError 42501 where the owner of a view, or of one below it, may not read on."""
        with self.owned_by(relation):
            for key in relation.attributes.get("reads", ()):
                schema, _, name = key.partition(".")
                below = self.relations.get((schema, name))
                if below is None:
                    continue
                self.permit(below, "select")
                if below.is_view:
                    self.permit_reads(below)

    def note_user(self) -> None:
        """Note now whether the user is one that was made: it may be dropped while it is here."""
        self.is_made |= ("user", self.user) in self.principals

    def permit(self, relation: Relation, *privileges: str) -> None:
        """RedshiftError 42501 where the user has none of these privileges on the relation."""
        access = self.access
        if access is None or relation.schema is None:
            return
        if not access.may(relation.attributes, *privileges):
            raise no_relation(relation.name)

    def visible(self, relation: Relation) -> bool:
        """Whether the user may see that there is such a relation, where Redshift does not show all."""
        access = self.access
        if access is None or relation.schema is None:
            return True
        return access.may_in(str(relation.schema), "usage") and access.may(
            relation.attributes, *ON_TABLES
        )

    def made(self, schema: str | None, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """The attributes of a relation that the user makes: whose it is, and who may use it."""
        if schema is None:
            return dict(attributes)
        owner = {} if self.access is None else {"owner": self.user}
        rights = new_rights(self.rights, self.user, schema)
        return {**attributes, **owner, **({"rights": rights} if rights else {})}

    @property
    def known(self) -> dict[tuple[str | None, str], Relation]:
        """`relations` as they were when they were read last, if they were."""
        return self._relations

    @property
    def outdated(self) -> bool:
        """Others have changed definitions since this was read."""
        return self._schemas is not None and self._version() != self._read_at

    def refresh(self) -> None:
        """Read again now, if others changed definitions."""
        self._fresh()

    def _fresh(self) -> None:
        version, frozen = self._version(), self._frozen()
        if self._schemas is not None and (frozen or version == self._read_at):
            return
        if frozen:  # what the snapshot shows; once the transaction has ended, it is read anew
            self._read()
            self._read_at = -1
            return
        latest = self._shared.latest
        if not self._has_own and latest is not None and latest.version == version:
            self._schemas, self._relations = set(latest.schemas), dict(latest.relations)
            self._principals, self._read_at = latest.principals, version
            self._users, self._rights = latest.users, latest.rights
            return
        self._connection.execute("BEGIN TRANSACTION")  # so that all of it is of one moment
        try:
            self._read()
        finally:
            self._connection.execute("ROLLBACK")
        self._read_at = version
        if not self._has_own:
            self._shared.latest = Definitions(
                version,
                frozenset(self._schemas or ()),
                dict(self._relations),
                self._principals,
                self._users,
                self._rights,
            )

    def _read(self) -> None:
        run = self._connection.execute
        names = run(
            "SELECT schema_name FROM duckdb_schemas() "
            f"WHERE database_name = '{DATABASE}' AND NOT internal"
        ).fetchall()
        self._schemas = {name for (name,) in names if name not in _HIDDEN}
        columns: dict[tuple[str, str, str], list[tuple[Any, ...]]] = {}
        for database, schema, table, *column in run(
            "SELECT database_name, schema_name, table_name, column_name, data_type, is_nullable, "
            "column_default FROM duckdb_columns() WHERE NOT internal "
            f"AND database_name IN ('{DATABASE}', 'temp') ORDER BY column_index"
        ).fetchall():
            columns.setdefault((database, schema, table), []).append(tuple(column))
        self._principals = frozenset()
        if (DATABASE, "main", PRINCIPALS.name) in columns:
            rows = run(f"SELECT kind, name FROM {PRINCIPALS.sql}").fetchall()
            self._principals = frozenset(map(tuple, rows))
        self._users, self._rights = {}, None
        if (DATABASE, "main", USERS.name) in columns:
            rows = run(f"SELECT name, is_superuser, verifier FROM {USERS.sql}").fetchall()
            self._users = {name: User(name, free, kept) for name, free, kept in rows}
        if (DATABASE, "main", RIGHTS.name) in columns:
            rows = run(
                f"SELECT kind, thing, privilege, grantee_kind, grantee, option FROM {RIGHTS.sql}"
            ).fetchall()
            self._rights = frozenset(
                Right(kind, thing, privilege, (of, grantee), option)
                for kind, thing, privilege, of, grantee, option in rows
            )
        self._relations = {}
        for word in ("table", "view"):
            for database, schema, name, text in run(
                f"SELECT database_name, schema_name, {word}_name, comment FROM duckdb_{word}s() "
                f"WHERE NOT internal AND database_name IN ('{DATABASE}', 'temp')"
            ).fetchall():
                if database == DATABASE and schema in _HIDDEN:
                    continue
                owner = None if database == "temp" else schema
                carried = tuple(columns[database, schema, name])
                relation = _relation(owner, name, word == "view", text or "", carried)
                self._relations[owner, name] = relation

    def schema_of(self, relation: Relation) -> str:
        """The name of its schema, that of temporary tables, too."""
        return self.temporary if relation.schema is None else relation.schema

    def find(self, schema: str | None, name: str) -> Relation | None:
        """The relation that a name means, or None. Without a schema: temporary, then the path."""
        if schema is not None and schema == self.temporary:
            return self.relations.get((None, name))
        access = self.access
        for candidate in (None, *self.search_path) if schema is None else (schema,):
            if (
                access is not None
                and candidate in self.schemas
                and not access.may_in(str(candidate), "usage")
            ):
                if schema is None:
                    continue
                raise no_schema(schema)
            relation = self.relations.get((candidate, name))
            if relation is not None:
                if candidate is not None:
                    self.asked.add(str(relation))
                return relation
        return None

    def get(self, schema: str | None, name: str) -> Relation:
        """The relation that a name means; RedshiftError 42P01 when there is none."""
        relation = self.find(schema, name)
        if relation is not None:
            return relation
        if schema is not None and schema not in self.schemas:
            raise RedshiftError("3F000", f'schema "{schema}" does not exist')
        shown = name if schema is None else f"{schema}.{name}"
        raise RedshiftError("42P01", f'relation "{shown}" does not exist')

    def table(self, schema: str | None, name: str) -> Relation:
        """The table of that name; a view is an error."""
        relation = self.get(schema, name)
        if relation.kind != "table":
            raise RedshiftError("42809", f'"{relation}" is a {relation.kind}, not a table')
        return relation

    def lookup(self, schema: str | None, name: str) -> Query:
        """What a name in FROM stands for, a table or a system view, as the compiler asks."""
        relation = self.find(schema, name)
        if relation is None and schema in (None, "information_schema", "pg_catalog"):
            with self._reading():
                view = self._system(schema, name)
            if view is not None:
                return Query(*view, Uses())
        relation = relation or self.get(schema, name)
        self.permit(relation, "select")
        if relation.is_view:
            self.permit_reads(relation)
        return Query(relation.sql, relation.shape, self.reading(relation))

    def reading(self, relation: Relation) -> Uses:
        """What it takes to read a relation. A view stands for itself and for what it reads."""
        if relation.schema is None:
            return Uses()
        if not relation.is_view:
            return Uses((str(relation),))
        return self.reached((str(relation),))

    def reached(self, names: Iterable[str]) -> Uses:
        """Relations by name, `schema.table`, and what the views among them read and call.

        Through every view below a view: one of them may have been replaced since the upper was made.
        """
        uses = Uses()
        left = list(names)
        while left:
            key = left.pop()
            if key in uses.tables:
                continue
            uses.tables.add(key)
            schema, _, name = key.partition(".")
            relation = self._relations.get((schema, name))
            if relation is not None and relation.is_view:
                uses.udfs.update(relation.udfs)
                left += relation.attributes.get("reads", ())
        return uses

    def views_on(self, relation: Relation) -> list[str]:
        """The views that read a relation."""
        return sorted(
            str(view)
            for view in self.relations.values()
            if str(relation) in view.attributes.get("reads", [])
        )


@lru_cache(maxsize=4096)
def _relation(
    schema: str | None,
    name: str,
    is_view: bool,
    text: str,
    carried: tuple[tuple[str, str, bool, str | None], ...],
) -> Relation:
    """The relation whose comment is `text`, and whose columns DuckDB carries so: most are as before."""
    attributes = json.loads(text) if text else {}
    types = attributes.pop("columns", {})
    shape = tuple(
        Column(
            column,
            parse_type(types[column]) if column in types else from_carrier(carrier),
            nullable,
            default,
        )
        for column, carrier, nullable, default in carried
        if "unbound" not in attributes  # a late-binding view is read when it is used
    )
    return Relation(schema, name, shape, is_view, attributes)
