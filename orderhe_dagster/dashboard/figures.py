"""The figures at the top of the page, computed here too: for Dagster's preview, and to hold the page to.

A figure whose export is not there is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from orderhe_dagster.dashboard.payload import Columns


@dataclass(frozen=True)
class Figures:
    """A range of days in five figures. Rates are fractions of 1; a division by nothing is None."""

    revenue: float | None
    orders: int | None
    average_order: float | None
    repeat_rate: float | None
    return_rate: float | None


def figures(exports: Mapping[str, Columns], first: str, last: str) -> Figures:
    """The figures of the days from `first` to `last` (ISO, both included)."""
    revenue = _sum(exports, "daily_sales", "net_amount", first, last)
    funnel = {
        name: _sum(exports, "order_funnel", f"{name}_count", first, last)
        for name in ("placed", "cancelled", "returned", "delivered")
    }
    # A shop that tells of no returns has none that would have to be left out.
    lost = [funnel["cancelled"], *([] if funnel["returned"] is None else [funnel["returned"]])]
    kept = _plus(funnel["placed"], *map(_minus, lost))
    firsts = _sum(exports, "daily_customers", "first_order_count", first, last)
    repeats = _sum(exports, "daily_customers", "repeat_order_count", first, last)
    return Figures(
        revenue=revenue,
        orders=_sum(exports, "daily_sales", "order_count", first, last),
        average_order=_ratio(revenue, kept),
        repeat_rate=_ratio(repeats, _plus(firsts, repeats)),
        return_rate=_ratio(funnel["returned"], funnel["delivered"]),
    )


def ranges(first_day: str, last_day: str) -> Sequence[tuple[str, str, str]]:
    """The ranges that a preview shows, newest first: name, first day, last day."""
    last = date.fromisoformat(last_day)
    shown = [("all days", first_day, last_day)]
    for days in (30, 7):
        begin = (last - timedelta(days=days - 1)).isoformat()
        if begin >= first_day:
            shown.insert(0, (f"last {days} days", begin, last_day))
    return shown


def _sum(exports: Mapping[str, Columns], name: str, column: str, first: str, last: str) -> Any:
    if column not in exports.get(name, ()):
        return None
    days, values = exports[name]["order_date"], exports[name][column]
    pairs = zip(days, values, strict=True)
    return sum(value or 0 for day, value in pairs if first <= day <= last)


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def _plus(*values: float | None) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _ratio(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None
