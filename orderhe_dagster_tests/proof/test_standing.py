"""A claim that held for the very rows that are there is not asked again; everything else is."""

from __future__ import annotations

import dagster as dg
import pytest

from orderhe_dagster.commands.run import launch
from orderhe_dagster.proof.check_results import AGREES, HELD_BACK, CheckResult, check_results
from orderhe_dagster.proof.quarantine_limit import FEW_IN_QUARANTINE
from orderhe_dagster.settings.home import use_home
from orderhe_dagster_tests.proof.test_judgement import BELOW_NOTHING, DAYS, FIVE, MENDED
from orderhe_dagster_tests.shops import TestShop

CLAIM = ("warehouse.sales", "prices_are_positive")
CLOCK = {
    "checks/warehouse/sales__are_of_the_past.sql": """
-- Nobody has bought yet what will be sold.
select shop_no, sale_no, sold_on from warehouse.sales where sold_on > getdate();
"""
}


def results(shop: TestShop) -> dict[tuple[str, str], CheckResult]:
    """Table and claim -> the latest result that is kept."""
    with shop.warehouse.session("a test", read_only=True) as session:
        return {(one.table_name, one.claim): one for one in check_results(session, shop.catalogue)}


def shown(shop: TestShop, run_id: str) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
    """Table and claim -> what a run told Dagster of it."""
    with dg.DagsterInstance.from_config(str(use_home(shop.settings).dagster)) as instance:
        events = instance.all_logs(run_id, dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    evaluations = [event.get_dagster_event().asset_check_evaluation_data for event in events]
    return {(".".join(one.asset_key.path), one.check_name): one for one in evaluations}


def run(shop: TestShop, selection: str = "backup/*,warehouse/*") -> str:
    """Run the days again: its id. What follows the checks of the raw tables is built anew each time."""
    return shop.run(selection, *DAYS).run_id


def asked_by(shop: TestShop, run_id: str) -> set[str]:
    """The claims of the raw tables, queries all, whose latest result is of a run."""
    return {
        f"{table}: {claim}"
        for (table, claim), result in results(shop).items()
        if result.run_id == run_id
        and table.startswith("warehouse.")
        and claim not in (AGREES, FEW_IN_QUARANTINE, HELD_BACK)
    }


def test_what_held_is_not_asked_again_and_dagster_is_told_since_when(ran_shop: TestShop) -> None:
    before = results(ran_shop)
    run_id = run(ran_shop)
    assert asked_by(ran_shop, run_id) == set()
    told = shown(ran_shop, run_id)[CLAIM]
    assert told.passed and told.description is not None
    at = before[CLAIM].checked_at
    assert told.description == f"unchanged since {at:%Y-%m-%d %H:%M} UTC: holds for every row"
    assert told.metadata["judged_at"].value == at.timestamp()


def test_a_run_that_loads_nothing_tells_when_all_agreed(ran_shop: TestShop) -> None:
    before = results(ran_shop)["warehouse.sales", AGREES]
    told = shown(ran_shop, run(ran_shop))["warehouse.sales", AGREES]
    at = f"{before.checked_at:%Y-%m-%d %H:%M}"
    assert told.passed and told.description is not None
    assert told.description.startswith(f"nothing loaded since {at} UTC, when all agreed; all 5 ")
    assert results(ran_shop)["warehouse.sales", AGREES].checked_at == before.checked_at
    ran_shop.change(MENDED)
    told = shown(ran_shop, run(ran_shop))["warehouse.sales", AGREES]
    assert "rows agree of" in (told.description or "") or "row agrees of" in (
        told.description or ""
    )


def test_other_rows_are_judged_and_those_of_other_tables_stand(ran_shop: TestShop) -> None:
    ran_shop.change(MENDED)
    run_id = run(ran_shop)
    asked = asked_by(ran_shop, run_id)
    assert ": ".join(CLAIM) in asked
    assert not any(text.startswith("warehouse.buyers") for text in asked)
    assert asked_by(ran_shop, run(ran_shop)) == set()


def test_a_claim_that_failed_is_asked_again_and_stops_each_run(ran_shop: TestShop) -> None:
    ran_shop.change(BELOW_NOTHING)
    for _ in range(2):
        outcome = ran_shop.run("*", *DAYS)
        assert not outcome.succeeded
        assert results(ran_shop)[CLAIM].run_id == outcome.run_id
        told = shown(ran_shop, outcome.run_id)[CLAIM]
        assert not told.passed and "rows" in told.metadata
    ran_shop.change(MENDED)
    assert run(ran_shop) == results(ran_shop)[CLAIM].run_id
    assert asked_by(ran_shop, run(ran_shop)) == set()


def test_a_claim_that_reads_the_clock_is_asked_each_time(ran_shop: TestShop) -> None:
    ran_shop.write(CLOCK)
    assert run(ran_shop) == results(ran_shop)[CLAIM].run_id, "there is another claim"
    for _ in range(2):
        assert asked_by(ran_shop, run(ran_shop)) == {"warehouse.sales: are_of_the_past"}


def test_a_claim_that_was_changed_is_asked_again(ran_shop: TestShop) -> None:
    name = "checks/warehouse/sales__prices_are_positive.sql"
    text = (ran_shop.folder / "sql" / name).read_text("utf-8")
    ran_shop.write({name: text.replace("price < 0", "price <= -1")})
    assert ": ".join(CLAIM) in asked_by(ran_shop, run(ran_shop))


def test_a_run_that_proves_everything_asks_everything(ran_shop: TestShop) -> None:
    outcome = launch(ran_shop.settings, "backup/*,warehouse/*", FIVE, prove_all=True)
    claims = {claim for claim in results(ran_shop) if claim[0].startswith("warehouse.")}
    asked = asked_by(ran_shop, outcome.run_id)
    assert asked >= {": ".join(one) for one in claims if one[1].endswith(("_unique", "_filled"))}
    assert ": ".join(CLAIM) in asked


def test_rows_that_a_hand_altered_and_a_run_put_right_are_judged_again(ran_shop: TestShop) -> None:
    assert asked_by(ran_shop, run(ran_shop)) == set()
    with ran_shop.warehouse.session("a hand") as session:
        session.execute("update warehouse.sales set price = price + 1 where sale_no = 1")
    outcome = launch(ran_shop.settings, "backup/*,warehouse/*", FIVE, prove_all=False)
    assert any("altered in the warehouse" in text for text in outcome.warned_checks)
    assert ": ".join(CLAIM) in asked_by(ran_shop, outcome.run_id)


@pytest.mark.parametrize("wanted", ["prices_are_positive", AGREES])
def test_checks_that_are_asked_for_alone_agree_on_all_there_is(
    ran_shop: TestShop, wanted: str
) -> None:
    from orderhe_dagster.definitions import build_definitions

    definitions = build_definitions(ran_shop.settings)
    key = dg.AssetCheckKey(dg.AssetKey(["warehouse", "sales"]), wanted)
    job = definitions.resolve_implicit_global_asset_job_def().get_subset(
        asset_selection=set(), asset_check_selection={key}
    )
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance)
    (told,) = result.get_asset_check_evaluations()
    assert told.passed
    if wanted == AGREES:
        assert told.metadata["segments"].value > len(DAYS)
        assert results(ran_shop)["warehouse.sales", AGREES].run_id == result.run_id
    else:
        assert "unchanged since" in (told.description or "")
