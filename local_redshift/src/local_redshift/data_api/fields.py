"""Rows as the Data API's fields, and columns as its metadata. Nothing is run or kept here."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from local_redshift.database.results import Row
from local_redshift.wire.messages import TEXT
from local_redshift.wire.values import encoder, field

FieldValue = dict[str, Any]
"""A union of the service's model: one key, named for the kind of its value."""
_NULL: FieldValue = {"isNull": True}
_TYPE_NAMES = {
    "boolean": "bool",
    "smallint": "int2",
    "integer": "int4",
    "bigint": "int8",
    "real": "float4",
    "double": "float8",
    "decimal": "numeric",
    "char": "bpchar",
    "smallint[]": "_int2",
    "aclitem[]": "_aclitem",
}
"""Redshift's short names, where they are others than the long ones."""
_SHAPE = re.compile(r"([a-z]+(?:\[\])?)(?:\((\d+)(?:,(\d+))?\))?$")
_SIGNED = ("smallint", "integer", "bigint", "real", "double", "decimal")
_WHOLE_NUMBERS = ("smallint", "integer", "bigint")


def metadata(name: str, type_: str) -> dict[str, Any]:
    """A column's ColumnMetadata."""
    kind, size, scale = _shape(type_)
    return {
        "isCaseSensitive": kind in ("varchar", "char", "super", "unknown"),
        "isCurrency": False,
        "isSigned": kind in _SIGNED,
        "label": name,
        "length": 0,
        "name": name,
        "nullable": 1,
        "precision": size,
        "scale": scale,
        "schemaName": "",
        "tableName": "",
        "typeName": _TYPE_NAMES.get(kind, kind),
    }


def _shape(type_: str) -> tuple[str, int, int]:
    found = _SHAPE.match(type_)
    if found is None:
        return type_, 0, 0
    return found[1], int(found[2] or 0), int(found[3] or 0)


def row_fields(columns: Sequence[tuple[str, str]]) -> Callable[[Row], list[FieldValue]]:
    """What makes a row's fields, for columns of these names and types."""
    makers = [_maker(*column) for column in columns]

    def made(row: Row) -> list[FieldValue]:
        return [
            _NULL if value is None else make(value) for value, make in zip(row, makers, strict=True)
        ]

    return made


def _maker(name: str, type_: str) -> Callable[[Any], FieldValue]:
    kind, _, _ = _shape(type_)
    if kind in _WHOLE_NUMBERS:
        return lambda value: {"longValue": value}
    if kind == "boolean":
        return lambda value: {"booleanValue": bool(value)}
    if kind in ("real", "double"):
        return _double
    text = encoder(field(name, type_), TEXT)
    return lambda value: {"stringValue": text(value).decode("utf-8")}


def _double(value: float) -> FieldValue:
    """A number; JSON has none for what is no number, which AWS writes as text."""
    if math.isnan(value):
        return {"doubleValue": "NaN"}
    if math.isinf(value):
        return {"doubleValue": "Infinity" if value > 0 else "-Infinity"}
    return {"doubleValue": value}
