"""Which table has the orders, and which column is what: six systems' schemas, flags and questions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from orderhe_dagster.catalog.table import Table
from orderhe_dagster.intake.start.choices import Choices, StartError
from orderhe_dagster.intake.start.models import Models, lines_sql, orders_sql, taken_of_lines
from orderhe_dagster.intake.start.recognise import Look, nothing_seen, recognise
from orderhe_dagster.intake.start.roles import Shop
from orderhe_dagster.intake.start.words import stage_of
from orderhe_dagster_tests.catalog.folders import read
from orderhe_dagster_tests.intake.start.shops import catalogue_of

Seen = dict[tuple[str, ...], Sequence[tuple[str | None, ...]]]


def look_at(seen: Seen) -> Look:
    """Values by table and columns, each of one row."""

    def look(table: Table, columns: Sequence[str]) -> Sequence[tuple[tuple[str | None, ...], int]]:
        return [(values, 1) for values in seen.get((table.name, *columns), ())]

    return look


def recognised(tables: Sequence[Table], choices: Choices, look: Look = nothing_seen) -> Shop:
    """The shop of these tables, in Seoul and won."""
    return recognise(tables, choices, time_zone="Asia/Seoul", currency="KRW", look=look)


ROLES = {
    "laravel": (
        "orders: id created_at total user_id status (deleted_at)",
        "order_items: order_id product_id quantity total name",
        "products: id name, categories.name",
    ),
    "prestashop": (
        "ps_orders: id_order date_add total_paid id_customer current_state",
        "ps_order_detail: id_order product_id product_quantity total_price_tax_incl product_name",
        "ps_product: id_product reference, ps_category_lang.name",
    ),
    "woocommerce": (
        "wp_wc_orders: id date_created_gmt total_amount customer_id status (type)",
        "wp_wc_order_product_lookup: order_id product_id product_qty product_gross_revenue None",
        "wp_posts: ID post_title",
    ),
    "opencart": (
        "oc_order: order_id date_added total customer_id order_status_id",
        "oc_order_product: order_id product_id quantity total name",
        "oc_product: product_id sku",
    ),
    "magento": (
        "sales_order: entity_id created_at grand_total customer_id status",
        "sales_order_item: order_id product_id qty_ordered row_total_incl_tax name (parent_item_id)",
        "catalog_product_entity: entity_id sku",
    ),
    "shopware": (
        (
            "order: id order_date amount_total order_customer.customer_id "
            "state_machine_state.technical_name (version_id)"
        ),
        "order_line_item: order_id product_id quantity total_price label (type, version_id)",
        "product: id product_number",
    ),
}


def _told(shop: Shop) -> tuple[str, str, str]:
    orders, lines, products = shop.orders, shop.lines, shop.products
    assert lines is not None
    assert products is not None
    customer = f"{orders.customer_by.table.name}." if orders.customer_by else ""
    by = orders.status_by
    status = f"{by.table.name}.{by.shown}" if by else orders.status
    category = products.category_by
    named = f"{orders.key} {orders.day} {orders.amount} {customer}{orders.customer} {status}"
    told = (
        f"{orders.table.name}: {named}",
        f"{lines.table.name}: {lines.order} {lines.product} {lines.quantity} {lines.amount} {lines.name}",
        f"{products.table.name}: {products.key} {products.name}"
        + (f", {category.table.name}.{category.shown}" if category else ""),
    )
    rules = (orders.rules, lines.rules, ())
    first, second, third = (
        text + (f" ({', '.join(rule.column for rule in some)})" if some else "")
        for text, some in zip(told, rules, strict=True)
    )
    return first, second, third


@pytest.mark.parametrize("system", ROLES)
def test_a_system_is_recognised_without_a_question(system: str, tmp_path: Path) -> None:
    def never(question: str, guess: str | None, others: Sequence[str]) -> str:
        raise AssertionError(f"{question}: {guess}, {others}")

    tables = catalogue_of(tmp_path, system).layer("raw")
    assert _told(recognised(tables, Choices(ask=never))) == ROLES[system]


NUMBERS: Seen = {
    ("ps_order_state_lang", "id_order_state", "name"): [
        *(("1", "Awaiting check payment"), ("2", "Payment accepted"), ("4", "Shipped")),
        *(("5", "Delivered"), ("6", "Canceled"), ("7", "Refunded"), ("8", "Payment error")),
    ],
    ("ps_orders", "current_state"): [("5",), ("6",), ("0",)],
    ("ps_currency", "iso_code"): [("EUR",)],
}


def test_numbers_of_a_status_mean_what_their_names_say(tmp_path: Path) -> None:
    tables = catalogue_of(tmp_path, "prestashop").layer("raw")
    shop = recognised(tables, Choices(), look_at(NUMBERS))
    stages = shop.stages
    assert (stages.cancelled, stages.returned) == (("6", "8"), ("7",))
    assert (stages.shipped, stages.delivered, stages.drafts) == (("4",), ("5",), ("0",))
    assert shop.currency == "EUR"


def test_a_status_whose_name_is_not_seen_still_has_orders(tmp_path: Path) -> None:
    tables = catalogue_of(tmp_path, "prestashop").layer("raw")
    seen = {**NUMBERS, ("ps_orders", "current_state"): [("5",), ("17",), ("0",)]}
    assert recognised(tables, Choices(), look_at(seen)).stages.drafts == ("0",)


MARKED = """-- @partition sold_on
create table orders (id int primary key, sold_on date not null, total int, {mark});"""
MARKS = {
    "deleted_at datetime": "{column} is null",
    "is_deleted tinyint(1) not null": "coalesce({column}, 0) = 0",
    "deleted bit(1)": "not coalesce({column}, false)",
    "deleted int": "coalesce({column}, 0) = 0",
    "del_yn char(1)": "coalesce(upper({column}), '') not in ('Y', 'YES', '1', 'T', 'TRUE')",
}


@pytest.mark.parametrize("mark", MARKS)
def test_what_is_marked_as_deleted_does_not_count(mark: str, tmp_path: Path) -> None:
    lines = (
        f"create table order_items (order_id int, product_id int, qty int, total int, {mark});\n"
    )
    files = {"raw/orders.sql": MARKED.format(mark=mark), "raw/order_items.sql": lines}
    shop = recognised(read(tmp_path, files).layer("raw"), Choices())
    assert shop.lines is not None
    of_both = [[rule.condition for rule in some] for some in (shop.orders.rules, shop.lines.rules)]
    assert of_both == [[MARKS[mark]]] * 2


def test_a_table_called_like_a_system_s_has_not_its_meanings(tmp_path: Path) -> None:
    orders = """-- @partition sold_on
create table sales_order (id int primary key, sold_on date not null, total int, status varchar(9));
"""
    lines = """create table order_line_item (id int primary key, order_id int, product_id int, quantity int,
    total int, type varchar(9), foreign key (order_id) references sales_order (id));
"""
    files = {"raw/sales_order.sql": orders, "raw/order_line_item.sql": lines}
    seen: Seen = {("sales_order", "status"): [("closed",), ("open",)]}
    shop = recognised(read(tmp_path, files).layer("raw"), Choices(), look_at(seen))
    assert "closed" not in shop.stages.returned
    assert shop.lines is not None
    assert (shop.lines.table.name, shop.lines.rules) == ("order_line_item", ())


XTC = {
    "raw/orders.sql": "-- @partition {day}\ncreate table orders (orders_id int primary key, "
    "customers_id int, {day} datetime not null, orders_status int not null, currency char(3));",
    "raw/orders_total.sql": "-- @partition orders_id -> orders.{day}\n"
    "create table orders_total (orders_total_id int primary key, orders_id int not null, class varchar(32), "
    "value decimal(15, 4) not null);",
    "raw/orders_products.sql": "create table orders_products (orders_products_id int primary key, "
    "orders_id int not null, products_id int not null, products_name varchar(64), "
    "products_price decimal(15, 4) not null, products_quantity decimal(15, 4) not null);",
    "raw/orders_status.sql": "create table orders_status (orders_status_id int, language_id int, "
    "orders_status_name varchar(64) not null, primary key (orders_status_id, language_id));",
}
STATUS_ROWS: Seen = {
    ("orders_status", "orders_status_id", "orders_status_name"): [
        *(("1", "Offen"), ("99", "Storniert"), ("161", "Gutgeschrieben")),
    ],
    ("orders", "orders_status"): [("1",), ("99",)],
    ("orders", "currency"): [("EUR",)],
}


@pytest.mark.parametrize("day", ["date_purchased", "angelegt"])
def test_a_table_of_rows_of_orders_is_not_the_orders(day: str, tmp_path: Path) -> None:
    files = {path: text.format(day=day) for path, text in XTC.items()}
    shop = recognised(read(tmp_path, files).layer("raw"), Choices(), look_at(STATUS_ROWS))
    orders, lines = shop.orders, shop.lines
    assert lines is not None
    assert (orders.table.name, orders.day, orders.amount) == ("orders", day, None)
    assert (lines.table.name, lines.price) == ("orders_products", "products_price")
    assert (shop.stages.cancelled, shop.stages.returned) == (("99",), ("161",))
    assert shop.currency == "EUR"


def test_numbers_whose_names_nobody_has_are_told(tmp_path: Path) -> None:
    files = {path: text.format(day="angelegt") for path, text in XTC.items()}
    del files["raw/orders_status.sql"]
    choices = Choices()
    shop = recognised(read(tmp_path, files).layer("raw"), choices, look_at(STATUS_ROWS))
    assert shop.stages.cancelled == ()
    assert any("--cancelled and --returned name them" in note for note in choices.notes)


def test_orders_whose_day_is_a_text_are_told_with_what_mends_it(tmp_path: Path) -> None:
    text = "create table orders_dataset (order_id int primary key, order_purchase_timestamp {});"
    files = {"raw/orders_dataset.sql": text.format("varchar(19) not null")}
    with pytest.raises(
        StartError, match=r"is varchar\(19\), no date.* alter table `orders_dataset`"
    ):
        recognised(read(tmp_path, files).layer("raw"), Choices())
    named = Choices({"orders": "orders_dataset"})
    with pytest.raises(StartError, match=r"cast\(`order_purchase_timestamp` as date\)"):
        recognised(read(tmp_path, files).layer("raw"), named)


OLIST = {
    "raw/olist_orders.sql": "-- @partition bought_on\ncreate table olist_orders "
    "(order_id char(32) primary key, customer_id char(32), bought_on date not null);",
    "raw/olist_order_items.sql": "create table olist_order_items (order_id char(32), order_item_id int, "
    "product_id char(32), price_cents int not null, primary key (order_id, order_item_id));",
}


def test_a_line_may_be_a_piece_and_its_price_in_cents(tmp_path: Path) -> None:
    shop = recognised(read(tmp_path, OLIST).layer("raw"), Choices())
    assert shop.lines is not None
    assert (shop.orders.amount, shop.lines.quantity, shop.lines.price) == (
        None,
        None,
        "price_cents",
    )
    models = Models(shop, "shop_orders", "shop_order_lines")
    text = lines_sql(models)
    assert "1::bigint as quantity, -- Pieces: one a line" in text
    assert "((lines.price_cents * 0.01)::decimal(18, 2))::decimal(26, 2) as amount" in text
    assert "pieces one a line, amount price_cents (in cents)" in taken_of_lines(shop, shop.lines)


SHOPIFY = """-- @partition order_date
create table orders_export (order_no varchar(10) not null, total decimal(10, 2) not null,
  financial_status varchar(10) not null, fulfillment_status varchar(10) not null, order_date date not null,
  quantity int not null, product_name varchar(10), unit_price decimal(10, 2), sku varchar(10),
  line_no int not null, primary key (order_no, line_no));"""


def test_an_order_on_several_lines_counts_once(tmp_path: Path) -> None:
    tables = read(tmp_path, {"raw/orders_export.sql": SHOPIFY}).layer("raw")
    shop = recognised(tables, Choices())
    lines = shop.lines
    assert lines is not None
    assert (shop.orders.amount, shop.orders.status) == ("total", "financial_status")
    assert (lines.amount, lines.price, lines.rules) == (None, "unit_price", ())
    models = Models(shop, "shop_orders", "shop_order_lines")
    assert "\nwhere orders.line_no = 1\n" in orders_sql(models)
    assert "line_no" not in lines_sql(models)


def test_orders_of_one_product_each_may_know_it_by_name_alone(tmp_path: Path) -> None:
    text = (
        "create table orders (id int primary key, order_date date not null, amount int, qty int, "
        "product_name varchar(9));"
    )
    lines = recognised(read(tmp_path, {"raw/orders.sql": text}).layer("raw"), Choices()).lines
    assert lines is not None
    assert (lines.product, lines.quantity, lines.amount) == ("product_name", "qty", "amount")


LINES = "create table order_items (order_id int, item_id int, qty int{amount});\n"
STOCK = "create table items (item_id int, depot_id int, name varchar(9), primary key (item_id, depot_id));"


def test_a_table_of_several_rows_a_product_is_joined_to_no_line(tmp_path: Path) -> None:
    files = {
        "raw/orders.sql": MARKED.format(mark="note int"),
        "raw/order_items.sql": LINES.format(amount=", total int"),
        "raw/items.sql": STOCK,
    }
    shop = recognised(read(tmp_path, files).layer("raw"), Choices())
    assert (shop.lines is not None, shop.products) == (True, None)


def test_lines_without_an_amount_are_not_told_as_nothing_earned(tmp_path: Path) -> None:
    files = {
        "raw/orders.sql": MARKED.format(mark="note int"),
        "raw/order_items.sql": LINES.format(amount=""),
    }
    choices = Choices()
    assert recognised(read(tmp_path, files).layer("raw"), choices).lines is None
    assert any("--line-amount names one" in note for note in choices.notes)


def test_without_a_look_the_flags_are_named(tmp_path: Path) -> None:
    tables = catalogue_of(tmp_path, "prestashop").layer("raw")
    choices = Choices()
    assert recognised(tables, choices).stages.cancelled == ()
    assert any("--cancelled and --returned name them" in note for note in choices.notes)
    said = recognised(tables, Choices({"cancelled": "6, 8", "returned": "7", "currency": "eur"}))
    assert (said.stages.cancelled, said.stages.returned) == (("6", "8"), ("7",))
    assert said.currency == "EUR"


STATUSES = {
    "cancelled": "cancelled Canceled wc-cancelled Payment_error failed Expired 주문취소 storniert annulé",
    "returned": "refunded Returned wc-refunded chargeback 환불완료 erstattet remboursé",
    "shipped": "shipped Sent dispatched 배송중 versendet expédié",
    "delivered": "delivered complete completed wc-completed 배송완료 geliefert livré",
    "drafts": "checkout-draft auto-draft trash",
    None: "paid pending processing on-hold Resolved partially_refunded refund_requested unshipped 결제대기",
}


SENTENCES = {
    "cancelled": ["Cancelled (not paid)", "Canceled, refund pending", "cancelled_unpaid", "Void"],
    "returned": ["reso", "Return received"],
    "shipped": ["Sent to customer", "배송중", "출고완료"],
    "delivered": ["Received by customer", "배송 완료", "구매확정"],
    "drafts": ["Missing Orders", "missing"],
    None: [
        *(
            "Payment received",
            "Order received",
            "payment_complete",
            "결제완료",
            "入金待ち",
            "支払完了",
        ),
        *(
            "Ready to ship",
            "to_be_shipped",
            "배송준비중",
            "배송보류",
            "취소신청",
            "반품접수",
            "Items missing",
        ),
        *("Resolved", "Canceled Reversal", "Cancel requested", "Presented", "avoided"),
    ],
}


def test_statuses_of_several_words_are_not_told_by_one_of_them() -> None:
    found = {text: stage_of(text) for texts in SENTENCES.values() for text in texts}
    assert found == {text: stage for stage, texts in SENTENCES.items() for text in texts}


def test_statuses_are_told_by_their_words() -> None:
    found = {word: stage_of(word) for words in STATUSES.values() for word in words.split()}
    wanted = {word: stage for stage, words in STATUSES.items() for word in words.split()}
    assert found == wanted


OTHERS = {
    "short words": (
        {
            "tb_ord": """-- @partition ord_dt
                create table tb_ord (ord_no varchar(20) primary key, ord_dt datetime not null, mem_no int,
                tot_amt decimal(15,0), dlv_amt decimal(15,0), ord_stat_cd char(2), upd_dt datetime)""",
            "tb_ord_dtl": """create table tb_ord_dtl (ord_no varchar(20), ord_seq int, goods_no int,
                goods_nm varchar(100), ord_qty int, ord_amt decimal(15,0), primary key (ord_no, ord_seq))""",
        },
        "tb_ord ord_no ord_dt tot_amt mem_no ord_stat_cd, tb_ord_dtl ord_no goods_no ord_qty ord_amt",
    ),
    "German": (
        {
            "bestellungen": """create table bestellungen (id int primary key, datum date not null,
                kunden_nr int, gesamt_betrag decimal(10,2), status varchar(20))""",
            "bestell_positionen": """create table bestell_positionen (id int primary key, artikel_nr int,
                bestellung_id int references bestellungen (id), menge int, preis decimal(10,2))""",
        },
        (
            "bestellungen id datum gesamt_betrag kunden_nr status, "
            "bestell_positionen bestellung_id artikel_nr menge None"
        ),
    ),
    "Korean columns under a name that means nothing": (
        {
            "a01": """create table a01 (`주문번호` bigint primary key, `주문일자` date, `회원번호` int,
                `결제금액` int, `주문상태` varchar(10))""",
            "a02": "create table a02 (id int primary key, created_at datetime, price int)",
        },
        "a01 주문번호 주문일자 결제금액 회원번호 주문상태, None",
    ),
    "capitals": (
        {
            "sales": """create table SalesOrder (orderId bigint primary key, orderDate datetime not null,
                customerId bigint, grandTotal double, orderStatus varchar(10))""",
            "lines": """create table SalesOrderLine (lineId bigint primary key, orderId bigint, qty int,
                productId bigint, lineTotal double)""",
        },
        "sales orderId orderDate grandTotal customerId orderStatus, lines orderId productId qty lineTotal",
    ),
    "no total, and words within names": (
        {
            "orders": """create table Orders (orderNumber int primary key, orderDate datetime not null,
                status varchar(15), customerNumber int)""",
            "order_details": """create table OrderDetails (orderNumber int, productCode varchar(15),
                quantityOrdered int, priceEach double, orderLineNumber smallint,
                primary key (orderNumber, productCode))""",
        },
        (
            "orders orderNumber orderDate None customerNumber status, "
            "order_details orderNumber productCode quantityOrdered None"
        ),
    ),
    "an order of one product": (
        {
            "orders": """create table orders (id int primary key, ordered_on date not null, total int,
                product_id int, quantity int, user_id int, status varchar(9))""",
        },
        "orders id ordered_on total user_id status, orders id product_id quantity total",
    ),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_shops_are_recognised_by_the_same_rules(kind: str, tmp_path: Path) -> None:
    contracts, expected = OTHERS[kind]
    files = {f"raw/{name}.sql": f"{text};\n" for name, text in contracts.items()}
    choices = Choices()
    shop = recognised(read(tmp_path, files).layer("raw"), choices)
    orders, lines = shop.orders, shop.lines
    told = [
        f"{orders.table.name} {orders.key} {orders.day} {orders.amount} {orders.customer} {orders.status}",
        f"{lines.table.name} {lines.order} {lines.product} {lines.quantity} {lines.amount}"
        if lines
        else "None",
    ]
    assert ", ".join(told) == expected
    assert choices.notes == ["no column tells the currency: KRW is taken; --currency names another"]


TWO = {
    "raw/orders.sql": """\
create table orders (
    id int primary key, created_at datetime not null, ordered_at datetime not null,
    total decimal(10, 2), amount decimal(10, 2), order_total decimal(10, 2), user_id int, member_id int
);
""",
    "raw/sales_order.sql": """\
create table sales_order (id int primary key, created_at datetime not null, total decimal(10, 2));
""",
}


def test_a_person_is_asked_where_it_is_unsure_and_enter_takes_the_guess(tmp_path: Path) -> None:
    asked: list[str] = []

    def enter(question: str, guess: str | None, others: Sequence[str]) -> str:
        asked.append(f"{question}: {guess} or {others[0]}")
        return guess or "none"

    tables = read(tmp_path, TWO).layer("raw")
    shop = recognised(tables, Choices(ask=enter))
    assert asked == ["which table has the orders: orders or sales_order"]
    assert (shop.orders.day, shop.orders.amount, shop.orders.customer) == (
        "ordered_at",
        "order_total",
        "user_id",
    )
    quiet = Choices()
    assert recognised(tables, quiet).orders == shop.orders
    assert quiet.notes == [
        "which table has the orders: orders was taken; --orders names another (sales_order, …)",
        "no column tells the currency: KRW is taken; --currency names another",
    ]


def test_flags_say_what_is_what(tmp_path: Path) -> None:
    tables = read(tmp_path, TWO).layer("raw")
    said = {"orders": "ORDERS", "day": "created_at", "amount": "total", "customer": "none"}
    orders = recognised(tables, Choices(said)).orders
    assert (orders.table.name, orders.day, orders.amount, orders.customer) == (
        "orders",
        "created_at",
        "total",
        None,
    )
    with pytest.raises(StartError, match=r"--amount totl: .* did you mean total"):
        recognised(tables, Choices({"orders": "orders", "amount": "totl"}))
    with pytest.raises(StartError, match="--amount names a column"):
        recognised(tables, Choices({"orders": "orders", "amount": "none", "lines": "none"}))
    with pytest.raises(StartError, match="--day names it"):
        recognised(tables, Choices({"orders": "orders", "day": "none"}))


def test_a_folder_without_orders_is_told_the_flag(tmp_path: Path) -> None:
    files = {"raw/people.sql": "create table people (id int primary key, name varchar(10));\n"}
    with pytest.raises(StartError, match=r"--orders names it\. There are people"):
        recognised(read(tmp_path, files).layer("raw"), Choices())
