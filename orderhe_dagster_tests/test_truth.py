"""The living shop through every layer: each mart and export against the truth ledger, to the won."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.shop import truth
from orderhe_dagster.shop.model import Shop
from orderhe_dagster_tests.shops import TestShop

FIRST = date(2026, 1, 15)
DAYS = [FIRST + timedelta(days=number) for number in range(75)]
SEEDS = (1, 2, 3)
OUT_OF_ORDER = (DAYS[1], DAYS[30], DAYS[0])
LEDGER: dict[str, tuple[str, Callable[[Shop, Sequence[date]], truth.Rows]]] = {
    "daily_sales": ("order_date", truth.daily_sales),
    "product_sales": ("product_id", truth.product_sales),
    "order_details": ("order_id", truth.order_details),
}
"""Mart -> its grain, and what it must show."""


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


def assert_marts_are_true(shop: TestShop, seed: int, days: Sequence[date]) -> None:
    living = Shop(seed=seed)
    for name, (_, expected) in LEDGER.items():
        wanted, found = expected(living, days), mart(shop, name)
        assert len(wanted) > 1
        wanted = [{column: row[column] for column in found[0]} for row in wanted]
        different = [pair for pair in zip(found, wanted, strict=False) if pair[0] != pair[1]]
        assert different[:3] == [], f"mart.{name}: {len(different)} rows differ"
        assert len(found) == len(wanted), name


@pytest.fixture(scope="module", params=SEEDS)
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    """A shop of each seed, all its days run through every layer in one run."""
    seed = int(request.param)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DAGSTER_HOME", "")  # what the run sets is undone
        shop = demo_shop(tmp_path_factory.mktemp(f"seed{seed}"), seed)
        outcome = shop.run("*", DAYS[0].isoformat(), DAYS[-1].isoformat())
    assert outcome.succeeded, outcome.lines()
    return shop


def seed_of(shop: TestShop) -> int:
    return shop.settings.seed


def test_every_mart_is_true_after_a_range(lived: TestShop) -> None:
    assert_marts_are_true(lived, seed_of(lived), DAYS)


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
            found = [int(value) for value in row.values()]
        else:
            sql = f"select count(*), {', '.join(figures)} from warehouse.{name}"
            found = [int(value) for value in lived.rows(sql)[0]]
        assert dict(zip(wanted, found, strict=True)) == wanted, f"{layer}.{name}"


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
    text = value.isoformat() if isinstance(value, date) else str(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in "=+-@" else text


@pytest.fixture(scope="module")
def lived_out_of_order(tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    """Single days; the second comes long after, by whose clock the first one's orders move on."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DAGSTER_HOME", "")
        shop = demo_shop(tmp_path_factory.mktemp("alone"), seed=4)
        for day in OUT_OF_ORDER:
            outcome = shop.run("*", day.isoformat())
            assert outcome.succeeded, outcome.lines()
    return shop


def test_days_alone_and_out_of_order_are_as_true_as_a_range(lived_out_of_order: TestShop) -> None:
    assert_marts_are_true(lived_out_of_order, 4, sorted(OUT_OF_ORDER))
    living = Shop(seed=4)
    first_seen = truth.daily_sales(living, OUT_OF_ORDER[:1])[0]
    assert first_seen not in mart(lived_out_of_order, "daily_sales"), "no order moved on"


def test_a_mart_built_day_by_day_is_the_mart_built_at_once(lived_out_of_order: TestShop) -> None:
    shop = lived_out_of_order
    incremental = mart(shop, "daily_sales")
    with shop.warehouse.session("test") as session:
        session.execute("drop table mart.daily_sales")
        for table in ("_loads", "_tables"):
            session.execute(f"delete from warehouse.{table} where table_name = 'mart.daily_sales'")
    outcome = shop.run("mart/daily_sales", min(OUT_OF_ORDER).isoformat())
    assert outcome.succeeded, outcome.lines()
    assert mart(shop, "daily_sales") == incremental
