"""What is known of well-known shop systems that no name, type or key tells: facts, in our words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from orderhe_dagster.catalog.table import Table
from orderhe_dagster.intake.start.roles import Lines, Products, Rule

USUAL = ("cancelled", "canceled", "refunded", "returned", "failed")
"""Words for a status that are usual where statuses are texts."""
_LIVE = "0fa91ce3e96a4bc2be4bd9ce752c3425"
"""Shopware: the version of a row that counts; the others are drafts of a change."""
_WOO_STAGES = {
    "wc-cancelled": "cancelled",
    "wc-failed": "cancelled",
    "wc-refunded": "returned",
    "wc-completed": "delivered",
    "wc-checkout-draft": "drafts",
    "auto-draft": "drafts",
    "draft": "drafts",
    "trash": "drafts",
}
_MAGENTO_STAGES = {
    "canceled": "cancelled",
    "closed": "returned",  # all of it was paid back
    "complete": "delivered",
    "fraud": "cancelled",
}


def rules_of(table: Table) -> Iterator[Rule]:
    """The conditions that rows of a system's table must meet to count."""
    names = {name.lower() for name in table.column_names}
    if table.name.endswith("wc_orders") and "type" in names:
        yield Rule("type", "{column} = 'shop_order'", "that are no refunds")
    if table.name.endswith("order_line_item") and {"type", "version_id"} <= names:
        yield Rule("type", "{column} = 'product'", "of products")
    if "version_id" in names and table.column("version_id").type.kind == "varbyte":
        yield Rule("version_id", f"to_hex({{column}}) = '{_LIVE}'", "of the version that counts")


def stages_of(table: Table) -> Mapping[str, str]:
    """What a system's statuses mean, where their words do not say so."""
    if table.name.endswith("wc_orders"):
        return _WOO_STAGES
    names = {name.lower() for name in table.column_names}
    # A table that is only called so may mean by "closed" that all is well.
    if table.name.endswith("sales_order") and {"entity_id", "increment_id"} <= names:
        return _MAGENTO_STAGES
    return {}


def product_names(tables: Sequence[Table], lines: Lines) -> Products | None:
    """Where a system keeps the names of products under another word: WordPress among its posts."""
    if not lines.table.name.endswith("wc_order_product_lookup"):
        return None
    for table in tables:
        names = {name.lower(): name for name in table.column_names}
        if table.name.endswith("posts") and {"id", "post_title"} <= names.keys():
            return Products(table, names["id"], names["post_title"])
    return None
