"""A Magento 2: moments in UTC, a hundred columns an order, a set's line beside the line of what is in it."""

from __future__ import annotations

from orderhe_dagster_tests.intake.shops_of_others.history import (
    CATEGORIES,
    History,
    Order,
    State,
    in_utc,
)
from orderhe_dagster_tests.intake.shops_of_others.shop import OtherShop, Rows, net

_STATUS: dict[State, str] = {
    "unfinished": "canceled",
    "waiting": "pending",
    "paid": "processing",
    "shipped": "processing",
    "delivered": "complete",
    "cancelled": "canceled",
    "refunded": "closed",
}
_NAME = 73
"""The attribute that is a product's name."""
_SETS = 100
"""What a product's number is less than its set's."""


def rows(history: History) -> Rows:
    """The rows of its tables."""
    made: Rows = {
        "core_config_data": [{"path": "currency/options/base", "value": "EUR"}],
        "store": [{"store_id": n, "code": c, "name": c} for n, c in ((0, "admin"), (1, "default"))],
        "eav_attribute": [
            {
                "attribute_id": n,
                "entity_type_id": kind,
                "attribute_code": code,
                "backend_type": type_,
            }
            for n, kind, code, type_ in (
                (45, 3, "name", "varchar"),
                (_NAME, 4, "name", "varchar"),
                (77, 4, "price", "decimal"),
            )
        ],
        "sales_order_status": [
            {"status": s, "label": s.title()} for s in sorted({*_STATUS.values()})
        ],
        "customer_entity": [
            {
                "entity_id": person.number,
                "website_id": 1,
                "email": person.email,
                "firstname": person.first_name,
                "lastname": person.last_name,
                "created_at": in_utc(person.since),
                "updated_at": in_utc(person.since),
            }
            for person in history.people
            if not person.is_guest
        ],
        "catalog_category_entity": [
            {
                "entity_id": n + 3,
                "parent_id": 2,
                "path": f"1/2/{n + 3}",
                "position": n,
                "children_count": 0,
            }
            for n in range(len(CATEGORIES))
        ],
        "catalog_category_entity_varchar": [
            {"attribute_id": 45, "entity_id": n + 3, "value": name}
            for n, name in enumerate(CATEGORIES)
        ],
        "catalog_product_entity": [
            {"entity_id": good.number + more, "type_id": kind, "sku": good.sku + end}
            for good in history.goods
            for more, kind, end in ((0, "simple", ""), (_SETS, "configurable", "-SET"))
        ],
        "catalog_product_entity_varchar": [
            {"attribute_id": _NAME, "entity_id": good.number + more, "value": good.name}
            for good in history.goods
            for more in (0, _SETS)
        ],
        "catalog_product_entity_decimal": [
            {"attribute_id": 77, "entity_id": good.number, "value": net(good.price)}
            for good in history.goods
        ],
        "catalog_category_product": [
            {"entity_id": good.number, "category_id": good.category + 3, "product_id": good.number}
            for good in history.goods
        ],
        "sales_order": [],
        "sales_order_item": [],
        "sales_creditmemo": [],
    }
    for order in history.orders:
        _write(made, order)
    return made


def _write(made: Rows, order: Order) -> None:
    status = _STATUS[order.state]
    without = net(order.total, 4)
    made["sales_order"].append(
        {
            "entity_id": order.number,
            "state": "new" if status == "pending" else status,
            "status": status,
            "store_id": 1,
            "customer_id": None if order.person.is_guest else order.person.number,
            "base_grand_total": order.total,
            "grand_total": order.total,
            "subtotal": net(order.goods, 4),
            "subtotal_incl_tax": order.goods,
            "tax_amount": order.total - without,
            "discount_amount": -order.discount,
            "shipping_amount": order.shipping,
            "total_paid": order.total if order.later("paid", 5) else None,
            "total_qty_ordered": sum(line.quantity for line in order.lines),
            "customer_is_guest": order.person.is_guest,
            "increment_id": f"{order.number:09}",
            "customer_email": order.person.email,
            "base_currency_code": "EUR",
            "order_currency_code": "EUR",
            "created_at": order.utc,
            "updated_at": in_utc(order.later("shipped", 5) or order.at),
            "total_item_count": len(order.lines),
        }
    )
    for place, line in enumerate(order.lines):
        is_set = order.number % 5 == 0 and place == 0
        number = order.number * 10 + place * 2
        sold = {
            "order_id": order.number,
            "store_id": 1,
            "created_at": order.utc,
            "updated_at": order.utc,
            "name": line.good.name,
            "qty_ordered": line.quantity,
        }
        made["sales_order_item"].append(
            {
                "item_id": number,
                **sold,
                "product_id": line.good.number + (_SETS if is_set else 0),
                "product_type": "configurable" if is_set else "simple",
                "sku": line.good.sku,
                "price": net(line.good.price, 4),
                "price_incl_tax": line.good.price,
                "row_total": net(line.amount, 4),
                "row_total_incl_tax": line.amount,
            }
        )
        if is_set:
            made["sales_order_item"].append(
                {
                    "item_id": number + 1,
                    **sold,
                    "parent_item_id": number,
                    "product_id": line.good.number,
                    "product_type": "simple",
                    "sku": line.good.sku,
                }
            )
    if order.state == "refunded":
        made["sales_creditmemo"].append(
            {
                "store_id": 1,
                "order_id": order.number,
                "grand_total": order.total,
                "increment_id": f"{order.number:09}",
                "created_at": in_utc(order.later("delivered", 5) or order.at),
            }
        )


MAGENTO = OtherShop(
    "magento",
    rows,
    """
    select
        cast(entity_id as char), date(created_at), grand_total, status,
        case status when 'canceled' then 'cancelled' when 'closed' then 'refunded' else 'kept' end,
        cast(customer_id as char)
    from sales_order
    """,
    """
    select cast(order_id as char), cast(product_id as char), qty_ordered, row_total_incl_tax
    from sales_order_item
    where parent_item_id is null
    """,
    "EUR",
    "moments in UTC, a hundred columns an order, names in tables of attributes, a set beside what is in it",
)
