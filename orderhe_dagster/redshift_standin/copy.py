"""COPY of Parquet, by manifest or of one object: as strict as Redshift about shapes, types and sizes.

All parts are loaded by one DuckDB statement. Where the bytes are is the engine's resolver's business.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orderhe_dagster.redshift_standin.catalog import Catalog, Column, Relation
from orderhe_dagster.redshift_standin.dialect import quote, string
from orderhe_dagster.redshift_standin.errors import RedshiftError, raising, refuse
from orderhe_dagster.redshift_standin.types import Type
from orderhe_dagster.redshift_standin.words import Words


@dataclass(frozen=True)
class Resolver:
    """Reads addresses (`s3://bucket/key`). Both raise FileNotFoundError where there is no object."""

    read: Callable[[str], bytes]
    local_path: Callable[[str], str]


@dataclass(frozen=True)
class Copy:
    """A COPY as read: the table, the columns that the files hold in order, and where they are."""

    table: Relation
    columns: tuple[Column, ...]
    address: str
    manifest: bool


_NOT_PARQUET_TEXT = """
    acceptanydate acceptinvchars blanksasnull bzip2 compupdate csv dateformat delimiter
    emptyasnull encoding escape explicit_ids fillblank fixedwidth gzip ignoreblanklines
    ignoreheader json lzop maxerror noload null readratio region removequotes roundec timeformat
    trimblanks truncatecolumns zstd
"""
_NOT_PARQUET = frozenset(_NOT_PARQUET_TEXT.split())


def read_copy(words: Words, catalog: Catalog) -> Copy:  # noqa: PLR0912 - one branch an option
    """COPY's text after the word itself."""
    schema, name = words.table()
    table = catalog.find(schema, name)
    if table is None or table.is_view:
        raise RedshiftError("XX000", f"Cannot COPY into nonexistent table {name}")
    columns = table.columns
    if words.peek("("):
        columns = tuple(_column(table, column) for column in words.names())
    words.expect("from")
    address = words.string()
    if not address.startswith("s3://"):
        raise refuse(f"COPY from {address!r}", "give an address s3://bucket/key")
    manifest = parquet = role = False
    while not words.done:
        if words.take("iam_role"):
            role = True
            if not words.take("default"):
                words.string()
        elif words.take("format"):
            words.take("as")
            words.expect("parquet")
            parquet = True
        elif words.take("parquet"):
            parquet = True
        elif words.take("manifest"):
            manifest = True
        elif words.take("statupdate"):
            _ = words.take("on") or words.take("off")
        else:
            _refuse_option(words, parquet)
    if not parquet:
        raise refuse("COPY of other formats than Parquet", "write format as parquet")
    if not role:
        raise RedshiftError(
            "XX000", "COPY from this file format only accepts IAM_ROLE credentials."
        )
    return Copy(table, columns, address, manifest)


def _refuse_option(words: Words, parquet: bool) -> None:
    option = words.next()
    if option.lower in ("access_key_id", "credentials", "with", "secret_access_key"):
        raise RedshiftError(
            "XX000", "COPY from this file format only accepts IAM_ROLE credentials."
        )
    if option.lower in _NOT_PARQUET:
        word = option.text.upper()
        raise RedshiftError("0A000", f"{word} argument is not supported for PARQUET based COPY")
    words.at -= 1
    raise words.error("an option of COPY expected")


def _column(table: Relation, name: str) -> Column:
    for column in table.columns:
        if column.name == name:
            return column
    raise RedshiftError("42703", f'column "{name}" of relation "{table}" does not exist')


def copy_statement(copy: Copy, resolver: Resolver, connection: Any) -> str:
    """The one INSERT that loads every part, after all parts were found fit."""
    parts = _manifest(copy, resolver) if copy.manifest else [_object(copy.address, resolver)]
    addresses = {local: address for address, local in parts}
    _check_schemas(copy, _listed(addresses), addresses, connection)
    files = _listed([local for _, local in parts])  # one that is named twice is loaded twice
    inner = [f"c{place}" for place in range(len(copy.columns))]
    made = ", ".join(
        _checked(f'"_f"."{c}"', column) for c, column in zip(inner, copy.columns, strict=True)
    )
    listed = ", ".join(quote(column.name) for column in copy.columns)
    source = f"(SELECT * FROM read_parquet({files}, hive_partitioning = false))"
    return (
        f"INSERT INTO {copy.table.sql} ({listed}) "
        f'SELECT {made} FROM {source} AS "_f"({", ".join(inner)})'
    )


def _listed(files: Iterable[str]) -> str:
    return "[" + ", ".join(map(string, files)) + "]"


def _checked(sql: str, column: Column) -> str:
    type_ = column.type
    if type_.kind not in ("varchar", "varbyte"):
        return f"CAST({sql} AS {type_.carrier})"
    size = f"strlen({sql})" if type_.kind == "varchar" else f"octet_length({sql})"
    words = (
        f"Spectrum Scan Error; code: 15007; context: The length of the data column {column.name} is "
        f"longer than the length defined in the table. Table: {type_.length}, Data: "
    )
    failing = raising("XX000", f"{string(words)} || {size}")
    return f"(CASE WHEN {sql} IS NULL OR {size} <= {type_.length} THEN {sql} ELSE {failing} END)"


def _missing(address: str, problem: str = "") -> RedshiftError:
    return RedshiftError(
        "XX000",
        f"{problem}S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey; "
        f"code: 8001; context: S3 key being read : {address}",
    )


def _object(address: str, resolver: Resolver) -> tuple[str, str]:
    try:
        return address, resolver.local_path(address)
    except FileNotFoundError:
        raise _missing(address) from None


def _manifest(copy: Copy, resolver: Resolver) -> list[tuple[str, str]]:
    """The parts that a manifest names, with their local files; sizes must be exact."""
    try:
        text = resolver.read(copy.address)
    except FileNotFoundError:
        raise _missing(copy.address, "Problem reading manifest file - ") from None
    try:
        entries = json.loads(text)["entries"]
    except (ValueError, KeyError, TypeError):
        raise RedshiftError(
            "XX000", f"Problem reading manifest file - no JSON with entries at {copy.address}"
        ) from None
    if not isinstance(entries, list):
        raise RedshiftError(
            "XX000", f"Problem reading manifest file - entries is no list at {copy.address}"
        )
    if not entries:
        raise refuse(f"an empty manifest ({copy.address})", "leave the COPY out")
    parts = []
    for entry in entries:
        if not isinstance(entry, dict):
            raise RedshiftError(
                "XX000",
                f"Problem reading manifest file - an entry is not an object at {copy.address}",
            )
        address = str(entry.get("url", ""))
        if not address.startswith("s3://"):
            raise RedshiftError(
                "XX000",
                "COPY with MANIFEST parameter requires full path of an S3 object; code: 8001; "
                f"context: {address or 'an entry without url'} in {copy.address}",
            )
        wanted = (entry.get("meta") or {}).get("content_length")
        if wanted is None:
            raise RedshiftError(
                "XX000",
                f"File entry does not have 'meta' key.; code: 15003; context: {address}",
            )
        try:
            local = resolver.local_path(address)
        except FileNotFoundError:
            if entry.get("mandatory", False):
                raise _missing(address) from None
            continue
        size = Path(local).stat().st_size
        if size != wanted:
            raise RedshiftError(
                "XX000",
                f"the manifest says {wanted} bytes of {address}, there are {size}; code: 15003; "
                f"context: {copy.address}: write the manifest anew",
            )
        parts.append((address, local))
    if not parts:
        raise refuse(f"a manifest none of whose parts is there ({copy.address})", "back up again")
    return parts


def _check_schemas(copy: Copy, files: str, addresses: dict[str, str], connection: Any) -> None:
    """Every file has the table's number of columns, in its order, of its physical types."""
    try:
        found = connection.execute(
            "SELECT file_name, name, type, converted_type, logical_type, scale, precision, "
            f"num_children FROM parquet_schema({files})"
        ).fetchall()
    except Exception as error:
        raise RedshiftError(
            "XX000",
            f"Spectrum Scan Error; code: 15001; context: not a Parquet file: {str(error)[:300]}",
        ) from None
    schemas: dict[str, list[Any]] = {}
    for file, *leaf in found:
        schemas.setdefault(file, []).append(leaf)
    names: list[str] | None = None
    for file, (_, *leaves) in schemas.items():  # the first is the root
        address = addresses.get(file, file)
        if len(leaves) != len(copy.columns):
            raise RedshiftError(
                "XX000",
                "Spectrum Scan Error; code: 15007; context: Unmatched number of columns between "
                f"table and file. Table columns: {len(copy.columns)}, Data columns: {len(leaves)}, "
                f"File name: {address}",
            )
        for column, leaf in zip(copy.columns, leaves, strict=True):
            if not fits(column.type, leaf):
                raise RedshiftError(
                    "XX000",
                    f"Spectrum Scan Error; code: 15007; context: File '{address}' has an "
                    f"incompatible Parquet schema for column '{copy.table}.{column.name}'. "
                    f"Column type: {column.type}, Parquet schema: {_say(leaf)}",
                )
        columns = [leaf[0] for leaf in leaves]
        if names is not None and columns != names:
            raise refuse(f"parts whose columns have other names ({address})", "name them alike")
        names = columns


def _say(leaf: list[Any]) -> str:
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


def fits(type_: Type, leaf: list[Any]) -> bool:  # noqa: PLR0911 - one return a family
    """Whether a Parquet column can be loaded into a column of this type: physically, no casts."""
    _, physical, converted, logical, scale, precision, children = leaf
    logical = str(logical or "")
    if children:
        return False
    if type_.kind in _PLAIN:
        return bool(physical == _PLAIN[type_.kind]) and converted is None
    if type_.kind in _WHOLE:
        carrier, marks = _WHOLE[type_.kind]
        return physical == carrier and converted in marks and "Timestamp" not in logical
    if type_.kind == "decimal":
        return bool(converted == "DECIMAL" and (precision, scale) == (type_.precision, type_.scale))
    if type_.kind == "date":
        return bool(physical == "INT32" and converted == "DATE")
    if type_.kind == "timestamp":
        exact = converted in ("TIMESTAMP_MICROS", "TIMESTAMP_MILLIS") or (
            "Timestamp" in logical and "NANOS" not in logical.upper()
        )
        return bool(physical == "INT96" or (physical == "INT64" and exact))
    if type_.kind == "varchar":
        return bool(physical == "BYTE_ARRAY" and (converted == "UTF8" or "String" in logical))
    return bool(
        type_.kind == "varbyte" and physical == "BYTE_ARRAY" and not converted and not logical
    )
