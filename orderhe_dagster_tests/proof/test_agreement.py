"""The proof tells a copy that is wrong from one that later changes have overtaken."""

from __future__ import annotations

from datetime import date

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.proof.agreement import Agreement, prove
from orderhe_dagster.road.step import Step
from orderhe_dagster_tests.shops import TestShop

CHANGE = (
    "update sales set price = 11.5, changed_at = timestamp '2026-01-06 00:00:00'"
    " where shop_no = 1 and sale_no = 1"
)


def proven(shop: TestShop) -> Agreement:
    sales = next(table for table in shop.catalogue.layer("raw") if table.name == "sales")
    window = Window.of(date(2026, 1, 1), date(2026, 1, 5))
    step = Step(sales, window, "a test", window)
    return prove(step, step.segments, shop.source, shop.store, shop.warehouse)


def differences(shop: TestShop) -> list[tuple[str, str]]:
    return [(difference.severity, str(difference)) for difference in proven(shop).differences]


def test_source_backup_and_warehouse_agree_after_a_run(ran_shop: TestShop) -> None:
    agreement = proven(ran_shop)
    assert agreement.agrees
    assert agreement.source == agreement.backup == agreement.warehouse
    assert agreement.source.rows == 4


def test_the_source_has_moved_on_when_it_changed_after_the_backup(ran_shop: TestShop) -> None:
    ran_shop.change(CHANGE)
    ((severity, text),) = differences(ran_shop)
    assert severity == "stale"
    assert text.startswith("2026-01-01: the source has sum of price")


def test_a_day_is_stale_when_another_run_has_backed_it_up_meanwhile(ran_shop: TestShop) -> None:
    ran_shop.change(CHANGE)
    assert ran_shop.run("backup/sales", "2026-01-01").succeeded
    ((severity, text),) = differences(ran_shop)
    assert severity == "stale"
    assert text.endswith("as in backup generation 2: it still holds generation 1")


def test_a_lost_row_is_wrong_whether_or_not_there_is_a_newer_backup(ran_shop: TestShop) -> None:
    with ran_shop.warehouse.session("sabotage") as session:
        session.execute("delete from warehouse.sales where shop_no = 2")
    ((severity, text),) = differences(ran_shop)
    assert (severity, "1 row, not 2" in text) == ("wrong", True)
    ran_shop.change(CHANGE)
    assert ran_shop.run("backup/sales", "2026-01-01").succeeded
    ((severity, text),) = differences(ran_shop)
    assert (severity, "it is not generation 1: 1 row, not 2" in text) == ("wrong", True)
    assert ran_shop.run("warehouse/sales", "2026-01-01").succeeded
    assert differences(ran_shop) == []
