"""One system after another from the laptop to the real one, as docs/real-systems.md tells it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.commands.demo import prove_all
from orderhe_dagster_tests import shops
from orderhe_dagster_tests.road.systems import ALL, Systems
from orderhe_dagster_tests.shops import TestShop

FIRST, LAST = "2026-01-01", "2026-01-04"
DEARER = (
    "update sales set price = 8, changed_at = timestamp '2026-01-05 00:00:00' where sale_no = 2"
)
LOADS = "from warehouse._loads where table_name = 'warehouse.sales'"
GENERATIONS = f"select segment, generation {LOADS} and segment <= '{LAST}' order by segment"


@pytest.fixture(scope="module")
def moved_out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestShop]:
    """A shop on the laptop whose second day has been loaded twice."""
    with pytest.MonkeyPatch.context() as patch:  # running sets Dagster's home
        patch.setenv("DAGSTER_HOME", "")
        shop = shops.sales_shop(tmp_path_factory.mktemp("moving") / "shop")
        assert shop.run("*", FIRST, LAST).succeeded
        shop.change(DEARER)
        assert shop.run("*", FIRST, LAST).succeeded
        yield shop


@pytest.fixture
def laptop(moved_out: TestShop, tmp_path: Path) -> TestShop:
    """A copy of that shop."""
    return moved_out.copy(tmp_path / "shop")


def turn(systems: Systems, shop: TestShop, *names: str) -> TestShop:
    """The same shop and home with these switches turned."""
    environ = systems.environ(frozenset(names), shop.folder / "home", **shop.environ)
    return TestShop(shop.folder, environ)


def run(shop: TestShop, first: str, last: str = LAST) -> None:
    """Run the days, and see that source, backup and warehouse agree on all."""
    outcome = shop.run("*", first, last)
    assert outcome.succeeded, outcome.lines()
    window = Window.of(date.fromisoformat(FIRST), date.fromisoformat(LAST))
    for _, agreement in prove_all(shop.settings, window):
        assert agreement.agrees, agreement.differences


def accept(shop: TestShop, reason: str) -> None:
    """Run the last day, see what it stops at, and paste the command that goes on."""
    outcome = shop.run("*", LAST)
    assert not outcome.succeeded
    assert f"--accept {reason}" in outcome.failures[0]
    shop.paste(outcome.failures[0])


def takings(shop: TestShop) -> bytes:
    return (shop.folder / "home/exports/takings.csv").read_bytes()


def copy_store(laptop: TestShop, moved: TestShop) -> None:
    """Copy the backups, key by key, as `aws s3 sync` does."""
    folder = laptop.folder / "home/s3/orderhe"
    files = [path for path in folder.rglob("*") if path.is_file()]
    moved.store.create()
    moved.store.upload((path.relative_to(folder).as_posix(), path) for path in files)


def test_the_store_moves_with_its_backups(systems: Systems, laptop: TestShop) -> None:
    moved, before = turn(systems, laptop, "s3"), takings(laptop)
    copy_store(laptop, moved)
    run(moved, LAST)
    assert takings(moved) == before
    held = dict(moved.rows(GENERATIONS))
    assert held["2026-01-02"] == 2, "days that are not asked for stay as they are"
    # Copied manifests name the folder's addresses: a day is loaded from its parts all the same.
    (laptop.folder / "home/warehouse.duckdb").unlink()
    moved.create()
    assert moved.run("warehouse/sales", "2026-01-02", "2026-01-02").succeeded
    assert len(moved.rows(GENERATIONS)) == 4


def test_the_store_moves_without_its_backups_as_the_error_says(
    systems: Systems, laptop: TestShop
) -> None:
    moved, before = turn(systems, laptop, "s3"), takings(laptop)
    moved.create()
    accept(moved, "lost_backups")
    run(moved, FIRST)
    assert takings(moved) == before


def test_the_source_moves_and_only_what_differs_is_read(systems: Systems, laptop: TestShop) -> None:
    moved, before = turn(systems, laptop, "mysql"), takings(laptop)
    moved.create()
    shops.fill(moved)
    moved.change(DEARER)
    held = laptop.rows(GENERATIONS)
    accept(moved, "other_server")
    run(moved, LAST)
    assert takings(moved) == before
    assert moved.rows(GENERATIONS) == held, "the same rows are the same generation"
    moved.change(
        "update sales set price = 9, changed_at = timestamp '2026-01-06 00:00:00' where sale_no = 2"
    )
    run(moved, LAST)
    assert dict(moved.rows(GENERATIONS)) == {**dict(held), "2026-01-02": 3}


def test_the_warehouse_moves_and_one_run_fills_it(systems: Systems, laptop: TestShop) -> None:
    moved, before = turn(systems, laptop, "redshift"), takings(laptop)
    moved.create()
    run(moved, LAST)
    assert takings(moved) == before
    assert moved.rows(GENERATIONS) == laptop.rows(GENERATIONS)


def test_all_three_move_at_once(systems: Systems, laptop: TestShop) -> None:
    moved, before = turn(systems, laptop, *ALL), takings(laptop)
    copy_store(laptop, moved)
    moved.create()
    shops.fill(moved)
    moved.change(DEARER)
    accept(moved, "other_server")
    run(moved, LAST)
    assert takings(moved) == before
