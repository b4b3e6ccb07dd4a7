"""`orderhe start` as it is typed: what it prints and writes, what stays, which currency is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orderhe_dagster.cli import main
from orderhe_dagster.commands.days import LaunchError
from orderhe_dagster.commands.start import write_marts
from orderhe_dagster.settings import home
from orderhe_dagster.settings.config import load_settings
from orderhe_dagster_tests.long_tests import IS_LONG
from orderhe_dagster_tests.shops import TestShop, shop_of

SHOP = {
    "raw/orders.sql": """
-- Orders.
-- @partition ordered_on
create table orders (
    id int primary key, ordered_on date not null, user_id int, total decimal(10, 2) not null,
    currency char(3) not null, status varchar(20) not null
);
""",
    "raw/order_items.sql": """
-- Lines.
create table order_items (
    id int primary key, order_id int not null, product_id int, name varchar(40), quantity int not null,
    total decimal(10, 2) not null
);
""",
}
ORDERS = (
    "insert into orders values (1, date '2026-01-01', 7, 10.50, 'CHF', 'done'), "
    "(2, date '2026-01-01', 7, 4.00, 'CHF', 'cancelled'), (3, date '2026-01-02', null, 1.25, 'CHF', 'sent')"
)
LINES = "insert into order_items values (1, 1, 5, 'Tea', 2, 10.50), (2, 2, 5, 'Tea', 1, 4.00)"


@pytest.fixture
def shop(tmp_path: Path) -> TestShop:
    """A shop in the embedded source, with three orders."""
    made = shop_of(tmp_path / "shop", SHOP, ORDERHE_START_DATE="2026-01-01")
    made.create()
    made.change(ORDERS, LINES)
    return made


def typed(shop: TestShop, *words: str) -> Result:
    """`orderhe start` with these flags."""
    environ = {**shop.environ, "ORDERHE_HOME": str(shop.home)}
    return CliRunner().invoke(main, ["start", *words], env=environ, catch_exceptions=False)


def test_what_was_taken_is_told_and_the_marts_run(shop: TestShop) -> None:
    done = typed(shop)
    assert done.exit_code == 0, done.output
    assert "the day is ordered_on, the amount total, the customer user_id" in done.output
    assert "cancelled: cancelled" in done.output
    assert "Amounts are CHF." in done.output
    assert home.currency(shop.settings) == "CHF"
    if not IS_LONG:  # the figures of whole shops are held to others counted by hand
        return
    assert shop.run("*", "2026-01-01", "2026-01-02").succeeded
    assert shop.rows(
        "select order_count, net_amount::varchar(20) from mart.daily_sales order by 1"
    ) == [
        (1, "1.25"),
        (2, "10.50"),
    ]
    assert shop.rows(
        "select product_name, units_sold, net_amount::float8 from mart.product_sales"
    ) == [("Tea", 3, 10.5)]
    page = (shop.home / "dashboard" / "index.html").read_text("utf-8")
    assert '"currency":"CHF"' in page


def test_files_that_are_there_stay_unless_forced(shop: TestShop) -> None:
    assert typed(shop, "--lines", "none").exit_code == 0
    mart = shop.settings.sql / "mart" / "daily_sales.sql"
    text = mart.read_text("utf-8")
    mart.write_text(f"-- Mine.\n{text}", "utf-8")
    kept = typed(shop, "--lines", "none")
    assert "0 files written" in kept.output
    assert "mart/daily_sales.sql differs from what would be written" in kept.output
    assert mart.read_text("utf-8").startswith("-- Mine.")
    assert typed(shop, "--lines", "none", "--force").exit_code == 0
    assert mart.read_text("utf-8") == text


def test_flags_are_the_answers(shop: TestShop) -> None:
    done = typed(shop, "--lines", "none", "--customer", "none", "--currency", "EUR")
    assert "Amounts are EUR." in done.output
    marts = {path.stem for path in (shop.settings.sql / "mart").glob("*.sql")}
    assert marts == {"daily_sales", "monthly_sales", "order_funnel", "order_status"}
    wrong = typed(shop, "--orders", "ordres")
    assert wrong.exit_code == 1
    assert "--orders ordres: there is none of that name; did you mean orders?" in wrong.output


def test_the_demo_shop_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="the demo shop's own folder"):
        write_marts(load_settings({}, tmp_path), {})


def test_a_currency_that_is_set_is_not_overruled(shop: TestShop) -> None:
    said = shop.environ | {"ORDERHE_CURRENCY": "USD"}
    settings = load_settings({**said, "ORDERHE_HOME": str(shop.home)}, shop.folder)
    write_marts(settings, {})
    assert home.currency(settings) == "USD"
    assert home.currency(shop.settings) == home.DEFAULT_CURRENCY, "nothing is remembered"
