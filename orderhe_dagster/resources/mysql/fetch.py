"""MySQL's rows, as texts, into Arrow: whole answers, and streams of batches. Nothing is asked here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.settings.interrupts import raise_if_interrupted

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 20_000
_FIRST_ROWS, _BATCH_BYTES = 500, 16_000_000


def arrow_of(cursor: Any) -> pa.Table:
    """The rows of a cursor (values as texts) in Arrow's types; PortError for a date that is none."""
    import pyarrow as pa

    names = [field[0] for field in cursor.description or ()]
    columns = list(zip(*cursor.fetchall(), strict=True)) or [()] * len(names)
    return pa.Table.from_arrays(
        [
            _array(field, values)
            for field, values in zip(cursor.description or (), columns, strict=True)
        ],
        names=names,
    )


def batches(
    cursor: Any, schema: pa.Schema, failed: Callable[[BaseException], None]
) -> Iterator[pa.RecordBatch]:
    """The rows of an unbuffered cursor, `BATCH_ROWS` at a time, as the texts and bytes that `schema` has.

    Fewer at a time where they are long, so that no batch is much larger than the others.
    DuckDB, which reads this, would make its own error of one of ours: `failed` is told of it.
    """
    import pyarrow as pa

    try:
        most = _FIRST_ROWS
        while rows := cursor.fetchmany(most):
            raise_if_interrupted()  # DuckDB's thread runs this: no signal comes here
            arrays = [
                pa.array(values, field.type)
                for field, values in zip(schema, zip(*rows, strict=True), strict=True)
            ]
            batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
            most = min(BATCH_ROWS, max(1, _BATCH_BYTES * len(rows) // max(1, batch.nbytes)))
            yield batch
    except BaseException as error:
        failed(error)
        raise


def _array(field: Sequence[Any], values: Sequence[Any]) -> pa.Array:
    import pyarrow as pa
    from pymysql.constants import FIELD_TYPE as KIND

    name, kind, scale = field[0], field[1], field[5]
    if all(value is None for value in values):
        return pa.array(values, pa.null()) if kind == KIND.NULL else _empty(kind, scale, values)
    if any(isinstance(value, bytes) for value in values):
        if kind == KIND.BIT:
            return pa.array([None if v is None else int.from_bytes(v, "big") for v in values])
        return pa.array(values, pa.binary())
    wanted = _type(kind, scale)
    texts = pa.array(values, pa.string())
    try:
        return texts.cast(wanted)
    except pa.ArrowInvalid:
        if wanted == pa.int64():
            return texts.cast(pa.decimal128(38, 0))  # bigint unsigned
        raise PortError(f"column {name} holds a value that is no {wanted}: mend the row") from None


def _empty(kind: int, scale: int, values: Sequence[Any]) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, _type(kind, scale))


def _type(kind: int, scale: int) -> pa.DataType:
    """The Arrow type of a column by MySQL's number of its type."""
    import pyarrow as pa
    from pymysql.constants import FIELD_TYPE as KIND

    if kind in (KIND.TINY, KIND.SHORT, KIND.INT24, KIND.LONG, KIND.LONGLONG, KIND.YEAR, KIND.BIT):
        return pa.int64()
    if kind in (KIND.FLOAT, KIND.DOUBLE):
        return pa.float64()
    if kind in (KIND.DECIMAL, KIND.NEWDECIMAL):
        return pa.decimal128(38, scale)
    if kind in (KIND.DATE, KIND.NEWDATE):
        return pa.date32()
    return pa.timestamp("us") if kind in (KIND.DATETIME, KIND.TIMESTAMP) else pa.string()
