"""Made-up data for the dashboard's page: the same every time, for one year or several.

It keeps what the marts promise: a funnel adds up, and so do the categories of a day.
"""

from __future__ import annotations

import math
import random
from datetime import date, timedelta
from typing import Any

LAST = date(2026, 11, 21)
CATEGORIES = {
    "뷰티": 1.9,
    "패션의류": 1.6,
    "Home & Living": 1.3,
    "주방용품": 1.1,
    "Outdoor": 0.9,
    "디지털·가전": 0.8,
    "식품": 0.7,
    "도서": 0.35,
    "반려동물": 0.3,
}
NAMES = (
    "저소음 선풍기",
    "Serum 30ml",
    "유기농 머그컵",
    "접이식 캠핑 의자",
    "Desk Lamp",
    "프리미엄 보틀 500g",
    "린넨 셔츠",
)
MAKERS = ("윤슬", "달빛", "누리상회", "Ms. Bori", "Hanok & Co.")
SEGMENTS = ("champion", "loyal", "at_risk", "new", "promising", "sleeping", "lost", "prospect")

Columns = dict[str, list[Any]]


def columns(rows: list[dict[str, Any]]) -> Columns:
    """Rows as columns."""
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def days(years: int) -> list[date]:
    """The days of the data, without gaps."""
    first = LAST - timedelta(days=365 * years - 1)
    return [first + timedelta(days=at) for at in range(365 * years)]


def _daily(years: int, draw: random.Random) -> dict[str, Columns]:
    sales, categories, customers, funnel = [], [], [], []
    all_days = days(years)
    for at, day in enumerate(all_days):
        season = (
            1
            + 0.18 * math.sin(at / 365 * 2 * math.pi)
            + (0.9 if day.month == 11 and 8 <= day.day <= 12 else 0)
        )
        weekend = 1.25 if day.weekday() >= 5 else 1.0
        placed = int(380 * (1 + at / len(all_days)) * season * weekend * draw.uniform(0.88, 1.12))
        age = (LAST - day).days
        cancelled = int(placed * draw.uniform(0.03, 0.05))
        waiting = int(placed * max(0.0, 0.9 - age * 0.45)) if age < 3 else 0
        shipped = placed - cancelled - waiting
        delivered = int(shipped * min(1.0, age / 5))
        returned = int(delivered * draw.uniform(0.02, 0.045)) if age > 3 else 0
        shares = {name: weight * draw.uniform(0.7, 1.3) for name, weight in CATEGORIES.items()}
        gross = 0
        for name, share in shares.items():
            orders = int(placed * share / sum(shares.values()))
            amount = orders * int(draw.uniform(40, 110)) * 1000
            gross += amount
            categories.append(
                {
                    "order_date": str(day),
                    "category": name,
                    "order_count": orders,
                    "customer_count": orders,
                    "units_sold": orders * 2,
                    "gross_amount": amount,
                    "net_amount": amount * 93 // 100,
                }
            )
        net = sum(row["net_amount"] for row in categories[-len(shares) :])
        kept = placed - cancelled - returned
        repeated = int(kept * min(0.75, 0.15 + at / len(all_days) * 0.6))
        sales.append(
            {
                "order_date": str(day),
                "order_count": placed,
                "customer_count": placed - 9,
                "units_sold": placed * 2,
                "gross_amount": gross,
                "cancelled_amount": (gross - net) // 2,
                "returned_amount": gross - net - (gross - net) // 2,
                "net_amount": net,
            }
        )
        customers.append(
            {
                "order_date": str(day),
                "new_customer_count": kept - repeated - 3,
                "returning_customer_count": repeated - 5,
                "first_order_count": kept - repeated,
                "repeat_order_count": repeated,
            }
        )
        funnel.append(
            {
                "order_date": str(day),
                "placed_count": placed,
                "waiting_count": waiting,
                "shipped_count": shipped,
                "delivered_count": delivered,
                "returned_count": returned,
                "cancelled_count": cancelled,
            }
        )
    exports = {
        "daily_sales": sales,
        "category_sales": categories,
        "daily_customers": customers,
        "order_funnel": funnel,
    }
    return {name: columns(rows) for name, rows in exports.items()}


def _products(draw: random.Random) -> dict[str, Columns]:
    products, pairs, prices = [], [], []
    for at in range(50):
        recent = int(90_000_000 / (at + 1) ** 0.8) // 100 * 100
        products.append(
            {
                "product_id": 100 + at,
                "product_name": f"{MAKERS[at % 5]} {NAMES[at % 7]}",
                "category": list(CATEGORIES)[at % 9],
                "recent_net_amount": recent,
                "previous_net_amount": int(recent * draw.uniform(0.5, 1.6)) if at % 11 else 0,
            }
        )
        other = (at * 7 + 3) % 50
        pairs.append(
            {
                "product_id": 100 + at,
                "other_product_id": 200 + other,
                "product_name": products[at]["product_name"],
                "other_product_name": f"{MAKERS[other % 5]} {NAMES[other % 7]}",
                "basket_count": 90 - at,
                "customer_count": 80 - at,
                "product_basket_count": 900,
                "other_basket_count": 700,
                "lift": round(draw.uniform(1.1, 9), 2),
            }
        )
        old = int(draw.uniform(8, 120)) * 1000
        new = int(old * draw.uniform(0.7, 1.25)) // 100 * 100 or 100
        prices.append(
            {
                "product_id": 100 + at,
                "product_name": products[at]["product_name"],
                "category": products[at]["category"],
                "valid_from": str(LAST - timedelta(days=at)),
                "valid_to": str(LAST),
                "unit_price": new,
                "previous_unit_price": old,
                "price_change": new - old,
                "price_change_pct": round(100 * (new - old) / old, 2),
                "order_count": 30,
                "units_sold": 41,
            }
        )
    rows = {"product_sales": products, "product_pairs": pairs, "price_history": prices}
    return {name: columns(each) for name, each in rows.items()}


def _customers(years: int, draw: random.Random) -> dict[str, Columns]:
    segments = [
        {
            "segment": name,
            "customer_count": int(draw.uniform(900, 4800)),
            "order_count": 0 if name == "prospect" else int(draw.uniform(3000, 21000)),
            "net_amount": 0 if name == "prospect" else int(draw.uniform(1, 16)) * 100_000_000,
            "average_recency_days": None if name == "prospect" else 10 + at * 17,
        }
        for at, name in enumerate(SEGMENTS)
    ]
    months = sorted({day.replace(day=1) for day in days(years)})
    cohorts = []
    for at, month in enumerate(months):
        size = int(draw.uniform(700, 1800))
        for number in range(len(months) - at):
            kept = size if number == 0 else int(size * draw.uniform(0.16, 0.26) * 0.93**number)
            cohorts.append(
                {
                    "cohort_month": str(month),
                    "month_number": number,
                    "cohort_size": size,
                    "customer_count": kept,
                    "retained_pct": round(100 * kept / size, 2),
                }
            )
    return {"customer_segments": columns(segments), "cohort_retention": columns(cohorts)}


def payload(years: int = 1) -> dict[str, Any]:
    """All that the page reads, for a shop that is well: every export, proven layers, passed checks."""
    draw = random.Random(7)
    exports = {**_daily(years, draw), **_products(draw), **_customers(years, draw)}
    placed = sum(exports["daily_sales"]["order_count"])
    layers = [
        {
            "table": name,
            "segments": dayed or 1,
            "never_proven": 0,
            "oldest_proof": "2026-11-20T21:20:09Z",
            "outside_rows": 0,
            "source_rows": rows,
            "backup_rows": rows,
            "warehouse_rows": rows,
            "agrees": True,
            "proved_at": "2026-11-21T21:20:11Z",
        }
        for name, dayed, rows in (
            ("orders", 365 * years, placed),
            ("customers", None, 41_207),
            ("products", None, 1_280),
        )
    ]
    fresh = [
        {
            "asset": f"mart/{name}",
            "built_at": "2026-11-21T21:25:40Z",
            "limit_hours": 26,
            "last_day": str(LAST),
        }
        for name in exports
    ]
    return {
        "made_at": "2026-11-21T21:31:00Z",
        "time_zone": "Asia/Seoul",
        "currency": "KRW",
        "first_day": exports["daily_sales"]["order_date"][0],
        "last_day": str(LAST),
        "lineage": False,
        "price_changes": {"days": 60, "up": 1_204, "down": 977},
        "exports": exports,
        "layers": layers,
        "checks": {"passed": 31, "failed": []},
        "freshness": fresh,
        "behind": [],
    }


def only_days(data: dict[str, Any], count: int) -> dict[str, Any]:
    """The last days of it alone; exports that are not daily stay."""
    first = str(LAST - timedelta(days=count - 1))
    exports = {}
    for name, cols in data["exports"].items():
        if "order_date" in cols:
            keep = [at for at, day in enumerate(cols["order_date"]) if day >= first]
            cols = {column: [values[at] for at in keep] for column, values in cols.items()}  # noqa: PLW2901
        exports[name] = cols
    return {**data, "first_day": first, "exports": exports}
