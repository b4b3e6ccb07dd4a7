"""A shop written with Laravel: moments that may be null, rows that are deleted softly, statuses as texts."""

from __future__ import annotations

import json

from orderhe_dagster_tests.intake.shops_of_others.history import (
    CATEGORIES,
    History,
    Order,
    State,
    in_utc,
)
from orderhe_dagster_tests.intake.shops_of_others.shop import OtherShop, Rows, net

_STATUS: dict[State, str] = {
    "unfinished": "pending",
    "waiting": "pending",
    "paid": "paid",
    "shipped": "shipped",
    "delivered": "completed",
    "cancelled": "cancelled",
    "refunded": "refunded",
}


def rows(history: History) -> Rows:
    """The rows of its tables."""
    made: Rows = {
        "migrations": [
            {"migration": f"2025_01_0{n}_000000_create_tables_{n}", "batch": 1} for n in range(1, 8)
        ],
        "users": [
            {
                "id": person.number,
                "name": f"{person.first_name} {person.last_name}",
                "email": person.email,
                "password": "x",
                # Brought over from an older shop: nobody knows when they came.
                "created_at": None if person.number in (2, 9) else in_utc(person.since),
                "updated_at": None,
                "deleted_at": "2026-10-20 01:00:00" if person.number == 7 else None,
            }
            for person in history.people
            if not person.is_guest
        ],
        "categories": [
            {"id": n + 1, "name": name, "slug": f"c-{n}", "created_at": None}
            for n, name in enumerate(CATEGORIES)
        ],
        "products": [
            {
                "id": good.number,
                "category_id": good.category + 1,
                "name": good.name,
                "slug": good.sku.lower(),
                "sku": good.sku,
                "price": good.price,
                "attributes": json.dumps({"색": "흰색 🤍"}, ensure_ascii=False)
                if good.number % 3
                else None,
                "created_at": "2025-01-01 00:00:00",
                "deleted_at": "2026-10-01 00:00:00" if good.number == 12 else None,
            }
            for good in history.goods
        ],
        "sessions": [
            {"id": f"s{n}", "payload": "YTowOnt9", "last_activity": 1790000000 + n}
            for n in range(9)
        ],
        "orders": [],
        "order_items": [],
        "payments": [],
    }
    for order in history.orders:
        _write(made, order)
    for n, order in enumerate(history.orders[:2], 1):  # of the older shop, without any moment
        made["orders"].append(
            {
                "id": 1000 + n,
                "number": f"OLD-{n}",
                "user_id": 1,
                "email": "person1@example.com",
                "status": "completed",
                "subtotal": order.goods,
                "total": order.goods,
            }
        )
    return made


def _write(made: Rows, order: Order) -> None:
    paid, shipped = order.later("paid", 5), order.later("shipped", 20)
    made["orders"].append(
        {
            "id": order.number,
            "number": f"{order.at:%y%m%d}-{order.number:04}",
            "user_id": None if order.person.is_guest else order.person.number,
            "email": order.person.email,
            "status": _STATUS[order.state],
            "subtotal": order.goods,
            "discount": order.discount,
            "shipping": order.shipping,
            "tax": order.total - net(order.total, 2),
            "total": order.total,
            "shipping_address": json.dumps(
                {"name": order.person.last_name, "city": "서울"}, ensure_ascii=False
            ),
            "created_at": order.utc,
            "updated_at": order.utc,
            "paid_at": paid and in_utc(paid),
            "shipped_at": shipped and in_utc(shipped),
            # Trials of the staff, taken away without a trace in the figures.
            "deleted_at": order.utc if order.state == "unfinished" else None,
        }
    )
    for line in order.lines:
        made["order_items"].append(
            {
                "order_id": order.number,
                "product_id": line.good.number,
                "name": line.good.name,
                "quantity": line.quantity,
                "unit_price": line.good.price,
                "total": line.amount,
            }
        )
    if paid:
        made["payments"].append(
            {
                "order_id": order.number,
                "provider": "toss",
                "amount": order.total,
                "status": "done",
                "created_at": in_utc(paid),
            }
        )


LARAVEL = OtherShop(
    "laravel",
    rows,
    """
    select
        cast(id as char), date(created_at), total, status,
        case status when 'cancelled' then 'cancelled' when 'refunded' then 'refunded' else 'kept' end,
        cast(user_id as char)
    from orders
    where deleted_at is null
    """,
    """
    select cast(order_id as char), cast(product_id as char), quantity, total
    from order_items
    """,
    "KRW",
    "moments that may be null, no index on them, soft deletes, guests without an account, undated lines",
    lambda order: order.state != "unfinished",
)
