"""Checks that compare tables: judged when all of them stand on the same rows, in runs of all and of one."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from orderhe_dagster.catalog.table import TableRef
from orderhe_dagster.proof.check_results import CheckResult, record
from orderhe_dagster.proof.claims import Claim, Finding, claims_of, judge
from orderhe_dagster_tests import shops
from orderhe_dagster_tests.shops import TestShop

DAYS = ("2026-01-01", "2026-01-04")
TOTALS = """
-- What came in altogether.
-- @grain kind
select
    'all'::varchar(4) as kind, -- All sales
    count(*)::bigint as sale_count -- How many
from warehouse.sales;
"""
AGREE = """
-- The days have all sales between them.
with days as (
    select sum(sale_count) as sale_count from mart.takings
)

select
    all_sales.sale_count,
    days.sale_count as sales_of_days
from mart.all_sales
cross join days
where all_sales.sale_count <> days.sale_count;
"""
SALE = (
    "insert into sales values"
    " (2, 9, 'ann', date '2026-01-02', 3.000, 'open', timestamp '2026-01-05 10:00:00')"
)


FILES = {"mart/all_sales.sql": TOTALS, "checks/mart/all_sales__are_those_of_days.sql": AGREE}
"""A mart that is built and checked before the one it is compared with, by name."""


@pytest.fixture
def shop(sales_shop: TestShop) -> TestShop:
    """The small shop with that mart, not run."""
    sales_shop.write(FILES)
    return sales_shop


@pytest.fixture(scope="module")
def as_it_ran(tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    """The same shop after a run of all: to be copied."""
    with pytest.MonkeyPatch.context() as patch:  # running sets Dagster's home
        patch.setenv("DAGSTER_HOME", "")
        shop = shops.sales_shop(tmp_path_factory.mktemp("ran") / "shop")
        shop.write(FILES)
        assert shop.run("*", *DAYS).succeeded
    return shop


@pytest.fixture
def ran(as_it_ran: TestShop, tmp_path: Path) -> TestShop:
    """A copy of it."""
    return as_it_ran.copy(tmp_path / "shop")


def comparison(shop: TestShop) -> Claim:
    table = shop.catalogue.get(TableRef("mart", "all_sales"))
    (claim,) = (claim for claim in claims_of(shop.catalogue, table, "mart") if claim.reads)
    return claim


def judged(shop: TestShop) -> Finding:
    """What the comparison finds now."""
    claims = [comparison(shop)]
    with shop.warehouse.session("a test", read_only=True) as session:
        ((_, finding),) = judge(session, shop.catalogue, claims)
    return finding


def test_a_run_of_all_judges_after_both_are_built(ran: TestShop) -> None:
    ran.change(SALE)
    outcome = ran.run("*", *DAYS)
    assert outcome.succeeded, outcome.lines()
    assert ran.rows("select sale_count from mart.all_sales") == [(5,)]
    assert judged(ran) == Finding(0)


def test_tables_whose_checks_read_each_other_can_be_run(shop: TestShop) -> None:
    shop.write(
        {
            "checks/mart/takings__are_those_of_all.sql": AGREE,
            "checks/warehouse/buyers__come_back.sql": "select buyers.buyer_code from"
            " warehouse.buyers left join warehouse.sales on buyers.buyer_code = sales.buyer_code"
            " where sales.buyer_code is null;",
        }
    )
    outcome = shop.run("*", *DAYS)
    assert outcome.succeeded, outcome.lines()


def test_a_table_is_not_judged_by_one_that_lags_behind(ran: TestShop) -> None:
    ran.change(SALE)
    assert ran.run("backup/*,warehouse/*", *DAYS).succeeded
    outcome = ran.run("mart/all_sales")
    assert outcome.succeeded, outcome.lines()
    finding = judged(ran)
    assert (finding.wrong, finding.pending, finding.rows) == (0, 1, [(5, 4)])
    assert "mart/takings was built before" in finding.sentence(comparison(ran))
    assert ran.run("mart/takings", *DAYS).succeeded
    assert judged(ran) == Finding(0)


def test_a_table_is_not_judged_by_one_that_was_never_built(shop: TestShop) -> None:
    assert shop.run("backup/*,warehouse/*", *DAYS).succeeded
    outcome = shop.run("mart/all_sales")
    assert outcome.succeeded, outcome.lines()
    assert [str(ref) for ref in judged(shop).behind] == ["mart.takings"]


def test_a_difference_between_tables_that_stand_on_the_same_rows_is_wrong(ran: TestShop) -> None:
    with ran.warehouse.session("test") as session:
        session.execute("update mart.takings set sale_count = 9 where sold_on = '2026-01-01'")
    finding = judged(ran)
    assert (finding.wrong, finding.pending, finding.behind) == (1, 0, ())
    assert ran.run("mart/all_sales").succeeded, "it has judged what these tables had before"
    outcome = ran.run("mart/all_sales", prove_all=True)
    assert not outcome.succeeded
    assert any("are_those_of_days" in line for line in outcome.lines())


def test_a_failure_does_not_stop_the_table_that_it_is_to_be_judged_by(
    ran_shop: TestShop,
) -> None:
    of_days = TOTALS.replace("count(*)", "sum(takings.sale_count)")
    ran_shop.write(
        {
            "mart/all_sales.sql": of_days.replace("warehouse.sales", "mart.takings"),
            "checks/mart/takings__are_those_of_all.sql": AGREE,
        }
    )
    assert ran_shop.run("mart/*", "2026-01-01", "2026-01-05").succeeded
    failed = CheckResult(  # as the UI finds, when the check is run by itself
        table_name="mart.takings",
        claim="are_those_of_all",
        passed=False,
        wrong_rows=1,
        checked_at=datetime.now(timezone.utc),
        run_id="x",
    )
    with ran_shop.warehouse.session("test") as session:
        record(session, "mart.takings", [failed], ["are_those_of_all"])
    ran_shop.change(SALE)
    outcome = ran_shop.run("*", *DAYS)
    assert outcome.succeeded, outcome.lines()
    assert ran_shop.rows("select sale_count from mart.all_sales") == [(5,)]
