"""Values on the wire: types to OIDs and rows to bytes. Parameters, the other way: `wire_parameters`.

Binary forms are those of client protocol version 2: decimals as big-endian integers of 8 or 16
bytes whose scale is in the column's modifier, times as microseconds since 2000-01-01.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Sequence
from datetime import date, datetime, timezone
from decimal import Context, Decimal
from functools import partial
from typing import Any

from local_redshift.errors import RedshiftError, refuse
from local_redshift.wire.messages import BINARY, Field

Encoder = Callable[[Any], bytes]

BOOL, INT8, INT2, INT4, TEXT, FLOAT4, FLOAT8, UNKNOWN = 16, 20, 21, 23, 25, 700, 701, 705
BPCHAR, VARCHAR, DATE, TIME, TIMESTAMP, TIMESTAMPTZ, TIMETZ = (
    1042,
    1043,
    1082,
    1083,
    1114,
    1184,
    1266,
)
NUMERIC, SUPER, VARBYTE = 1700, 4000, 6551
SHORTS, RIGHTS = 1005, 1034
_OIDS = {  # kind of type -> its OID and its size in bytes
    "boolean": (BOOL, 1),
    "smallint": (INT2, 2),
    "integer": (INT4, 4),
    "bigint": (INT8, 8),
    "real": (FLOAT4, 4),
    "double": (FLOAT8, 8),
    "date": (DATE, 4),
    "timestamp": (TIMESTAMP, 8),
    "timestamptz": (TIMESTAMPTZ, 8),
    "decimal": (NUMERIC, -1),
    "varchar": (VARCHAR, -1),
    "char": (BPCHAR, -1),
    "time": (TIME, 8),
    "timetz": (TIMETZ, 12),
    "super": (SUPER, -1),
    "varbyte": (VARBYTE, -1),
    "unknown": (UNKNOWN, -1),
    "smallint[]": (SHORTS, -1),
    "aclitem[]": (RIGHTS, -1),
}
EPOCH = datetime(2000, 1, 1)
EPOCH_DAYS = EPOCH.toordinal()
_EXACT = Context(prec=200)  # decimals are moved, never rounded
_TYPE = re.compile(r"([a-z]+(?:\[\])?)(?:\((\d+)(?:,(\d+))?\))?$")
_pack_h, _pack_i, _pack_q = (
    struct.Struct("!h").pack,
    struct.Struct("!i").pack,
    struct.Struct("!q").pack,
)
_pack_f, _pack_d = struct.Struct("!f").pack, struct.Struct("!d").pack


def field(name: str, type_: str) -> Field:
    """How a column of this type is described to the client."""
    shape = _TYPE.match(type_)
    if shape is None or shape[1] not in _OIDS:
        raise refuse(f"a column of type {type_} on the wire", f"cast {name} to varchar")
    oid, size = _OIDS[shape[1]]
    modifier = -1
    if oid == NUMERIC:
        modifier = (int(shape[2] or 18) << 16 | int(shape[3] or 0)) + 4
    elif oid in (VARCHAR, BPCHAR, VARBYTE) and shape[2]:
        modifier = int(shape[2]) + 4
    return Field(name, oid, size, modifier)


def row_encoder(
    fields: Sequence[Field], formats: Sequence[int], float_digits: int = 0
) -> Callable[[Sequence[Any]], bytes]:
    """What turns a row of Python values into a DataRow message.

    `float_digits`: the session's extra_float_digits, for floating point numbers as text.
    """
    encoders = [
        _sized(encoder(one, code, float_digits)) for one, code in zip(fields, formats, strict=True)
    ]
    head, null, join = struct.pack("!H", len(encoders)), b"\xff\xff\xff\xff", b"".join

    def encode(row: Sequence[Any]) -> bytes:
        body = join(
            [
                null if value is None else encoder(value)
                for value, encoder in zip(row, encoders, strict=True)
            ]
        )
        return b"D" + _pack_i(len(body) + 6) + head + body

    return encode


def _sized(encoder: Encoder) -> Encoder:
    """The same with the length before the bytes."""
    pack = _FIXED.get(encoder)
    if pack is not None:
        return pack

    def encode(value: Any) -> bytes:
        data = encoder(value)
        return _pack_i(len(data)) + data

    return encode


def encoder(described: Field, code: int, float_digits: int = 0) -> Encoder:
    """What turns a value of a column, which is not NULL, into its bytes in a format."""
    oid = described.oid
    if oid == NUMERIC:
        return _numeric(described, code)
    if code == BINARY and oid in _BINARY:
        return _BINARY[oid]
    if oid in _DIGITS:
        least, most = _DIGITS[oid]
        return partial(_float, digits=max(1, min(least + float_digits, most)))
    return _TEXTS.get(oid, _text)


def _text(value: Any) -> bytes:
    return str(value).encode("utf-8")


def _numeric(described: Field, code: int) -> Encoder:
    precision, scale = divmod(described.modifier - 4, 1 << 16)
    size = 8 if precision <= 18 else 16
    limit, unit = 10**precision, Decimal(10) ** scale

    def scaled(value: Any) -> int:
        exact = _EXACT.multiply(value, unit)
        number = int(exact)
        if number != exact or abs(number) >= limit:
            raise RedshiftError(
                "22003",
                f"{described.name} was described as decimal({precision},{scale}) before its "
                "parameters were known, and a value does not fit: cast the parameter to decimal(p,s)",
            )
        return number

    if code == BINARY:
        return lambda value: scaled(value).to_bytes(size, "big", signed=True)
    return lambda value: f"{_EXACT.scaleb(Decimal(scaled(value)), -scale):f}".encode()


def _days(value: date) -> bytes:
    return _pack_i(value.toordinal() - EPOCH_DAYS)


def _micros(value: datetime) -> bytes:
    if value.tzinfo is not None:
        value = value.astimezone(timezone.utc).replace(tzinfo=None)
    span = value - EPOCH
    return _pack_q((span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds)


def _clock(value: Any) -> bytes:
    seconds = (value.hour * 60 + value.minute) * 60 + value.second
    return _pack_q(seconds * 1_000_000 + value.microsecond)


def _clock_zoned(value: Any) -> bytes:
    away = value.utcoffset()
    return _clock(value) + _pack_i(-int(away.total_seconds()) if away else 0)


def _clock_text(value: Any) -> bytes:
    """A time of day as text: no more digits of a second than it has."""
    text = f"{value:%H:%M:%S}"
    return (text + (f".{value.microsecond:06}".rstrip("0") if value.microsecond else "")).encode()


def _stamp(value: datetime) -> bytes:
    """A timestamp as text: no more digits of a second than it has."""
    text = f"{value:%H:%M:%S}"
    if value.microsecond:
        text += f".{value.microsecond:06}".rstrip("0")
    zone = "+00" if value.tzinfo is not None else ""
    if zone:
        value = value.astimezone(timezone.utc)
        text = _stamp(value.replace(tzinfo=None)).decode().partition(" ")[2]
    return f"{value.year:04}-{value.month:02}-{value.day:02} {text}{zone}".encode()


def _float(value: float, digits: int) -> bytes:
    if math.isnan(value):
        return b"NaN"
    if math.isinf(value):
        return b"Infinity" if value > 0 else b"-Infinity"
    return f"{value:.{digits}g}".encode()


_DIGITS = {FLOAT4: (6, 9), FLOAT8: (15, 17)}  # shown by default, and all that there are


def _fixed(size: int, shape: str) -> Encoder:
    pack = struct.Struct(f"!i{shape}").pack
    return lambda value: pack(size, value)


_FIXED: dict[Encoder, Encoder] = {  # length and value in one go
    _pack_h: _fixed(2, "h"),
    _pack_i: _fixed(4, "i"),
    _pack_q: _fixed(8, "q"),
    _pack_d: _fixed(8, "d"),
}


def _shorts(value: str) -> bytes:
    """An array of smallint: one dimension, no NULL, counted from 1."""
    members = [int(one) for one in value.strip("{}").split(",")]
    head = struct.pack("!iiiii", 1, 0, INT2, len(members), 1)
    return head + b"".join(_pack_i(2) + _pack_h(one) for one in members)


_BINARY: dict[int, Encoder] = {
    BOOL: lambda value: b"\x01" if value else b"\x00",
    INT2: _pack_h,
    INT4: _pack_i,
    INT8: _pack_q,
    FLOAT4: _pack_f,
    FLOAT8: _pack_d,
    DATE: _days,
    TIMESTAMP: _micros,
    TIMESTAMPTZ: _micros,
    TIME: _clock,
    TIMETZ: _clock_zoned,
    VARBYTE: bytes,
    SHORTS: _shorts,
}
_TEXTS: dict[int, Encoder] = {
    BOOL: lambda value: b"t" if value else b"f",
    TIMESTAMP: _stamp,
    TIMESTAMPTZ: _stamp,
    TIME: _clock_text,
    VARBYTE: lambda value: bytes(value).hex().encode(),
}
