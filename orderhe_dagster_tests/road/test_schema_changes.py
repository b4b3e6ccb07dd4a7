"""A shop's table changes, and what a shop sees of it: told, adopted, loaded; or stopped."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orderhe_dagster.cli import main
from orderhe_dagster_tests.road.systems import ALL, Systems
from orderhe_dagster_tests.shops import TestShop, sales_shop

FIRST, LAST = "2026-01-01", "2026-01-05"
ROAD = "backup/*,warehouse/*,mart/takings"


@pytest.fixture(params=["mysql", "all"])
def shop(systems: Systems, tmp_path: Path, request: pytest.FixtureRequest) -> TestShop:
    """The small shop on MySQL, once with everything else real too, its days loaded."""
    turned = ALL if request.param == "all" else frozenset({request.param})
    made = sales_shop(tmp_path / "shop", systems.environ(turned, tmp_path / "shop/home"))
    assert made.run(ROAD, FIRST, LAST).succeeded
    return made


def adopt(shop: TestShop, *words: str) -> Result:
    environ = {"ORDERHE_HOME": str(shop.folder / "home"), **shop.environ}
    return CliRunner().invoke(main, ["adopt", *words], env=environ, catch_exceptions=False)


def test_a_new_column_is_told_adopted_and_loaded(shop: TestShop) -> None:
    shop.change(
        "alter table sales add coupon varchar(20) after price",
        "insert into sales (shop_no, sale_no, sold_on, price, coupon, state, changed_at) values"
        " (1, 4, '2026-01-05', 5, 'WINTER', 'paid', '2026-01-05 09:00:00')",
    )
    outcome = shop.run(ROAD, LAST)
    assert outcome.succeeded, outcome.lines()
    told = [line for line in outcome.lines() if "coupon" in line]
    (line,) = told
    assert line.startswith(
        "warning backup/sales: contract_matches_source: sales.coupon is varchar(20)"
    )
    assert "`orderhe adopt --update sales`" in line
    assert "`-- @leave_out coupon`" in line
    assert shop.rows("select count(*) from warehouse.sales") == [(5,)]
    assert adopt(shop, "--update", "sales").exit_code == 1
    assert adopt(shop, "--update", "sales", "--write").exit_code == 0
    outcome = shop.run(ROAD, LAST)
    assert outcome.succeeded, outcome.lines()
    assert not outcome.warned_checks
    rows = shop.rows("select sold_on::varchar, sale_no, coupon from warehouse.sales order by 1, 2")
    assert rows == [
        ("2026-01-01", 1, None),
        ("2026-01-01", 1, None),
        ("2026-01-02", 2, None),
        ("2026-01-04", 3, None),
        ("2026-01-05", 4, "WINTER"),
    ]


def test_a_column_left_out_on_purpose_is_told_no_more(shop: TestShop) -> None:
    shop.change("alter table sales add secret varchar(20)")
    file = shop.folder / "sql/raw/sales.sql"
    text = file.read_text("utf-8")
    file.write_text(text.replace("-- @cursor", "-- @leave_out secret\n-- @cursor"), "utf-8")
    outcome = shop.run(ROAD, LAST)
    assert outcome.succeeded, outcome.lines()
    assert not outcome.warned_checks


def test_wider_columns_stop_are_adopted_and_loaded(shop: TestShop) -> None:
    shop.change(
        "alter table sales modify shop_no bigint not null, modify price decimal(16,4) not null,"
        " modify buyer_code varchar(10)",
        "update sales set price = 0.1255, changed_at = '2026-01-05 09:00:00' where shop_no = 2",
        f"update sales set shop_no = {2**40}, changed_at = '2026-01-05 10:00:00' where shop_no = 2",
    )
    outcome = shop.run(ROAD, LAST)
    assert not outcome.succeeded
    (failure,) = [text for text in outcome.failures if "backup/sales" in text]
    assert "sales.shop_no is bigint(20) in mysql://" in failure
    assert "sales.price is decimal(16,4) in mysql://" in failure
    assert "decimal(12,3) in raw/sales.sql" in failure
    assert shop.rows("select count(*) from warehouse.sales") == [(4,)]
    assert adopt(shop, "--update", "sales", "--write").exit_code == 0
    outcome = shop.run(ROAD, LAST)
    assert outcome.succeeded, outcome.lines()
    assert shop.rows(
        "select shop_no, price from warehouse.sales where sold_on = '2026-01-01' order by 1"
    ) == [
        (1, Decimal("10.5000")),
        (2**40, Decimal("0.1255")),
    ]


def test_a_column_that_is_gone_stops_and_nothing_becomes_null(shop: TestShop) -> None:
    shop.change("alter table sales rename column state to status")
    outcome = shop.run(ROAD, LAST)
    assert not outcome.succeeded
    (failure,) = [text for text in outcome.failures if "backup/sales" in text]
    assert "sales.state is enum('open', 'paid') in raw/sales.sql" in failure
    assert "sales.status of the same type in its place" in failure
    assert shop.rows("select count(state) from warehouse.sales") == [(4,)]


def test_the_embedded_source_tells_of_new_columns_too(ran_shop: TestShop) -> None:
    ran_shop.change("alter table sales add column coupon varchar")
    outcome = ran_shop.run(ROAD, LAST)
    assert outcome.succeeded, outcome.lines()
    (line,) = [line for line in outcome.lines() if "coupon" in line]
    assert (
        "sales.coupon is varchar in duckdb:shop.duckdb, and raw/sales.sql does not have it" in line
    )
    assert "Write raw/sales.sql as the table is, or name in its header what stays out" in line
    text = (ran_shop.folder / "sql/raw/sales.sql").read_text("utf-8")
    longer = text.replace("    state enum", "    coupon varchar(20),\n    state enum")
    ran_shop.write({"raw/sales.sql": longer})
    outcome = ran_shop.run(ROAD, LAST)
    assert outcome.succeeded, outcome.lines()
    assert not [line for line in outcome.lines() if "coupon" in line]
    assert ran_shop.rows("select count(*), count(coupon) from warehouse.sales") == [(4, 0)]
