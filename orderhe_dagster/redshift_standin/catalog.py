"""What tables there are: Redshift's types and attributes, kept as comments on the tables of the DuckDB file.

A comment lives and dies, and is rolled back, with its table. System views are answered from here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from orderhe_dagster.redshift_standin.dialect import quote, string
from orderhe_dagster.redshift_standin.errors import RedshiftError, refuse
from orderhe_dagster.redshift_standin.scope import Columns
from orderhe_dagster.redshift_standin.types import (
    BOOLEAN,
    INTEGER,
    Type,
    from_carrier,
    parse_type,
    varchar,
)

DATABASE = "dev"
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
    def sql(self) -> str:
        """Its full name in DuckDB."""
        return path(self.schema, self.name)

    @property
    def shape(self) -> Columns:
        """Names and types."""
        return tuple((column.name, column.type) for column in self.columns)

    def __str__(self) -> str:
        return self.name if self.schema is None else f"{self.schema}.{self.name}"


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


class Catalog:
    """The schemas and relations of an open connection, read once and again after each change."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._schemas: set[str] | None = None
        self._relations: dict[tuple[str | None, str], Relation] = {}
        self.search_path: tuple[str, ...] = ("public",)

    def forget(self) -> None:
        """Read again at the next question: something was made, changed, dropped or rolled back."""
        self._schemas = None

    @property
    def schemas(self) -> set[str]:
        """The schemas a user sees."""
        if self._schemas is None:
            self._read()
        return self._schemas or set()

    @property
    def relations(self) -> dict[tuple[str | None, str], Relation]:
        """Tables and views by (schema, name); schema None: temporary."""
        if self._schemas is None:
            self._read()
        return self._relations

    def _read(self) -> None:
        run = self._connection.execute
        names = run(
            "SELECT schema_name FROM duckdb_schemas() "
            f"WHERE database_name = '{DATABASE}' AND NOT internal"
        ).fetchall()
        self._schemas = {name for (name,) in names if name not in _HIDDEN}
        columns: dict[tuple[str, str, str], list[Any]] = {}
        for database, schema, table, *column in run(
            "SELECT database_name, schema_name, table_name, column_name, data_type, is_nullable, "
            "column_default FROM duckdb_columns() WHERE NOT internal "
            f"AND database_name IN ('{DATABASE}', 'temp') ORDER BY column_index"
        ).fetchall():
            columns.setdefault((database, schema, table), []).append(column)
        self._relations = {}
        for word in ("table", "view"):
            for database, schema, name, text in run(
                f"SELECT database_name, schema_name, {word}_name, comment FROM duckdb_{word}s() "
                f"WHERE NOT internal AND database_name IN ('{DATABASE}', 'temp')"
            ).fetchall():
                if database == DATABASE and schema in _HIDDEN:
                    continue
                owner = None if database == "temp" else schema
                said = json.loads(text) if text else {}
                types = said.pop("columns", {})
                found = tuple(
                    Column(
                        column,
                        parse_type(types[column]) if column in types else from_carrier(carrier),
                        nullable,
                        default,
                    )
                    for column, carrier, nullable, default in columns[database, schema, name]
                )
                self._relations[owner, name] = Relation(owner, name, found, word == "view", said)

    def find(self, schema: str | None, name: str) -> Relation | None:
        """The relation that a name means, or None. Without a schema: temporary, then the path."""
        if schema is not None:
            return self.relations.get((schema, name))
        for candidate in (None, *self.search_path):
            if (candidate, name) in self.relations:
                return self.relations[candidate, name]
        return None

    def get(self, schema: str | None, name: str) -> Relation:
        """The relation that a name means; RedshiftError 42P01 when there is none."""
        found = self.find(schema, name)
        if found is not None:
            return found
        if schema is not None and schema not in self.schemas:
            raise RedshiftError("3F000", f'schema "{schema}" does not exist')
        shown = name if schema is None else f"{schema}.{name}"
        raise RedshiftError("42P01", f'relation "{shown}" does not exist')

    def table(self, schema: str | None, name: str) -> Relation:
        """The table of that name; a view is an error."""
        found = self.get(schema, name)
        if found.is_view:
            raise RedshiftError("42809", f'"{found}" is a view, not a table')
        return found

    def lookup(self, schema: str | None, name: str) -> tuple[str, Columns]:
        """A table's or system view's DuckDB text and columns, as the translator asks."""
        found = self.find(schema, name)
        if found is not None:
            return found.sql, found.shape
        if schema in (None, "information_schema", "pg_catalog"):
            view = self._system(schema, name)
            if view is not None:
                return view
        found = self.get(schema, name)
        return found.sql, found.shape

    def views_on(self, relation: Relation) -> list[str]:
        """The views that read a relation."""
        return sorted(
            str(view)
            for view in self.relations.values()
            if view.is_view and str(relation) in view.attributes.get("reads", [])
        )

    def _system(self, schema: str | None, name: str) -> tuple[str, Columns] | None:
        shown = f"{schema}.{name}" if schema == "information_schema" else name
        shape = _SYSTEM.get(shown)
        if shape is None:
            if name.startswith(("svv_", "sys_", "stl_", "stv_", "svl_", "pg_")) or schema:
                have = ", ".join(sorted(_SYSTEM))
                raise refuse(f"the system view {shown}", f"there are: {have}")
            return None
        relations = [r for r in self.relations.values() if r.schema is not None]
        make = (
            _column_facts
            if "column" in dict(shape) or "column_name" in dict(shape)
            else _table_facts
        )
        rows = [[facts.get(column) for column, _ in shape] for r in relations for facts in make(r)]
        return _values(rows, shape), shape


def _table_facts(relation: Relation) -> list[dict[str, Any]]:
    schema, name = relation.schema, relation.name
    word = "VIEW" if relation.is_view else "BASE TABLE"
    return [
        {
            "table_catalog": DATABASE, "database_name": DATABASE, "table_schema": schema,
            "schema_name": schema, "table_name": name, "table_type": word,
        }
    ]  # fmt: skip


def _column_facts(relation: Relation) -> list[dict[str, Any]]:
    facts = []
    for place, column in enumerate(relation.columns, 1):
        type_ = column.type
        word = _WORDS.get(type_.kind, type_.kind)
        sizes = f"({type_.length})" if type_.length else str(type_).removeprefix("decimal")
        exact = type_.kind == "decimal"
        facts.append(
            {
                **_table_facts(relation)[0],
                "column_name": column.name,
                "ordinal_position": place,
                "column_default": column.default,
                "is_nullable": "YES" if column.nullable else "NO",
                "data_type": word,
                "character_maximum_length": type_.length or None,
                "numeric_precision": type_.precision if exact else _BITS.get(type_.kind),
                "numeric_scale": type_.scale if exact else 0 if type_.kind in _BITS else None,
                "schemaname": relation.schema,
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


_BITS = {"smallint": 16, "integer": 32, "bigint": 64}
_WORDS = {
    "varchar": "character varying",
    "decimal": "numeric",
    "double": "double precision",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "varbyte": "binary varying",
}
_TEXT = varchar(256)
_COLUMNS: Columns = (
    ("table_catalog", _TEXT), ("table_schema", _TEXT), ("table_name", _TEXT),
    ("column_name", _TEXT), ("ordinal_position", INTEGER), ("column_default", _TEXT),
    ("is_nullable", _TEXT), ("data_type", _TEXT), ("character_maximum_length", INTEGER),
    ("numeric_precision", INTEGER), ("numeric_scale", INTEGER),
)  # fmt: skip
_TABLES: Columns = tuple(
    (column, _TEXT) for column in ("table_catalog", "table_schema", "table_name", "table_type")
)
_SYSTEM: dict[str, Columns] = {
    "svv_columns": _COLUMNS,
    "information_schema.columns": _COLUMNS,
    "svv_tables": _TABLES,
    "information_schema.tables": _TABLES,
    "svv_all_columns": (
        ("database_name", _TEXT), ("schema_name", _TEXT), *_COLUMNS[2:],
    ),
    "svv_redshift_columns": (
        ("database_name", _TEXT), ("schema_name", _TEXT), *_COLUMNS[2:8],
    ),
    "pg_table_def": (
        ("schemaname", _TEXT), ("tablename", _TEXT), ("column", _TEXT), ("type", _TEXT),
        ("encoding", _TEXT), ("distkey", BOOLEAN), ("sortkey", INTEGER), ("notnull", BOOLEAN),
    ),
}  # fmt: skip


def _values(rows: list[list[Any]], shape: Columns) -> str:
    """A table of literals as a subquery, typed even when it is empty."""
    names = ", ".join(quote(column) for column, _ in shape)
    nothing = ", ".join(f"CAST(NULL AS {type_.carrier})" for _, type_ in shape)
    made = [f"({', '.join(_literal(value) for value in row)})" for row in rows]
    body = f" UNION ALL VALUES {', '.join(made)}" if made else ""
    return f'(SELECT * FROM (SELECT {nothing} WHERE false{body}) AS "_v"({names}))'


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else string(str(value))
