"""Rows as lines of CSV and delimited text, as UNLOAD writes them. Files and their names: `unload`."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from local_redshift.errors import refuse
from local_redshift.values.scope import Columns
from local_redshift.values.types import Type

Write = Callable[[Sequence[Any]], str]
_TEXTS = ("varchar", "char", "unknown")
_AS_THEY_ARE = ("smallint", "integer", "bigint", "date", *_TEXTS)


def line_writer(columns: Columns, format_: str, options: Mapping[str, Any]) -> Write:
    """How a row becomes a line, with its end."""
    to_text = [texts(name, type_) for name, type_ in columns]
    is_text = [type_.kind in _TEXTS for _, type_ in columns]
    delimiter = options.get("delimiter") or ("," if format_ == "csv" else "|")
    null = options.get("null", "")
    dress = _dressing(format_, delimiter, options)

    def write(row: Sequence[Any]) -> str:
        fields = (
            null if value is None else dress(make(value), text)
            for value, make, text in zip(row, to_text, is_text, strict=True)
        )
        return delimiter.join(fields) + "\n"

    return write


def header(columns: Columns, format_: str, options: Mapping[str, Any]) -> str:
    """The line of the names of the columns, with its end."""
    delimiter = options.get("delimiter") or ("," if format_ == "csv" else "|")
    dress = _dressing(format_, delimiter, options)
    return delimiter.join(dress(name, True) for name, _ in columns) + "\n"


def _dressing(
    format_: str, delimiter: str, options: Mapping[str, Any]
) -> Callable[[str, bool], str]:
    """Quotes and escapes around a field: its text, and whether its column is a text."""
    if format_ == "csv":
        special = re.compile(f'[{re.escape(delimiter)}"\r\n]')
        return lambda text, _: '"' + text.replace('"', '""') + '"' if special.search(text) else text
    quoted, escaped = options.get("addquotes"), options.get("escape")
    escaping = re.compile(rf"[\\\r\n{re.escape(delimiter)}{chr(34) + chr(39) if quoted else ''}]")

    def dress(text: str, is_text: bool) -> str:
        if escaped and is_text:
            text = escaping.sub(lambda match: "\\" + match[0], text)
        return f'"{text}"' if quoted else text

    return dress


def texts(name: str, type_: Type) -> Callable[[Any], str]:  # noqa: PLR0911 - one return a family
    """How the values of a column are written; refused where Redshift's text is not certain."""
    kind = type_.kind
    if kind in _AS_THEY_ARE:
        return str
    if kind == "boolean":
        return lambda value: "t" if value else "f"
    if kind == "decimal":
        return lambda value: f"{value:f}"
    if kind == "timestamp":
        return _timestamp
    if kind == "timestamptz":
        return lambda value: _timestamp(value) + "+00"
    if kind == "varbyte":
        return lambda value: bytes(value).hex()
    if kind in ("real", "double"):
        return _float(name, kind)
    raise refuse(f"UNLOAD of {name}, of type {type_}", "cast it to varchar(n)")


def _timestamp(value: datetime) -> str:
    text = value.replace(tzinfo=None).isoformat(" ")
    return text.rstrip("0") if "." in text else text


def _float(name: str, kind: str) -> Callable[[Any], str]:
    digits = 6 if kind == "real" else 15

    def write(value: float) -> str:
        text = f"{value:.{digits}g}"
        back = (
            struct.unpack("f", struct.pack("f", float(text)))[0] if kind == "real" else float(text)
        )
        if back != value or not math.isfinite(value):
            raise refuse(
                f"UNLOAD of {name}: a {kind} of more than {digits} digits, of which Amazon Redshift may "
                "lose some",
                "round it, cast it to decimal, or unload parquet",
            )
        return text

    return write
