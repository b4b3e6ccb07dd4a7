"""A newcomer with a shop of another system: three commands, at most ten answers, and the right figures.

The short form takes the orders of two shops, the lines of one, and two marts of each; the long one takes
all tables of all of them, every mart and the dashboard.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.commands.prove import run_prove
from orderhe_dagster_tests.intake.shops_of_others.every import SHOPS
from orderhe_dagster_tests.intake.shops_of_others.figures import Figures, Sums, by_hand
from orderhe_dagster_tests.intake.shops_of_others.history import CATEGORIES
from orderhe_dagster_tests.intake.shops_of_others.walk import Walk, begun
from orderhe_dagster_tests.long_tests import IS_LONG, cases
from orderhe_dagster_tests.servers.mariadb import MariaDB

FEW: Mapping[str, tuple[str, Sequence[str]]] = {
    "prestashop": ("ps_orders,ps_order_state_lang", ("customer_value", "order_funnel")),
    "laravel": ("orders,order_items", ("daily_sales", "product_sales")),
}
"""Of the short form: the tables that are adopted, and the marts that are built."""


@pytest.mark.parametrize("name", cases(SHOPS, FEW))
def test_a_newcomer_sees_the_right_figures(
    name: str,
    mariadb: MariaDB,
    shop_database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    walk = begun(SHOPS[name], mariadb, shop_database, tmp_path / name, monkeypatch)
    figures = by_hand(SHOPS[name], mariadb, shop_database)
    tables, marts = ("*", [*MARTS]) if IS_LONG else FEW[name]
    walk.type("adopt" if IS_LONG else f"adopt --only '{tables}'")
    walk.type("start")
    walk.type("run '*'" if IS_LONG else f"run '{','.join(f'*mart/{mart}' for mart in marts)}'")
    assert len(walk.typed) == 3
    assert walk.answers <= 10
    for mart in marts:
        MARTS[mart](walk.mart(mart), figures)
    if "category_sales" in walk.marts and IS_LONG:
        _categories(walk.mart("category_sales"), figures)
    if IS_LONG:
        _dashboard_is(walk, figures)
    _nothing_is_missing(walk, whole=IS_LONG)


def _nothing_is_missing(walk: Walk, *, whole: bool) -> None:
    """Every row is in the warehouse, and the proof calls it equal; of the dated tables where not all ran."""
    raw = walk.shop.catalogue.layer("raw")
    tables = [table for table in raw if whole or table.partition]
    counts, expected = walk.warehouse_counts(tables), walk.source_counts()
    assert counts == {name: count for name, count in expected.items() if whole or name in counts}
    said: list[str] = []
    names = [] if whole else [table.name for table in tables]
    assert run_prove(walk.shop.settings, names, None, said.append), "\n".join(said)


Rows = list[dict[str, Any]]


def _days(rows: Rows, figures: Figures) -> None:
    assert {row["order_date"]: _sums(row) for row in rows} == figures.days
    assert len(rows) == len(figures.days)


def _months(rows: Rows, figures: Figures) -> None:
    assert {row["order_month"]: _sums(row) for row in rows} == figures.months
    assert len(rows) == len(figures.months)


def _sums(row: Mapping[str, Any]) -> Sums:
    return Sums(
        row["order_count"],
        row["customer_count"],
        row["gross_amount"],
        row["cancelled_amount"],
        row["returned_amount"],
        row["net_amount"],
    )


def _products(rows: Rows, figures: Figures) -> None:
    assert {
        _key(row["product_id"]): (
            row["order_count"],
            row["units_sold"],
            row["gross_amount"],
            row["net_amount"],
        )
        for row in rows
    } == {
        product: (sums.orders, sums.quantity, sums.gross, sums.net)
        for product, sums in figures.products.items()
    }
    assert len(rows) == len(figures.products)


def _categories(rows: Rows, figures: Figures) -> None:
    """Each line stands in one category, whatever the number of languages."""
    sums: dict[date, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row["order_date"]] += row["net_amount"]
    assert {day: amount for day, amount in sums.items() if amount} == figures.line_days
    assert len({row["category"] for row in rows}) == len(CATEGORIES)


def _customers(rows: Rows, figures: Figures) -> None:
    assert {
        _key(row["customer_id"]): (
            row["frequency"],
            row["monetary_amount"],
            row["first_order_date"],
            row["last_order_date"],
        )
        for row in rows
    } == {
        customer: (sums.orders, sums.value, sums.first, sums.last)
        for customer, sums in figures.customers.items()
    }
    assert len(rows) == len(figures.customers)


def _cohorts(rows: Rows, figures: Figures) -> None:
    counts = {(row["cohort_month"], row["month_number"]): row["customer_count"] for row in rows}
    assert counts == figures.cohorts
    assert len(rows) == len(counts)
    sizes = {month: count for (month, number), count in figures.cohorts.items() if number == 0}
    assert {row["cohort_month"]: row["cohort_size"] for row in rows} == sizes


def _funnel(rows: Rows, figures: Figures) -> None:
    placed = {day: sums.orders for day, sums in figures.days.items()}
    assert {row["order_date"]: row["placed_count"] for row in rows} == placed
    for ending, column in (("cancelled", "cancelled_count"), ("refunded", "returned_count")):
        counts = Counter(sale.day for sale in figures.sales if sale.ending == ending and sale.day)
        assert {row["order_date"]: row[column] for row in rows if row[column]} == counts


def _statuses(rows: Rows, figures: Figures) -> None:
    counts: Counter[tuple[date, int]] = Counter()
    for row in rows:
        counts[row["order_date"], row["order_count"]] += 1
    assert counts == Counter((day, count) for (day, _), count in figures.funnel.items())


MARTS: Mapping[str, Callable[[Rows, Figures], None]] = {
    "daily_sales": _days,
    "monthly_sales": _months,
    "product_sales": _products,
    "customer_value": _customers,
    "cohort_retention": _cohorts,
    "order_funnel": _funnel,
    "order_status": _statuses,
}
"""What each mart must say."""


def _dashboard_is(walk: Walk, figures: Figures) -> None:
    drawn = walk.dashboard()
    assert drawn["currency"] == walk.other.currency
    assert (drawn["first_day"], drawn["last_day"]) == (
        min(figures.days).isoformat(),
        max(figures.days).isoformat(),
    )
    days = drawn["exports"]["daily_sales"]
    assert [date.fromisoformat(day) for day in days["order_date"]] == sorted(figures.days)
    assert _total(days["order_count"]) == figures.total.orders
    assert _total(days["net_amount"]) == figures.total.net
    assert _total(days["gross_amount"]) == figures.total.gross
    funnel = drawn["exports"]["order_funnel"]
    assert _total(funnel["placed_count"]) == figures.total.orders


def _total(values: Iterable[Any]) -> Decimal:
    """A sum of the page's numbers as they are written."""
    return sum((Decimal(str(value)) for value in values), Decimal(0))


def _key(value: Any) -> str:
    """A key as the figures by hand have it."""
    return value.hex() if isinstance(value, bytes) else str(value)
