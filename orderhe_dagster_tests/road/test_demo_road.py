"""The demo's shop, a few days of it, on each real system alone and on all: what comes out is the laptop's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from orderhe_dagster.demo import run_demo
from orderhe_dagster_tests.road.systems import LAPTOP, WAYS, Systems
from orderhe_dagster_tests.shops import TestShop

DAYS = 2


@pytest.fixture(autouse=True, scope="module")
def dagster_home() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:  # running sets Dagster's home
        patch.setenv("DAGSTER_HOME", "")
        patch.setenv("DAGSTER_DISABLE_TELEMETRY", "yes")
        yield


def shop_of(systems: Systems, turned: frozenset[str], folder: Path) -> TestShop:
    folder.mkdir(parents=True, exist_ok=True)
    start = date.today() - timedelta(days=DAYS)
    environ = systems.environ(
        turned,
        folder / "home",
        ORDERHE_START_DATE=start.isoformat(),
        ORDERHE_SHOP="simulated",
    )
    return TestShop(folder, environ)


def demo(shop: TestShop) -> list[str]:
    said: list[str] = []
    assert run_demo(shop.settings, said.append), "\n".join(said)
    return said


def exports(shop: TestShop) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (shop.folder / "home/exports").glob("*.csv")}


@pytest.fixture(scope="module")
def laptop(systems: Systems, tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    shop = shop_of(systems, LAPTOP, tmp_path_factory.mktemp("laptop"))
    demo(shop)
    return shop


@pytest.mark.parametrize("way", WAYS)
def test_the_demo_gives_what_the_laptop_gives(
    systems: Systems, laptop: TestShop, tmp_path: Path, way: str
) -> None:
    shop = shop_of(systems, WAYS[way], tmp_path)
    said = demo(shop)
    assert "Source, backup and warehouse agree on every table and day." in said
    assert exports(shop) == exports(laptop)
    assert exports(shop)
