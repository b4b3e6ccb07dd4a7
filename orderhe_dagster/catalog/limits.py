"""The values beyond its carried type that MySQL refuses a column. Figures only; names are in `types`."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Literal

from orderhe_dagster.catalog.table import ColumnType
from orderhe_dagster.catalog.types import characters

FIRST_DATE, LAST_DATE = date(1000, 1, 1), date(9999, 12, 31)
"""The days that MySQL's DATE and DATETIME hold."""


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
