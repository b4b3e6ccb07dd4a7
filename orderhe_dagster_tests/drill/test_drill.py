"""The short form of the damage drill; `make drill` is the long one. What fails prints its seed and damages.

A shop of 330 days on the embedded systems takes fifty damages in two nights, a smaller one on the
real ones twenty in one. The drill itself is tested by blinding the product.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from orderhe_dagster.road import builds, loads, source_proof
from orderhe_dagster_tests.drill import nights
from orderhe_dagster_tests.drill.damages import SYSTEMS, Damager
from orderhe_dagster_tests.drill.shop import DrillShop
from orderhe_dagster_tests.drill.verdicts import Drill, check_mended, told_by
from orderhe_dagster_tests.road.systems import ALL, Systems
from orderhe_dagster_tests.servers.mariadb import MariaDB

SEED = 20261130
SMALL_DAYS = 30


@pytest.fixture(scope="module")
def small_as_it_ran(tmp_path_factory: pytest.TempPathFactory) -> DrillShop:
    """A shop of 40 days: to be copied, never changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", "")
        return nights.begin(tmp_path_factory.mktemp("drill") / "shop", SEED, SMALL_DAYS)


@pytest.fixture
def small(small_as_it_ran: DrillShop, tmp_path: Path) -> DrillShop:
    """A copy of the small shop."""
    return small_as_it_ran.copy(tmp_path / "shop")


def test_fifty_damages_in_two_nights_are_found_named_and_mended(tmp_path: Path) -> None:
    shop = nights.begin(tmp_path / "shop", SEED)
    result = nights.drill(shop, SEED, nights=2, a_night=25)
    check_mended(shop, result, by_proof=True)
    assert not result.problems, f"seed {SEED}\n" + "\n".join(result.problems)
    assert len(result.verdicts) == 50
    assert {one.damage.system for one in result.verdicts} == set(SYSTEMS)
    assert nights.untouched(shop) == []


def test_twenty_damages_in_one_night_on_the_real_systems(
    systems: Systems, mariadb: MariaDB, tmp_path: Path
) -> None:
    environ = systems.environ(ALL, tmp_path / "shop" / "home")
    shop = nights.begin(tmp_path / "shop", SEED, SMALL_DAYS, environ)
    result = nights.drill(shop, SEED, nights=1, a_night=20)
    assert not result.problems, f"seed {SEED}\n" + "\n".join(result.problems)
    assert len(result.verdicts) == 20
    ((before,),) = mariadb.run("select @@global.time_zone")
    try:
        for zone in nights.SERVER_ZONES:
            mariadb.run("set global time_zone = %s", zone)
            assert nights.untouched(shop) == [], zone
    finally:
        mariadb.run("set global time_zone = %s", before)


@pytest.mark.parametrize("zone", nights.ZONES[1:])
def test_an_untouched_night_tells_nothing_in_other_time_zones(zone: str, tmp_path: Path) -> None:
    shop = nights.begin(tmp_path / "shop", SEED, 10, {"ORDERHE_TIME_ZONE": zone})
    assert nights.untouched(shop) == []


def test_beyond_the_budget_all_is_found_by_turns(small: DrillShop) -> None:
    """With a fourth of the rows a night, what is damaged is found within the nights that takes."""
    small.shop.environ["ORDERHE_PROOF_ROWS"] = "130"
    result = nights.drill(small, SEED, nights=1, a_night=20, later=nights.nights_of(small, 130) - 1)
    assert not result.problems, f"seed {SEED}\n" + "\n".join(result.problems)
    assert any(one.found_in and one.found_in > 1 for one in result.verdicts)


@pytest.mark.parametrize("blinded", [source_proof, loads, builds])
def test_a_product_that_does_not_look_is_told(
    blinded: object, small: DrillShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blinded, "choose", lambda turns, budget: [])
    result = nights.drill(small, SEED, nights=1, a_night=20)
    assert any(text.startswith("not found, not named, not mended") for text in result.problems)


def test_a_damage_that_nobody_mends_is_told_of_every_kind(small: DrillShop) -> None:
    """The oracle's own eyes: no run at all, and each system's damage is seen by its rows."""
    result = Drill()
    damages = Damager(small, random.Random(SEED)).night(60)
    nights.inflict(small, damages, result)
    check_mended(small, result)
    seen = {(one.damage.system, one.damage.kind) for one in result.verdicts if not one.mended}
    assert seen == {(one.damage.system, one.damage.kind) for one in result.verdicts}


def test_dropped_tables_and_damages_that_hide_each_other_are_all_told(small: DrillShop) -> None:
    """What is to be loaded or built over in any case is looked at before."""
    order_id, day = small.shop.rows(
        "select min(order_id), min(ordered_on) from warehouse.orders where ordered_on"
        f" between '{small.history[9]}' and '{small.history[-2]}'"
    )[0]
    small.shop.change(f"update orders set country = 'zz' where order_id = {order_id}")
    with small.shop.warehouse.session("another client") as session:
        for statement in (
            f"update warehouse.orders set amount = 0.01 where order_id = {order_id}",
            f"update mart.daily_orders set order_count = 77 where ordered_on = '{day}'",
            "update warehouse.products set title = 'other' where sku = 'SKU00007'",
            "drop table warehouse.visits",
        ):
            session.execute(statement)
    outcome = small.shop.run("*")
    assert outcome.succeeded, outcome.lines()
    told = {
        (name, segment.text): " ".join(texts)
        for (name, segment), texts in told_by(small, outcome).items()
    }
    assert "country 'zz' in the source" in told["backup.orders", str(day)]
    assert f"order_id {order_id}: amount" in told["warehouse.orders", str(day)]
    assert "in the select, 77 in the table" in told["mart.daily_orders", str(day)]
    assert "sku 'SKU00007': title" in told["warehouse.products", "all"]
    assert told["warehouse.visits", str(day)] == "gone: its table was gone"
    with small.shop.warehouse.session("another client") as session:
        session.execute("drop table mart.daily_orders")
        session.execute("drop table warehouse.orders")
    outcome = small.shop.run("*")
    assert outcome.succeeded, outcome.lines()
    assert {name for name, _ in told_by(small, outcome)} == {
        "mart.daily_orders",
        "warehouse.orders",
    }
    result = Drill()
    check_mended(small, result, by_proof=True)
    assert not result.problems
