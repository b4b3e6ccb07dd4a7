"""Fixtures that any test may use. Nothing here reads the settings of whoever runs the tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_redshift.testing.server import redshift, redshift_authority
from orderhe_dagster_tests import shops
from orderhe_dagster_tests.road.systems import s3_with_tls, systems
from orderhe_dagster_tests.servers.chromium import chromium
from orderhe_dagster_tests.servers.mariadb import mariadb, shop_database
from orderhe_dagster_tests.servers.postgres import postgres
from orderhe_dagster_tests.servers.s3 import s3, s3_server
from orderhe_dagster_tests.shops import TestShop

__all__ = [  # fixtures
    "chromium",
    "mariadb",
    "postgres",
    "redshift",
    "redshift_authority",
    "s3",
    "s3_server",
    "s3_with_tls",
    "shop_database",
    "systems",
]

ROOT = Path(__file__).resolve().parents[1]
LONG = (
    "test_production",
    "test_drill",
    "test_chaos",
    "test_tutorial",
    "test_truth",
    "test_walkthrough",
    "test_dagster_ui",
    "test_run_ends",
    "test_demo_road",
    "test_entry_points",
    "test_dashboard_asset",
    "test_moving",
    "test_faults",
    "test_road",
    "test_recovery",
    "test_daily_refresh",
    "test_online_retail",
)
"""The files that take longest, from the longest: begun last, one would keep a worker alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with them; the others stay in their order."""
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONG)))


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide the caller's settings and Dagster home, and give the environment back afterwards."""
    for name in list(os.environ):
        if name.startswith(("ORDERHE_", "DAGSTER_")):
            monkeypatch.delenv(name)
    # Set and removed, so that what the code under test sets is undone too.
    for name in ("DAGSTER_HOME", "DAGSTER_EVENT_BATCH_SIZE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    # Dagster writes this where no home says that telemetry is off.
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "yes")
    yield


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Python's own answer to Ctrl-C, though the tests run where it is ignored (`nohup`, `&`)."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def project() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture
def sales_shop(tmp_path: Path) -> TestShop:
    """A small shop with three days of rows, created but not run."""
    return shops.sales_shop(tmp_path / "shop")


@pytest.fixture(scope="session")
def sales_shop_as_it_ran(tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    """The small shop, its first five days run through every layer: to be copied, never changed."""
    with pytest.MonkeyPatch.context() as patch:  # running sets Dagster's home
        patch.setenv("DAGSTER_HOME", "")
        shop = shops.sales_shop(tmp_path_factory.mktemp("ran") / "shop")
        outcome = shop.run("*", "2026-01-01", "2026-01-05")
    assert outcome.succeeded, outcome.lines()
    return shop


@pytest.fixture
def ran_shop(sales_shop_as_it_ran: TestShop, tmp_path: Path) -> TestShop:
    """The small shop after a run of 2026-01-01 to 05. A run costs 1.5 s, a copy of its files nothing."""
    return sales_shop_as_it_ran.copy(tmp_path / "shop")
