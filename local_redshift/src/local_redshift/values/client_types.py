"""Types as PostgreSQL's catalogue has them: numbers, names, sizes, modifiers. What a type means: `types`."""

from __future__ import annotations

from local_redshift.values.types import Type

TYPES = {
    "boolean": (16, "bool"), "smallint": (21, "int2"), "integer": (23, "int4"),
    "bigint": (20, "int8"), "real": (700, "float4"), "double": (701, "float8"),
    "decimal": (1700, "numeric"), "varchar": (1043, "varchar"), "char": (1042, "bpchar"),
    "date": (1082, "date"), "timestamp": (1114, "timestamp"), "timestamptz": (1184, "timestamptz"),
    "time": (1083, "time"), "timetz": (1266, "timetz"), "varbyte": (6551, "varbyte"),
    "super": (4000, "super"),
}  # fmt: skip
"""The numbers and names that PostgreSQL's catalogue has for types."""
SIZES = {
    "bool": 1, "int2": 2, "int4": 4, "int8": 8, "float4": 4, "float8": 8, "date": 4,
    "timestamp": 8, "timestamptz": 8, "time": 8, "timetz": 12,
}  # fmt: skip
"""Their bytes, where every value has as many."""


def modifier(type_: Type) -> int:
    """PostgreSQL's atttypmod: a length or precision and scale, and 4; -1 where there is none."""
    if type_.kind == "decimal":
        return ((type_.precision << 16) | type_.scale) + 4
    return type_.length + 4 if type_.length else -1


def format_type(type_: Type) -> str:
    """A type as pg_catalog's format_type writes it."""
    if type_.kind == "decimal":
        return f"numeric({type_.precision},{type_.scale})"
    name = {
        "varchar": "character varying", "char": "character", "double": "double precision",
        "time": "time without time zone", "timetz": "time with time zone",
        "timestamp": "timestamp without time zone", "timestamptz": "timestamp with time zone",
        "varbyte": "binary varying",
    }.get(type_.kind, type_.kind)  # fmt: skip
    return f"{name}({type_.length})" if type_.length else name
