"""COPY of CSV and delimited text: every row read and judged, then written aside for one INSERT.

Rows that do not fit are load errors, so many of which MAXERROR allows. Records and values: `text_*`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local_redshift.copy.options import Copy
from local_redshift.copy.text_records import Record, read_records
from local_redshift.copy.text_values import TEXTS, Unfit, converter
from local_redshift.database.load_errors import RowError
from local_redshift.read.dialect import quote, string
from local_redshift.values.catalog import Column
from local_redshift.values.types import Type

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 50_000
_MOST_ERRORS = 100_000


@dataclass
class TextReading:
    """What the files held: rows written aside, rows that do not fit, rows with replaced characters."""

    rows: int = 0
    replaced: int = 0
    errors: list[RowError] = field(default_factory=list)
    failed: bool = False  # more errors than are allowed: nothing is loaded


def read_text(copy: Copy, files: Sequence[tuple[str, str]], aside: Path) -> TextReading:
    """Read the files, given as (address, local path), and write the rows that fit to `aside`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    allowed = _MOST_ERRORS if copy["ignoreallerrors"] else max(copy["maxerror"] or 0, 1) - 1
    schema = pa.schema([(f"c{place}", _arrow(c.type)) for place, c in enumerate(copy.columns)])
    result = TextReading()
    judge = _judge(copy)
    with ExitStack() as stack:
        writer = stack.enter_context(pq.ParquetWriter(aside, schema, compression="lz4"))
        batch: list[list[Any]] = []
        for address, record in _records(copy, files):
            row = judge(address, record)
            if isinstance(row, RowError):
                result.errors.append(row)
                if len(result.errors) > allowed:
                    result.failed = True
                    return result
                continue
            result.replaced += record.replaced
            batch.append(row)
            if len(batch) == _BATCH_ROWS:
                result.rows += len(batch)
                writer.write_batch(_batch(batch, schema))
                batch = []
        result.rows += len(batch)
        writer.write_batch(_batch(batch, schema))
    return result


def text_statement(copy: Copy, aside: Path) -> str:
    """The INSERT of the rows that `read_text` wrote aside."""
    listed = ", ".join(quote(column.name) for column in copy.columns)
    values = ", ".join(
        f"CAST(c{place} AS {column.type.carrier})" for place, column in enumerate(copy.columns)
    )
    return f"INSERT INTO {copy.table.sql} ({listed}) SELECT {values} FROM read_parquet({string(str(aside))})"


def _records(copy: Copy, files: Sequence[tuple[str, str]]) -> Iterator[tuple[str, Record]]:
    for address, local in files:
        for record in read_records(local, address, copy.options):
            yield address, record


def _batch(rows: list[list[Any]], schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
    arrays = [
        pa.array(list(column), type=field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _arrow(type_: Type) -> pa.DataType:
    import pyarrow as pa

    if type_.kind == "decimal":
        return pa.decimal128(type_.precision, type_.scale)
    return {
        "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(),
        "real": pa.float32(), "double": pa.float64(), "boolean": pa.bool_(), "date": pa.date32(),
        "timestamp": pa.timestamp("us"), "timestamptz": pa.timestamp("us", "UTC"),
        "varbyte": pa.binary(),
    }.get(type_.kind, pa.string())  # fmt: skip


def _judge(copy: Copy) -> Callable[[str, Record], list[Any] | RowError]:
    """How a record becomes a row, or the reason why it does not."""
    columns = copy.columns
    converters = [converter(column, copy.options) for column in columns]
    null = str(copy.options.get("null", "\\N"))
    empty_is_null = [
        column.type.kind not in TEXTS or bool(copy["emptyasnull"]) or null == ""
        for column in columns
    ]
    blank_is_null = [
        column.type.kind not in TEXTS or bool(copy["blanksasnull"]) for column in columns
    ]
    fill = ["" if c.type.kind in TEXTS and not copy["emptyasnull"] else None for c in columns]
    count = len(columns)

    def judge(address: str, record: Record) -> list[Any] | RowError:
        if record.unfit is not None:
            return _error(address, record, None, None, record.unfit)
        fields = record.fields
        if len(fields) != count:
            if len(fields) < count and copy["fillrecord"]:
                fields = [*fields, *fill[len(fields) :]]
            elif len(fields) < count:
                return _error(address, record, None, None, Unfit(1214, "Delimiter not found"))
            else:
                return _error(address, record, None, None, Unfit(1202, "Extra column(s) found"))
        row: list[Any] = []
        for place, text in enumerate(fields):
            value: Any = None
            try:
                if text is not None and not (
                    (text == "" and empty_is_null[place])
                    or (blank_is_null[place] and text != "" and text.isspace())
                ):
                    value = converters[place](text)
                if value is None and not columns[place].nullable:
                    raise Unfit(1213, "Missing data for not-null field")
            except Unfit as error:
                return _error(address, record, columns[place], text, error)
            row.append(value)
        return row

    return judge


def _error(
    address: str, record: Record, column: Column | None, text: str | None, unfit: Unfit
) -> RowError:
    type_ = column.type if column else None
    position = record.raw.find(text) if text else 0
    if type_ is None:
        length = ""
    elif type_.kind == "decimal":
        length = f"{type_.precision}, {type_.scale}"
    else:
        length = str(type_.length) if type_.length else "0"
    return RowError(
        address, record.line, column.name if column else "", _WORDS.get(type_.kind, type_.kind)
        if type_ else "", length, max(position, 0), record.raw[:1024], (text or "")[:1024],
        unfit.code, unfit.reason,
    )  # fmt: skip


_WORDS = {
    "smallint": "int2", "integer": "int4", "bigint": "int8", "real": "float4", "double": "float8",
    "decimal": "numeric", "boolean": "bool",
}  # fmt: skip
