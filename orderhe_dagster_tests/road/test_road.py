"""The road as a whole, on a small shop: what a reader of the warehouse may rely on."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from decimal import Decimal

import pytest

from orderhe_dagster.commands.days import LaunchError
from orderhe_dagster.road import backups
from orderhe_dagster.road.loads import LoadError, to_load
from orderhe_dagster.road.step import Step
from orderhe_dagster_tests.shops import TestShop, days

DAYS = ("2026-01-01", "2026-01-05")
TAKINGS = "select sold_on, sale_count, price_total from mart.takings order by sold_on"


def takings(shop: TestShop) -> list[tuple[str, int, Decimal]]:
    return [(str(day), count, total) for day, count, total in shop.rows(TAKINGS)]


def record(shop: TestShop, table: str, segment: str) -> dict[str, object]:
    return backups.encoded(shop.record(table, segment))


def test_a_range_fills_every_layer_when_run_once(sales_shop: TestShop) -> None:
    outcome = sales_shop.run("*", *DAYS)
    assert outcome.succeeded, outcome.lines()
    assert takings(sales_shop) == [
        ("2026-01-01", 2, Decimal("10.625")),
        ("2026-01-02", 1, Decimal("7.000")),
        ("2026-01-04", 1, Decimal("99999999.999")),
    ]
    exported = (sales_shop.folder / "home/exports/takings.csv").read_text("utf-8").splitlines()
    assert exported == [
        "sold_on,price_total",
        "2026-01-01,10.625",
        "2026-01-02,7.000",
        "2026-01-04,99999999.999",
    ]


def test_days_alone_end_as_the_range_does(sales_shop: TestShop) -> None:
    for day in ("2026-01-04", "2026-01-01", "2026-01-05", "2026-01-02", "2026-01-03"):
        assert sales_shop.run("*", day).succeeded
    alone = takings(sales_shop)
    assert sales_shop.run("*", *DAYS).succeeded
    assert takings(sales_shop) == alone
    assert len(alone) == 3


def test_an_empty_day_has_a_record_when_it_was_proven_empty(ran_shop: TestShop) -> None:
    stored = record(ran_shop, "sales", "2026-01-03")
    measure = stored["measure"]
    assert isinstance(measure, dict)
    assert (measure["rows"], measure["digest"]) == (0, "0")
    assert all(Decimal(total) == 0 for total in measure["sums"].values())
    assert (stored["parts"], stored["manifest"]) == ([], "")


def test_a_rerun_changes_nothing_when_the_source_is_unchanged(ran_shop: TestShop) -> None:
    before = record(ran_shop, "sales", "2026-01-01")
    rows = ran_shop.rows("select * from warehouse.sales order by shop_no, sale_no")
    assert ran_shop.run("*", *DAYS).succeeded
    after = record(ran_shop, "sales", "2026-01-01")
    assert {**after, "verified_at": ""} == {**before, "verified_at": ""}
    assert ran_shop.rows("select * from warehouse.sales order by shop_no, sale_no") == rows


def test_a_later_run_mends_days_touched_since_their_backup(ran_shop: TestShop) -> None:
    ran_shop.change(
        "update sales set price = 11.5, changed_at = timestamp '2026-01-06 00:00:00'"
        " where shop_no = 1 and sale_no = 1",
        "delete from sales where shop_no = 1 and sale_no = 2",
        "insert into sales values"
        " (9, 9, null, date '2026-01-03', 1, 'open', timestamp '2026-01-06 00:00:01')",
    )
    assert ran_shop.run("*", "2026-01-06").succeeded
    assert takings(ran_shop) == [
        ("2026-01-01", 2, Decimal("11.625")),
        ("2026-01-03", 1, Decimal("1.000")),
        ("2026-01-04", 1, Decimal("99999999.999")),
    ]
    assert record(ran_shop, "sales", "2026-01-01")["generation"] == 2
    assert record(ran_shop, "sales", "2026-01-04")["generation"] == 1


def test_a_row_is_counted_once_when_its_day_was_edited(ran_shop: TestShop) -> None:
    ran_shop.change(
        "update sales set sold_on = date '2026-01-02', changed_at = timestamp '2026-01-06 00:00:00'"
        " where shop_no = 1 and sale_no = 1"
    )
    assert ran_shop.run("*", "2026-01-02").succeeded
    assert takings(ran_shop)[:2] == [
        ("2026-01-01", 1, Decimal("0.125")),
        ("2026-01-02", 2, Decimal("17.500")),
    ]


def test_the_generations_stay_when_a_day_is_backed_up_again(sales_shop: TestShop) -> None:
    assert sales_shop.run("backup/sales", "2026-01-01").succeeded
    first = record(sales_shop, "sales", "2026-01-01")
    sales_shop.change("update sales set price = 1, changed_at = timestamp '2026-02-01 00:00:00'")
    assert sales_shop.run("backup/sales", "2026-01-01").succeeded
    kept = sales_shop.store.get("backup/sales/2026-01-01/generations/1.json")
    assert kept is not None
    said = json.loads(kept.body)
    assert len(said.pop("sha256")) == 64
    assert said == {**first, "format": 1}
    sizes = sales_shop.store.sizes([part["key"] for part in first["parts"]])  # type: ignore[attr-defined]
    assert None not in sizes


def test_a_load_stops_and_says_so_when_there_is_no_backup(sales_shop: TestShop) -> None:
    """Before the run; and in a step, however that was started."""
    with pytest.raises(
        LaunchError, match=r"sales has no backup of 1 day, the first 2026-01-01"
    ) as told:
        sales_shop.run("warehouse/sales", "2026-01-01")
    assert "orderhe run '*warehouse/sales' --from 2026-01-01" in str(told.value)
    (sales,) = (t for t in sales_shop.catalogue.layer("raw") if t.name == "sales")
    window = days("2026-01-01")
    with pytest.raises(LoadError, match="no backup of sales for 1 of 1 day, the first") as stopped:
        to_load(Step(sales, window, "run", window), {}, {})
    assert "orderhe run 'backup/sales,warehouse/sales' --from 2026-01-01" in str(stopped.value)


def _cut(body: bytes) -> bytes:
    return body[:-8]


def _flip_a_value(body: bytes) -> bytes:
    """Another byte in the first page, whose data begin right after the magic number."""
    return body[:40] + bytes([body[40] ^ 0xFF]) + body[41:]


def _other_rows(body: bytes) -> bytes:
    """A sound file of the same size class that holds no row."""
    import io

    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pq.read_table(io.BytesIO(body)).slice(0, 0), out)
    return out.getvalue()


@pytest.mark.parametrize("damage", [_cut, _flip_a_value, _other_rows])
def test_a_load_stops_and_changes_nothing_when_a_part_is_damaged(
    ran_shop: TestShop, damage: Callable[[bytes], bytes]
) -> None:
    before = ran_shop.rows("select * from warehouse.sales order by shop_no, sale_no")
    part = record(ran_shop, "sales", "2026-01-01")["parts"][0]  # type: ignore[index]
    stored = ran_shop.store.get(part["key"])
    assert stored is not None
    ran_shop.store.put(part["key"], damage(stored.body))
    assert ran_shop.run("warehouse/sales", "2026-01-01").succeeded, "nothing of it is to be loaded"
    with ran_shop.warehouse.session("a warehouse that holds an older generation") as session:
        session.execute(
            "update warehouse._loads set version = 'older' where segment = '2026-01-01'"
        )
    outcome = ran_shop.run("warehouse/sales", "2026-01-01")
    assert not outcome.succeeded
    assert "sales" in outcome.failures[0]
    assert ran_shop.rows("select * from warehouse.sales order by shop_no, sale_no") == before


def test_a_mart_needs_its_upstream_when_nothing_is_loaded(sales_shop: TestShop) -> None:
    outcome = sales_shop.run("mart/buyer_totals")
    assert not outcome.succeeded
    assert "warehouse/sales" in outcome.failures[0]
    assert "orderhe run" in outcome.failures[0]


def test_marts_stop_and_the_rows_are_shown_when_a_check_fails(sales_shop: TestShop) -> None:
    sales_shop.change("update sales set price = -1 where shop_no = 1 and sale_no = 1")
    outcome = sales_shop.run("*", *DAYS)
    assert not outcome.succeeded
    assert any("prices_are_positive" in text for text in outcome.failed_checks)
    assert not sales_shop.rows("select 1 from warehouse._tables where table_name = 'mart.takings'")
    sales_shop.change(
        "update sales set price = 1, changed_at = timestamp '2026-02-01 00:00:00'"
        " where shop_no = 1 and sale_no = 1"
    )
    assert sales_shop.run("*", *DAYS).succeeded
    assert takings(sales_shop)[0] == ("2026-01-01", 2, Decimal("1.125"))


def test_a_mart_is_made_anew_when_its_columns_change(ran_shop: TestShop) -> None:
    ran_shop.write(
        {
            "mart/takings.sql": """
-- What came in, by day.
-- @partition sold_on
-- @grain sold_on
select
    sales.sold_on::date as sold_on, -- The day
    count(*)::bigint as sale_count, -- How many sales
    sum(sales.price)::decimal(38, 3) as price_total, -- Their prices
    max(sales.price)::decimal(12, 3) as price_max -- The highest price
from warehouse.sales
group by sales.sold_on;
"""
        }
    )
    assert ran_shop.run("mart/takings", "2026-01-01").succeeded
    assert ran_shop.rows("select count(*), max(price_max) from mart.takings") == [
        (3, Decimal("99999999.999"))
    ]


def test_a_column_is_added_when_the_contract_grows(ran_shop: TestShop) -> None:
    contract = (ran_shop.folder / "sql/raw/sales.sql").read_text("utf-8")
    grown = contract.replace("    primary key", "    remark varchar(20),\n    primary key")
    ran_shop.write({"raw/sales.sql": grown})
    ran_shop.change("alter table sales add column remark varchar")
    assert ran_shop.run("*", *DAYS).succeeded
    assert ran_shop.rows("select count(*) from warehouse.sales where remark is null") == [(4,)]


def test_the_road_widens_a_type_and_stops_where_the_contract_narrows_it(ran_shop: TestShop) -> None:
    contract = (ran_shop.folder / "sql/raw/sales.sql").read_text("utf-8")
    ran_shop.write({"raw/sales.sql": contract.replace("decimal(12,3)", "decimal(14,4)")})
    outcome = ran_shop.run("backup/sales,warehouse/sales", *DAYS)
    assert not outcome.succeeded
    assert (
        "sales.price is decimal(12, 3) in duckdb:shop.duckdb, decimal(14,4) in raw/sales.sql"
    ) in outcome.failures[0]
    ran_shop.change("alter table sales alter column price type decimal(14, 4)")
    assert ran_shop.run("backup/sales,warehouse/sales", "2026-01-01").succeeded
    assert ran_shop.rows("select count(*), sum(price) from warehouse.sales") == [
        (4, Decimal("100000017.6240"))
    ]
    ran_shop.write({"raw/sales.sql": contract.replace("decimal(12,3)", "decimal(14,2)")})
    ran_shop.change("alter table sales alter column price type decimal(14, 2)")
    outcome = ran_shop.run("backup/sales,warehouse/sales", *DAYS)
    assert not outcome.succeeded
    remedy = outcome.failures[0].split("filled from the source: ")[1].split("; orderhe run ")[0]
    with ran_shop.warehouse.session("the remedy") as session:
        for command in remedy.split("; "):
            session.execute(shlex.split(command)[2])
    assert ran_shop.run("backup/sales,warehouse/sales", "2026-01-01").succeeded
    assert ran_shop.rows("select count(*), sum(price) from warehouse.sales") == [
        (4, Decimal("100000017.63"))
    ]


def test_a_missing_parent_is_pending_when_it_was_not_read_yet(sales_shop: TestShop) -> None:
    outcome = sales_shop.run("backup/sales,warehouse/sales", *DAYS)
    assert outcome.succeeded, outcome.lines()
    assert sales_shop.run("backup/buyers,warehouse/buyers").succeeded
    sales_shop.change("delete from buyers where buyer_code = 'ann'")
    assert sales_shop.run("backup/buyers,warehouse/buyers").succeeded
    outcome = sales_shop.run("warehouse/sales", *DAYS)
    assert any("buyer_code_is_in_buyers" in text for text in outcome.failed_checks)
