"""The carried types' names in Redshift, DuckDB and Arrow. MySQL's are in `mysql_types`.

One row a kind: what Redshift calls it is what a cast in a select may say, what DuckDB and Arrow call
it is what Parquet is written with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.errors import TypeRefused
from orderhe_dagster.catalog.mysql_types import (
    DECIMAL_DIGITS,
    REDSHIFT_SCALE,
    VARBYTE_BYTES,
    VARCHAR_BYTES,
    number,
)
from orderhe_dagster.catalog.table import ColumnType, Kind

if TYPE_CHECKING:
    import pyarrow as pa


KIND_NAMES = (
    "boolean, smallint, integer, bigint, decimal(p, s), real, double precision, date, timestamp, "
    "varchar(n), varbyte(n)"
)
_REDSHIFT: dict[str, Kind] = {
    "boolean": "boolean",
    "bool": "boolean",
    "smallint": "smallint",
    "int2": "smallint",
    "int": "integer",
    "integer": "integer",
    "int4": "integer",
    "bigint": "bigint",
    "int8": "bigint",
    "decimal": "decimal",
    "numeric": "decimal",
    "real": "real",
    "float4": "real",
    "double": "double",
    "double precision": "double",
    "float": "double",
    "float8": "double",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp without time zone": "timestamp",
    "varchar": "varchar",
    "character varying": "varchar",
    "nvarchar": "varchar",
    "text": "varchar",
    "varbyte": "varbyte",
    "varbinary": "varbyte",
    "binary varying": "varbyte",
}
_REDSHIFT_REFUSED = {
    "char": "char pads with blanks; write varchar(n)",
    "nchar": "char pads with blanks; write varchar(n)",
    "bpchar": "char pads with blanks; write varchar(n)",
    "tinyint": "Redshift has no tinyint; write smallint",
    "timestamptz": "write convert_timezone('UTC', …)::timestamp: the column is then in UTC",
    "time": "write it as text, to_char(…)::varchar(17)",
    "timetz": "write it as text, to_char(…)::varchar(17)",
    "super": "write json_serialize(…)::varchar(65535)",
    "interval": "write a number with its unit in the column's name, e.g. …_seconds",
}


def redshift_type(name: str, arguments: Sequence[str] = ()) -> ColumnType:
    """The carried type of a Redshift cast: `redshift_type("varchar", ["20"])`; lengths are bytes."""
    word = " ".join(name.lower().split())
    declared = f"{word}({', '.join(arguments)})".lower() if arguments else word
    kind = _REDSHIFT.get(word)
    if kind is None:
        remedy = _REDSHIFT_REFUSED.get(word, f"write one of {KIND_NAMES}")
        raise TypeRefused(f"{declared} is not carried: {remedy}")
    if kind == "decimal":
        if not arguments:
            raise TypeRefused(
                "decimal without digits is decimal(18, 0) in Redshift, which drops the fraction; "
                "write decimal(precision, scale)"
            )
        carried = _decimal(arguments)
        if carried.scale > REDSHIFT_SCALE:
            raise TypeRefused(
                f"{declared} is no type of Redshift: {REDSHIFT_SCALE} digits at most behind the point"
            )
        return replace(carried, declared=declared)
    if kind in ("varchar", "varbyte"):
        wide = not arguments or arguments[0].lower() == "max"
        longest = VARCHAR_BYTES if kind == "varchar" else VARBYTE_BYTES
        length = VARCHAR_BYTES if wide else _length(arguments[0], declared, longest)
        return ColumnType(kind, length=length, declared=declared)
    if kind == "timestamp" and arguments:
        raise TypeRefused(f"{declared} is no type of Redshift; write timestamp")
    return ColumnType(kind, declared=declared)


def _length(text: str, declared: str, longest: int) -> int:
    if not re.fullmatch(r"[0-9]{1,7}", text) or not 0 < int(text) <= longest:
        raise TypeRefused(f"{declared} is not carried: its length is 1 to {longest} bytes")
    return int(text)


def _decimal(arguments: Sequence[str]) -> ColumnType:
    precision = number(arguments[0], 0, 999)
    scale = number(arguments[1], 0, 999) if len(arguments) > 1 else 0
    if not 0 < precision <= DECIMAL_DIGITS or not 0 <= scale <= precision:
        raise TypeRefused(
            f"decimal({precision}, {scale}) is not carried: Redshift holds {DECIMAL_DIGITS} digits, "
            "and no more behind the point than in all; write decimal(38, s)"
        )
    return ColumnType("decimal", precision=precision, scale=scale)


def redshift_text(kind: ColumnType) -> str:
    """The type as Redshift DDL writes it, e.g. `varchar(20)`."""
    if kind.kind == "decimal":
        return f"decimal({kind.precision}, {kind.scale})"
    if kind.kind in ("varchar", "varbyte"):
        return f"{kind.kind}({kind.length})"
    return "double precision" if kind.kind == "double" else kind.kind


def duckdb_text(kind: ColumnType) -> str:
    """The type as DuckDB writes it, e.g. `varchar`: DuckDB's text has no length."""
    if kind.kind == "decimal":
        return f"decimal({kind.precision}, {kind.scale})"
    return {"varbyte": "blob", "real": "float"}.get(kind.kind, kind.kind)


_ARROW = {
    "boolean": "bool",
    "smallint": "int16",
    "integer": "int32",
    "bigint": "int64",
    "real": "float",
    "double": "double",
    "date": "date32[day]",
    "timestamp": "timestamp[us]",
    "varchar": "string",
    "varbyte": "binary",
}


def arrow_text(kind: ColumnType) -> str:
    """The Arrow type that Parquet is written with, as pyarrow prints it, e.g. `decimal128(10, 2)`."""
    if kind.kind == "decimal":
        return f"decimal128({kind.precision}, {kind.scale})"
    return _ARROW[kind.kind]


def arrow_type(kind: ColumnType) -> pa.DataType:
    """The Arrow type that holds a column's values, as pyarrow's own object."""
    import pyarrow as pa

    if kind.kind == "decimal":
        return pa.decimal128(kind.precision, kind.scale)
    return pa.type_for_alias(_ARROW[kind.kind])
