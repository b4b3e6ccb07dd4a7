"""A PrestaShop: zero dates until there is an invoice, statuses by number, guests with a customer's row."""

from __future__ import annotations

from decimal import Decimal

from orderhe_dagster_tests.intake.shops_of_others.history import CATEGORIES, History, Order, State
from orderhe_dagster_tests.intake.shops_of_others.shop import ZERO, OtherShop, Rows, net, or_zero

_STATUS: dict[State, int] = {
    "unfinished": 8,
    "waiting": 1,
    "paid": 2,
    "shipped": 4,
    "delivered": 5,
    "cancelled": 6,
    "refunded": 7,
}
_LANGUAGES = (1, 2)
"""Every name stands in a table of its own, once a language."""
_NAMES = {
    1: "Awaiting check payment",
    2: "Payment accepted",
    3: "Processing in progress",
    4: "Shipped",
    5: "Delivered",
    6: "Canceled",
    7: "Refunded",
    8: "Payment error",
}


def rows(history: History) -> Rows:
    """The rows of its tables."""
    made: Rows = {
        "ps_currency": [
            {"id_currency": 1, "name": "Euro", "iso_code": "EUR", "conversion_rate": 1},
        ],
        "ps_lang": [
            {"id_lang": n, "name": name, "iso_code": code, "language_code": code}
            for n, name, code in ((1, "Deutsch", "de"), (2, "한국어", "ko"))
        ],
        "ps_order_state": [
            {"id_order_state": n, "paid": n in (2, 3, 4, 5), "shipped": n in (4, 5)} for n in _NAMES
        ],
        "ps_order_state_lang": [
            {"id_order_state": n, "id_lang": language, "name": name, "template": ""}
            for n, name in _NAMES.items()
            for language in _LANGUAGES
        ],
        "ps_configuration": [
            {"name": name, "value": value, "date_add": ZERO, "date_upd": ZERO}
            for name, value in (("PS_SHOP_NAME", "Laden"), ("PS_CURRENCY_DEFAULT", "1"))
        ],
        "ps_category": [
            {"id_category": n + 3, "id_parent": 2, "active": 1, "date_add": ZERO, "date_upd": ZERO}
            for n in range(len(CATEGORIES))
        ],
        "ps_category_lang": [
            {"id_category": n + 3, "id_lang": language, "name": name, "link_rewrite": f"c-{n}"}
            for n, name in enumerate(CATEGORIES)
            for language in _LANGUAGES
        ],
        "ps_product": [
            {
                "id_product": good.number,
                "id_category_default": good.category + 3,
                "id_tax_rules_group": 1,
                "price": net(good.price),
                "reference": good.sku,
                "active": 1,
                "available_date": "0000-00-00",
                "date_add": "2025-01-01 00:00:00",
                "date_upd": "2026-08-01 10:00:00",
            }
            for good in history.goods
        ],
        "ps_product_lang": [
            {
                "id_product": good.number,
                "id_lang": language,
                "link_rewrite": good.sku,
                "name": good.name,
            }
            for good in history.goods
            for language in _LANGUAGES
        ],
        "ps_customer": [
            {
                "id_customer": person.number,
                "id_gender": 0,
                "firstname": person.first_name,
                "lastname": person.last_name,
                "email": person.email,
                "passwd": "x",
                # Most never say it; one gave the year alone.
                "birthday": {3: "1980-00-00", 5: "1991-02-28"}.get(person.number, "0000-00-00"),
                "active": 1,
                "is_guest": person.is_guest,
                "last_passwd_gen": person.since,
                "date_add": person.since,
                "date_upd": person.since,
            }
            for person in history.people
        ],
        "ps_MyModule-Points": [
            {"Customer": person.number, "Points": person.number * 10, "Until": "0000-00-00"}
            for person in history.people[:5]
        ],
    }
    for name in ("ps_orders", "ps_order_detail", "ps_order_history", "ps_order_payment"):
        made[name] = []
    for order in history.orders:
        _write(made, order)
    return made


def _write(made: Rows, order: Order) -> None:
    paid, shipped = order.later("paid", 5), order.later("shipped", 20)
    is_valid = order.state in ("paid", "shipped", "delivered")
    made["ps_orders"].append(
        {
            "id_order": order.number,
            "reference": f"REF{order.number:06}",
            "id_carrier": 1,
            "id_lang": 1,
            "id_customer": order.person.number,
            "id_cart": order.number + 40,
            "id_currency": 1,
            "id_address_delivery": 1,
            "id_address_invoice": 1,
            "current_state": _STATUS[order.state],
            "payment": "Überweisung",
            "total_discounts": order.discount,
            "total_paid": order.total,
            "total_paid_tax_incl": order.total,
            "total_paid_tax_excl": net(order.total),
            "total_paid_real": order.total if is_valid else Decimal(0),
            "total_products": net(order.goods),
            "total_products_wt": order.goods,
            "total_shipping": order.shipping,
            "total_shipping_tax_incl": order.shipping,
            "total_shipping_tax_excl": net(order.shipping),
            "invoice_number": order.number if paid else 0,
            "delivery_number": order.number if shipped else 0,
            "invoice_date": or_zero(paid),
            "delivery_date": or_zero(shipped),
            "valid": is_valid,
            "date_add": order.at,
            "date_upd": shipped or paid or order.at,
        }
    )
    for line in order.lines:
        made["ps_order_detail"].append(
            {
                "id_order": order.number,
                "id_shop": 1,
                "product_id": line.good.number,
                "product_name": line.good.name,
                "product_quantity": line.quantity,
                "product_price": net(line.good.price),
                "product_reference": line.good.sku,
                "product_weight": 0,
                "tax_name": "USt 19",
                "total_price_tax_incl": line.amount,
                "total_price_tax_excl": net(line.amount),
                "unit_price_tax_incl": line.good.price,
                "unit_price_tax_excl": net(line.good.price),
            }
        )
    made["ps_order_history"].append(
        {
            "id_employee": 0,
            "id_order": order.number,
            "id_order_state": _STATUS[order.state],
            "date_add": order.at,
        }
    )
    if paid:
        made["ps_order_payment"].append(
            {
                "order_reference": f"REF{order.number:06}",
                "id_currency": 1,
                "amount": order.total,
                "payment_method": "Überweisung",
                "date_add": paid,
            }
        )


PRESTASHOP = OtherShop(
    "prestashop",
    rows,
    """
    select
        cast(id_order as char), date(date_add), total_paid, cast(current_state as char),
        case
            when current_state in (6, 8) then 'cancelled'
            when current_state = 7 then 'refunded'
            else 'kept'
        end,
        cast(id_customer as char)
    from ps_orders
    """,
    """
    select cast(id_order as char), cast(product_id as char), product_quantity, total_price_tax_incl
    from ps_order_detail
    """,
    "EUR",
    "zero dates until there is an invoice, statuses by number, decimals of six places, undated lines",
)
