"""A field of a text file as the value of a column: COPY's conversions, with the codes of load errors.

Files and lines are `text_records`' business. What is not certain of Redshift's conversion is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from local_redshift.copy import date_formats as moments
from local_redshift.errors import refuse
from local_redshift.values.catalog import Column
from local_redshift.values.types import Type

Convert = Callable[[str], Any]
TEXTS = ("varchar", "char")
_BITS = {"smallint": 16, "integer": 32, "bigint": 64}
_NAMES = {"smallint": "Short", "integer": "Integer", "bigint": "Long"}
_TRUE = frozenset(("t", "true", "y", "yes", "1"))
_FALSE = frozenset(("f", "false", "n", "no", "0"))
_WHOLE = re.compile(r"[+-]?\d+")
_EXACT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)")
_FLOAT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_LARGEST_REAL = 3.4028234663852886e38


class Unfit(ValueError):
    """A field that is no value of its column: the number of the load error and its reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def converter(column: Column, options: Mapping[str, Any]) -> Convert:
    """How the non-null fields of a column are read. Raises Unfit; refused where there is no rule."""
    convert = _plain(column.type, options)
    if column.type.kind in ("date", "timestamp", "timestamptz") and options.get("acceptanydate"):
        return _or_null(convert)
    return convert


def _plain(type_: Type, options: Mapping[str, Any]) -> Convert:  # noqa: PLR0911 - one return a family
    kind = type_.kind
    if kind in _BITS:
        return _whole(kind)
    if kind == "decimal":
        return _exact(type_, ROUND_HALF_UP if options.get("roundec") else ROUND_DOWN)
    if kind in ("real", "double"):
        return _float(kind)
    if kind == "boolean":
        return _boolean
    if kind == "date":
        return _moment(moments.reader(options.get("dateformat"), kind), 1205, "Date")
    if kind in ("timestamp", "timestamptz"):
        return _moment(moments.reader(options.get("timeformat"), kind), 1206, "timestamp")
    if kind in TEXTS:
        return _varchar(type_, options)
    if kind == "varbyte":
        return _bytes(type_)
    remedy = "load a varchar column and cast it" if kind == "time" else "load it from parquet"
    raise refuse(f"COPY of text into a column of type {type_}", remedy)


def _or_null(convert: Convert) -> Convert:
    def read(text: str) -> Any:
        try:
            return convert(text)
        except Unfit:
            return None

    return read


def _whole(kind: str) -> Convert:
    limit, name = 1 << (_BITS[kind] - 1), _NAMES[kind]

    def read(text: str) -> int:
        if not _WHOLE.fullmatch(text) or not text.isascii():
            place = next((at for at, c in enumerate(text) if not ("0" <= c <= "9")), 0)
            raise Unfit(
                1207, f"Invalid digit, Value '{text[place : place + 1]}', Pos {place}, Type: {name}"
            )
        number = int(text) if len(text) < 40 else limit
        if not -limit <= number < limit:
            raise Unfit(1222, f"Integer value overflow, Type: {name}")
        return number

    return read


def _exact(type_: Type, rounding: str) -> Convert:
    unit, limit = Decimal(1).scaleb(-type_.scale), Decimal(10) ** (type_.precision - type_.scale)

    def read(text: str) -> Decimal:
        if not _EXACT.fullmatch(text) or not text.isascii() or len(text) > 200:
            raise Unfit(1209, f"Invalid value for type decimal({type_.precision},{type_.scale})")
        with localcontext() as context:
            context.prec = 250
            number = Decimal(text).quantize(unit, rounding)
        if number.copy_abs() >= limit:
            raise Unfit(1204, f"Numeric data overflow (result precision), Type: {type_}")
        return number

    return read


def _float(kind: str) -> Convert:
    def read(text: str) -> float:
        if not _FLOAT.fullmatch(text) or not text.isascii():
            raise Unfit(1208, "Invalid float value")
        number = float(text)
        if number in (float("inf"), float("-inf")) or (
            kind == "real" and abs(number) > _LARGEST_REAL
        ):
            raise Unfit(1204, "Overflow for float value")
        return number

    return read


def _boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered in _TRUE:
        return True
    if lowered not in _FALSE:
        raise Unfit(1210, "Unknown boolean format")
    return False


def _moment(read: Callable[[str], date | datetime], code: int, word: str) -> Convert:
    def convert(text: str) -> date | datetime:
        try:
            return read(text)
        except moments.Unread as error:
            raise Unfit(code, f"Invalid {word} Format or value [{error}]") from None
        except OverflowError:
            raise Unfit(code, f"Invalid {word} Format or value: out of range") from None

    return convert


def _varchar(type_: Type, options: Mapping[str, Any]) -> Convert:
    length, cut, trim = type_.length, options.get("truncatecolumns"), options.get("trimblanks")
    is_char = type_.kind == "char"

    def read(text: str) -> str:
        if trim and not is_char:
            text = text.rstrip(" \t")
        if is_char and not text.isascii():
            raise Unfit(1215, "CHAR field holds a character of more than one byte")
        if len(text) * 4 > length:  # otherwise it fits, whatever its characters
            encoded = text.encode("utf-8")
            if len(encoded) > length:
                if not cut:
                    raise Unfit(1204, "String length exceeds DDL length")
                text = encoded[:length].decode("utf-8", "ignore")
        return text.rstrip(" ") if is_char else text

    return read


def _bytes(type_: Type) -> Convert:
    def read(text: str) -> bytes:
        try:
            data = bytes.fromhex(text) if text.isalnum() else b"" if not text else None
        except ValueError:
            data = None
        if data is None:
            raise Unfit(1219, "VARBYTE is not written in hexadecimal digits")
        if len(data) > type_.length:
            raise Unfit(1204, "VARBYTE length exceeds DDL length")
        return data

    return read
