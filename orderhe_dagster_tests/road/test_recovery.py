"""What a later run mends of what an earlier one left: nothing stays lost, stale or wrong unseen."""

from __future__ import annotations

import re
import shutil
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import TableRef
from orderhe_dagster.resources.extract.parquet_query import parquet_query
from orderhe_dagster.resources.laptop.embedded_warehouse import EmbeddedWarehouse
from orderhe_dagster.road import audit, index
from orderhe_dagster.road.backups import BackupError
from orderhe_dagster.road.extracts import Road, back_up
from orderhe_dagster.road.index import Change
from orderhe_dagster.road.step import Step
from orderhe_dagster.settings.home import home_of
from orderhe_dagster_tests.shops import TestShop

LOADED = "backup/sales,warehouse/sales"
TAKINGS = "select sold_on, price_total from mart.takings order by sold_on"
PRICE = "update sales set price = {price}, changed_at = timestamp '{at}' where shop_no = 1 and sale_no = 2"


def run(shop: TestShop, first: str, last: str | None = None) -> bool:
    """Run the partitioned chain for days of January."""
    outcome = shop.run(
        "backup/sales,backup/buyers,warehouse/sales,warehouse/buyers,mart/takings", first, last
    )
    return outcome.succeeded


def takings(shop: TestShop) -> dict[str, Decimal]:
    return {str(day): total for day, total in shop.rows(TAKINGS)}


def test_a_table_that_was_emptied_stops_until_that_is_allowed(ran_shop: TestShop) -> None:
    ran_shop.change("delete from sales")
    outcome = ran_shop.run(LOADED, "2026-01-05")
    assert "table sales has no row" in outcome.failures[0]
    assert ran_shop.rows("select count(*) from warehouse.sales") == [(4,)]
    ran_shop.change("delete from buyers")
    whole = ran_shop.run("backup/buyers")
    assert "table buyers has no row" in whole.failures[0]
    assert ran_shop.run(LOADED, "2026-01-05", may_be_empty=True).succeeded
    assert ran_shop.rows("select count(*) from warehouse.sales") == [(0,)]


def test_days_that_are_gone_are_told_apart_from_one_that_is_not_read_yet(
    ran_shop: TestShop,
) -> None:
    ran_shop.change(
        "delete from sales",
        "insert into sales values (1, 9, null, date '2026-01-06', 1.000, 'paid',"
        " timestamp '2026-01-06 10:00:00')",
    )
    history = Window(date(2026, 1, 1), date(2026, 1, 7))
    table = ran_shop.catalogue.get(TableRef("raw", "sales"))
    step = Step(table, Window.of(date(2026, 1, 6)), "a run", history)
    source, store, settings = ran_shop.source, ran_shop.store, ran_shop.settings
    warehouse = EmbeddedWarehouse(str(home_of(settings).warehouse), store=store)
    road = Road(source, store, warehouse, home_of(settings).scratch, parquet_query)
    with pytest.raises(BackupError, match="sales has no row of the days that have a backup in the"):
        back_up(step, road)


def test_a_mart_has_the_day_of_a_failed_check_when_later_days_ran(sales_shop: TestShop) -> None:
    sales_shop.change(PRICE.format(price=-1, at="2026-01-02 12:00:00"))
    assert not run(sales_shop, "2026-01-01", "2026-01-02")
    sales_shop.change(PRICE.format(price=3, at="2026-01-03 12:00:00"))
    assert run(sales_shop, "2026-01-04")
    assert takings(sales_shop) == {
        "2026-01-01": Decimal("10.625"),
        "2026-01-02": Decimal("3.000"),
        "2026-01-04": Decimal("99999999.999"),
    }


def test_a_skipped_day_is_brought_by_the_next_run(sales_shop: TestShop) -> None:
    assert run(sales_shop, "2026-01-01")
    assert run(sales_shop, "2026-01-04")
    assert set(takings(sales_shop)) == {"2026-01-01", "2026-01-02", "2026-01-04"}


def test_a_lost_warehouse_is_filled_again_by_any_run(ran_shop: TestShop) -> None:
    before = takings(ran_shop)
    Path(ran_shop.settings.home / "warehouse.duckdb").unlink()
    assert run(ran_shop, "2026-01-05")
    assert takings(ran_shop) == before
    assert len(before) == 3


def test_old_days_have_a_new_column_when_the_contract_grew(ran_shop: TestShop) -> None:
    contract = (ran_shop.folder / "sql/raw/sales.sql").read_text("utf-8")
    grown = contract.replace("    primary key", "    remark varchar(20),\n    primary key")
    ran_shop.write({"raw/sales.sql": grown})
    ran_shop.change("alter table sales add column remark varchar default 'kept'")
    assert ran_shop.run(LOADED, "2026-01-05").succeeded
    assert ran_shop.rows("select remark, count(*) from warehouse.sales group by remark") == [
        ("kept", 4)
    ]


def test_a_mart_is_whole_when_it_becomes_partitioned(sales_shop: TestShop) -> None:
    mart = (sales_shop.folder / "sql/mart/takings.sql").read_text("utf-8")
    sales_shop.write({"mart/takings.sql": mart.replace("-- @partition sold_on\n", "")})
    assert run(sales_shop, "2026-01-01", "2026-01-05")
    sales_shop.write({"mart/takings.sql": mart})
    sales_shop.change(PRICE.format(price=1000, at="2026-01-06 00:00:00"))
    assert run(sales_shop, "2026-01-05")
    assert takings(sales_shop)["2026-01-02"] == Decimal("1000.000")


def test_a_wrong_day_stays_red_until_it_is_mended(ran_shop: TestShop) -> None:
    with ran_shop.warehouse.session("a hand in the warehouse") as session:
        session.execute("update warehouse.sales set price = 5 where sold_on = '2026-01-02'")
    checks = ran_shop.run("mart/buyer_totals")
    assert checks.succeeded, "nobody has looked yet"
    # The source moves on without its cursor, which only the digest can see.
    ran_shop.change("update sales set price = 6 where sold_on = date '2026-01-02'")
    red = ran_shop.run(LOADED, "2026-01-02")
    assert red.succeeded, "the day was read again, and the hand's value is gone"
    with ran_shop.warehouse.session("a check that found it wrong") as session:
        audit.dispute(session, "warehouse.sales", [Segment("2026-01-02")], "a run")
    refused = ran_shop.run("mart/takings", "2026-01-05")
    assert "not to agree with its source" in refused.failures[0]
    ran_shop.change("update sales set price = 7 where sold_on = date '2026-01-02'")
    assert ran_shop.run(LOADED, "2026-01-02").succeeded
    assert ran_shop.run("mart/takings", "2026-01-02").succeeded
    assert takings(ran_shop)["2026-01-02"] == Decimal("7.000")


def test_an_orphan_is_wrong_when_its_parents_were_read_again_unchanged(
    ran_shop: TestShop,
) -> None:
    with ran_shop.source.writing() as transaction:
        transaction.execute(
            "insert into sales values (3, 1, 'nobody', date '2026-01-05', 1, 'paid',"
            " timestamp '2026-01-05 00:00:00')"
        )
    outcome = ran_shop.run(LOADED, "2026-01-05")
    assert outcome.succeeded, "the parent may have come since it was read"
    outcome = ran_shop.run(
        "backup/sales,backup/buyers,warehouse/sales,warehouse/buyers", "2026-01-05"
    )
    assert any("buyer_code_is_in_buyers" in text for text in outcome.failed_checks)


def test_a_load_says_so_when_the_store_went_back(ran_shop: TestShop, tmp_path: Path) -> None:
    store = ran_shop.settings.home / "s3"
    shutil.copytree(store, tmp_path / "older")
    ran_shop.change(PRICE.format(price=2, at="2026-01-06 00:00:00"))
    assert ran_shop.run(LOADED, "2026-01-05").succeeded
    shutil.rmtree(store)
    shutil.copytree(tmp_path / "older", store)
    outcome = ran_shop.run("warehouse/sales", "2026-01-02")
    assert "the store was restored to an older state" in outcome.failures[0]
    remedy = re.search(r'orderhe query "([^"]+)"', outcome.failures[0])
    assert remedy is not None
    with ran_shop.warehouse.session("the remedy") as session:
        session.execute(remedy[1])
    again = ran_shop.run("warehouse/sales", "2026-01-02")
    assert again.succeeded
    assert any("has moved on" in text for text in again.warned_checks), "the source is newer"


def test_a_mart_day_is_refused_when_its_upstream_was_never_loaded(sales_shop: TestShop) -> None:
    assert sales_shop.run(LOADED, "2026-01-01").succeeded
    outcome = sales_shop.run("mart/takings", "2026-01-01", "2026-01-02")
    assert (
        "warehouse/sales of 1 day that was never loaded, the first 2026-01-02"
        in outcome.failures[0]
    )


@pytest.mark.parametrize("spread", [1, 30])
def test_touched_days_are_read_again_when_they_lie_apart(sales_shop: TestShop, spread: int) -> None:
    days = [f"2026-02-{day:02d}" for day in range(1, 28, 2)][: max(spread // 2, 3)]
    rows = ", ".join(
        f"(7, {number}, null, date '{day}', 1, 'paid', timestamp '{day} 00:00:00')"
        for number, day in enumerate(days)
    )
    sales_shop.change(f"insert into sales values {rows}")
    assert sales_shop.run(LOADED, "2026-01-01", "2026-02-28").succeeded
    sales_shop.change(
        "update sales set price = 2, changed_at = timestamp '2026-03-02 00:00:00' where shop_no = 7"
    )
    assert sales_shop.run(LOADED, "2026-03-01").succeeded
    assert sales_shop.rows("select sum(price) from warehouse.sales where shop_no = 7") == [
        (Decimal(2 * len(days)),)
    ]


def test_a_backup_is_made_though_the_sources_clock_went_back(ran_shop: TestShop) -> None:
    ahead = datetime(2099, 1, 1, tzinfo=timezone.utc)
    for table, segment in (("sales", "2026-01-02"), ("buyers", "all")):
        record = ran_shop.record(table, segment)
        change = Change(verified={record.segment: (record, ahead)})
        index.commit(ran_shop.store, table, change)
    ran_shop.change(
        PRICE.format(price=3, at="2026-01-03 12:00:00"), "update buyers set mail = 'new'"
    )
    assert run(ran_shop, "2026-01-05")
    assert takings(ran_shop)["2026-01-02"] == Decimal("3.000")
    assert ran_shop.rows("select count(*) from warehouse.buyers where mail = 'new'") == [(2,)]
