"""An OpenCart: no foreign key, no index on the day, status 0 for the unfinished, customer 0 for guests."""

from __future__ import annotations

from decimal import Decimal

from orderhe_dagster_tests.intake.shops_of_others.history import CATEGORIES, History, Order, State
from orderhe_dagster_tests.intake.shops_of_others.shop import ZERO, OtherShop, Rows, net

_STATUS: dict[State, int] = {
    "unfinished": 0,
    "waiting": 1,
    "paid": 2,
    "shipped": 3,
    "delivered": 5,
    "cancelled": 7,
    "refunded": 11,
}
_NAMES = {1: "Pending", 2: "Processing", 3: "Shipped", 5: "Complete", 7: "Canceled", 11: "Refunded"}


def rows(history: History) -> Rows:
    """The rows of its tables."""
    made: Rows = {
        "oc_setting": [{"code": "config", "key": "config_currency", "value": "GBP"}],
        "oc_language": [
            {"language_id": n, "name": c, "code": c} for n, c in ((1, "en-gb"), (2, "ko-kr"))
        ],
        "oc_currency": [
            {
                "title": code,
                "code": code,
                "decimal_place": "2",
                "value": value,
                "date_modified": ZERO,
            }
            for code, value in (("GBP", 1), ("USD", 1.25))
        ],
        "oc_order_status": [
            {"order_status_id": n, "language_id": language, "name": name}
            for n, name in _NAMES.items()
            for language in (1, 2)
        ],
        "oc_category": [
            {"category_id": n + 20, "column": 1, "date_added": ZERO, "date_modified": ZERO}
            for n in range(len(CATEGORIES))
        ],
        "oc_category_description": [
            {"category_id": n + 20, "language_id": 1, "name": name.replace("&", "&amp;")}
            for n, name in enumerate(CATEGORIES)
        ],
        "oc_product": [
            {
                "product_id": good.number + 28,
                "model": good.sku,
                "price": net(good.price, 4),
                "date_available": "2009-02-03" if good.number % 2 else "0000-00-00",
                "date_added": "2025-01-01 00:00:00",
                "date_modified": ZERO,
            }
            for good in history.goods
        ],
        "oc_product_description": [
            {"product_id": good.number + 28, "language_id": language, "name": good.name}
            for good in history.goods
            for language in (1, 2)
        ],
        "oc_product_to_category": [
            {"product_id": good.number + 28, "category_id": good.category + 20}
            for good in history.goods
        ],
        "oc_product_special": [{"product_id": 29, "customer_group_id": 1, "price": "30.0000"}],
        "oc_customer": [
            {
                "customer_id": person.number,
                "firstname": person.first_name,
                "lastname": person.last_name,
                "email": person.email,
                "date_added": person.since,
            }
            for person in history.people
            if not person.is_guest
        ],
        "oc_Invoice-Export": [
            {"Invoice No": n, "Order": n, "Größe": "klein" if n % 2 else None, "exported": ZERO}
            for n in range(1, 4)
        ],
        "oc_order": [],
        "oc_order_product": [],
        "oc_order_total": [],
        "oc_order_history": [],
    }
    for order in history.orders:
        _write(made, order)
    return made


def _write(made: Rows, order: Order) -> None:
    is_dollar = order.number % 7 == 0
    person = order.person
    made["oc_order"].append(
        {
            "order_id": order.number,
            "invoice_prefix": "INV-2026-00",
            "store_name": "Shop",
            "customer_id": 0 if person.is_guest else person.number,
            "firstname": person.first_name,
            "lastname": person.last_name,
            "email": person.email,
            "total": order.total,  # in the shop's own currency, whatever the customer saw
            "order_status_id": _STATUS[order.state],
            "currency_id": 2 if is_dollar else 1,
            "currency_code": "USD" if is_dollar else "GBP",
            "currency_value": Decimal("1.25") if is_dollar else 1,
            "date_added": order.at,
            "date_modified": order.later("shipped", 20) or order.at,
        }
    )
    for line in order.lines:
        unit = net(line.good.price, 4)
        made["oc_order_product"].append(
            {
                "order_id": order.number,
                "product_id": line.good.number + 28,
                "name": line.good.name,
                "model": line.good.sku,
                "quantity": line.quantity,
                "price": unit,
                "total": unit * line.quantity,
                "tax": line.good.price - unit,
            }
        )
    for place, (code, value) in enumerate(
        (("sub_total", order.goods), ("shipping", order.shipping), ("total", order.total))
    ):
        made["oc_order_total"].append(
            {
                "order_id": order.number,
                "code": code,
                "title": code,
                "value": value,
                "sort_order": place,
            }
        )
    if order.state != "unfinished":
        made["oc_order_history"].append(
            {
                "order_id": order.number,
                "order_status_id": _STATUS[order.state],
                "date_added": order.at,
            }
        )


OPENCART = OtherShop(
    "opencart",
    rows,
    """
    select
        cast(order_id as char), date(date_added), total, cast(order_status_id as char),
        case order_status_id when 7 then 'cancelled' when 11 then 'refunded' else 'kept' end,
        cast(nullif(customer_id, 0) as char)
    from oc_order
    where order_status_id <> 0
    """,
    """
    select cast(order_id as char), cast(product_id as char), quantity, total
    from oc_order_product
    """,
    "GBP",
    "no index on the day, status 0 for what was never finished, customer 0 for guests, no foreign key",
    lambda order: order.state != "unfinished",
)
