"""The schemas of six shop systems are adopted: what cuts their orders and lines, and which dates are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orderhe_dagster.commands.adopt import adopt_schema
from orderhe_dagster_tests.intake.adopt.strange import on
from orderhe_dagster_tests.intake.shops_of_others.every import SHOPS
from orderhe_dagster_tests.intake.shops_of_others.shop import load
from orderhe_dagster_tests.long_tests import cases
from orderhe_dagster_tests.servers.mariadb import MariaDB
from orderhe_dagster_tests.shops import TestShop


@dataclass(frozen=True)
class Expected:
    """What is to be written: by which column or way each table is cut ("": whole), and its @cursor."""

    days: Mapping[str, str]
    cursors: Mapping[str, str | None]
    nulls: Mapping[str, set[str]] = field(default_factory=dict)


WC_DAY = "wp_wc_orders.date_created_gmt"
EXPECTED = {
    "woocommerce": Expected(
        {
            "wp_wc_orders": "date_created_gmt",
            "wp_woocommerce_order_items": f"order_id -> {WC_DAY}",
            "wp_woocommerce_order_itemmeta": "order_item_id -> wp_woocommerce_order_items.order_id -> "
            f"{WC_DAY}",
            "wp_wc_order_product_lookup": "date_created",
            "wp_posts": "post_date",
            "wp_options": "",
        },
        {"wp_wc_orders": "date_updated_gmt", "wp_woocommerce_order_items": None},
        {"wp_wc_order_stats": {"date_paid", "date_completed", "date_created_gmt"}},
    ),
    "prestashop": Expected(
        {
            "ps_orders": "date_add",
            "ps_order_detail": "id_order -> ps_orders.date_add",
            "ps_order_history": "date_add",
            "ps_product": "",
            "ps_order_state": "",
        },
        {"ps_orders": "date_upd", "ps_order_detail": None},
        {"ps_orders": {"invoice_date", "delivery_date"}, "ps_product": {"available_date"}},
    ),
    "opencart": Expected(
        {
            "oc_order": "date_added",
            "oc_order_product": "order_id -> oc_order.date_added",
            "oc_order_total": "order_id -> oc_order.date_added",
            "oc_product": "",
            "oc_product_description": "",
            "oc_order_status": "",
        },
        {"oc_order": "date_modified", "oc_order_product": None},
        {"oc_product": {"date_available", "date_modified"}},
    ),
    "magento": Expected(
        {
            "sales_order": "created_at",
            "sales_order_item": "created_at",
            "sales_order_address": "parent_id -> sales_order.created_at",
            "catalog_product_entity": "",
        },
        {"sales_order": "updated_at", "sales_order_address": None},
    ),
    "shopware": Expected(
        {"order": "order_date", "order_line_item": "created_at", "product": "", "currency": ""},
        {"order": "updated_at", "product_category": None},
    ),
    "laravel": Expected(
        {
            "orders": "created_at",
            "order_items": "order_id -> orders.created_at",
            "payments": "created_at",
            "products": "",
        },
        {"orders": "updated_at", "order_items": None},
    ),
}


@pytest.mark.parametrize("name", cases([*EXPECTED], ["woocommerce", "laravel"]))
def test_a_shop_of_another_system_is_adopted(
    name: str, mariadb: MariaDB, shop_database: str, tmp_path: Path
) -> None:
    load(SHOPS[name], mariadb, shop_database)
    (tmp_path / "sql").mkdir()
    shop = TestShop(tmp_path, {"ORDERHE_SQL": str(tmp_path / "sql")})
    on(shop, mariadb, shop_database)
    screen = adopt_schema(shop.settings, None)
    assert len(screen) <= 24
    tables, expected = {table.name: table for table in shop.catalogue.tables}, EXPECTED[name]
    cuts = {
        table: tables[table].day_text or tables[table].partition or "" for table in expected.days
    }
    assert cuts == expected.days
    assert {table: tables[table].cursor for table in expected.cursors} == expected.cursors
    for table, columns in expected.nulls.items():
        nulls = {column.name for column in tables[table].columns if column.bad_values == "null"}
        assert columns <= nulls, (table, nulls)
    changes = [change for table in tables.values() for change in shop.source.drift(table)]
    assert [change for change in changes if change.effect != "noted"] == []
