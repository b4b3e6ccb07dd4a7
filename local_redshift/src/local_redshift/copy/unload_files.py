"""The files that UNLOAD writes, one writer each: text, compressed or not, and Parquet. No names, no query."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from local_redshift.copy.unload_options import Unload
from local_redshift.copy.unload_text import header, line_writer
from local_redshift.database.results import Row
from local_redshift.errors import refuse
from local_redshift.values.scope import Columns
from local_redshift.values.types import Type

if TYPE_CHECKING:
    import pyarrow as pa


class Counted(Protocol):
    """What counts the rows and lines of a file."""

    rows: int
    lines: int


class Writer(Protocol):
    """A file that is being written; `size` is about how many bytes it has."""

    size: int

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows."""

    def close(self) -> None:
        """End the file."""


def open_writer(unload: Unload, columns: Columns, path: Path, counted: Counted) -> Writer:
    """The writer of the unload's format."""
    if unload.format == "parquet":
        return _Parquet(columns, path, counted)
    return _Text(unload, columns, path, counted)


class _Text:
    def __init__(self, unload: Unload, columns: Columns, path: Path, counted: Counted) -> None:
        import pyarrow as pa

        self.size, self._counted = 0, counted
        self._line = line_writer(columns, unload.format, unload.options)
        codec = next((name for name in ("gzip", "bzip2", "zstd") if unload[name]), None)
        self._file: Any = pa.OSFile(str(path), "wb")
        self._out: Any = self._file
        if codec:
            self._out = pa.CompressedOutputStream(self._file, "bz2" if codec == "bzip2" else codec)
        if unload["header"]:
            self._put(header(columns, unload.format, unload.options))
            counted.lines += 1

    def write(self, rows: Sequence[Row]) -> None:
        self._put("".join(map(self._line, rows)))
        self._counted.rows += len(rows)
        self._counted.lines += len(rows)

    def _put(self, text: str) -> None:
        data = text.encode("utf-8")
        self.size += len(data)
        self._out.write(data)

    def close(self) -> None:
        self._out.close()
        self._file.close()


class _Parquet:
    """Version 1.0, snappy, timestamps as INT96, every column optional: as Redshift writes it."""

    def __init__(self, columns: Columns, path: Path, counted: Counted) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.size, self._counted, self._path = 0, counted, path
        self._schema = pa.schema([(name, arrow_type(name, type_)) for name, type_ in columns])
        self._out = pq.ParquetWriter(
            path, self._schema, version="1.0", compression="snappy",
            use_deprecated_int96_timestamps=True,
        )  # fmt: skip

    def write(self, rows: Sequence[Row]) -> None:
        import pyarrow as pa

        arrays = [
            pa.array([_naive(value) for value in values], type=field.type)
            for values, field in zip(zip(*rows, strict=True), self._schema, strict=True)
        ]
        self._out.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self.size = self._path.stat().st_size
        self._counted.rows += len(rows)
        self._counted.lines += len(rows)

    def close(self) -> None:
        self._out.close()


def _naive(value: Any) -> Any:
    """Timestamps lose their zone: the instants are in UTC."""
    return value.replace(tzinfo=None) if getattr(value, "tzinfo", None) is not None else value


def arrow_type(name: str, type_: Type) -> pa.DataType:
    """What a column is in Arrow; refused where Redshift does not unload it to Parquet."""
    import pyarrow as pa

    if type_.kind == "decimal":
        return pa.decimal128(type_.precision, type_.scale)
    arrow = {
        "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(),
        "real": pa.float32(), "double": pa.float64(), "boolean": pa.bool_(), "date": pa.date32(),
        "timestamp": pa.timestamp("us"), "timestamptz": pa.timestamp("us"),
        "varchar": pa.string(), "char": pa.string(), "unknown": pa.string(),
    }.get(type_.kind)  # fmt: skip
    if arrow is None:
        raise refuse(f"UNLOAD of {name}, of type {type_}, to parquet", "unload it to csv")
    return arrow
