"""Where the demo says to look: what it advises must be there, in any shop."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.commands import run
from orderhe_dagster.commands.demo import run_demo, where_to_look
from orderhe_dagster.commands.prove import prove
from orderhe_dagster.commands.run import Outcome, launch
from orderhe_dagster.settings.config import Settings
from orderhe_dagster_tests.shops import OWN_SQL, TestShop


def advised(shop: TestShop) -> list[str]:
    """The queries among the advice."""
    lines = [line for line in where_to_look(shop.settings) if " query " in line]
    return [shlex.split(line)[-1] for line in lines]


def test_the_query_advised_runs_on_the_shops_own_mart(ran_shop: TestShop) -> None:
    mart = ran_shop.catalogue.layer("mart")[0]
    (query,) = advised(ran_shop)
    assert str(mart.ref) in query
    assert ran_shop.rows(query)


def test_the_last_days_of_a_mart_come_first(ran_shop: TestShop) -> None:
    (ran_shop.folder / "sql/mart/buyer_totals.sql").unlink()
    (query,) = advised(ran_shop)
    days = [str(row[0]) for row in ran_shop.rows(query)]
    assert days == ["2026-01-04", "2026-01-02", "2026-01-01"]


def test_what_differs_after_the_demo_is_named_with_what_mends_it(
    ran_shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def launch_badly(settings: Settings, selection: str, window: Window | None = None) -> Outcome:
        outcome = launch(settings, selection, window)
        with ran_shop.warehouse.session("another client") as session:
            session.execute("update warehouse.sales set price = 99 where shop_no = 2")
        return outcome

    monkeypatch.setattr(run, "launch", launch_badly)
    said: list[str] = []
    assert not run_demo(ran_shop.settings, said.append)
    monkeypatch.undo()
    assert any(text.startswith("wrong sales 2026-01-01: the warehouse has") for text in said)
    (differ,) = [text for text in said if "DIFFER: see above" in text]
    ran_shop.paste(differ)
    assert prove(ran_shop.settings).agrees


def test_a_shop_without_a_mart_is_advised_no_query(sales_shop: TestShop) -> None:
    for name in ("mart/takings", "mart/buyer_totals", "export/takings"):
        (sales_shop.folder / f"sql/{name}.sql").unlink()
    assert advised(sales_shop) == []
    assert len(where_to_look(sales_shop.settings)) == 4


def test_the_dashboard_comes_first_where_there_is_one(sales_shop: TestShop, tmp_path: Path) -> None:
    page = "dashboard/index.html"
    assert page not in "".join(where_to_look(sales_shop.settings))
    own = TestShop(tmp_path, {"ORDERHE_SQL": str(OWN_SQL)})
    first, *others = where_to_look(own.settings)
    assert first.endswith(page)
    assert page not in "".join(others)
