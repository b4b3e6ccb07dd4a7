"""No figure on rows that nobody judged: what a killed run, or one of some checks, left is judged first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.table import TableRef
from orderhe_dagster.definitions import build_definitions
from orderhe_dagster.ports.warehouse import Result, Session
from orderhe_dagster.proof.check_results import (
    CheckResult,
    FailedCheckError,
    check_results,
    claim_names,
)
from orderhe_dagster.proof.judgement import Judge
from orderhe_dagster.road.builds import build
from orderhe_dagster.road.loads import load
from orderhe_dagster.road.step import Step
from orderhe_dagster_tests import shops
from orderhe_dagster_tests.road.systems import Systems
from orderhe_dagster_tests.shops import TestShop

DAYS = ("2026-01-01", "2026-01-05")
FIVE = Window.of(date(2026, 1, 1), date(2026, 1, 5))
SALES, TAKINGS = TableRef("warehouse", "sales"), TableRef("mart", "takings")
BELOW_NOTHING = (
    "update sales set price = -1, changed_at = timestamp '2026-01-06 00:00:00'"
    " where shop_no = 1 and sale_no = 1"
)
MENDED = BELOW_NOTHING.replace("= -1", "= 1").replace("01-06", "01-07")
DEAR = {
    "checks/mart/takings__are_not_dear.sql": """
-- No day takes in as much as this.
select sold_on, price_total from mart.takings where price_total > 99999999;
"""
}


class Asked:
    """A session that notes what is asked of the rows themselves."""

    def __init__(self, session: Session) -> None:
        self._session, self.of_claims = session, list[str]()

    def execute(self, sql: str) -> Result:
        if ") as wrong" in sql:
            self.of_claims.append(sql)
        return self._session.execute(sql)

    def __getattr__(self, name: str) -> object:
        return getattr(self._session, name)


@pytest.fixture(params=["embedded", "redshift"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, systems: Systems) -> TestShop:
    """The sales shop after a run of all, its warehouse in a file and behind the wire."""
    turned = frozenset({request.param} - {"embedded"})
    home = tmp_path / "shop/home"
    made = shops.sales_shop(tmp_path / "shop", systems.environ(turned, home))
    assert made.run("*", *DAYS).succeeded
    return made


def load_as_a_killed_run(shop: TestShop) -> None:
    """Load what was backed up, and end before its checks begin."""
    assert shop.run("backup/sales", *DAYS).succeeded
    load(Step(shop.catalogue.get(SALES), FIVE, "killed", FIVE), shop.store, shop.warehouse)


def build_as_a_killed_run(shop: TestShop) -> None:
    step = Step(shop.catalogue.get(TAKINGS), FIVE, "killed", FIVE)
    build(step, shop.catalogue, shop.warehouse, lambda session: None)


def kept(shop: TestShop, table: str, claim: str) -> CheckResult:
    with shop.warehouse.session("a test", read_only=True) as session:
        results = check_results(session, shop.catalogue)
    (one,) = (one for one in results if (one.table_name, one.claim) == (table, claim))
    return one


def judge_of(shop: TestShop) -> Judge:
    return Judge(shop.catalogue, FIVE, shop.source, shop.store, "a test")


def claims_asked(shop: TestShop, ref: TableRef) -> list[str]:
    """What a build of a table asks before it builds. FailedCheckError."""
    with shop.warehouse.session("a test") as session:
        asked = Asked(session)
        judge_of(shop).require_passed(asked, shop.catalogue.get(ref))  # type: ignore[arg-type]
    return asked.of_claims


def materialize(shop: TestShop, selection: dg.AssetSelection) -> None:
    """Run some assets as Dagster is told, which may be without some of their checks."""
    made = build_definitions(shop.settings)
    result = dg.materialize(
        [*(made.assets or ()), *(made.asset_checks or ())],  # type: ignore[list-item]
        selection=selection,
        resources=dict(made.resources or {}),
        tags={
            "dagster/asset_partition_range_start": DAYS[0],
            "dagster/asset_partition_range_end": DAYS[1],
        },
    )
    assert result.success


def test_a_mart_is_not_built_on_rows_that_fail_when_they_are_judged(shop: TestShop) -> None:
    before = shop.rows("select * from mart.takings order by 1")
    shop.change(BELOW_NOTHING)
    load_as_a_killed_run(shop)
    assert kept(shop, "warehouse.sales", "prices_are_positive").passed, "of other rows"
    outcome = shop.run("mart/takings", *DAYS)
    (failure,) = outcome.failures
    assert "warehouse/sales failed its check prices_are_positive at 20" in failure
    assert "mart/takings is left as it was" in failure
    assert shop.rows("select * from mart.takings order by 1") == before
    result = kept(shop, "warehouse.sales", "prices_are_positive")
    assert (result.passed, result.wrong_rows, result.run_id) == (False, 1, outcome.run_id)
    assert not shop.run("mart/buyer_totals").succeeded
    shop.change(MENDED)
    load_as_a_killed_run(shop)
    assert shop.run("mart/takings,mart/buyer_totals", *DAYS).succeeded


def test_a_mart_is_built_on_rows_that_hold_when_they_are_judged(shop: TestShop) -> None:
    shop.change(MENDED)
    load_as_a_killed_run(shop)
    outcome = shop.run("mart/takings", *DAYS)
    assert outcome.succeeded, outcome.lines()
    result = kept(shop, "warehouse.sales", "prices_are_positive")
    assert (result.passed, result.run_id) == (True, outcome.run_id)
    assert claims_asked(shop, TAKINGS) == []


def test_an_export_waits_for_its_mart_to_be_judged(ran_shop: TestShop) -> None:
    file = ran_shop.settings.home / "exports/takings.csv"
    before = file.read_bytes()
    ran_shop.write(DEAR)
    ran_shop.change(MENDED)
    load_as_a_killed_run(ran_shop)
    build_as_a_killed_run(ran_shop)
    (failure,) = ran_shop.run("export/takings").failures
    assert "mart/takings failed its check are_not_dear" in failure
    assert file.read_bytes() == before
    assert not kept(ran_shop, "mart.takings", "are_not_dear").passed
    ran_shop.write({name: text.replace("> 9", "> 99") for name, text in DEAR.items()})
    outcome = ran_shop.run("export/takings")
    assert outcome.succeeded, outcome.lines()
    assert file.read_bytes() != before
    assert kept(ran_shop, "mart.takings", "are_not_dear").run_id == outcome.run_id


def test_what_a_run_without_a_check_loads_is_judged_by_the_next(ran_shop: TestShop) -> None:
    ran_shop.change(BELOW_NOTHING)
    keys = [dg.AssetKey([layer, "sales"]) for layer in ("backup", "warehouse")]
    check = dg.AssetCheckKey(keys[1], "prices_are_positive")
    materialize(ran_shop, dg.AssetSelection.assets(*keys) - dg.AssetSelection.checks(check))
    assert kept(ran_shop, "warehouse.sales", "prices_are_positive").passed
    (failure,) = ran_shop.run("mart/takings", *DAYS).failures
    assert "warehouse/sales failed its check prices_are_positive" in failure


def test_some_of_the_claims_are_not_all_of_them(ran_shop: TestShop) -> None:
    ran_shop.change(BELOW_NOTHING)
    load_as_a_killed_run(ran_shop)
    judge = judge_of(ran_shop)
    names = claim_names(ran_shop.catalogue, SALES)
    some = [name for name in names if name != "prices_are_positive"]
    with ran_shop.warehouse.session("a test") as session:
        judgement = judge.judge(session, SALES, some)
        judge.keep(session, judgement)
    assert not judgement.is_whole
    with pytest.raises(FailedCheckError, match="prices_are_positive"):
        claims_asked(ran_shop, TAKINGS)


def test_nothing_is_judged_twice(ran_shop: TestShop) -> None:
    marts = [table.ref for table in ran_shop.catalogue.layer("mart")]
    assert [claims_asked(ran_shop, ref) for ref in marts] == [[], []]
    assert ran_shop.run("backup/*,warehouse/*", *DAYS).succeeded, "the same rows"
    assert [claims_asked(ran_shop, ref) for ref in marts] == [[], []]
    ran_shop.change(MENDED)
    load_as_a_killed_run(ran_shop)
    asked: Sequence[str] = claims_asked(ran_shop, TAKINGS)
    assert any("price < 0" in sql for sql in asked)
    assert not any("from warehouse.buyers where" in sql for sql in asked), "it is judged still"
    assert [claims_asked(ran_shop, ref) for ref in marts] == [[], []]


def test_what_is_loaded_while_claims_are_judged_stays_unjudged(ran_shop: TestShop) -> None:
    ran_shop.change(BELOW_NOTHING)
    judge = judge_of(ran_shop)
    with ran_shop.warehouse.session("a test", read_only=True) as session:
        judgement = judge.judge(session, SALES)
    load_as_a_killed_run(ran_shop)
    with ran_shop.warehouse.session("a test") as session:
        judge.keep(session, judgement)
    with pytest.raises(FailedCheckError, match="prices_are_positive"):
        claims_asked(ran_shop, TAKINGS)


def test_a_parent_that_was_loaded_alone_has_its_children_judged_again(ran_shop: TestShop) -> None:
    ran_shop.change("delete from buyers where buyer_code = '밥'")
    assert ran_shop.run("backup/buyers,warehouse/buyers").succeeded
    (failure,) = ran_shop.run("mart/takings", *DAYS).failures
    assert "failed its check buyer_code_is_in_buyers" in failure
    assert "1 row breaks it" in failure


def test_an_empty_warehouse_has_nothing_to_judge(sales_shop: TestShop) -> None:
    judge = judge_of(sales_shop)
    for ref in (TAKINGS, TableRef("export", "takings")):
        with sales_shop.warehouse.session("a test") as session:
            judge.require_passed(session, sales_shop.catalogue.get(ref))
    assert not sales_shop.run("export/takings").succeeded


def test_a_build_asks_behind_no_fence(ran_shop: TestShop) -> None:
    """What is judged is what is built: a load between the two begins the build again."""
    ran_shop.change(MENDED)
    load_as_a_killed_run(ran_shop)
    judge, times = judge_of(ran_shop), list[int]()
    table = ran_shop.catalogue.get(TAKINGS)

    def meanwhile(session: Session) -> None:
        times.append(1)
        judge.require_passed(session, table)
        if len(times) == 1:
            session.execute(
                "update warehouse._loads set version = 'another' where segment = '2026-01-02'"
                " and table_name = 'warehouse.sales'"
            )

    build(Step(table, FIVE, "one", FIVE), ran_shop.catalogue, ran_shop.warehouse, meanwhile)
    assert len(times) == 2
    assert claims_asked(ran_shop, TAKINGS) == []
