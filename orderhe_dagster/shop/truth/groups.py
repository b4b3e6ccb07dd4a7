"""Exact arithmetic over groups, and columns as rows. Nothing of the shop is here."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orderhe_dagster.shop.draws import Ints

Rows = list[dict[str, Any]]
"""The rows of a mart: column name -> plain Python value."""

_LARGEST, _SMALLEST = np.iinfo(np.int64).max, np.iinfo(np.int64).min


def grouped(*keys: NDArray[Any]) -> tuple[list[NDArray[Any]], Ints]:
    """The distinct combinations of the keys, sorted, one array a key; and each element's place among them."""
    order = np.lexsort(keys[::-1])
    in_order = [key[order] for key in keys]
    first = np.ones(len(order), dtype=bool)
    first[1:] = np.any([key[1:] != key[:-1] for key in in_order], axis=0)
    group = np.empty(len(order), dtype=np.int64)
    group[order] = np.cumsum(first) - 1
    return [key[first] for key in in_order], group


def sums(group: Ints, values: NDArray[Any]) -> Ints:
    """The exact sum of the values of each group; of booleans, how many are true."""
    totals = np.zeros(_number_of_groups(group), dtype=np.int64)
    np.add.at(totals, group, values)
    return totals


def distinct_counts(group: Ints, values: Ints) -> Ints:
    """How many different values each group has."""
    (of, _), _ = grouped(group, values)
    return np.bincount(of)


def lowest(group: Ints, values: Ints) -> Ints:
    """The smallest value of each group."""
    result = np.full(_number_of_groups(group), _LARGEST)
    np.minimum.at(result, group, values)
    return result


def highest(group: Ints, values: Ints) -> Ints:
    """The largest value of each group."""
    result = np.full(_number_of_groups(group), _SMALLEST)
    np.maximum.at(result, group, values)
    return result


def _number_of_groups(group: Ints) -> int:
    return int(group.max()) + 1 if len(group) else 0


def rounded(numerator: int, denominator: int) -> int:
    """The quotient rounded to a whole number, halves away from zero; the denominator is positive."""
    whole = (2 * abs(numerator) + denominator) // (2 * denominator)
    return whole if numerator >= 0 else -whole


def hundredths(numerator: int, denominator: int) -> Decimal:
    """The quotient with two decimals, halves away from zero; the denominator is positive."""
    return Decimal(rounded(100 * numerator, denominator)).scaleb(-2)


def dates(days: Ints) -> NDArray[np.datetime64]:
    """Numbers of days since 1970-01-01 as dates."""
    return days.astype("datetime64[D]")


def month_of(days: Ints) -> Ints:
    """The month of each day: months since January 1970."""
    months: Ints = dates(days).astype("datetime64[M]").astype(np.int64)
    return months


def first_days(months: Ints) -> NDArray[np.datetime64]:
    """The first day of each month, as dates."""
    return months.astype("datetime64[M]").astype("datetime64[D]")


def as_rows(**columns: Any) -> Rows:
    """Columns of one length as a list of dicts of plain Python values."""
    plain = [each.tolist() if isinstance(each, np.ndarray) else each for each in columns.values()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*plain, strict=True)]
