"""What we call a column whose name in the source Redshift would not take, or not keep. Pure.

Redshift's names have 127 bytes at most, of signs that can be printed, and no double quote; some names are
its own. MySQL drops a blank that a name begins with where it hands on a column. Any other name stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orderhe_dagster.catalog.table import Column

NAME_BYTES = 127  # the longest name of Redshift; a longer one is cut there
MARK_DIGITS = 6
SYSTEM_COLUMNS = frozenset(
    {"cmax", "cmin", "ctid", "deletexid", "insertxid", "tableoid", "xmax", "xmin"}
)
"""Columns that every table has in Redshift, as in its ancestor: none of its own can be called so."""


def carried_name(source_name: str) -> str:
    """Our name of a column of the source: the same, or made of what is left of it and its hash."""
    if (
        source_name.isprintable()
        and '"' not in source_name
        and source_name == source_name.strip()
        and len(source_name.encode()) <= NAME_BYTES
        and source_name.lower() not in SYSTEM_COLUMNS
    ):
        return source_name
    text = "".join(sign if sign.isprintable() and sign != '"' else "_" for sign in source_name)
    room = NAME_BYTES - MARK_DIGITS - 1
    text = text.strip().encode()[:room].decode("utf-8", "ignore").rstrip()
    return f"{text}_{name_mark(source_name)}"


def spelling_of(columns: Iterable[Column]) -> dict[str, str]:
    """Our names of columns by theirs and the source's, in lower case."""
    listed = tuple(columns)
    return {column.name.lower(): column.name for column in listed} | {
        column.source_name.lower(): column.name for column in listed
    }


def name_mark(source_name: str, digits: int = MARK_DIGITS) -> str:
    """So many hexadecimal digits of the hash of a name."""
    return hashlib.sha256(source_name.encode("utf-8", "surrogatepass")).hexdigest()[:digits]
