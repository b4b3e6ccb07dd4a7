"""SHOW of objects: DATABASES, SCHEMAS, TABLES, COLUMNS, CONSTRAINTS, GRANTS. SHOW of a setting: `settings`.

What they list is what the system views know, under the names of Amazon's pages r_SHOW_…. The names of
objects may be given as texts, since drivers send them as parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from local_redshift.database.session import Session
from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.dialect import DATABASE, folded
from local_redshift.read.words import Words
from local_redshift.values.catalog import Relation
from local_redshift.values.client_details import OWNER, constraints
from local_redshift.values.scope import Columns, Query
from local_redshift.values.types import BOOLEAN, INTEGER, SMALLINT, TIMESTAMP, varchar
from local_redshift.values.uses import Uses
from local_redshift.views import client_views, system_views

_TEXT = varchar(256)
_MOST = 10_000
_TYPES = {"b": BOOLEAN, "h": SMALLINT, "i": INTEGER, "t": TIMESTAMP}


def _columns(text: str) -> Columns:
    """Names, a letter of `_TYPES` behind those that are no texts."""
    parts = (word.partition(":") for word in text.split())
    return tuple((name, _TYPES.get(letter, _TEXT)) for name, _, letter in parts)


@dataclass
class _Asked:
    """What a SHOW names: the database, then what is in it. An empty name: not known yet."""

    session: Session
    names: list[str]

    @property
    def relation(self) -> Relation | None:
        """The table or view of three names; None where they are not known yet."""
        database, schema, name = self.names
        _in_this(database)
        if not (schema and name):
            return None
        relation = self.session.catalog.get(schema, name)
        if not self.session.catalog.visible(relation):
            raise RedshiftError("42501", f"permission denied for relation {name}")
        return relation


def _in_this(database: str) -> None:
    if database not in ("", DATABASE):
        raise RedshiftError("3D000", f'database "{database}" does not exist')


_Facts = Iterable[dict[str, Any]]


@dataclass(frozen=True)
class _Show:
    """A form of SHOW: how many names it takes, what LIKE is held to, its columns and rows."""

    names: int
    like: str
    columns: Columns
    rows: Callable[[_Asked], _Facts]


def _databases(asked: _Asked) -> _Facts:
    return client_views.VIEWS["svv_redshift_databases"][1](asked.session)


def _schemas(asked: _Asked) -> _Facts:
    _in_this(asked.names[0])
    return client_views.VIEWS["svv_all_schemas"][1](asked.session)


def _tables(asked: _Asked) -> _Facts:
    catalog = asked.session.catalog
    database, schema = asked.names
    _in_this(database)
    known = (*catalog.schemas, catalog.temporary, "pg_catalog", "information_schema")
    if schema and schema not in known:
        raise RedshiftError("3F000", f'schema "{schema}" does not exist')
    for fact in client_views.VIEWS["svv_all_tables"][1](asked.session):
        if fact["schema_name"] == schema:
            yield {**fact, "owner": fact["table_owner"]}


def _columns_of(asked: _Asked) -> _Facts:
    relation = asked.relation
    if relation is None:
        return
    sort = "INTERLEAVED" if relation.attributes.get("interleaved") else "COMPOUND"
    for fact in system_views.column_facts(asked.session, relation):
        yield {
            **fact, "sort_key": fact["sortkey"], "dist_key": int(fact["distkey"]),
            "sort_key_type": sort if fact["sortkey"] else None,
        }  # fmt: skip


def _primary_keys(asked: _Asked) -> _Facts:
    relation = asked.relation
    for key in constraints(relation) if relation is not None else ():
        if key["contype"] == "p":
            for place, column in enumerate(key["columns"], 1):
                yield {
                    "database_name": DATABASE, "schema_name": asked.names[1],
                    "table_name": asked.names[2], "pk_name": key["conname"],
                    "column_name": column, "key_seq": place,
                }  # fmt: skip


def _foreign_keys(asked: _Asked) -> _Facts:
    """Refused by `constraints` where there is one: what it refers to is not kept."""
    relation = asked.relation
    if relation is not None:
        constraints(relation)
    return ()


def _exported_keys(asked: _Asked) -> _Facts:
    if asked.relation is not None:
        for other in asked.session.catalog.relations.values():
            constraints(other)
    return ()


def _grants(asked: _Asked) -> _Facts:
    relation = asked.relation
    if relation is None:
        return
    kind = "VIEW" if relation.is_view else "TABLE"
    for fact in client_views.VIEWS["svv_relation_privileges"][1](asked.session):
        if (fact["namespace_name"], fact["relation_name"]) == (relation.schema, relation.name):
            yield {
                **fact, "database_name": DATABASE, "schema_name": relation.schema,
                "object_name": relation.name, "object_type": kind, "identity_id": OWNER,
                "grantor_name": fact["grantor"],
            }  # fmt: skip


def _none_of_a_table(asked: _Asked) -> _Facts:
    """Columns have no rights of their own here."""
    _ = asked.relation
    return ()


def _none_of_a_schema(asked: _Asked) -> _Facts:
    """There are neither procedures nor functions here."""
    list(_tables(asked))
    return ()


_ROUTINES = "number_of_arguments:i argument_list return_type remarks"
_FOREIGN = _columns(
    "pk_database_name pk_schema_name pk_table_name pk_column_name fk_database_name fk_schema_name "
    "fk_table_name fk_column_name key_seq:h update_rule:h delete_rule:h fk_name pk_name "
    "deferrability:h"
)
_SHOWS: dict[tuple[str, ...], _Show] = {
    ("databases",): _Show(
        0, "database_name",
        _columns("database_name database_owner:i database_type database_acl parameters "
                 "database_isolation_level"),
        _databases,
    ),
    ("schemas", "from", "database"): _Show(
        1, "schema_name",
        _columns("database_name schema_name schema_owner:i schema_type schema_acl "
                 "source_database schema_option"),
        _schemas,
    ),
    ("tables", "from", "schema"): _Show(
        2, "table_name",
        _columns("database_name schema_name table_name table_type table_acl remarks owner "
                 "last_altered_time:t last_modified_time:t dist_style table_subtype"),
        _tables,
    ),
    ("columns", "from", "table"): _Show(
        3, "column_name",
        _columns("database_name schema_name table_name column_name ordinal_position:i "
                 "column_default is_nullable data_type character_maximum_length:i "
                 "numeric_precision:i numeric_scale:i remarks sort_key_type sort_key:i dist_key:i "
                 "encoding collation"),
        _columns_of,
    ),
    ("constraints", "primary", "keys", "from", "table"): _Show(
        3, "",
        _columns("database_name schema_name table_name pk_name column_name key_seq:h"),
        _primary_keys,
    ),
    ("constraints", "foreign", "keys", "from", "table"): _Show(3, "", _FOREIGN, _foreign_keys),
    ("constraints", "foreign", "keys", "exported", "from", "table"): _Show(
        3, "", _FOREIGN, _exported_keys
    ),
    ("grants", "on", "table"): _Show(
        3, "",
        _columns("database_name schema_name object_name object_type privilege_type identity_id:i "
                 "identity_name identity_type admin_option:b privilege_scope grantor_name"),
        _grants,
    ),
    ("column", "grants", "on", "table"): _Show(
        3, "column_name",
        _columns("database_name schema_name table_name column_name object_type privilege_type "
                 "identity_id:i identity_name identity_type admin_option:b privilege_scope "
                 "grantor_name"),
        _none_of_a_table,
    ),
    ("procedures", "from", "schema"): _Show(
        2, "procedure_name",
        _columns(f"database_name schema_name procedure_name {_ROUTINES}"), _none_of_a_schema,
    ),
    ("functions", "from", "schema"): _Show(
        2, "function_name",
        _columns(f"database_name schema_name function_name {_ROUTINES}"), _none_of_a_schema,
    ),
}  # fmt: skip
"""The forms of SHOW by the words behind it."""


def shown(session: Session, sql: str) -> Query | None:
    """The query that a SHOW of objects stands for; None where it is another statement."""
    words = Words(sql)
    if not words.take("show"):
        return None
    form = next((form for form in _SHOWS if words.take(*form)), None)
    if form is None:
        return None
    show = _SHOWS[form]
    names = _names(words, session, show.names)
    pattern = most = None
    if show.like and words.take("like"):
        pattern = _text(words)
    if words.take("limit"):
        most = words.next()
        if not most.text.isdigit() or int(most.text) > _MOST:
            raise RedshiftError("22023", f"LIMIT of SHOW must be from 0 to {_MOST}")
    words.end()
    facts = [
        fact
        for fact in show.rows(_Asked(session, names))
        if pattern is None or _is_like(str(fact[show.like]), pattern)
    ]
    rows = facts if most is None else facts[: int(most.text)]
    if len(rows) > _MOST:
        raise refuse(f"show of more than {_MOST} rows", "add like or limit")
    table = [[fact.get(column) for column, _ in show.columns] for fact in rows]
    return Query(f"SELECT * FROM {system_views.table(table, show.columns)}", show.columns, Uses())


def _names(words: Words, session: Session, count: int) -> list[str]:
    """The names that stand there; those that may be left out are this database's, and the path's."""
    names = [_name(words)] if count else []
    while count and words.take("."):
        names.append(_name(words))
    if len(names) > count or (count == 1 and not names):
        raise words.error("a shorter name expected")
    if count == 3 and len(names) == 1:
        relation = session.catalog.get(None, names[0])
        names.insert(0, session.catalog.schema_of(relation))
    return [DATABASE] * (count - len(names)) + names


def _name(words: Words) -> str:
    if words.take("null"):
        return ""
    if not words.done and words.words[words.at].kind == "string":
        return folded(words.string())
    return words.name()


def _text(words: Words) -> str | None:
    return None if words.take("null") else words.string()


def _is_like(text: str, pattern: str) -> bool:
    """LIKE of two texts, letters as they are."""
    reached = {0}
    for sign in text:
        reached = {
            after
            for at in _skipped(reached, pattern)
            if at < len(pattern)
            for after in ([at] if pattern[at] == "%" else [at + 1])
            if pattern[at] in ("%", "_", sign)
        }
    return len(pattern) in _skipped(reached, pattern)


def _skipped(reached: set[int], pattern: str) -> set[int]:
    """The places of a pattern that are reached, those behind a % too."""
    every = set(reached)
    for at in sorted(reached):
        following = at
        while following < len(pattern) and pattern[following] == "%":
            following += 1
            every.add(following)
    return every
