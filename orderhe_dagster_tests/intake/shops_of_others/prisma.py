"""A shop written with Prisma: no system's, with names in mixed case and amounts of thirty places."""

from __future__ import annotations

from orderhe_dagster_tests.intake.shops_of_others.history import History, Order, State
from orderhe_dagster_tests.intake.shops_of_others.shop import OtherShop, Rows

_STATUS: dict[State, str] = {
    "unfinished": "CANCELLED",
    "waiting": "PENDING",
    "paid": "PAID",
    "shipped": "SHIPPED",
    "delivered": "DELIVERED",
    "cancelled": "CANCELLED",
    "refunded": "REFUNDED",
}
_CATEGORIES = ("KITCHEN", "PAPER", "LIVING", "GARDEN")


def rows(history: History) -> Rows:
    """The rows of its tables."""
    return {
        "User": [
            {"id": person.number, "email": person.email, "name": person.first_name}
            for person in history.people
            if not person.is_guest
        ],
        "Product": [
            {
                "id": good.number,
                "title": good.name,
                "price": good.price,
                "category": _CATEGORIES[good.category],
            }
            for good in history.goods
        ],
        "Order": [
            {
                "id": _key(order),
                "userId": None if order.person.is_guest else order.person.number,
                "status": _STATUS[order.state],
                "totalAmount": order.total,
                "createdAt": order.at,
                "updatedAt": order.at,
            }
            for order in history.orders
        ],
        "OrderItem": [
            {
                "orderId": _key(order),
                "productId": line.good.number,
                "quantity": line.quantity,
                "unitPrice": line.good.price,
            }
            for order in history.orders
            for line in order.lines
        ],
    }


def _key(order: Order) -> str:
    return f"c{order.number:024}"


PRISMA = OtherShop(
    "prisma",
    rows,
    """
    select
        id, date(createdAt), totalAmount, status,
        case status when 'CANCELLED' then 'cancelled' when 'REFUNDED' then 'refunded' else 'kept' end,
        cast(userId as char)
    from `Order`
    """,
    "select orderId, cast(productId as char), quantity, quantity * unitPrice from OrderItem",
    "KRW",
    "names in mixed case, `Order` among them; amounts of thirty places; lines without an amount and a day",
)
