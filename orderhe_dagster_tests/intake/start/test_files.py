"""The files that `orderhe start` writes: read by the catalogue, true by their own examples."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.catalog.table import Catalogue
from orderhe_dagster.examples.reader import read_examples
from orderhe_dagster.examples.runner import run_examples
from orderhe_dagster.intake.start.choices import Choices
from orderhe_dagster.intake.start.marts import MARTS, files_of
from orderhe_dagster.intake.start.models import Models
from orderhe_dagster.intake.start.recognise import Look, nothing_seen
from orderhe_dagster.resources.laptop.memory_warehouse import memory_session
from orderhe_dagster_tests.intake.start.shops import contracts, write
from orderhe_dagster_tests.intake.start.test_recognise import NUMBERS, ROLES, look_at, recognised
from orderhe_dagster_tests.long_tests import cases


def started(folder: Path, look: Look = nothing_seen, **answers: str) -> Catalogue:
    """The catalogue of the contracts in a folder, and of all that is written for them."""
    shop = recognised(read_catalogue(folder).layer("raw"), Choices(answers), look)
    write(folder, files_of(Models(shop, "shop_orders", "shop_order_lines")))
    return read_catalogue(folder)


def fails(catalogue: Catalogue) -> list[str]:
    """The examples that do not hold."""
    with memory_session() as session:
        return [
            f"{verdict.example.table}: {verdict.example.title}"
            for verdict in run_examples(catalogue, read_examples(catalogue), session)
            if not verdict.passed
        ]


@pytest.mark.parametrize("system", cases(ROLES, ["prestashop"]))
def test_files_of_a_system_hold_their_own_examples(system: str, tmp_path: Path) -> None:
    catalogue = started(write(tmp_path, contracts(system)), look_at(NUMBERS))
    marts = {table.name for table in catalogue.layer("mart")}
    wanted = {*MARTS} - ({"category_sales"} if system not in ("prestashop", "laravel") else set())
    assert marts == wanted - ({"order_funnel"} if system == "opencart" else set())
    assert {table.name for table in catalogue.layer("export")} == marts
    assert {example.table.name for example in read_examples(catalogue)} == marts
    assert fails(catalogue) == []


def partitions(catalogue: Catalogue) -> dict[str, str]:
    """The tables of warehouse and marts that are cut into days."""
    return {t.name: t.partition for t in catalogue.tables if t.layer != "raw" and t.partition}


PS = ("ps_orders", "ps_order_detail", "ps_product", "ps_category_lang")
LV = ("users", "coupons", "categories", "products", "orders", "order_items")


def test_days_are_built_alone_where_the_orders_say_their_day(tmp_path: Path) -> None:
    day = "order_date"
    daily = dict.fromkeys(
        ("shop_orders", "shop_order_lines", "daily_sales", "order_status", "category_sales"), day
    )
    assert partitions(started(write(tmp_path / "ps", contracts("prestashop", only=PS)))) == daily
    # A moment in UTC is of another day in the shop's zone, and an order may have none.
    assert partitions(started(write(tmp_path / "lv", contracts("laravel", only=LV)))) == {}


def test_lines_that_are_cut_by_their_orders_day_meet_it(tmp_path: Path) -> None:
    link = {"ps_order_detail": "-- @partition id_order -> ps_orders.date_add\n"}
    catalogue = started(write(tmp_path, contracts("prestashop", link, PS)))
    assert partitions(catalogue)["shop_order_lines"] == "order_date"
    (model,) = (t for t in catalogue.layer("warehouse") if t.name == "shop_order_lines")
    assert "and lines._day = orders.order_date" in model.sql
    for name, way in (
        ("own", "download_deadline"),
        ("other", "id_order -> ps_orders.invoice_date"),
    ):
        others = {"ps_order_detail": f"-- @partition {way}\n"}
        catalogue = started(write(tmp_path / name, contracts("prestashop", others, PS)))
        assert "shop_order_lines" not in partitions(catalogue), "other days than the orders'"
        (model,) = (t for t in catalogue.layer("warehouse") if t.name == "shop_order_lines")
        assert "_day" not in model.sql


BARE = {
    "raw/shop_order.sql": """\
-- @partition placed_on
-- @pii buyer
create table shop_order (no varchar(12) primary key, placed_on date not null, buyer varchar(80));
""",
    "raw/shop_order_item.sql": """\
create table shop_order_item (
    id int primary key, shop_order_no varchar(12), sku varchar(20), qty int not null, price int
);
""",
}


def test_a_shop_without_total_customer_and_status_has_the_marts_that_can_be_told(
    tmp_path: Path,
) -> None:
    write(tmp_path, BARE)
    catalogue = started(tmp_path, customer="none")
    assert {table.name for table in catalogue.layer("mart")} == {
        "daily_sales",
        "monthly_sales",
        "product_sales",
    }
    (daily,) = (table for table in catalogue.layer("mart") if table.name == "daily_sales")
    assert daily.column_names == ("order_date", "order_count", "gross_amount", "net_amount")
    assert "Nothing tells which orders were cancelled" in daily.description
    assert daily.column("gross_amount").type.kind == "bigint"
    assert fails(catalogue) == []


def test_personal_data_is_in_no_mart(tmp_path: Path) -> None:
    write(tmp_path, BARE)
    catalogue = started(tmp_path, customer="buyer")
    marts = {table.name for table in catalogue.layer("mart")}
    assert marts == {"daily_sales", "monthly_sales", "product_sales"}
    (daily,) = (table for table in catalogue.layer("mart") if table.name == "daily_sales")
    assert "customer_count" in daily.column_names, "counting tells of nobody"
    mail = BARE["raw/shop_order.sql"].replace("-- @pii buyer\n", "").replace("buyer", "email")
    catalogue = started(write(tmp_path / "mail", {**BARE, "raw/shop_order.sql": mail}))
    (value,) = (table for table in catalogue.layer("mart") if table.name == "customer_value")
    (orders,) = (table for table in catalogue.layer("warehouse") if table.name == "shop_orders")
    assert "sha2(lower(trim(nullif(orders.email, ''))), 256)::varchar(64)" in orders.sql
    assert value.column("customer_id").type.length == 64
    for name in ("emailaddress", "customer"):  # a column called customer may hold a person's name
        text = mail.replace("email", name)
        folder = write(tmp_path / name, {**BARE, "raw/shop_order.sql": text})
        made = {table.name: table for table in started(folder).layer("warehouse")}
        assert f"sha2(lower(trim(nullif(orders.{name}, ''))), 256)" in made["shop_orders"].sql
