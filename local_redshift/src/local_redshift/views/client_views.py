"""The views of PostgreSQL's catalogue and of SVV that clients ask on their own. The rest: `system_views`.

What is not kept here (texts of views, external tables) is empty or NULL, never made up. SVV and
INFORMATION_SCHEMA show a user what he has a right to, PostgreSQL's own views everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from local_redshift.database.session import Session
from local_redshift.errors import RedshiftError
from local_redshift.read.dialect import DATABASE
from local_redshift.transactions.isolation import SNAPSHOT
from local_redshift.values import client_details
from local_redshift.values.catalog import Column, Relation
from local_redshift.values.client_details import OWNER
from local_redshift.values.client_types import SIZES, TYPES, format_type, modifier
from local_redshift.values.oids import oid
from local_redshift.values.rights import Granted
from local_redshift.values.types import (
    BIGINT,
    BOOLEAN,
    INTEGER,
    RIGHTS,
    SHORTS,
    SMALLINT,
    Type,
    decimal,
    varchar,
)

_TEXT, _LONG = varchar(256), varchar(65535)
Shape = tuple[tuple[str, Type], ...]
_Rows = Callable[[Session], Iterable[dict[str, Any]]]


def _texts(*names: str) -> Shape:
    return tuple((name, _TEXT) for name in names)


def _relations(session: Session) -> list[Relation]:
    """All of them, the session's own temporary tables, too."""
    return list(session.catalog.relations.values())


def _visible(session: Session) -> list[Relation]:
    return [relation for relation in _relations(session) if session.catalog.visible(relation)]


def _number(relation: Relation) -> int:
    return oid(str(relation))


def _nothing(session: Session) -> Iterable[dict[str, Any]]:
    return ()


def _of_each(facts: Callable[[Relation], Iterable[dict[str, Any]]]) -> _Rows:
    """The facts of every relation, one after the other."""
    return lambda session: (one for relation in _relations(session) for one in facts(relation))


def _schemas(session: Session) -> Iterator[dict[str, Any]]:
    catalog = session.catalog
    own = [catalog.temporary] if any(one.schema is None for one in _relations(session)) else []
    for name in sorted({*catalog.schemas, "pg_catalog", "information_schema", *own}):
        yield {
            "oid": oid(name), "nspname": name, "nspowner": OWNER,
            "database_name": DATABASE, "schema_name": name, "schema_owner": OWNER,
            "schema_type": "local", "catalog_name": DATABASE,
        }  # fmt: skip


def _databases(session: Session) -> Iterator[dict[str, Any]]:
    level = session.database.transactions.level
    yield {
        "oid": oid(DATABASE), "datname": DATABASE, "datdba": OWNER, "encoding": 6,
        "datistemplate": False, "datallowconn": True,
        "database_name": DATABASE, "database_owner": OWNER, "database_type": "local",
        "database_isolation_level": "Snapshot Isolation" if level == SNAPSHOT else "Serializable",
    }  # fmt: skip


def _classes(session: Session) -> Iterator[dict[str, Any]]:
    styles = {"even": 0, "key": 1, "all": 8}
    for relation in _relations(session):
        yield {
            "oid": _number(relation), "relname": relation.name,
            "relnamespace": oid(session.catalog.schema_of(relation)),
            "relowner": OWNER, "relkind": "v" if relation.is_view else "r",
            "relhasindex": False, "relhasrules": relation.is_view,
            "relhaspkey": client_details.has_primary_key(relation), "relnatts": len(relation.columns),
            "relisshared": False, "relhasoids": False, "relhassubclass": False,
            "relchecks": 0, "reltriggers": 0, "reltype": 0, "relam": 0, "reltablespace": 0,
            "reldiststyle": None if relation.is_view
            else styles.get(_diststyle(relation).partition("(")[0].lower(), 9),
        }  # fmt: skip


def _diststyle(relation: Relation) -> str:
    if key := relation.attributes.get("distkey"):
        return f"KEY({key})"
    return str(relation.attributes.get("diststyle") or "auto").upper()


def _each_column(session: Session) -> Iterator[tuple[Relation, int, Column]]:
    for relation in _relations(session):
        for place, column in enumerate(relation.columns, 1):
            yield relation, place, column


def _attributes(session: Session) -> Iterator[dict[str, Any]]:
    for relation, place, column in _each_column(session):
        keys = relation.attributes.get("sortkey") or []
        yield {
            "attrelid": _number(relation), "attname": column.name, "attnum": place,
            "atttypid": TYPES.get(column.type.kind, (25, "text"))[0],
            "atttypmod": modifier(column.type), "attnotnull": not column.nullable,
            "atthasdef": column.default is not None, "attisdropped": False, "attencodingtype": 0,
            "attlen": SIZES.get(TYPES.get(column.type.kind, (25, "text"))[1], -1),
            "attstattarget": -1, "attndims": 0, "attislocal": True, "attinhcount": 0,
            "attisdistkey": relation.attributes.get("distkey") == column.name,
            "attsortkeyord": keys.index(column.name) + 1 if column.name in keys else 0,
        }  # fmt: skip


def _types(session: Session) -> Iterator[dict[str, Any]]:
    for number, name in TYPES.values():
        yield {
            "oid": number, "typname": name, "typnamespace": oid("pg_catalog"), "typtype": "b",
            "typlen": SIZES.get(name, -1), "typrelid": 0, "typelem": 0, "typbasetype": 0,
            "typtypmod": -1, "typnotnull": False, "typisdefined": True, "typndims": 0,
        }  # fmt: skip


def _users(session: Session) -> Iterator[dict[str, Any]]:
    catalog = session.catalog
    made = sorted(name for kind, name in catalog.principals if kind == "user")
    for place, name in enumerate(
        dict.fromkeys(("" if session.user in made else session.user, *made))
    ):
        if name:
            there = catalog.users.get(name)
            free = name not in made or (there is not None and there.is_superuser)
            yield {
                "usename": name, "usesysid": OWNER if name == session.user else OWNER + place,
                "usecreatedb": free, "usesuper": free, "usecatupd": False, "passwd": "********",
            }  # fmt: skip


def _of_kind(views: bool, listed: Callable[[Session], list[Relation]] = _relations) -> _Rows:
    def rows(session: Session) -> Iterator[dict[str, Any]]:
        for relation in listed(session):
            if relation.is_view == views:
                owner = relation.attributes.get("owner") or _superuser(session)
                yield {
                    "schemaname": session.catalog.schema_of(relation), "tablename": relation.name,
                    "viewname": relation.name,
                    "tableowner": owner, "viewowner": owner,
                    "table_catalog": DATABASE,
                    "table_schema": session.catalog.schema_of(relation), "hasindexes": False,
                    "hasrules": relation.is_view, "hastriggers": False,
                    "table_name": relation.name,
                }  # fmt: skip

    return rows


def _superuser(session: Session) -> str | None:
    """The user whose everything is that nobody made; NULL for those who do not know the name."""
    return session.user if session.catalog.access is None else None


def _privileges(session: Session) -> Iterator[dict[str, Any]]:
    """What is granted on relations, one row a privilege and grantee."""
    for relation in _visible(session):
        for one in Granted.of(relation.attributes):
            kind, name = one.grantee
            yield {
                "namespace_name": relation.schema, "relation_name": relation.name,
                "privilege_type": one.privilege.upper(), "identity_id": 0 if kind == "public" else OWNER,
                "identity_name": "public" if kind == "public" else name, "identity_type": kind,
                "admin_option": one.option, "is_grantable": "YES" if one.option else "NO",
                "grantee": "public" if kind == "public" else name, "table_catalog": DATABASE,
                "grantor": relation.attributes.get("owner") or _superuser(session),
                "table_schema": relation.schema, "table_name": relation.name,
            }  # fmt: skip


def _filled(session: Session) -> Iterator[dict[str, Any]]:
    """The tables that have rows: SVV_TABLE_INFO leaves the empty ones out."""
    for relation in _visible(session):
        if relation.is_view or relation.schema is None:
            continue
        ((rows,),) = session.connection.execute(f"SELECT count(*) FROM {relation.sql}").fetchall()
        keys = relation.attributes.get("sortkey") or []
        if rows:
            yield {
                "database": DATABASE, "schema": relation.schema, "table_id": _number(relation),
                "table": relation.name, "diststyle": _diststyle(relation), "tbl_rows": rows,
                "sortkey1": next(iter(keys), None), "sortkey_num": len(keys),
                "sortkey1_enc": "none" if keys else None, "encoded": "N", "empty": 0,
                "max_varchar": max((c.type.length for c in relation.columns), default=0),
                "estimated_visible_rows": rows,
            }  # fmt: skip


def _tables(session: Session) -> Iterator[dict[str, Any]]:
    for relation in _visible(session):
        yield {
            "database_name": DATABASE, "schema_name": session.catalog.schema_of(relation),
            "table_name": relation.name,
            "table_owner": relation.attributes.get("owner") or _superuser(session),
            "table_type": "VIEW" if relation.is_view else "TABLE",
            "remarks": relation.attributes.get("comment"),
        }  # fmt: skip


def _depends(session: Session) -> Iterator[dict[str, Any]]:
    """Which view reads which relation."""
    by_name = {str(relation): relation for relation in _relations(session)}
    for relation in by_name.values():
        for read in relation.attributes.get("reads", []):
            if read in by_name:
                yield {
                    "classid": oid("pg_class"), "objid": _number(relation), "objsubid": 0,
                    "refclassid": oid("pg_class"), "refobjid": _number(by_name[read]),
                    "refobjsubid": 0, "deptype": "n",
                }  # fmt: skip


def _unbound(session: Session) -> Iterator[dict[str, Any]]:
    """The columns of late-binding views."""
    lookup = session.compiler().lookup
    for relation in _relations(session):
        if "unbound" not in relation.attributes:
            continue
        try:
            columns = lookup(relation.schema, relation.name).columns
        except RedshiftError:  # what it reads is not there now: it has no columns
            continue
        for place, (name, type_) in enumerate(columns, 1):
            yield {
                "view_schema": relation.schema, "view_name": relation.name, "col_name": name,
                "col_type": format_type(type_), "col_num": place,
            }  # fmt: skip


VIEWS: dict[str, tuple[Shape, _Rows]] = {
    "information_schema.schemata": (_texts("catalog_name", "schema_name"), _schemas),
    "information_schema.views": (
        (*_texts("table_catalog", "table_schema", "table_name"), ("view_definition", _LONG)),
        _of_kind(True, _visible),
    ),
    "information_schema.role_table_grants": (
        _texts("grantor", "grantee", "table_catalog", "table_schema", "table_name", "privilege_type"),
        _privileges,
    ),
    "svv_relation_privileges": (
        (
            *_texts("namespace_name", "relation_name", "privilege_type"), ("identity_id", INTEGER),
            *_texts("identity_name", "identity_type"), ("admin_option", BOOLEAN),
        ),
        _privileges,
    ),
    "pg_attribute": (
        (
            ("attrelid", INTEGER), ("attname", _TEXT), ("atttypid", INTEGER), ("attnum", SMALLINT),
            ("atttypmod", INTEGER), ("attnotnull", BOOLEAN), ("atthasdef", BOOLEAN),
            ("attisdropped", BOOLEAN), ("attisdistkey", BOOLEAN), ("attsortkeyord", INTEGER),
            ("attlen", SMALLINT), ("attencodingtype", SMALLINT),
        ),
        _attributes,
    ),
    "pg_class": (
        (
            ("oid", INTEGER), ("relname", _TEXT), ("relnamespace", INTEGER), ("relowner", INTEGER),
            ("relkind", _TEXT), ("relnatts", SMALLINT), ("relhasindex", BOOLEAN),
            ("relhasrules", BOOLEAN), ("relhaspkey", BOOLEAN), ("reldiststyle", SMALLINT),
            ("relacl", RIGHTS),
        ),
        _classes,
    ),
    "pg_attrdef": (
        (("adrelid", INTEGER), ("adnum", SMALLINT), ("adbin", _LONG), ("adsrc", _LONG)),
        _of_each(client_details.defaults),
    ),
    "pg_constraint": (
        (
            ("oid", INTEGER), ("conname", _TEXT), ("connamespace", INTEGER), ("contype", _TEXT),
            ("condeferrable", BOOLEAN), ("condeferred", BOOLEAN), ("conrelid", INTEGER),
            ("confrelid", INTEGER), ("conkey", SHORTS), ("confkey", SHORTS),
        ),
        _of_each(client_details.constraints),
    ),
    "pg_depend": (
        (
            ("classid", INTEGER), ("objid", INTEGER), ("objsubid", INTEGER),
            ("refclassid", INTEGER), ("refobjid", INTEGER), ("refobjsubid", INTEGER),
            ("deptype", _TEXT),
        ),
        _depends,
    ),
    "pg_description": (
        (("objoid", INTEGER), ("classoid", INTEGER), ("objsubid", INTEGER), ("description", _LONG)),
        _of_each(client_details.descriptions),
    ),
    "pg_get_late_binding_view_cols": (
        (*_texts("view_schema", "view_name", "col_name", "col_type"), ("col_num", INTEGER)),
        _unbound,
    ),
    "pg_namespace": (
        (("oid", INTEGER), ("nspname", _TEXT), ("nspowner", INTEGER), ("nspacl", RIGHTS)),
        _schemas,
    ),
    "pg_proc": ((("oid", INTEGER), ("proname", _TEXT), ("pronamespace", INTEGER)), _nothing),
    "pg_rewrite": ((("oid", INTEGER), ("rulename", _TEXT), ("ev_class", INTEGER)), _nothing),
    "pg_tables": (_texts("schemaname", "tablename", "tableowner"), _of_kind(False)),
    "pg_type": (
        (
            ("oid", INTEGER), ("typname", _TEXT), ("typnamespace", INTEGER), ("typlen", SMALLINT),
            ("typtype", _TEXT), ("typrelid", INTEGER), ("typelem", INTEGER), ("typnotnull", BOOLEAN),
            ("typbasetype", INTEGER), ("typtypmod", INTEGER), ("typdefault", _TEXT),
        ),
        _types,
    ),
    "pg_user": (
        (
            ("usename", _TEXT), ("usesysid", INTEGER), ("usecreatedb", BOOLEAN),
            ("usesuper", BOOLEAN),
        ),
        _users,
    ),
    "pg_views": (
        (*_texts("schemaname", "viewname", "viewowner"), ("definition", _LONG)), _of_kind(True),
    ),
    "svv_all_schemas": (
        (*_texts("database_name", "schema_name"), ("schema_owner", INTEGER), ("schema_type", _TEXT)),
        _schemas,
    ),
    "svv_all_tables": (
        _texts("database_name", "schema_name", "table_name", "table_type", "table_acl", "remarks"),
        _tables,
    ),
    "svv_external_columns": (
        (
            *_texts("schemaname", "tablename", "columnname", "external_type"),
            ("columnnum", INTEGER), ("part_key", INTEGER), ("is_nullable", _TEXT),
        ),
        _nothing,
    ),
    "svv_external_schemas": (
        (
            ("esoid", INTEGER), ("eskind", SMALLINT), ("schemaname", _TEXT), ("esowner", INTEGER),
            ("databasename", _TEXT), ("esoptions", _TEXT),
        ),
        _nothing,
    ),
    "svv_external_tables": (_texts("schemaname", "tablename", "tabletype", "location"), _nothing),
    "pg_database": (
        (
            ("oid", INTEGER), ("datname", _TEXT), ("datdba", INTEGER), ("encoding", INTEGER),
            ("datistemplate", BOOLEAN), ("datallowconn", BOOLEAN), ("datlastsysoid", INTEGER),
            ("datvacuumxid", INTEGER), ("datfrozenxid", INTEGER), ("dattablespace", INTEGER),
            ("datconfig", _TEXT), ("datacl", RIGHTS),
        ),
        _databases,
    ),
    "svv_redshift_databases": (
        (("database_name", _TEXT), ("database_owner", INTEGER), ("database_type", _TEXT)),
        _databases,
    ),
    "svv_redshift_schemas": (
        (*_texts("database_name", "schema_name"), ("schema_owner", INTEGER)), _schemas,
    ),
    "svv_redshift_tables": (
        _texts("database_name", "schema_name", "table_name", "table_type"), _tables,
    ),
    "svv_table_info": (
        (
            *_texts("database", "schema"), ("table_id", INTEGER),
            *_texts("table", "encoded", "diststyle", "sortkey1"), ("size", BIGINT),
            ("tbl_rows", decimal(38, 0)),
        ),
        _filled,
    ),
}  # fmt: skip
