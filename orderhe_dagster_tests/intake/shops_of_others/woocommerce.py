"""A WooCommerce: refunds and drafts among the orders, moments in UTC, products among the posts."""

from __future__ import annotations

from datetime import timedelta

from orderhe_dagster_tests.intake.shops_of_others.history import (
    CATEGORIES,
    History,
    Order,
    State,
    in_utc,
)
from orderhe_dagster_tests.intake.shops_of_others.shop import ZERO, OtherShop, Rows, net, or_zero

_STATUS: dict[State, str] = {
    "unfinished": "wc-checkout-draft",
    "waiting": "wc-on-hold",
    "paid": "wc-processing",
    "shipped": "wc-processing",
    "delivered": "wc-completed",
    "cancelled": "wc-cancelled",
    "refunded": "wc-refunded",
}
_FIRST_ORDER, _FIRST_REFUND, _FIRST_PRODUCT = 1000, 5000, 10
_NOTHING = dict.fromkeys(
    ("post_content", "post_excerpt", "to_ping", "pinged", "post_content_filtered"), ""
)


def rows(history: History) -> Rows:
    """The rows of its tables."""
    made: Rows = {
        "wp_options": [
            {"option_name": name, "option_value": value}
            for name, value in (("woocommerce_currency", "USD"), ("blogname", "가게"))
        ],
        "wp_users": [
            {
                "ID": person.number,
                "user_login": f"person{person.number}",
                "user_email": person.email,
                "user_registered": in_utc(person.since),
                "display_name": f"{person.first_name} {person.last_name}",
            }
            for person in history.people
            if not person.is_guest
        ],
        "wp_usermeta": [
            {"user_id": person.number, "meta_key": "wp_capabilities", "meta_value": "a:1:{}"}
            for person in history.people
            if not person.is_guest
        ],
        "wp_posts": [
            {
                "ID": good.number + _FIRST_PRODUCT,
                "post_date": "2025-01-01 09:00:00",
                "post_date_gmt": "2025-01-01 00:00:00",
                "post_title": good.name,
                "post_name": good.sku.lower(),
                "post_type": "product",
                **_NOTHING,
            }
            for good in history.goods
        ]
        # A draft of a page has no moment in UTC yet.
        + [
            {
                "ID": 5,
                "post_date": "2026-10-01 09:00:00",
                "post_title": "About",
                "post_status": "draft",
                "post_date_gmt": ZERO,
                "post_type": "page",
                **_NOTHING,
            }
        ],
        "wp_postmeta": [
            {
                "post_id": good.number + _FIRST_PRODUCT,
                "meta_key": "_price",
                "meta_value": str(good.price),
            }
            for good in history.goods
        ],
        "wp_terms": [
            {"term_id": n + 16, "name": name, "slug": f"c-{n}"} for n, name in enumerate(CATEGORIES)
        ],
        "wp_term_taxonomy": [
            {
                "term_taxonomy_id": n + 16,
                "term_id": n + 16,
                "taxonomy": "product_cat",
                "description": "",
            }
            for n in range(len(CATEGORIES))
        ],
        "wp_term_relationships": [
            {"object_id": good.number + _FIRST_PRODUCT, "term_taxonomy_id": good.category + 16}
            for good in history.goods
        ],
        "wp_wc_product_meta_lookup": [
            {"product_id": good.number + _FIRST_PRODUCT, "sku": good.sku, "min_price": good.price}
            for good in history.goods
        ],
        "wp_wc_customer_lookup": [
            {
                "customer_id": person.number,
                "user_id": None if person.is_guest else person.number,
                "first_name": person.first_name,
                "last_name": person.last_name,
                "email": person.email,
                "date_registered": None if person.is_guest else person.since,
            }
            for person in history.people
        ],
        "wp_actionscheduler_actions": [{"hook": "wc_daily", "status": "pending"} for _ in range(3)],
    }
    for name in (
        "wp_wc_orders",
        "wp_wc_order_addresses",
        "wp_wc_order_operational_data",
        "wp_woocommerce_order_items",
        "wp_woocommerce_order_itemmeta",
        "wp_wc_order_stats",
        "wp_wc_order_product_lookup",
    ):
        made[name] = []
    for order in history.orders:
        _write(made, order)
        if order.state == "refunded":
            _refund(made, order)
    return made


def _write(made: Rows, order: Order) -> None:
    number, person = order.number + _FIRST_ORDER, order.person
    paid, done = order.later("paid", 5), order.later("delivered", 20)
    made["wp_wc_orders"].append(
        {
            "id": number,
            "status": _STATUS[order.state],
            "currency": "USD",
            "type": "shop_order",
            "tax_amount": order.total - net(order.total, 2),
            "total_amount": order.total,
            "customer_id": 0 if person.is_guest else person.number,
            "billing_email": person.email,
            "date_created_gmt": order.utc,
            "date_updated_gmt": order.utc,
            "parent_order_id": 0,
            "payment_method": "bacs",
        }
    )
    made["wp_wc_order_addresses"].append(
        {
            "order_id": number,
            "address_type": "billing",
            "first_name": person.first_name,
            "last_name": person.last_name,
            "email": person.email,
        }
    )
    made["wp_wc_order_operational_data"].append(
        {"order_id": number, "created_via": "checkout", "shipping_total_amount": order.shipping}
    )
    for place, line in enumerate(order.lines):
        item = order.number * 10 + place
        made["wp_woocommerce_order_items"].append(
            {
                "order_item_id": item,
                "order_item_name": line.good.name,
                "order_item_type": "line_item",
                "order_id": number,
            }
        )
        product = line.good.number + _FIRST_PRODUCT
        for key, value in (
            ("_product_id", product),
            ("_variation_id", 0),
            ("_qty", line.quantity),
            ("_line_total", net(line.amount, 2)),
            ("_line_tax", line.amount - net(line.amount, 2)),
        ):
            made["wp_woocommerce_order_itemmeta"].append(
                {"order_item_id": item, "meta_key": key, "meta_value": str(value)}
            )
        if order.state != "unfinished":
            _look_up(made, order, item, number, place, 1)
    made["wp_woocommerce_order_items"].append(
        {
            "order_item_id": order.number * 10 + 9,
            "order_item_name": "Flat rate",
            "order_item_type": "shipping",
            "order_id": number,
        }
    )
    if order.state != "unfinished":
        made["wp_wc_order_stats"].append(
            {
                "order_id": number,
                "date_created": order.at,
                "date_created_gmt": order.utc,
                "date_paid": or_zero(paid),
                "date_completed": or_zero(done),
                "num_items_sold": sum(line.quantity for line in order.lines),
                "total_sales": order.total,
                "net_total": net(order.goods, 2),
                "status": _STATUS[order.state],
                "customer_id": person.number,
            }
        )


def _look_up(made: Rows, order: Order, item: int, number: int, place: int, sign: int) -> None:
    line = order.lines[place]
    made["wp_wc_order_product_lookup"].append(
        {
            "order_item_id": item,
            "order_id": number,
            "product_id": line.good.number + _FIRST_PRODUCT,
            "variation_id": 0,
            "customer_id": order.person.number,
            "date_created": order.at if sign > 0 else order.at + timedelta(days=1),
            "product_qty": sign * line.quantity,
            "product_net_revenue": sign * net(line.amount, 2),
            "product_gross_revenue": sign * line.amount,
        }
    )


def _refund(made: Rows, order: Order) -> None:
    """A refund is an order of another type, below nothing, that belongs to the order."""
    number, at = order.number + _FIRST_REFUND, order.utc + timedelta(days=1)
    made["wp_wc_orders"].append(
        {
            "id": number,
            "status": "wc-completed",
            "currency": "USD",
            "type": "shop_order_refund",
            "total_amount": -order.total,
            "date_created_gmt": at,
            "date_updated_gmt": at,
            "parent_order_id": order.number + _FIRST_ORDER,
        }
    )
    for place in range(len(order.lines)):
        _look_up(made, order, order.number * 10 + 50000 + place, number, place, -1)
    made["wp_wc_order_stats"].append(
        {
            "order_id": number,
            "parent_id": order.number + _FIRST_ORDER,
            "date_created": order.at + timedelta(days=1),
            "date_created_gmt": at,
            "total_sales": -order.total,
            "net_total": -net(order.goods, 2),
            "status": "wc-completed",
            "customer_id": order.person.number,
        }
    )


WOOCOMMERCE = OtherShop(
    "woocommerce",
    rows,
    """
    select
        cast(id as char), date(convert_tz(date_created_gmt, '+00:00', '+09:00')), total_amount, status,
        case status when 'wc-cancelled' then 'cancelled' when 'wc-refunded' then 'refunded' else 'kept' end,
        cast(nullif(customer_id, 0) as char)
    from wp_wc_orders
    where type = 'shop_order' and status <> 'wc-checkout-draft'
    """,
    """
    select
        cast(order_id as char), cast(product_id as char), product_qty,
        cast(product_gross_revenue as decimal(20, 4))
    from wp_wc_order_product_lookup
    """,
    "USD",
    "refunds and drafts among the orders, moments in UTC, customer 0 for guests, amounts as double",
    lambda order: order.state != "unfinished",
)
