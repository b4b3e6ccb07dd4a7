"""A failed check holds beyond its run: nothing is built on what it found wrong, until it passes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from orderhe_dagster.catalog.table import TableRef
from orderhe_dagster.proof.check_results import (
    AGREES,
    CheckResult,
    check_results,
    claim_names,
    record,
)
from orderhe_dagster.road import audit
from orderhe_dagster_tests import shops
from orderhe_dagster_tests.road.systems import Systems
from orderhe_dagster_tests.shops import TestShop

SALES = TableRef("warehouse", "sales")
DAYS = ("2026-01-01", "2026-01-05")
LOADED = "backup/sales,warehouse/sales"
PRICE = "update sales set price = {}, changed_at = timestamp '{}' where shop_no = 1 and sale_no = 1"
MART_CHECK = {
    "checks/mart/takings__something_was_sold.sql": """
-- Every day that is there has a sale of 8 or more.
select sold_on, price_total from mart.takings where price_total < 8;
"""
}


def results(shop: TestShop) -> dict[tuple[str, str], CheckResult]:
    with shop.warehouse.session("a test", read_only=True) as session:
        latest = check_results(session, shop.catalogue)
    return {(result.table_name, result.claim): result for result in latest}


@pytest.fixture(params=["embedded", "redshift"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, systems: Systems) -> TestShop:
    """The sales shop, its warehouse in a file and behind the wire."""
    turned = frozenset({request.param} - {"embedded"})
    home = tmp_path / "shop/home"
    return shops.sales_shop(tmp_path / "shop", systems.environ(turned, home))


def test_what_reads_a_failed_table_waits_until_it_passes(shop: TestShop) -> None:
    shop.change(PRICE.format(-1, "2026-01-02 00:00:00"))
    assert not shop.run("*", *DAYS).succeeded
    result = results(shop)["warehouse.sales", "prices_are_positive"]
    assert (result.passed, result.wrong_rows, result.blocks) == (False, 1, True)
    for mart in ("mart/takings", "mart/buyer_totals"):
        outcome = shop.run(mart, *(DAYS if mart == "mart/takings" else ()))
        (failure,) = outcome.failures
        assert "warehouse/sales failed its check prices_are_positive at 20" in failure
        assert "UTC: 1 row breaks it" in failure
        assert "orderhe run 'backup/sales,warehouse/sales'" in failure
    shop.change(PRICE.format(1, "2026-01-03 00:00:00"))
    assert shop.run("*", *DAYS).succeeded, "one run is enough"
    proof = results(shop)["warehouse.sales", AGREES]
    assert (proof.days, proof.source_rows, proof.backup_rows, proof.warehouse_rows) == (1, 2, 2, 2)
    assert not any(result.blocks for result in results(shop).values())
    assert all(result.checked_at.tzinfo for result in results(shop).values())


def test_a_failed_mart_is_built_again_and_its_readers_wait(sales_shop: TestShop) -> None:
    sales_shop.write(MART_CHECK)
    assert not sales_shop.run("*", *DAYS).succeeded
    outcome = sales_shop.run("export/takings")
    assert "mart/takings failed its check something_was_sold" in outcome.failures[0]
    assert "export/takings is left as it was" in outcome.failures[0]
    assert "its select in mart/takings.sql" in outcome.failures[0]
    again = "then: orderhe run mart/takings --from 2026-01-02 --to 2026-01-02"
    assert outcome.failures[0].endswith(again)
    assert not (sales_shop.settings.home / "exports/takings.csv").exists()
    check = sales_shop.folder / "sql" / next(iter(MART_CHECK))
    text = check.read_text("utf-8")
    check.write_text(text.replace("< 8", "< 7.5"), "utf-8")
    assert not sales_shop.run("export/takings").succeeded, "the new claim is judged, and fails"
    check.write_text(text.replace("< 8", "< 1"), "utf-8")
    assert sales_shop.run("export/takings").succeeded, "and the newest holds"
    assert results(sales_shop)["mart.takings", "something_was_sold"].passed
    assert sales_shop.run("mart/takings", *DAYS).succeeded
    assert sales_shop.run("export/takings").succeeded


def test_a_claim_that_is_made_no_more_stops_nothing(sales_shop: TestShop) -> None:
    sales_shop.write(MART_CHECK)
    assert not sales_shop.run("*", *DAYS).succeeded
    (sales_shop.folder / "sql" / next(iter(MART_CHECK))).unlink()
    assert sales_shop.run("export/takings").succeeded
    assert ("mart.takings", "something_was_sold") not in results(sales_shop)


def test_what_is_only_stale_is_built_on(ran_shop: TestShop) -> None:
    ran_shop.change(PRICE.format(2, "2026-01-07 00:00:00"))
    assert ran_shop.run("warehouse/sales", *DAYS, prove_all=True).warned_checks
    result = results(ran_shop)["warehouse.sales", AGREES]
    assert (result.passed, result.only_stale, result.wrong_rows) == (False, True, 1)
    assert ran_shop.run("mart/takings,mart/buyer_totals", *DAYS).succeeded


def test_a_wrong_copy_stops_what_reads_the_whole_table(ran_shop: TestShop) -> None:
    wrong = replace(_passed(), table_name="warehouse.sales", claim=AGREES, passed=False)
    with ran_shop.warehouse.session("a check that found a day wrong") as session:
        record(session, "warehouse.sales", [wrong], list(claim_names(ran_shop.catalogue, SALES)))
    assert results(ran_shop)["warehouse.sales", AGREES].blocks
    assert not ran_shop.run("mart/buyer_totals").succeeded
    assert ran_shop.run(f"{LOADED},mart/buyer_totals", "2026-01-02").succeeded


def test_claims_replace_their_own_results_and_those_made_no_more_go(
    sales_shop: TestShop,
) -> None:
    at = datetime(2026, 1, 9, 12, tzinfo=timezone.utc)
    one = CheckResult(
        table_name="mart.takings",
        claim="one",
        passed=True,
        wrong_rows=0,
        checked_at=at,
        run_id="run 1",
    )
    other = replace(one, claim="other", passed=False, wrong_rows=7, source_rows=2**40)
    elsewhere = replace(one, table_name="mart.buyer_totals")
    with sales_shop.warehouse.session("a test") as session:
        record(session, "mart.takings", [one, other], ["one", "other"])
        record(session, "mart.buyer_totals", [elsewhere], ["one"])
        assert check_results(session) == [elsewhere, one, other]
        again = replace(one, run_id="run 2")
        record(session, "mart.takings", [again], ["one", "other"])
        record(session, "mart.takings", [], ["one", "other"])
        assert check_results(session) == [elsewhere, again, other]
        record(session, "mart.takings", [], ["one"])
        assert check_results(session) == [elsewhere, again]
        record(session, "mart.takings", [other], ["one", "other"])
        record(session, "mart.takings", [again], ["one"])
        assert check_results(session) == [elsewhere, again]


def test_a_warehouse_from_before_verdicts_were_kept_is_taken_as_it_is(
    ran_shop: TestShop,
) -> None:
    with ran_shop.warehouse.session("an older version") as session:
        session.execute(f"drop table {audit.CHECKS}")
        session.execute(f"delete from {audit.TABLES} where table_name = '_ledger'")
        assert check_results(session) == []
    assert ran_shop.run("export/takings").succeeded
    with ran_shop.warehouse.session("an older version") as session:
        record(session, "mart.takings", [_passed()], ["grain_is_unique"])
        assert check_results(session) == [_passed()]


def _passed() -> CheckResult:
    return CheckResult(
        table_name="mart.takings",
        claim="grain_is_unique",
        passed=True,
        wrong_rows=0,
        checked_at=datetime(2026, 1, 9, tzinfo=timezone.utc),
        run_id="run 1",
    )
