"""Parameters of prepared statements: bytes of a type to a literal, put where `$1` stands. Pure.

The values never reach DuckDB as text of its own: they are literals of Redshift's SQL, read like any.
"""

from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.words import scan
from local_redshift.wire.messages import BINARY
from local_redshift.wire.values import (
    BOOL,
    BPCHAR,
    DATE,
    EPOCH,
    EPOCH_DAYS,
    FLOAT4,
    FLOAT8,
    INT2,
    INT4,
    INT8,
    NUMERIC,
    TEXT,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    UNKNOWN,
    VARCHAR,
)

_NULLS = {
    BOOL: "boolean",
    INT2: "smallint",
    INT4: "integer",
    INT8: "bigint",
    FLOAT4: "real",
    FLOAT8: "double precision",
    # What Redshift takes where no precision is known is not documented: roomy on both sides.
    NUMERIC: "decimal(28,10)",
    DATE: "date",
    TIMESTAMP: "timestamp",
    TIMESTAMPTZ: "timestamptz",
    TIME: "time",
    TEXT: "varchar(65535)",
    VARCHAR: "varchar(65535)",
    BPCHAR: "varchar(65535)",
}
_LONGEST = 80  # digits: more than any decimal has
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$")
_INTEGERS = {INT2: "!h", INT4: "!i", INT8: "!q"}


def null(oid: int) -> str:
    """NULL of a parameter's type: what a statement is described with before values are known."""
    if oid in (0, UNKNOWN):
        return "null"
    if oid not in _NULLS:
        raise refuse(f"a parameter of OID {oid}", "send it as text, and cast it in the statement")
    return f"cast(null as {_NULLS[oid]})"


def literal(oid: int, code: int, raw: bytes | None) -> str:
    """A parameter's value as SQL text of its type. RedshiftError 22P02: the bytes are not one."""
    if raw is None:
        return null(oid)
    if code == BINARY and oid in _FROM_BINARY:
        try:
            return _FROM_BINARY[oid](raw)
        except (struct.error, OverflowError, ValueError):
            raise RedshiftError(
                "22P03", f"incorrect binary data format in a parameter of OID {oid}"
            ) from None
    if code == BINARY and oid not in (0, UNKNOWN, TEXT, VARCHAR, BPCHAR):
        null(oid)
        raise refuse(f"a binary parameter of OID {oid}", "send it as text")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise RedshiftError("22021", "invalid byte sequence for encoding UTF8") from None
    if "\0" in text:
        raise RedshiftError("22021", "invalid byte sequence for encoding UTF8: 0x00")
    if oid in (0, UNKNOWN):
        return quoted(text)
    if oid == NUMERIC:
        return _number(text)
    if oid in (TEXT, VARCHAR, BPCHAR):
        return f"cast({quoted(text)} as varchar({max(len(raw), 1)}))"
    null(oid)
    return f"cast({quoted(text)} as {_NULLS[oid]})"


def quoted(text: str) -> str:
    """A text as a literal. A backslash escapes what follows it in Redshift's literals: chr(92) is one."""
    plain = text.replace("'", "''")
    if "\\" not in text:
        return f"'{plain}'"
    mark = next(chr(code) for code in range(0xE000, 0xF900) if chr(code) not in text)
    return f"replace('{plain.replace(chr(92), mark)}', '{mark}', chr(92))"


def _number(text: str) -> str:
    try:
        if not _NUMBER.match(text.strip()):
            raise InvalidOperation
        number = Decimal(text.strip())
    except InvalidOperation:
        raise RedshiftError("22P02", f"invalid input syntax for type numeric: {text!r}") from None
    # Before it is written out: 1e999999999 would fill the memory.
    if not -_LONGEST < int(number.as_tuple().exponent) < _LONGEST or number.adjusted() > _LONGEST:
        raise RedshiftError("22003", "numeric value out of range: more than 38 digits")
    value = f"{number:f}"
    return f"({value})" if value.startswith("-") else value


def _integer(oid: int) -> Callable[[bytes], str]:
    return lambda raw: f"cast({struct.unpack(_INTEGERS[oid], raw)[0]} as {_NULLS[oid]})"


def _floating(shape: str, type_: str) -> Callable[[bytes], str]:
    return lambda raw: f"cast('{struct.unpack(shape, raw)[0]!r}' as {type_})"


def _moment(more: str) -> Callable[[bytes], str]:
    def read(raw: bytes) -> str:
        moment = EPOCH + timedelta(microseconds=struct.unpack("!q", raw)[0])
        return f"cast('{moment.isoformat(' ')}' as timestamp){more}"

    return read


def _day(raw: bytes) -> str:
    return f"cast('{date.fromordinal(struct.unpack('!i', raw)[0] + EPOCH_DAYS)}' as date)"


def _boolean(raw: bytes) -> str:
    if raw not in (b"\x00", b"\x01"):
        raise ValueError(raw)
    return "true" if raw == b"\x01" else "false"


_FROM_BINARY: dict[int, Callable[[bytes], str]] = {
    BOOL: _boolean,
    **{oid: _integer(oid) for oid in _INTEGERS},
    FLOAT4: _floating("!f", "real"),
    FLOAT8: _floating("!d", "double precision"),
    DATE: _day,
    TIMESTAMP: _moment(""),
    TIMESTAMPTZ: _moment("::timestamptz"),  # sessions are in UTC
}


class Placeholders:
    """The `$1`, `$2` … of a statement, found by the scanner: never those in quotes or comments."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.places: list[tuple[int, int, int, bool]] = []  # start, end, number, bare
        words = scan(sql) if "$" in sql else []
        for at, (sign, digits) in enumerate(itertools.pairwise(words)):
            if sign.text == "$" and digits.kind == "number" and digits.start == sign.end:
                if not digits.text.isdigit() or int(digits.text) < 1:
                    raise RedshiftError("42P02", f"there is no parameter ${digits.text}")
                before = words[at - 1].lower if at else ""
                bare = before in ("limit", "offset", "top")
                self.places.append((sign.start, digits.end, int(digits.text), bare))

    @property
    def most(self) -> int:
        """The highest number used; 0: there are none."""
        return max((number for _, _, number, _ in self.places), default=0)

    def filled(self, literals: Sequence[str]) -> str:
        """The statement with a literal for each place. RedshiftError 42P02: there is none."""
        if not self.places:
            return self.sql
        parts, at = [], 0
        for start, end, number, bare in self.places:
            if number > len(literals):
                raise RedshiftError("42P02", f"there is no parameter ${number}")
            text = literals[number - 1]
            parts += [self.sql[at:start], " ", _bare(text) if bare else text, " "]
            at = end
        return "".join([*parts, self.sql[at:]])


_CAST = re.compile(r"cast\((\d+|null) as (?:smallint|integer|bigint)\)$")


def _bare(text: str) -> str:
    """A count for LIMIT, which takes no cast: a number; before values are known, any."""
    shape = _CAST.match(text)
    if shape is None:
        return text
    return "1" if shape[1] == "null" else shape[1]
