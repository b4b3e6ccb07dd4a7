"""The truth ledger: what the marts must show, computed with NumPy from the facts. No SQL, no Arrow kernels.

It shares the facts with the tables that are written, but not the way from there: what shows at the
clock and every sum are computed here a second time. The clock is the latest of the days made. Each
mart is a function of the shop and the days made; its rows are plain dicts whose keys are the columns
of the mart, ordered by its grain. `ledger` says what is there, `groups` how it is added up.
"""

from __future__ import annotations

from orderhe_dagster.shop.truth.customers import (
    cohort_retention,
    customer_segments,
    customer_value,
    daily_customers,
)
from orderhe_dagster.shop.truth.groups import Rows
from orderhe_dagster.shop.truth.orders import order_details, order_funnel, totals
from orderhe_dagster.shop.truth.products import price_history, product_pairs, product_sales
from orderhe_dagster.shop.truth.sales import category_sales, daily_sales, monthly_sales

__all__ = [
    "Rows",
    "category_sales",
    "cohort_retention",
    "customer_segments",
    "customer_value",
    "daily_customers",
    "daily_sales",
    "monthly_sales",
    "order_details",
    "order_funnel",
    "price_history",
    "product_pairs",
    "product_sales",
    "totals",
]
