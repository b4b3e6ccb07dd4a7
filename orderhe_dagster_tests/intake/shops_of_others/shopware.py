"""A Shopware 6: keys of sixteen bytes, versions of a row that are no orders, amounts within JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from hashlib import md5
from typing import Any

from orderhe_dagster_tests.intake.shops_of_others.history import (
    CATEGORIES,
    History,
    Order,
    State,
    in_utc,
)
from orderhe_dagster_tests.intake.shops_of_others.shop import OtherShop, Rows, net

_LIVE = bytes.fromhex("0fa91ce3e96a4bc2be4bd9ce752c3425")
"""The version of a row that counts; any other is somebody's draft of a change."""
_STATUS: dict[State, str] = {
    "unfinished": "cancelled",
    "waiting": "open",
    "paid": "in_progress",
    "shipped": "in_progress",
    "delivered": "completed",
    "cancelled": "cancelled",
    "refunded": "returned",
}
_CREATED = {"created_at": "2025-01-01 00:00:00.000"}


def _id(kind: str, number: int | str = 0) -> bytes:
    return md5(f"{kind} {number}".encode(), usedforsecurity=False).digest()


def rows(history: History) -> Rows:
    """The rows of its tables."""
    language, machine = _id("language"), _id("order.state")
    made: Rows = {
        "migration": [{"class": f"Migration{n}", "creation_timestamp": n} for n in range(5)],
        "system_config": [
            {
                "id": _id("config"),
                "configuration_key": "core.shop",
                "configuration_value": '{"_value": "Laden"}',
                **_CREATED,
            },
        ],
        "language": [{"id": language, "locale_id": _id("locale"), "name": "Deutsch", **_CREATED}],
        "currency": [
            {"id": _id("currency"), "iso_code": "EUR", "factor": 1, "symbol": "€", **_CREATED}
        ],
        "state_machine": [{"id": machine, "technical_name": "order.state", **_CREATED}],
        "state_machine_state": [
            {
                "id": _id("state", name),
                "technical_name": name,
                "state_machine_id": machine,
                **_CREATED,
            }
            for name in sorted({*_STATUS.values()})
        ],
        "state_machine_state_translation": [
            {
                "language_id": language,
                "state_machine_state_id": _id("state", name),
                "name": name,
                **_CREATED,
            }
            for name in sorted({*_STATUS.values()})
        ],
        "customer": [
            {
                "id": _id("customer", person.number),
                "customer_group_id": _id("group"),
                "sales_channel_id": _id("channel"),
                "language_id": language,
                "customer_number": str(10000 + person.number),
                "first_name": person.first_name,
                "last_name": person.last_name,
                "email": person.email,
                "guest": person.is_guest,
                "birthday": None,
                "created_at": in_utc(person.since),
            }
            for person in history.people
        ],
        "category": [
            {"id": _id("category", n), "version_id": _LIVE, **_CREATED}
            for n in range(len(CATEGORIES))
        ],
        "category_translation": [
            {
                "category_id": _id("category", n),
                "category_version_id": _LIVE,
                "language_id": language,
                "name": name,
                **_CREATED,
            }
            for n, name in enumerate(CATEGORIES)
        ],
        "product": [
            {
                "id": _id("product", good.number),
                "version_id": _LIVE,
                "product_number": good.sku,
                "active": 1,
                "price": json.dumps(
                    {"c": {"gross": float(good.price), "net": float(net(good.price))}}
                ),
                "stock": 10,
                **_CREATED,
            }
            for good in history.goods
        ],
        "product_translation": [
            {
                "product_id": _id("product", good.number),
                "product_version_id": _LIVE,
                "language_id": language,
                "name": good.name,
                **_CREATED,
            }
            for good in history.goods
        ],
        "product_category": [
            {
                "product_id": _id("product", good.number),
                "product_version_id": _LIVE,
                "category_id": _id("category", good.category),
                "category_version_id": _LIVE,
            }
            for good in history.goods
        ],
        "order": [],
        "order_address": [],
        "order_customer": [],
        "order_line_item": [],
        "order_transaction": [],
        "log_entry": [
            {
                "id": _id("log", n),
                "message": "mail.sent",
                "level": 200,
                "channel": "business",
                "created_at": f"2026-10-{n + 1:02} 00:00:00.000",
            }
            for n in range(5)
        ],
    }
    for order in history.orders:
        _write(made, order, _LIVE)
        if order.number % 40 == 0:  # somebody began to change it, and left the draft lying
            _write(made, order, _id("draft", order.number), Decimal(1000))
    return made


def _write(made: Rows, order: Order, version: bytes, more: Decimal = Decimal(0)) -> None:
    key = _id("order", order.number)
    of_order = {"order_id": key, "order_version_id": version}
    created = {"created_at": order.utc}
    is_live = version == _LIVE
    total = order.total + more
    made["order"].append(
        {
            "id": key,
            "version_id": version,
            "auto_increment": order.number if is_live else 5000 + order.number,
            "order_number": str(10000 + order.number),
            "state_id": _id("state", _STATUS[order.state]),
            "currency_id": _id("currency"),
            "language_id": _id("language"),
            "currency_factor": 1,
            "sales_channel_id": _id("channel"),
            "billing_address_id": _id("address", order.number),
            "billing_address_version_id": version,
            "price": _price(
                total, netPrice=net(total, 2), positionPrice=order.goods, taxStatus="gross"
            ),
            "shipping_costs": _price(order.shipping),
            "order_date_time": order.utc,
            "deep_link_code": f"deep{order.number}",
            **created,
        }
    )
    person = order.person
    made["order_customer"].append(
        {
            "id": _id("order customer", order.number),
            "version_id": version,
            "customer_id": _id("customer", person.number),
            **of_order,
            "email": person.email,
            "first_name": person.first_name,
            "last_name": person.last_name,
            **created,
        }
    )
    made["order_address"].append(
        {
            "id": _id("address", order.number),
            "version_id": version,
            **of_order,
            "first_name": person.first_name,
            "last_name": person.last_name,
            "street": "Straße 1",
            "city": "서울",
            **created,
        }
    )
    for place, line in enumerate(order.lines):
        made["order_line_item"].append(
            {
                "id": _id("line", order.number * 10 + place),
                "version_id": version,
                **of_order,
                "identifier": line.good.sku,
                "product_id": _id("product", line.good.number),
                "product_version_id": _LIVE,
                "label": line.good.name,
                "quantity": line.quantity,
                "type": "product",
                "price": _price(line.amount, unitPrice=line.good.price),
                **created,
            }
        )
    if order.discount:
        made["order_line_item"].append(
            {
                "id": _id("line", order.number * 10 + 9),
                "version_id": version,
                **of_order,
                "identifier": "PROMO",
                "label": "Gutschein",
                "quantity": 1,
                "type": "promotion",
                "price": _price(-order.discount, unitPrice=-order.discount),
                **created,
            }
        )
    if is_live:
        made["order_transaction"].append(
            {
                "id": _id("transaction", order.number),
                "version_id": version,
                **of_order,
                "state_id": _id("state", _STATUS[order.state]),
                "payment_method_id": _id("payment"),
                "amount": _price(order.total),
                **created,
            }
        )


def _price(total: Decimal, **more: Any) -> str:
    values = {"totalPrice": total, **more}
    return json.dumps({k: float(v) if isinstance(v, Decimal) else v for k, v in values.items()})


SHOPWARE = OtherShop(
    "shopware",
    rows,
    f"""
    select
        lower(hex(o.id)), o.order_date, cast(o.amount_total as decimal(20, 4)), s.technical_name,
        case s.technical_name
            when 'cancelled' then 'cancelled'
            when 'returned' then 'refunded'
            else 'kept'
        end,
        lower(hex(c.customer_id))
    from `order` o
    join state_machine_state s on s.id = o.state_id
    join order_customer c on c.order_id = o.id and c.order_version_id = o.version_id
    where o.version_id = x'{_LIVE.hex()}'
    """,
    f"""
    select lower(hex(order_id)), lower(hex(product_id)), quantity, cast(total_price as decimal(20, 4))
    from order_line_item
    where type = 'product' and version_id = x'{_LIVE.hex()}'
    """,
    "EUR",
    "keys of sixteen bytes, drafts of orders beside them, amounts within JSON, a table called order",
)
