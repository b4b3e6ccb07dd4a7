"""COPY of Parquet: one DuckDB statement that loads every file, after all were found fit.

As strict as Redshift about shapes, physical types and sizes. Where the files are: `copy`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from local_redshift.copy.options import Copy
from local_redshift.database.load_errors import scan_error
from local_redshift.errors import raising, refuse
from local_redshift.read.dialect import quote, string
from local_redshift.values.catalog import Column
from local_redshift.values.types import Type

MAX_ROW_BYTES = 4 * 1024 * 1024
_Leaf = Sequence[Any]  # name, physical, converted, logical, scale, precision, children


def parquet_statement(copy: Copy, files: Sequence[tuple[str, str]], connection: Any) -> str:
    """The INSERT of the files, given as (address, local path). One that is given twice is loaded twice."""
    addresses = {local: address for address, local in files}
    schemas = _schemas(addresses, connection)
    groups: dict[tuple[Any, ...], list[str]] = {}
    for address, local in files:
        leaves = schemas[local]
        _check(copy, address, leaves)
        groups.setdefault(tuple(tuple(leaf) for leaf in leaves), []).append(local)
    selects = [_select(copy, len(leaves), members) for leaves, members in groups.items()]
    listed = ", ".join(quote(column.name) for column in copy.columns)
    return f"INSERT INTO {copy.table.sql} ({listed}) " + " UNION ALL ".join(selects)


def _select(copy: Copy, width: int, files: list[str]) -> str:
    inner = [f"c{place}" for place in range(width)]
    values = [
        checked(f'"_f"."{c}"', column) for c, column in zip(inner, copy.columns, strict=False)
    ]
    values += [f"CAST(NULL AS {column.type.carrier})" for column in copy.columns[width:]]
    source = f"(SELECT * FROM read_parquet({_listed(files)}, hive_partitioning = false))"
    return (
        f'SELECT {", ".join(values)} FROM {source} AS "_f"({", ".join(inner)})'
        f"{_small_rows(copy.columns[:width], inner)}"
    )


def _small_rows(columns: Sequence[Column], inner: list[str]) -> str:
    """Rows over 4 MB fail; only tables with many wide columns can hold such."""
    texts = [
        (f'"_f"."{c}"', column)
        for c, column in zip(inner, columns, strict=True)
        if column.type.length
    ]
    if sum(column.type.length for _, column in texts) <= MAX_ROW_BYTES:
        return ""
    size = " + ".join(f"coalesce({_size(sql, column.type)}, 0)" for sql, column in texts)
    words = string("Spectrum Scan Error: a row is larger than the 4 MB that COPY can load")
    failing = raising("XX000", words)
    return (
        f" WHERE CASE WHEN {size} <= {MAX_ROW_BYTES} THEN true ELSE CAST({failing} AS BOOLEAN) END"
    )


def _listed(files: Iterable[str]) -> str:
    return "[" + ", ".join(map(string, files)) + "]"


def _size(sql: str, type_: Type) -> str:
    return f"octet_length({sql})" if type_.kind == "varbyte" else f"strlen({sql})"


def checked(sql: str, column: Column) -> str:
    """The value of a column of a file as the table holds it; longer texts are an error."""
    type_ = column.type
    if not type_.length:
        return f"CAST({sql} AS {type_.carrier})"
    size = _size(sql, type_)
    words = (
        f"Spectrum Scan Error; code: 15007; context: The length of the data column {column.name} is "
        f"longer than the length defined in the table. Table: {type_.length}, Data: "
    )
    failing = raising("XX000", f"{string(words)} || {size}")
    return f"(CASE WHEN {sql} IS NULL OR {size} <= {type_.length} THEN {sql} ELSE {failing} END)"


def _schemas(addresses: dict[str, str], connection: Any) -> dict[str, list[_Leaf]]:
    """The leaves of every file, without the root."""
    try:
        rows = connection.execute(
            "SELECT file_name, name, type, converted_type, logical_type, scale, precision, "
            f"num_children FROM parquet_schema({_listed(addresses)})"
        ).fetchall()
    except Exception as error:
        raise scan_error(f"not a Parquet file: {str(error)[:300]}", 15001) from None
    schemas: dict[str, list[_Leaf]] = {}
    for file, *leaf in rows:
        schemas.setdefault(file, []).append(leaf)
    return {file: leaves[1:] for file, leaves in schemas.items()}


def _check(copy: Copy, address: str, leaves: list[_Leaf]) -> None:
    """The file has the table's columns, in its order, of its physical types."""
    few = len(leaves) < len(copy.columns) and copy["fillrecord"]
    if len(leaves) != len(copy.columns) and not few:
        raise scan_error(
            "Unmatched number of columns between table and file. Table columns: "
            f"{len(copy.columns)}, Data columns: {len(leaves)}, File name: {address}"
        )
    for column, leaf in zip(copy.columns, leaves, strict=False):
        if column.type.kind == "super":
            raise refuse("COPY into a super column", "load a varchar column and use json_parse")
        if column.type.kind in ("char", "time"):
            raise refuse(
                f"COPY of Parquet into a {column.type.kind} column",
                "load a varchar column and cast it",
            )
        if not fits(column.type, leaf):
            raise scan_error(
                f"File '{address}' has an incompatible Parquet schema for column "
                f"'{copy.table}.{column.name}'. Column type: {column.type}, "
                f"Parquet schema: {_say(leaf)}"
            )


def _say(leaf: _Leaf) -> str:
    name, physical, converted, logical, scale, precision, _ = leaf
    more = f" {converted}" if converted else ""
    more += f"({precision},{scale})" if converted == "DECIMAL" else f" {logical}" if logical else ""
    return f"{physical} {name}{more}"


_PLAIN = {"boolean": "BOOLEAN", "real": "FLOAT", "double": "DOUBLE"}
_WHOLE = {
    "smallint": ("INT32", (None, "INT_16", "INT_8", "INT_32")),
    "integer": ("INT32", (None, "INT_32", "INT_16", "INT_8")),
    "bigint": ("INT64", (None, "INT_64")),
}


def fits(type_: Type, leaf: _Leaf) -> bool:
    """Whether a Parquet column can be loaded into a column of this type: physically, no casts."""
    _, physical, converted, logical, scale, precision, children = leaf
    logical = str(logical or "")
    if children:
        return False
    if type_.kind in ("timestamp", "varchar", "char", "varbyte"):
        return _logically_fits(type_, physical, converted, logical)
    if type_.kind in _PLAIN:
        return bool(physical == _PLAIN[type_.kind]) and converted is None
    if type_.kind in _WHOLE:
        carrier, marks = _WHOLE[type_.kind]
        return physical == carrier and converted in marks and "Timestamp" not in logical
    if type_.kind == "decimal":
        return bool(converted == "DECIMAL" and (precision, scale) == (type_.precision, type_.scale))
    return bool(type_.kind == "date" and physical == "INT32" and converted == "DATE")


def _logically_fits(type_: Type, physical: Any, converted: Any, logical: str) -> bool:
    """`fits` of moments, texts and bytes: what they are is said by a converted or a logical type."""
    if type_.kind == "timestamp":
        exact = converted in ("TIMESTAMP_MICROS", "TIMESTAMP_MILLIS") or (
            "Timestamp" in logical and "NANOS" not in logical.upper()
        )
        return bool(physical == "INT96" or (physical == "INT64" and exact))
    if physical != "BYTE_ARRAY":
        return False
    if type_.kind == "varbyte":
        return not converted and not logical
    return bool(converted == "UTF8" or "String" in logical)
