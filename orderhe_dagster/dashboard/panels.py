"""Which exports the page reads, which of their columns, and which rows. No file is opened here.

Aggregates only: nothing that has a row for a person or an order is ever named here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal

from orderhe_dagster.catalog.table import Catalogue, Kind, Table

Sort = Literal["day", "number", "text", "name"]
"""What the page takes a column for; a name is a text or a number."""

Row = Mapping[str, Any]

PRODUCTS, FALLING, PAIRS, ABOVE_CHANCE, PRICES = 40, 10, 30, 20, 50
FEWEST_BASKETS = 3  # of a pair that is shown for being above chance
PRICE_DAYS = 60
_NUMBERS: frozenset[Kind] = frozenset(
    {"smallint", "integer", "bigint", "decimal", "real", "double"}
)
_KINDS: Mapping[Sort, frozenset[Kind]] = {
    "day": frozenset({"date"}),
    "number": _NUMBERS,
    "text": frozenset({"varchar"}),
    "name": _NUMBERS | {"varchar"},
}


def _all(rows: Sequence[Row], _last_day: date | None) -> Sequence[Row]:
    return rows


@dataclass(frozen=True)
class Panel:
    """What the page takes of one export: columns it needs, columns it takes where they are, rows."""

    name: str
    needs: Mapping[str, Sort]
    takes: Mapping[str, Sort] = field(default_factory=dict)
    choose: Callable[[Sequence[Row], date | None], Sequence[Row]] = _all
    """The rows that are shown, in order, of all rows and the data's last day."""

    def misfits(self, table: Table) -> list[str]:
        """Why the page cannot read this export: a sentence for each column. Empty: it can."""
        misfits = []
        for name, sort in self.needs.items():
            if name not in table.column_names:
                misfits.append(f"{table.ref} has no column {name}")
            elif not _fits(table, name, sort):
                column = table.column(name)
                wanted = f"{sort} that is no personal data" if column.pii else sort
                misfits.append(
                    f"{table.ref}.{name} is a {column.type.kind}, where the page needs a {wanted}"
                )
        return misfits

    def has_its_days(self, row: Row) -> bool:
        """Whether every day that the page needs of a row is there."""
        return all(row[name] is not None for name, sort in self.needs.items() if sort == "day")

    def columns(self, table: Table) -> dict[str, Sort]:
        """The columns that are taken of this export, and what each is taken for."""
        taken = {name: sort for name, sort in self.takes.items() if _fits(table, name, sort)}
        return {**self.needs, **taken}


def _fits(table: Table, name: str, sort: Sort) -> bool:
    if name not in table.column_names:
        return False
    column = table.column(name)
    return column.type.kind in _KINDS[sort] and not column.pii


def readable(catalogue: Catalogue) -> dict[str, Table]:
    """The exports of the catalogue that the page reads, by name."""
    exports = {table.name: table for table in catalogue.layer("export")}
    return {
        panel.name: exports[panel.name]
        for panel in PANELS.values()
        if panel.name in exports and not panel.misfits(exports[panel.name])
    }


def misfits(catalogue: Catalogue) -> list[str]:
    """Why exports that are called as the page's are not read: a sentence for each column."""
    exports = {table.name: table for table in catalogue.layer("export")}
    return [
        text
        for panel in PANELS.values()
        if panel.name in exports
        for text in panel.misfits(exports[panel.name])
    ]


def _figure(row: Row, name: str) -> float:
    return float(row[name] or 0)


def _products(rows: Sequence[Row], _last_day: date | None) -> Sequence[Row]:
    """What sells best now, and what of the rest has lost most."""

    def lost(row: Row) -> float:
        return _figure(row, "previous_net_amount") - _figure(row, "recent_net_amount")

    best = sorted(rows, key=lambda row: -_figure(row, "recent_net_amount"))
    falling = sorted(best[PRODUCTS:], key=lost, reverse=True)[:FALLING]
    shown = [*best[:PRODUCTS], *(row for row in falling if lost(row) > 0)]
    return sorted(shown, key=lambda row: -_figure(row, "recent_net_amount"))


def _pairs(rows: Sequence[Row], _last_day: date | None) -> Sequence[Row]:
    """The most frequent, and those of the rest that are furthest above chance."""
    frequent = sorted(rows, key=lambda row: -_figure(row, "basket_count"))
    others = [row for row in frequent[PAIRS:] if _figure(row, "basket_count") >= FEWEST_BASKETS]
    above = sorted(others, key=lambda row: -_figure(row, "lift"))[:ABOVE_CHANCE]
    return sorted([*frequent[:PAIRS], *above], key=lambda row: -_figure(row, "basket_count"))


def _recent_changes(rows: Sequence[Row], last_day: date | None) -> list[Row]:
    changed = [row for row in rows if row["previous_unit_price"] is not None]
    newest = last_day or max((_day(row) for row in changed), default=None)
    if newest is None:
        return []
    since = newest - timedelta(days=PRICE_DAYS - 1)
    return [row for row in changed if since <= _day(row) <= newest]


def _prices(rows: Sequence[Row], last_day: date | None) -> Sequence[Row]:
    """The biggest of the latest changes, newest first: a half is as big as a doubling."""

    def size(row: Row) -> float:
        new, old = _figure(row, "unit_price"), _figure(row, "previous_unit_price")
        return abs(math.log(new / old)) if new > 0 and old > 0 else math.inf

    biggest = sorted(_recent_changes(rows, last_day), key=size, reverse=True)[:PRICES]
    return sorted(biggest, key=lambda row: row["valid_from"], reverse=True)


def price_changes(rows: Sequence[Row], last_day: date | None) -> dict[str, int]:
    """How many prices went up and down in the last days, of all products."""
    changes = [_figure(row, "price_change") for row in _recent_changes(rows, last_day)]
    return {
        "days": PRICE_DAYS,
        "up": sum(change > 0 for change in changes),
        "down": sum(change < 0 for change in changes),
    }


def _day(row: Row) -> date:
    return date.fromisoformat(row["valid_from"])


def _by(*names: str) -> Callable[[Sequence[Row], date | None], Sequence[Row]]:
    def ordered(rows: Sequence[Row], _last_day: date | None) -> Sequence[Row]:
        return sorted(rows, key=lambda row: [row[name] or "" for name in names])

    return ordered


def _numbers(*names: str) -> dict[str, Sort]:
    return dict.fromkeys(names, "number")


_SALES = _numbers("order_count", "net_amount")
_MORE_SALES = _numbers(
    "customer_count", "units_sold", "gross_amount", "cancelled_amount", "returned_amount"
)
PANELS: Mapping[str, Panel] = {
    panel.name: panel
    for panel in (
        Panel("daily_sales", {"order_date": "day", **_SALES}, _MORE_SALES, _by("order_date")),
        Panel(
            "daily_customers",
            {
                "order_date": "day",
                **_numbers("new_customer_count", "returning_customer_count"),
                **_numbers("first_order_count", "repeat_order_count"),
            },
            choose=_by("order_date"),
        ),
        Panel(
            "category_sales",
            {"order_date": "day", "category": "text", **_SALES},
            _numbers("units_sold"),
            _by("order_date", "category"),
        ),
        Panel(
            "order_funnel",
            {
                "order_date": "day",
                **_numbers("placed_count", "cancelled_count"),
            },
            _numbers("waiting_count", "shipped_count", "delivered_count", "returned_count"),
            _by("order_date"),
        ),
        Panel(
            "product_sales",
            {
                "product_id": "name",
                "product_name": "text",
                **_numbers("recent_net_amount", "previous_net_amount"),
            },
            {"category": "text", **_numbers("order_count", "units_sold", "net_amount")},
            _products,
        ),
        Panel(
            "customer_segments",
            {
                "segment": "text",
                **_numbers("customer_count", "order_count", "net_amount", "average_recency_days"),
            },
        ),
        Panel(
            "cohort_retention",
            {
                "cohort_month": "day",
                **_numbers("month_number", "cohort_size", "customer_count", "retained_pct"),
            },
            choose=_by("cohort_month"),
        ),
        Panel(
            "product_pairs",
            {
                "product_id": "name",
                "other_product_id": "name",
                "product_name": "text",
                "other_product_name": "text",
                **_numbers("basket_count", "lift"),
            },
            _numbers("customer_count", "product_basket_count", "other_basket_count"),
            _pairs,
        ),
        Panel(
            "price_history",
            {
                "product_id": "name",
                "product_name": "text",
                "valid_from": "day",
                "valid_to": "day",
                **_numbers("unit_price", "previous_unit_price"),
                **_numbers("price_change", "price_change_pct"),
            },
            {"category": "text", **_numbers("order_count", "units_sold")},
            _prices,
        ),
    )
}
"""Every export that the page reads, by name."""
