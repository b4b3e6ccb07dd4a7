"""The living shop through every layer: each mart and export against the truth ledger, to the won."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.proof.judgement import Judge
from orderhe_dagster.road.builds import build
from orderhe_dagster.road.step import Step
from orderhe_dagster.shop import truth
from orderhe_dagster.shop.model import Shop
from orderhe_dagster_tests.shops import TestShop

FIRST = date(2026, 1, 15)
DAYS = [FIRST + timedelta(days=number) for number in range(75)]
SEEDS = (1, 2)
EXPORTING_SEED = 1
BUT_EXPORTS = 'not group:"export"'
GROWING_SEED = 3
GROWING = (DAYS[10:40], DAYS[:1], DAYS[50:51])
"""What a third shop is run for: many days at once, then one before them, then one after them."""
LEDGER: dict[str, tuple[str, Callable[[Shop, Sequence[date]], truth.Rows]]] = {
    "category_sales": ("order_date, category", truth.category_sales),
    "cohort_retention": ("cohort_month, month_number", truth.cohort_retention),
    "customer_segments": ("segment", truth.customer_segments),
    "customer_value": ("customer_id", truth.customer_value),
    "daily_customers": ("order_date", truth.daily_customers),
    "daily_sales": ("order_date", truth.daily_sales),
    "monthly_sales": ("order_month", truth.monthly_sales),
    "order_details": ("order_id", truth.order_details),
    "order_funnel": ("order_date", truth.order_funnel),
    "price_history": ("product_id, valid_from", truth.price_history),
    "product_pairs": ("product_id, other_product_id", truth.product_pairs),
    "product_sales": ("product_id", truth.product_sales),
}
"""Mart -> its grain, and what it must show."""
NARROWER = {"order_details"}
"""Exports that leave out columns of their mart."""


def demo_shop(folder: Path, seed: int) -> TestShop:
    """A shop with the project's own sql, created but not run."""
    environ = {"ORDERHE_SEED": str(seed), "ORDERHE_START_DATE": FIRST.isoformat()}
    folder.mkdir(parents=True, exist_ok=True)
    shop = TestShop(folder, environ)
    shop.create()
    return shop


def mart(shop: TestShop, name: str) -> truth.Rows:
    result = shop.warehouse.query(f"select * from mart.{name} order by {LEDGER[name][0]}")
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


def marts(shop: TestShop) -> dict[str, truth.Rows]:
    return {name: mart(shop, name) for name in LEDGER}


def assert_marts_are_true(held: Mapping[str, truth.Rows], seed: int, days: Sequence[date]) -> None:
    living = Shop(seed=seed)
    for name, (_, expected) in LEDGER.items():
        wanted, actual = expected(living, days), held[name]
        assert len(wanted) > 1, name
        assert list(actual[0]) == list(wanted[0]), name
        different = [pair for pair in zip(actual, wanted, strict=False) if pair[0] != pair[1]]
        assert different[:3] == [], f"mart.{name}: {len(different)} rows differ"
        assert len(actual) == len(wanted), name


@pytest.fixture(scope="module", params=SEEDS)
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    """A shop of each seed, all its days run through every layer in one run; one shop exports."""
    seed = int(request.param)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DAGSTER_HOME", "")  # what the run sets is undone
        shop = demo_shop(tmp_path_factory.mktemp(f"seed{seed}"), seed)
        selection = "*" if seed == EXPORTING_SEED else BUT_EXPORTS
        outcome = shop.run(selection, DAYS[0].isoformat(), DAYS[-1].isoformat())
    assert outcome.succeeded, outcome.lines()
    return shop


def seed_of(shop: TestShop) -> int:
    return shop.settings.seed


def test_every_mart_is_true_after_a_range(lived: TestShop) -> None:
    assert_marts_are_true(marts(lived), seed_of(lived), DAYS)


def test_the_shop_of_the_test_has_what_makes_sums_hard(lived: TestShop) -> None:
    statuses = {row["status"] for row in mart(lived, "order_details")}
    assert statuses == {"paid", "shipped", "delivered", "cancelled", "returned"}
    assert any(row["net_amount"] < row["gross_amount"] for row in mart(lived, "product_sales"))


@pytest.mark.parametrize("layer", ["raw", "warehouse"])
def test_the_tables_hold_what_the_ledger_counts(lived: TestShop, layer: str) -> None:
    for name, wanted in truth.totals(Shop(seed=seed_of(lived)), DAYS).items():
        figures = [f"sum({column})" for column in wanted if column != "rows"]
        if layer == "raw":
            with lived.source.writing() as source:
                (row,) = source.fetch(
                    f"select count(*), {', '.join(figures)} from {name}"
                ).to_pylist()
            actual = [int(value) for value in row.values()]
        else:
            sql = f"select count(*), {', '.join(figures)} from warehouse.{name}"
            actual = [int(value) for value in lived.rows(sql)[0]]
        assert dict(zip(wanted, actual, strict=True)) == wanted, f"{layer}.{name}"


@pytest.mark.parametrize("lived", [EXPORTING_SEED], indirect=True)
def test_every_mart_has_its_truth_and_its_export(lived: TestShop) -> None:
    tables = {table.name: table for table in lived.catalogue.layer("mart")}
    exports = {table.name: table for table in lived.catalogue.layer("export")}
    assert {name: ", ".join(table.grain) for name, table in tables.items()} == {
        name: grain for name, (grain, _) in LEDGER.items()
    }
    assert set(exports) == set(tables)
    for name in set(tables) - NARROWER:
        assert exports[name].column_names == tables[name].column_names, name


@pytest.mark.parametrize("lived", [EXPORTING_SEED], indirect=True)
def test_the_exports_are_the_marts(lived: TestShop) -> None:
    for name, (grain, _) in LEDGER.items():
        path = lived.folder / "home/exports" / f"{name}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            exported = list(csv.DictReader(file))
        rows = mart(lived, name)
        if name == "product_sales":
            rows.sort(key=lambda row: (-row["net_amount"], row["product_id"]))
        assert exported
        shown = [{column: as_text(row[column]) for column in exported[0]} for row in rows]
        assert exported == shown, f"{name}: in the mart's order, by {grain}"


def as_text(value: Any) -> str:
    """What a spreadsheet shows of a value."""
    if value is None:
        return ""
    text = value.isoformat() if isinstance(value, date) else str(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in "=+-@" else text


Record = dict[str, dict[Segment, tuple[Any, ...]]]
"""Mart -> segment -> by which run it was built, from what, and when."""


@dataclass(frozen=True)
class Stage:
    """How a shop stands after a run: the days it has, its marts, and the record of their building."""

    days: Sequence[date]
    marts: dict[str, truth.Rows]
    record: Record

    @property
    def clock(self) -> date:
        return max(self.days)


@dataclass(frozen=True)
class GrownShop:
    """A shop that was run again and again, and how it stood each time."""

    shop: TestShop
    stages: Sequence[Stage]


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> GrownShop:
    """The third shop."""
    stages: list[Stage] = []
    days: list[date] = []
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DAGSTER_HOME", "")
        shop = demo_shop(tmp_path_factory.mktemp("grown"), GROWING_SEED)
        for more in GROWING:
            outcome = shop.run(BUT_EXPORTS, more[0].isoformat(), more[-1].isoformat())
            assert outcome.succeeded, outcome.lines()
            days = sorted([*days, *more])
            stages.append(Stage(days, marts(shop), record(shop)))
    return GrownShop(shop, stages)


def record(shop: TestShop) -> Record:
    """What the warehouse says of the marts."""
    rows = shop.rows(
        "select table_name, segment, run_id, inputs, loaded_at from warehouse._loads"
        " where table_name like 'mart.%'"
    )
    actual: Record = {name: {} for name in LEDGER}
    for table, segment, *how in rows:
        actual[table.removeprefix("mart.")][Segment(segment)] = tuple(how)
    return actual


@pytest.mark.parametrize("number", range(len(GROWING)))
def test_every_mart_is_true_after_each_run(grown: GrownShop, number: int) -> None:
    stage = grown.stages[number]
    assert_marts_are_true(stage.marts, GROWING_SEED, stage.days)


def touched(before: Stage, after: Stage) -> set[date]:
    """The days whose orders are new or differ between two stages."""
    living = Shop(seed=GROWING_SEED)
    return set(after.days).difference(before.days) | {
        day
        for day in before.days
        if any(map(len, living.changed_orders([day], before.clock, after.clock)))
    }


def test_between_the_runs_everything_changes_that_marts_are_made_of(grown: GrownShop) -> None:
    first, second, third = grown.stages
    living, days = Shop(seed=GROWING_SEED), first.days
    assert touched(first, second) == {DAYS[0]}
    assert len(touched(second, third)) > 10
    assert not touched(second, third).issuperset(days), "every day moved on: choose the days apart"
    assert len(living.changed_products(living.product_ids(days), first.clock, third.clock))
    assert len(living.changed_customers(living.customer_ids(days), first.clock, third.clock))


@pytest.mark.parametrize("number", range(1, len(GROWING)))
def test_a_run_builds_the_days_that_were_touched_and_no_others(
    grown: GrownShop, number: int
) -> None:
    before, after = grown.stages[number - 1 : number + 1]
    daily = {table.name for table in grown.shop.catalogue.layer("mart") if table.partition}
    built = {
        name: {
            segment.day
            for segment, how in after.record[name].items()
            if before.record[name].get(segment) != how
        }
        for name in daily
    }
    # Of a product no column has changed that is read; of customers the city has, of some who moved.
    days = touched(before, after)
    moved = built.pop("order_details") - days
    assert built == dict.fromkeys(("daily_sales", "order_funnel", "category_sales"), days)
    of_moved = differing_days(before.marts["order_details"], after.marts["order_details"]) - days
    assert moved == of_moved & set(before.days)


def differing_days(before: truth.Rows, after: truth.Rows) -> set[date]:
    """The days of orders of which some row differs."""
    return {
        row["order_date"]
        for rows, others in ((before, after), (after, before))
        for row in rows
        if row not in others
    }


def reads_marts(table: Table) -> bool:
    return any(ref.layer == "mart" for ref in table.depends_on)


def test_every_mart_built_bit_by_bit_is_the_mart_built_at_once(grown: GrownShop) -> None:
    shop, latest = grown.shop, grown.stages[-1]
    with shop.warehouse.session("test") as session:
        for name in LEDGER:
            session.execute(f"drop table mart.{name}")
        for table in ("_loads", "_tables"):
            session.execute(f"delete from warehouse.{table} where table_name like 'mart.%'")
    one_day = Window.of(latest.clock, latest.clock)
    catalogue, history = shop.catalogue, Window.of(FIRST, latest.clock)
    judge = Judge(catalogue, history, shop.source, shop.store, "rebuilt")
    for table in sorted(catalogue.layer("mart"), key=reads_marts):
        window = one_day if table.partition else None  # the days before lag behind: built along
        build(
            Step(table, window, "rebuilt", history),
            catalogue,
            shop.warehouse,
            partial(judge.require_passed, table=table),
        )
    for name, rows in marts(shop).items():
        assert rows == latest.marts[name], name
    days = {name: set(built) for name, built in record(shop).items()}
    assert days == {name: set(built) for name, built in latest.record.items()}
