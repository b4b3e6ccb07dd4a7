"""The system views: their columns, and where their rows come from. What tables there are: `catalog`.

A view is one line of `VIEWS`: its columns, and a function that gives a session's facts, one mapping a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local_redshift.database.session import Session
from local_redshift.errors import refuse
from local_redshift.read.dialect import quote, string
from local_redshift.values.catalog import DATABASE, Relation
from local_redshift.values.client_types import TYPES
from local_redshift.values.scope import Columns
from local_redshift.values.types import BOOLEAN, INTEGER, varchar
from local_redshift.views import client_views, documented, load_views, session_views

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class View:
    """A system view. What `rows` leaves out of a row is NULL; what it names beyond `columns` is dropped.

    The columns are those that are known here; `documented` has the others.
    """

    columns: Columns
    rows: Callable[[Session], Iterable[Facts]]


def lookup(session: Session, schema: str | None, name: str) -> tuple[str, Columns] | None:
    """A system view's rows as DuckDB text, and its columns; None where the name is nobody's."""
    if schema not in (None, "information_schema", "pg_catalog"):
        return None
    shown = f"{schema}.{name}" if schema == "information_schema" else name
    view = VIEWS.get(shown)
    if view is None:
        if name.startswith(("svv_", "sys_", "stl_", "stv_", "svl_", "pg_")) or schema:
            have = ", ".join(sorted(VIEWS))
            raise refuse(f"the system view {shown}", f"there are: {have}")
        return None
    columns = documented.columns(shown, view.columns)
    rows = [[facts.get(column) for column, _ in columns] for facts in view.rows(session)]
    return table(rows, columns), columns


def _tables(session: Session) -> Iterable[Facts]:
    for relation in _visible(session):
        yield _table_facts(session, relation)


def _columns(session: Session) -> Iterable[Facts]:
    for relation in _visible(session):
        yield from column_facts(session, relation)


def _columns_on_the_path(session: Session) -> Iterable[Facts]:
    """The columns of what is found by its bare name alone: PG_TABLE_DEF shows no others."""
    path = (None, *session.catalog.search_path)
    for relation in _visible(session):
        if relation.schema in path:
            yield from column_facts(session, relation)


def _visible(session: Session) -> list[Relation]:
    catalog = session.catalog
    return [relation for relation in catalog.relations.values() if catalog.visible(relation)]


def _table_facts(session: Session, relation: Relation) -> dict[str, Any]:
    schema, name = session.catalog.schema_of(relation), relation.name
    word = "VIEW" if relation.is_view else "BASE TABLE"
    return {
        "table_catalog": DATABASE, "database_name": DATABASE, "table_schema": schema,
        "schema_name": schema, "table_name": name, "table_type": word,
        "remarks": relation.attributes.get("comment"),
    }  # fmt: skip


def column_facts(session: Session, relation: Relation) -> list[dict[str, Any]]:
    """What is known of each column, under the names that the views have for it."""
    facts = []
    about = _table_facts(session, relation)
    comments = relation.attributes.get("comments", {})
    for place, column in enumerate(relation.columns, 1):
        type_ = column.type
        word = _WORDS.get(type_.kind, type_.kind)
        sizes = f"({type_.length})" if type_.length else str(type_).removeprefix("decimal")
        exact = type_.kind == "decimal"
        facts.append(
            {
                **about,
                "remarks": comments.get(column.name),
                "column_name": column.name,
                "ordinal_position": place,
                "column_default": column.default,
                "is_nullable": "YES" if column.nullable else "NO",
                "data_type": word,
                "character_maximum_length": type_.length or None,
                "numeric_precision": type_.precision if exact else _BITS.get(type_.kind),
                "numeric_precision_radix": 10 if exact else 2 if type_.kind in _BITS else None,
                "numeric_scale": type_.scale if exact else 0 if type_.is_integer else None,
                "udt_catalog": DATABASE,
                "udt_schema": "pg_catalog",
                "udt_name": TYPES.get(type_.kind, (0, type_.kind))[1],
                "dtd_identifier": str(place),
                "schemaname": about["schema_name"],
                "tablename": relation.name,
                "column": column.name,
                "type": word + sizes if type_.length or exact else word,
                "encoding": "none",
                "distkey": relation.attributes.get("distkey") == column.name,
                "sortkey": _sort_place(relation, column.name),
                "notnull": not column.nullable,
            }
        )
    return facts


def _sort_place(relation: Relation, column: str) -> int:
    keys = relation.attributes.get("sortkey") or []
    return keys.index(column) + 1 if column in keys else 0


_BITS = {"smallint": 16, "integer": 32, "bigint": 64, "real": 24, "double": 53}
_WORDS = {
    "varchar": "character varying",
    "char": "character",
    "decimal": "numeric",
    "double": "double precision",
    "time": "time without time zone",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "varbyte": "binary varying",
}
_TEXT = varchar(256)
_COLUMN_NAMES: Columns = (
    ("table_catalog", _TEXT), ("table_schema", _TEXT), ("table_name", _TEXT),
    ("column_name", _TEXT), ("ordinal_position", INTEGER), ("column_default", _TEXT),
    ("is_nullable", _TEXT), ("data_type", _TEXT), ("character_maximum_length", INTEGER),
    ("numeric_precision", INTEGER), ("numeric_scale", INTEGER),
)  # fmt: skip
_TABLE_NAMES: Columns = tuple(
    (column, _TEXT) for column in ("table_catalog", "table_schema", "table_name", "table_type")
)
VIEWS: dict[str, View] = {
    **{name: View(*view) for name, view in session_views.VIEWS.items()},
    **{name: View(*view) for name, view in client_views.VIEWS.items()},
    "information_schema.columns": View(_COLUMN_NAMES, _columns),
    "information_schema.tables": View(_TABLE_NAMES, _tables),
    "pg_table_def": View(
        (
            ("schemaname", _TEXT), ("tablename", _TEXT), ("column", _TEXT), ("type", _TEXT),
            ("encoding", _TEXT), ("distkey", BOOLEAN), ("sortkey", INTEGER), ("notnull", BOOLEAN),
        ),
        _columns_on_the_path,
    ),
    "stl_load_commits": View(load_views.STL_LOAD_COMMITS, load_views.load_files),
    "stl_load_errors": View(load_views.STL_LOAD_ERRORS, load_views.errors),
    "stl_unload_log": View(load_views.STL_UNLOAD_LOG, load_views.unload_files),
    "sys_load_error_detail": View(load_views.SYS_LOAD_ERROR_DETAIL, load_views.errors),
    "sys_load_history": View(load_views.SYS_LOAD_HISTORY, load_views.loads),
    "sys_unload_history": View(load_views.SYS_UNLOAD_HISTORY, load_views.unloads),
    "svv_all_columns": View(
        (("database_name", _TEXT), ("schema_name", _TEXT), *_COLUMN_NAMES[2:]), _columns
    ),
    "svv_columns": View(_COLUMN_NAMES, _columns),
    "svv_redshift_columns": View(
        (("database_name", _TEXT), ("schema_name", _TEXT), *_COLUMN_NAMES[2:8]), _columns
    ),
    "svv_tables": View(_TABLE_NAMES, _tables),
}  # fmt: skip


def table(rows: list[list[Any]], shape: Columns) -> str:
    """A table of literals as a subquery, typed even when it is empty."""
    filled = [at for at in range(len(shape)) if any(row[at] is not None for row in rows)] or [0]
    names = ", ".join(quote(shape[at][0]) for at in filled)
    nothing = ", ".join(f"CAST(NULL AS {shape[at][1].carrier})" for at in filled)
    tuples = [f"({', '.join(_literal(row[at]) for at in filled)})" for row in rows]
    body = f" UNION ALL VALUES {', '.join(tuples)}" if tuples else ""
    # Beside a literal, a smallint becomes an integer.
    cast = ", ".join(
        f"CAST({quote(name) if at in filled else 'NULL'} AS {type_.carrier}) {quote(name)}"
        for at, (name, type_) in enumerate(shape)
    )
    return f'(SELECT {cast} FROM (SELECT {nothing} WHERE false{body}) AS "_v"({names}))'


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"TIMESTAMP {string(value.replace(tzinfo=None).isoformat(' '))}"
    return str(value) if isinstance(value, int) else string(str(value))
