"""Which column cuts a table into days: by its name and values, with or without index, and what it costs."""

from __future__ import annotations

import pytest

from orderhe_dagster.intake.adopt.choose import (
    add_cursor,
    cursor_of,
    maybe_days,
    moves_by_itself,
    partition_of,
    rank_of,
)
from orderhe_dagster.intake.adopt.words import is_event, is_part_of
from orderhe_dagster.ports.source import ColumnLook, TableLook
from orderhe_dagster_tests.intake.adopt.seen import days, seen

ORDERS = "create table oc_order (order_id int primary key, invoice_date datetime not null, {})"


@pytest.mark.parametrize(
    ("column", "table", "rank"),
    [
        ("order_date", "orders", 0),
        ("orderDate", "SalesOrder", 0),
        ("placed_at", "orders", 0),
        ("post_date", "wp_posts", 0),
        ("day", "visits", 0),
        ("date_added", "oc_order", 1),
        ("date_add", "ps_orders", 1),
        ("CreatedOn", "Order", 1),
        ("created", "orders", 1),
        ("timestamp", "wp_woocommerce_log", 2),
        ("paid_at", "orders", 3),
        ("invoice_date", "orders", 9),
        ("invoice_date", "invoices", 0),
        ("order_id", "orders", 9),
        ("price", "orders", 9),
        ("REG_DT", "TB_ORDER", 1),
        ("regdate", "orders", 1),
        ("주문일시", "주문", 0),
        ("등록일", "상품", 1),
        ("MOD_DT", "TB_ORDER", 9),
    ],
)
def test_a_name_says_how_surely_a_row_came_to_be_then(column: str, table: str, rank: int) -> None:
    one = seen(f"create table `{table}` (a int primary key, `{column}` datetime)")
    assert rank_of(column, one.table) == rank


def test_what_most_columns_begin_with_says_nothing() -> None:
    """As of shops whose tables mark their columns: od_id, od_time, od_receipt_time."""
    text = "create table g5_shop_order (od_id bigint, od_name text, od_time datetime, od_receipt_time date)"
    one = seen(text, 900, od_time=days(90), od_receipt_time=days(90))
    assert (rank_of("od_time", one.table), rank_of("od_receipt_time", one.table)) == (0, 9)
    assert partition_of(one).column == "od_time"


def test_no_index_is_no_obstacle_and_its_cost_is_told() -> None:
    """As of every OpenCart: a scan a night, and the statement that spares it, with the real names."""
    one = seen(ORDERS.format("date_added datetime not null"), 90_000, date_added=days(400))
    choice = partition_of(one)
    assert (choice.column, choice.why) == ("date_added", "not null, no index, spans 400 days")
    assert choice.costs == (
        (
            "no index on it: every night reads all 90,000 rows to find a day's; create index "
            "`order_date_added` on `oc_order` (`date_added`)"
        ),
    )
    indexed = seen(
        ORDERS.format("date_added datetime not null"), 90_000, ("date_added",), date_added=days(400)
    )
    assert partition_of(indexed).costs == ()


def test_rows_without_a_day_lie_outside_and_are_counted() -> None:
    """As of every Laravel shop."""
    text = ORDERS.format("created_at timestamp null, updated_at timestamp null")
    choice = partition_of(seen(text, 5000, ("created_at",), created_at=days(90, nulls=12, none=1)))
    assert choice.column == "created_at"
    assert choice.costs == ("13 rows without a day in it, in the segment `outside`",)


def test_a_column_that_most_rows_lack_is_never_taken() -> None:
    text = ORDERS.format("paid_at datetime, placed_at datetime")
    choice = partition_of(
        seen(
            text,
            100,
            placed_at=days(80, nulls=60),
            paid_at=days(80),
            invoice_date=days(0, none=100),
        )
    )
    assert choice.column == "paid_at"
    none = partition_of(seen(text, 100, placed_at=days(80, nulls=51), paid_at=days(9, none=60)))
    assert none.column is None
    assert "placed_at has no day in 51 of 100 rows" in none.why
    assert "paid_at has no day in 60 of 100 rows" in none.why


def test_the_days_of_a_business_come_before_those_of_its_rows_and_other_clocks() -> None:
    text = ORDERS.format("created_at datetime, order_date date, order_date_gmt datetime")
    choice = partition_of(
        seen(text, 100, created_at=days(80), order_date=days(60), order_date_gmt=days(60))
    )
    assert (choice.column, choice.others) == ("order_date", ())
    rival = partition_of(
        seen(ORDERS.format("a_created_at datetime, date_added datetime"), 9, date_added=days(60))
    )
    assert rival.others == ()
    both = ORDERS.format("date_added datetime, created datetime")
    choice = partition_of(seen(both, 9, date_added=days(60), created=days(70)))
    assert (choice.column, choice.others) == ("created", ("date_added",))
    utc = partition_of(
        seen(ORDERS.format("date_created_gmt datetime"), 9, date_created_gmt=days(40))
    )
    assert "in UTC by its name" in "".join(utc.costs)


def test_what_tells_of_no_events_is_read_whole_while_it_is_small() -> None:
    """A customer's change is then seen the same night, which no cursor would tell."""
    text = "create table oc_customer (id int primary key, date_added datetime not null{})"
    small = partition_of(seen(text.format(""), 5000, date_added=days(300)))
    assert small.column is None
    assert "all of them are read every night" in small.why
    assert small.others == ("date_added",)
    assert partition_of(seen(text.format(""), 5001, date_added=days(300))).column == "date_added"
    kept = seen(text.format(", updated_at datetime"), 50, date_added=days(300))
    assert partition_of(kept, cursor_of(kept)).column == "date_added"
    zeros = ColumnLook(nulls=20, faults={"z": 30})
    never = seen(text.format(", updated_at datetime"), 50, date_added=days(300), updated_at=zeros)
    assert partition_of(never, cursor_of(never)).column is None
    assert partition_of(seen(text.format(""), 9_000, date_added=days(29))).column is None
    events = seen("create table orders (id int, order_date date)", 3, order_date=days(2))
    assert partition_of(events).column == "order_date"


def test_a_table_without_rows_is_judged_by_names() -> None:
    orders = seen("create table orders (id int, created_at datetime, shipped_on date)", 0)
    assert partition_of(orders).column == "created_at"
    assert (
        partition_of(seen("create table colours (id int, created_at datetime)", 0)).column is None
    )


@pytest.mark.parametrize(
    ("declared", "look", "told"),
    [
        ("varchar(20)", ColumnLook(nulls=1, like_days=99), "(cast(`order_date` as date)) stored"),
        ("int", ColumnLook(like_days=95), "(cast(`order_date` as date)) stored"),
        (
            "int",
            ColumnLook(like_seconds=100),
            "('1970-01-01' + interval `order_date` second) stored",
        ),
        ("int", ColumnLook(like_seconds=50, like_days=50), ""),
    ],
)
def test_texts_and_numbers_are_not_taken_but_told(
    declared: str, look: ColumnLook, told: str
) -> None:
    one = seen(f"create table orders (id int, order_date {declared})", 100, order_date=look)
    assert maybe_days(one.table) == ["order_date"]
    choice = partition_of(one)
    assert choice.column is None
    assert [
        told in cost and "alter table `orders` add column" in cost for cost in choice.costs
    ] == [True] * bool(told)


def test_the_cursor_is_what_mysql_moves_else_what_the_application_does() -> None:
    text = "create table ps_orders (id int, date_upd datetime{}, price int)"
    moved = cursor_of(seen(text.format(" on update current_timestamp")))
    assert (moved.column, moves_by_itself(moved)) == ("date_upd", True)
    kept = cursor_of(seen(text.format("")))
    assert (kept.column, moves_by_itself(kept)) == ("date_upd", False)
    none = cursor_of(seen("create table `Order Items` (id int, updated_at date)"))
    assert none.column is None
    assert none.costs == (
        (
            "alter table `Order Items` add column row_changed_at timestamp(6) not null "
            "default current_timestamp(6) on update current_timestamp(6)"
        ),
    )
    assert "add column updated_at" in add_cursor(seen(text.format("")))


def test_which_tables_tell_of_events() -> None:
    events = ("orders", "OrderItems", "wp_woocommerce_order_itemmeta", "sales_order", "logs")
    assert all(
        map(is_event, (*events, "ps_order_detail", "PurchaseOrderHeader", "olist_orders_dataset"))
    )
    others = ("oc_order_status", "product", "customers", "sales_order_status_label", "items", "")
    assert not any(map(is_event, others))
    assert is_part_of("oc_order_product", "oc_order")
    assert is_part_of("wp_woocommerce_order_items", "wp_wc_orders")
    assert not is_part_of("oc_product", "oc_order_product")
    assert not is_part_of("oc_order", "oc_order")
    assert is_event("주문상품")
    assert not is_event("주문상태")
    assert is_part_of("주문상품", "주문")
    assert not is_part_of("상품", "주문상품")


def test_a_table_that_nobody_could_look_at_says_so() -> None:
    text = "create table colours (id int, created_at datetime)"
    blind = seen(text, 0)
    one = type(blind)(blind.table, 900_000, TableLook(problem="it takes too long"))
    assert "created_at: it takes too long" in partition_of(one).why
