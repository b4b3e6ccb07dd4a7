"""A day's refresh of category_sales touches that day, unless a product has moved to another category."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from orderhe_dagster_tests.shops import OWN_SQL, TestShop

FIRST = date(2026, 1, 1)
DAYS = [(FIRST + timedelta(days=number)).isoformat() for number in range(4)]
CATEGORIES = "select order_date, category, gross_amount from mart.category_sales order by 1, 2"
AT = "timestamp '2026-01-01 00:00:00'"


def order(number: int, day: str, product: int) -> str:
    return (
        f"insert into orders values ({number}, 1, {product}, date '{day}', 1, 100, 100, 'paid',"
        f" 'web', null, {AT}, {AT})"
    )


@pytest.fixture(scope="module")
def as_it_ran(tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    """Two products of two categories, each ordered once a day on three days that were run."""
    environ = {"ORDERHE_SQL": str(OWN_SQL), "ORDERHE_SHOP": "external"}
    folder = tmp_path_factory.mktemp("ran")
    shop = TestShop(folder, {**environ, "ORDERHE_START_DATE": DAYS[0]})
    shop.create()
    product = "'P', '{}', 'B', 100, null, 1, date '2026-01-01'"
    shop.change(
        f"insert into customers values (1, 'N', 'n@example.com', null, null, 'ko_KR', 'C', 'A',"
        f" date '2026-01-01', 0, {AT}, {AT})",
        *(
            f"insert into products values ({number}, 'S{number}', {product.format(category)}, {AT}, {AT})"
            for number, category in ((1, "tea"), (2, "cups"))
        ),
        *(order(2 * at + p, day, p) for at, day in enumerate(DAYS[:3]) for p in (1, 2)),
    )
    with pytest.MonkeyPatch.context() as patch:  # running sets Dagster's home
        patch.setenv("DAGSTER_HOME", "")
        assert shop.run("*", DAYS[0], DAYS[2]).succeeded
    return shop


@pytest.fixture
def shop(as_it_ran: TestShop, tmp_path: Path) -> TestShop:
    """A copy of it: that run costs more than the tests."""
    return as_it_ran.copy(tmp_path / "shop")


def built(shop: TestShop, run_id: str) -> list[str]:
    """The days of category_sales that a run built."""
    rows = shop.rows(
        "select segment from warehouse._loads where table_name = 'mart.category_sales'"
        f" and run_id = '{run_id}' order by segment"
    )
    return [segment for (segment,) in rows]


def test_a_price_that_changes_leaves_the_days_before_as_they_are(shop: TestShop) -> None:
    shop.change(
        "update products set unit_price = 120, description = 'New', updated_at ="
        " timestamp '2026-01-04 00:00:00'",
        order(9, DAYS[3], 1),
    )
    outcome = shop.run("*", DAYS[3])
    assert outcome.succeeded, outcome.lines()
    assert shop.rows("select distinct unit_price from warehouse.products") == [(120,)]
    assert built(shop, outcome.run_id) == [DAYS[3]]
    assert len(shop.rows(CATEGORIES)) == 7


def test_a_product_that_moves_takes_its_past_along(shop: TestShop) -> None:
    shop.change(
        "update products set category = 'cups', updated_at ="
        " timestamp '2026-01-04 00:00:00' where product_id = 1",
        order(9, DAYS[3], 1),
    )
    outcome = shop.run("*", DAYS[3])
    assert outcome.succeeded, outcome.lines()
    assert built(shop, outcome.run_id) == DAYS
    assert [row[1:] for row in shop.rows(CATEGORIES)] == [*3 * [("cups", 200)], ("cups", 100)]
