"""By which parent a table without a day of its own is cut: where a key or a name leads, and where none."""

from __future__ import annotations

from collections.abc import Sequence

from orderhe_dagster.intake.adopt.choose import Choice, Seen
from orderhe_dagster.intake.adopt.links import Link, candidates, through_parents
from orderhe_dagster_tests.intake.adopt.seen import seen

ORDERS = seen("create table orders (id int primary key, order_date date not null)")
WC_ORDERS = seen("create table wp_wc_orders (id bigint primary key, date_created_gmt datetime)")
WC_ITEMS = seen(
    "create table wp_woocommerce_order_items (order_item_id bigint primary key, order_id bigint not null)"
)
WC_META = seen(
    "create table wp_woocommerce_order_itemmeta (meta_id bigint primary key, order_item_id bigint)"
)


def links_of(*tables: Seen, **columns: str) -> tuple[list[Link], dict[str, Choice]]:
    """The links among tables, and the tables' own columns."""
    own = {one.table.name: Choice(columns.get(one.table.name), "") for one in tables}
    return candidates(tables, own), own


def ways(tables: Sequence[Seen], **columns: str) -> dict[str, str | None]:
    links, own = links_of(*tables, **columns)
    return {name: way.column for name, way in through_parents(tables, own, links).items()}


def test_lines_have_the_day_of_their_order_two_steps_away_too() -> None:
    tables = (WC_META, WC_ITEMS, WC_ORDERS)
    assert ways(tables, wp_wc_orders="date_created_gmt") == {
        "wp_woocommerce_order_items": "order_id -> wp_wc_orders.date_created_gmt",
        "wp_woocommerce_order_itemmeta": "order_item_id -> wp_woocommerce_order_items.order_id -> "
        "wp_wc_orders.date_created_gmt",
    }
    assert ways(tables) == {}, "no day that could be passed on"


def test_a_foreign_key_leads_whatever_the_column_is_called() -> None:
    text = (
        "create table address (id int primary key, of int, constraint c foreign key (of) "
        "references orders (id))"
    )
    addresses = seen(text, 10, (), ("orders",))
    (link,) = links_of(addresses, ORDERS, orders="order_date")[0]
    assert (link.column, link.key, link.is_declared) == ("of", "id", True)
    assert ways((addresses, ORDERS), orders="order_date") == {"address": "of -> orders.order_date"}
    way = through_parents(
        (addresses, ORDERS), links_of(addresses, ORDERS, orders="order_date")[1], [link]
    )
    assert way["address"].costs == (
        "no index on of: every night reads all 10 rows; create index `address_of` on `address` (`of`)",
    )


def test_another_key_of_the_parent_is_named() -> None:
    orders = seen(
        "create table Orders (id int primary key, `Order No` varchar(20) unique, order_date date)"
    )
    lines = seen("create table OrderLines (id int primary key, `Order No` varchar(20))")
    assert ways((orders, lines), orders="order_date") == {
        "order_lines": "`Order No` -> orders(`Order No`).order_date"
    }


def test_what_is_no_part_of_an_event_is_read_whole() -> None:
    """A product that was ordered is not of that order's day; nor is a customer."""
    order_products = seen(
        "create table oc_order_product (order_product_id int primary key, order_id int)"
    )
    others = (
        seen("create table oc_product (product_id int primary key, price int)"),
        seen("create table oc_product_description (product_id int, language_id int, name text)"),
        seen("create table oc_customer (customer_id int primary key, order_id varchar(9))"),
        seen("create table oc_order_status (order_status_id int primary key, order_id varchar(9))"),
    )
    order = seen("create table oc_order (order_id int primary key, date_added datetime)")
    assert ways((order, order_products, *others), oc_order="date_added") == {
        "oc_order_product": "order_id -> oc_order.date_added"
    }


def test_values_of_two_sorts_are_never_compared() -> None:
    lines = seen("create table order_lines (id int primary key, order_id varchar(20))")
    assert links_of(lines, ORDERS)[0] == []
    double = seen("create table order_totals (id int primary key, order_id double)")
    assert links_of(double, ORDERS)[0] == []
    keyless = seen(
        "create table order_notes (order_id int, version int, primary key (order_id, version))"
    )
    assert (
        ways((seen("create table order_note_lines (order_id int)"), keyless), order_notes="x") == {}
    )
