"""The values beyond its carried type that MySQL refuses a column. Figures only; names are in `types`."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Literal

from orderhe_dagster.catalog.mysql_types import characters
from orderhe_dagster.catalog.table import ColumnType

FIRST_DATE, LAST_DATE = date(1000, 1, 1), date(9999, 12, 31)
"""The days that MySQL's DATE and DATETIME hold."""

FIRST_YEAR, LAST_YEAR = 1901, 2155
"""The years that MySQL's YEAR holds, beside 0."""


def is_unsigned(kind: ColumnType) -> bool:
    """Whether the contract's type admits no number below zero."""
    return re.search(r"\b(unsigned|zerofill|serial)\b", kind.declared.lower()) is not None


def timestamp_range(kind: ColumnType) -> tuple[datetime, datetime]:
    """First and last value of a timestamp column: naive, and in UTC where it is an instant."""
    if kind.instant:
        return datetime(1970, 1, 1, 0, 0, 1), datetime(2038, 1, 19, 3, 14, 7, 999999)
    return datetime(1000, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)


def text_limit(kind: ColumnType) -> tuple[int, Literal["characters", "bytes"]]:
    """The longest value of a varchar or varbyte column, in the unit the contract counts in."""
    count = characters(kind)
    return (kind.length, "bytes") if count is None else (count, "characters")


def is_json(kind: ColumnType) -> bool:
    """Whether the column is MySQL's JSON."""
    return _word(kind) == "json"


def is_year(kind: ColumnType) -> bool:
    """Whether the column is MySQL's YEAR: 0, or FIRST_YEAR to LAST_YEAR."""
    return _word(kind) == "year"


def is_fixed_text(kind: ColumnType) -> bool:
    """Whether the column is MySQL's CHAR, which gives no trailing blanks back."""
    word = r"(national\s+)?(char|character)\b(?!\s+varying)|nchar\b"
    return re.match(word, kind.declared.lower()) is not None


def fixed_bytes(kind: ColumnType) -> int | None:
    """The length of a BINARY column, to which MySQL fills values up with zeros; None: another type."""
    return kind.length if _word(kind) == "binary" else None


def time_fraction(kind: ColumnType) -> int | None:
    """The digits of a second that a TIME column keeps; None: another type."""
    match = re.fullmatch(r"time(?:\s*\(\s*(\d)\s*\))?", kind.declared.lower())
    return int(match[1] or 0) if match else None


def set_members(kind: ColumnType) -> tuple[str, ...]:
    """The members of a SET column in the contract's order; () for another type."""
    if _word(kind) != "set":
        return ()
    texts = re.findall(r"""'((?:[^'\\]|''|\\.)*)'|"((?:[^"\\]|""|\\.)*)\"""", kind.declared)
    return tuple(
        re.sub(r"\\(.)", r"\1", single.replace("''", "'") or double.replace('""', '"'))
        for single, double in texts
    )


def _word(kind: ColumnType) -> str:
    match = re.match(r"\w+", kind.declared.lower())
    return match.group() if match else ""
