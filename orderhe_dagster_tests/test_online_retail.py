"""A real shop through every layer: the Online Retail example against the answer key of its data.

The data lies beside the checkout and is not part of the project; without it these tests are skipped.
It is loaded on the laptop's systems, and by `make retail` once more on MySQL, S3 and Redshift, which takes
minutes; no test changes the shop.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.table import TableRef
from orderhe_dagster.commands.demo import prove_all
from orderhe_dagster.commands.import_file import import_into
from orderhe_dagster.commands.run import Outcome
from orderhe_dagster.rendering.printing import print_result
from orderhe_dagster_tests.road.systems import ALL, LAPTOP, Systems
from orderhe_dagster_tests.shops import TestShop

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "online_retail"
FIRST, LAST = "2010-12-01", "2011-12-09"
MEASURES = "order_lines, orders, customers, quantity, amount"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(),
    reason="the Online Retail data is not beside this checkout (../shared/data/online_retail)",
)


@dataclass(frozen=True)
class Loaded:
    """The shop after its files were imported and every layer was run."""

    shop: TestShop
    imported: dict[str, str]
    outcome: Outcome


@pytest.fixture(scope="module", params=[LAPTOP, ALL], ids=["laptop", "all_real"])
def retail(
    request: pytest.FixtureRequest, systems: Systems, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Loaded]:
    if request.param == ALL and not os.environ.get("LONG_TESTS"):
        pytest.skip("half a million rows over the wire are a long test: make retail")
    folder = tmp_path_factory.mktemp("online_retail")
    environ = systems.environ(
        request.param,
        folder / "home",
        ORDERHE_SQL=str(ROOT / "examples" / "online_retail" / "sql"),
        ORDERHE_TIME_ZONE="Europe/London",
        ORDERHE_START_DATE=FIRST,
    )
    shop = TestShop(folder, environ)
    with pytest.MonkeyPatch.context() as patch:  # running sets Dagster's home
        patch.setenv("DAGSTER_HOME", "")
        patch.setenv("DAGSTER_DISABLE_TELEMETRY", "yes")
        imported = {
            name: import_into(shop.settings, f"raw/{name}", DATA / f"{name}.csv.gz")
            for name in ("customers", "products", "orders")
        }
        outcome = shop.run("*", FIRST, LAST)
        yield Loaded(shop, imported, outcome)


@pytest.fixture(scope="module")
def key() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "answer_key.json").read_text("utf-8"))
    return found


def rows_of(name: str) -> list[list[str]]:
    """The rows of one of the data's files, without the header."""
    with gzip.open(DATA / name, "rt", encoding="utf-8", newline="") as text:
        return list(csv.reader(text))[1:]


def exported(retail: Loaded, name: str) -> list[list[str]]:
    """The rows of an export, without the header."""
    path = retail.shop.folder / "home" / "exports" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as text:
        return list(csv.reader(text))[1:]


def one(retail: Loaded, sql: str) -> Any:
    """The single row of a query, or its value where it has one column."""
    (row,) = retail.shop.rows(sql)
    return row[0] if len(row) == 1 else row


def measures(rows: list[list[str]]) -> list[tuple[object, ...]]:
    """Rows of the key files (when, order_lines, orders, customers, quantity, amount) as values."""
    return [(row[0], *map(int, row[1:5]), Decimal(row[5])) for row in rows]


def test_every_line_of_the_files_is_loaded(retail: Loaded, key: dict[str, Any]) -> None:
    for name, count in key["rows"].items():
        assert f"{count:,} rows loaded" in retail.imported[name]
        assert one(retail, f"select count(*) from warehouse.{name}") == count
    assert f"days {FIRST} to {LAST}" in retail.imported["orders"]


def test_every_asset_and_every_check_passes(retail: Loaded) -> None:
    assert retail.outcome.succeeded, retail.outcome.lines()
    assert not retail.outcome.failed_checks
    assert not retail.outcome.warned_checks
    assert retail.outcome.passed_checks > len(retail.shop.catalogue.checks)


def test_source_backup_and_warehouse_agree(retail: Loaded, key: dict[str, Any]) -> None:
    window = Window.of(date.fromisoformat(FIRST), date.fromisoformat(LAST))
    found = {agreement.table: agreement for _, agreement in prove_all(retail.shop.settings, window)}
    assert set(found) == set(key["rows"])
    for name, agreement in found.items():
        assert agreement.agrees, agreement.differences[:5]
        assert agreement.source == agreement.backup == agreement.warehouse
        assert agreement.source.rows == key["rows"][name]
    assert found["orders"].segments == len(window)
    assert found["orders"].source.sums["amount"] == Decimal(key["total_amount"])


def test_every_day_is_the_keys(retail: Loaded, key: dict[str, Any]) -> None:
    wanted = measures(rows_of("key_by_day.csv.gz"))
    assert len(wanted) == key["days_with_orders"]
    asked = retail.shop.rows(f"select order_date, {MEASURES} from mart.daily_sales order by 1")
    # The 69 days without a sale have no row.
    assert [(str(day), *rest) for day, *rest in asked] == wanted
    assert measures(exported(retail, "daily_sales")) == wanted


def test_every_month_is_the_keys(retail: Loaded, key: dict[str, Any]) -> None:
    wanted = measures(rows_of("key_by_month.csv.gz"))
    assert len(wanted) == key["months"]
    sql = f"select month_start_date, {MEASURES} from mart.monthly_sales order by 1"
    assert [(str(day)[:7], *rest) for day, *rest in retail.shop.rows(sql)] == wanted
    months = [[row[0][:7], *row[1:]] for row in exported(retail, "monthly_sales")]
    assert measures(months) == wanted


def test_totals_are_the_keys(retail: Loaded, key: dict[str, Any]) -> None:
    assert one(
        retail,
        "select sum(quantity), sum(amount), count(distinct source_order_no),"
        " min(order_date)::date, max(order_date)::date from warehouse.orders",
    ) == (
        key["total_quantity"],
        Decimal(key["total_amount"]),
        key["distinct_source_orders"],
        date.fromisoformat(key["first_day"]),
        date.fromisoformat(key["last_day"]),
    )


def test_the_top_tens_are_the_keys(retail: Loaded, key: dict[str, Any]) -> None:
    products = exported(retail, "product_sales")
    assert len(products) == key["rows"]["products"]
    top = [[row[0], Decimal(row[6])] for row in products[:10]]
    assert top == [[code, Decimal(amount)] for code, amount in key["top10_products_by_amount"]]
    sql = "select product_id, quantity from mart.product_sales order by quantity desc limit 10"
    assert [list(row) for row in retail.shop.rows(sql)] == key["top10_products_by_quantity"]
    customers = exported(retail, "customer_sales")
    assert len(customers) == key["customers_with_orders"]
    best = [[int(row[0]), Decimal(row[6])] for row in customers[:10]]
    assert best == [[number, Decimal(sum_)] for number, sum_ in key["top10_customers_by_amount"]]


def test_the_repeat_rates_are_the_keys(retail: Loaded, key: dict[str, Any]) -> None:
    found = {row[0]: row[1:] for row in exported(retail, "repeat_customers")}
    for counted, name in (
        ("all", "repeat_customer_rate_all_orders"),
        ("paid", "repeat_customer_rate_positive_amount_orders_only"),
    ):
        fraction, _, rate = key[name].partition("=")  # such as 3059/4372=0.6996797804
        repeat, customers = fraction.split("/")
        pct = (Decimal(rate) * 100).quantize(Decimal("0.0001"))
        assert found[counted] == [customers, repeat, str(pct)]


@pytest.mark.parametrize(
    ("name", "sql"),
    [
        ("lines_without_customer", "count(*) from warehouse.orders where customer_id is null"),
        ("amount_without_customer", "sum(amount) from warehouse.orders where customer_id is null"),
        ("negative_quantity_lines", "count(*) from warehouse.orders where quantity < 0"),
        ("negative_amount_total", "sum(amount) from warehouse.orders where amount < 0"),
        ("zero_price_lines", "count(*) from warehouse.orders where unit_price = 0"),
        ("zero_amount_lines", "count(*) from warehouse.orders where amount = 0"),
        ("negative_price_lines", "count(*) from warehouse.orders where unit_price < 0"),
        (
            "cancelled_invoice_lines",
            "count(*) from warehouse.orders where source_order_no like 'C%'",
        ),
        (
            "cancelled_invoices",
            "count(distinct source_order_no) from warehouse.orders where source_order_no like 'C%'",
        ),
        (
            "amount_excluding_cancelled",
            "sum(amount) from warehouse.orders where source_order_no not like 'C%'",
        ),
        (
            "stockcodes_case_insensitive",
            "count(distinct lower(product_id)) from warehouse.products",
        ),
    ],
)
def test_a_quirk_of_the_data_is_kept(
    retail: Loaded, key: dict[str, Any], name: str, sql: str
) -> None:
    assert one(retail, f"select {sql}") == Decimal(key[name])


def test_codes_that_differ_by_capitals_stay_apart(retail: Loaded, key: dict[str, Any]) -> None:
    sql = "select count(distinct product_id) - count(distinct lower(product_id)) from {}"
    for table in ("warehouse.products", "mart.product_sales"):
        assert one(retail, sql.format(table)) == key["stockcodes_differing_only_by_case"]
    codes = "select product_id from mart.product_sales where lower(product_id) = '85123a'"
    assert {row[0] for row in retail.shop.rows(codes)} == {"85123A", "85123a"}


def test_lines_that_are_alike_are_all_kept(retail: Loaded, key: dict[str, Any]) -> None:
    from pyarrow import csv as arrow_csv
    from pyarrow import string

    contract = retail.shop.catalogue.get(TableRef("raw", "orders"))
    columns = [name for name in contract.column_names if name != "order_id"]
    texts = arrow_csv.ConvertOptions(column_types=dict.fromkeys(columns, string()))
    lines = arrow_csv.read_csv(DATA / "orders.csv.gz", convert_options=texts)
    alike = lines.num_rows - lines.group_by(columns).aggregate([]).num_rows
    # The key compares UCI's lines with their descriptions, which told two of these lines apart.
    assert alike == key["duplicate_full_rows"] + 2
    sql = f"select count(*) as lines from warehouse.orders group by {', '.join(columns)}"
    assert one(retail, f"select sum(lines - 1) from ({sql}) as alike") == alike


def test_descriptions_keep_every_blank(retail: Loaded) -> None:
    stored = dict(retail.shop.rows("select product_id, description from warehouse.products"))
    wanted = {code: None if text == r"\N" else text for code, text in rows_of("products.csv.gz")}
    assert stored == wanted
    blanks = sum(text != text.strip(" ") for text in wanted.values() if text is not None)
    assert blanks > 0
    sql = "select count(*) from warehouse.products where len(description) <> len(trim(description))"
    assert one(retail, sql) == blanks
    written = {row[0]: row[1] or None for row in exported(retail, "product_sales")}
    assert written == wanted


def test_the_largest_line_and_its_return_are_kept(retail: Loaded, key: dict[str, Any]) -> None:
    found = one(retail, "select max(quantity), min(quantity) from warehouse.orders")
    assert list(found) == key["max_line"]


def test_bad_debts_are_kept_to_the_penny(retail: Loaded, key: dict[str, Any]) -> None:
    sql = "select source_order_no, amount from warehouse.orders where product_id = 'B' order by 1"
    assert [list(row) for row in retail.shop.rows(sql)] == [
        [invoice, Decimal(amount)] for invoice, amount in key["bad_debt_adjust_lines"]
    ]


def test_the_readme_shows_what_the_queries_print(retail: Loaded) -> None:
    text = (ROOT / "examples" / "online_retail" / "README.md").read_text("utf-8")
    shown = re.findall(
        r"```console\n\$ orderhe query (?:--format (\w+) )?\"(.+?)\"\n(.*?)```", text, re.DOTALL
    )
    assert len(shown) == text.count("```console")
    for form, sql, printed in shown:
        out = io.StringIO()
        print_result(retail.shop.warehouse.query(sql), form or "table", out)
        assert out.getvalue() == printed
    head = (
        f"{len(retail.outcome.assets)} assets materialized, {retail.outcome.passed_checks} checks"
    )
    assert head in text
    assert retail.imported["orders"].partition(";")[0] in text
