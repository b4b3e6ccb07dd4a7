"""Messages of the PostgreSQL 3.0 protocol as Redshift speaks it: bytes to fields and back. Pure.

Nothing here reads a socket or knows SQL; values in rows and parameters: `wire_values`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

PROTOCOL, SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 196608, 80877103, 80877104, 80877102
MAX_STARTUP_BYTES = 10_000
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
TEXT, BINARY = 0, 1


class ProtocolError(Exception):
    """A message that cannot be read; the connection it came by cannot be trusted any further."""


class Body:
    """A cursor over a message's body; every read that would go beyond its end is a ProtocolError."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, length: int) -> bytes:
        """So many bytes."""
        if length < 0 or self.at + length > len(self.data):
            raise ProtocolError("insufficient data left in message")
        self.at += length
        return self.data[self.at - length : self.at]

    def int16(self) -> int:
        """A signed number of two bytes."""
        return int(struct.unpack("!h", self.take(2))[0])

    def count(self) -> int:
        """A number of things: two bytes, never negative."""
        return int(struct.unpack("!H", self.take(2))[0])

    def int32(self) -> int:
        """A signed number of four bytes."""
        return int(struct.unpack("!i", self.take(4))[0])

    def text(self) -> str:
        """A text that ends with a zero byte."""
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise ProtocolError("invalid string in message")
        data = self.take(end - self.at)
        self.at += 1
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise ProtocolError("invalid byte sequence for encoding UTF8") from None

    def end(self) -> None:
        """Nothing may be left."""
        if self.at != len(self.data):
            raise ProtocolError("invalid message format")


@dataclass(frozen=True)
class Parse:
    """Prepare a statement under a name; "" is the unnamed one. `oids` type its parameters."""

    name: str
    sql: str
    oids: tuple[int, ...]


@dataclass(frozen=True)
class Bind:
    """A portal: a prepared statement with values (None is NULL) and the formats of both ways."""

    portal: str
    statement: str
    formats: tuple[int, ...]
    values: tuple[bytes | None, ...]
    result_formats: tuple[int, ...]


def read_startup(body: bytes) -> dict[str, str]:
    """The parameters of a startup message, after its version."""
    fields = Body(body)
    parameters: dict[str, str] = {}
    while fields.at < len(body) and body[fields.at]:
        name = fields.text()
        parameters[name] = fields.text()
    fields.take(1)
    fields.end()
    return parameters


def read_parse(body: bytes) -> Parse:
    """The fields of Parse."""
    fields = Body(body)
    name, sql = fields.text(), fields.text()
    oids = tuple(fields.int32() for _ in range(fields.count()))
    fields.end()
    return Parse(name, sql, oids)


def read_bind(body: bytes) -> Bind:
    """The fields of Bind."""
    fields = Body(body)
    portal, statement = fields.text(), fields.text()
    formats = tuple(fields.int16() for _ in range(fields.count()))
    values = tuple(_value(fields) for _ in range(fields.count()))
    results = tuple(fields.int16() for _ in range(fields.count()))
    fields.end()
    for code in (*formats, *results):
        if code not in (TEXT, BINARY):
            raise ProtocolError(f"unsupported format code: {code}")
    return Bind(portal, statement, formats, values, results)


def _value(fields: Body) -> bytes | None:
    length = fields.int32()
    return None if length == -1 else fields.take(length)


def read_target(body: bytes) -> tuple[str, str]:
    """What Describe and Close name: ("S" statement or "P" portal, its name)."""
    fields = Body(body)
    kind, name = fields.take(1), fields.text()
    fields.end()
    if kind not in (b"S", b"P"):
        raise ProtocolError("a statement or a portal expected")
    return kind.decode(), name


def read_execute(body: bytes) -> tuple[str, int]:
    """The portal of Execute and how many rows it may send; 0: all."""
    fields = Body(body)
    portal, most = fields.text(), fields.int32()
    fields.end()
    return portal, max(most, 0)


def read_text(body: bytes) -> str:
    """The one text that a message holds, such as Query's."""
    fields = Body(body)
    text = fields.text()
    fields.end()
    return text


def spread(formats: Sequence[int], count: int) -> list[int]:
    """One format for each of `count` values: none given is text, one given is for all."""
    if not formats:
        return [TEXT] * count
    if len(formats) == 1:
        return [formats[0]] * count
    if len(formats) != count:
        raise ProtocolError(f"{len(formats)} formats for {count} values")
    return list(formats)


# -- what the server sends ---------------------------------------------------------------------


@dataclass(frozen=True)
class Field:
    """A column of a result: `size` in bytes (-1: varying), `modifier` as pg_attribute.atttypmod."""

    name: str
    oid: int
    size: int
    modifier: int


def message(code: bytes, body: bytes = b"") -> bytes:
    """A message with its code and length."""
    return code + struct.pack("!I", len(body) + 4) + body


def authentication(kind: int, data: bytes = b"") -> bytes:
    """An authentication request; kind 0: in."""
    return message(b"R", struct.pack("!I", kind) + data)


def parameter_status(name: str, value: str) -> bytes:
    """A session parameter's value."""
    return message(b"S", _texts(name, value))


def key_data(process: int, secret: int) -> bytes:
    """What a CancelRequest for this session must name."""
    return message(b"K", struct.pack("!II", process, secret))


def ready(state: str) -> bytes:
    """ReadyForQuery; `state` as the engine has it: idle, open or failed."""
    return message(b"Z", {"idle": b"I", "open": b"T", "failed": b"E"}[state])


def error(fields: Mapping[str, str]) -> bytes:
    """ErrorResponse. Fields by their letters: S, C and M always; D, H where there are."""
    return message(b"E", _fields(fields))


def notice(fields: Mapping[str, str]) -> bytes:
    """NoticeResponse, with the fields of an error."""
    return message(b"N", _fields(fields))


def _fields(fields: Mapping[str, str]) -> bytes:
    parts = [letter.encode() + _texts(value) for letter, value in fields.items() if value]
    return b"".join(parts) + b"\0"


def _texts(*texts: str) -> bytes:
    """Texts, each ended by the zero byte that none of them may hold."""
    return b"".join(text.replace("\0", "").encode("utf-8", "replace") + b"\0" for text in texts)


def complete(tag: str) -> bytes:
    """CommandComplete."""
    return message(b"C", _texts(tag))


def parameters(oids: Sequence[int]) -> bytes:
    """ParameterDescription."""
    return message(b"t", struct.pack(f"!H{len(oids)}i", len(oids), *oids))


def row_description(fields: Sequence[Field], formats: Iterable[int], version: int) -> bytes:
    """RowDescription. From protocol version 1 on, Redshift adds names and flags to each column."""
    parts = [struct.pack("!H", len(fields))]
    for field, code in zip(fields, formats, strict=True):
        parts.append(_texts(field.name))
        parts.append(struct.pack("!IhIhih", 0, 0, field.oid, field.size, field.modifier, code))
        if version >= 1:  # schema, table, column, catalogue; nullable and searchable
            parts.append(_texts("", "", field.name, "") + struct.pack("!H", 0x1001))
    return message(b"T", b"".join(parts))


PARSED, BOUND, CLOSED = message(b"1"), message(b"2"), message(b"3")
NO_DATA, EMPTY, SUSPENDED = message(b"n"), message(b"I"), message(b"s")
