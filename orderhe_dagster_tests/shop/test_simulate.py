"""Making days in a database: any order of days ends in the same rows, and only in a shop of our own."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderhe_dagster.shop import simulate
from orderhe_dagster.shop.marker import MARKER, NotOurShopError, mark
from orderhe_dagster.shop.model import HORIZON_DAYS, Shop
from orderhe_dagster.shop.simulate import DayCounts, made_days, made_scale, make_days
from orderhe_dagster_tests.shop.database import TABLES, Database, empty_shop

SHOP = Shop(seed=3, scale=0.02)
START = date(2026, 8, 1)
DAYS = [START + timedelta(days=number) for number in range(HORIZON_DAYS * 3)]


def made(*groups: Sequence[date], shop: Shop = SHOP) -> Database:
    database = empty_shop()
    mark(database)
    for group in groups:
        database.connection.execute("begin")
        make_days(shop, database, TABLES, group)
        database.connection.execute("commit")
    return database


def state(database: Database) -> dict[str, Any]:
    return {name: database.rows(name) for name in (*TABLES, MARKER)}


@pytest.fixture(scope="module")
def at_once() -> dict[str, Any]:
    return state(made(DAYS))


def test_the_tables_hold_the_shop_at_its_clock(at_once: dict[str, Any]) -> None:
    for name, rows in (
        ("orders", SHOP.orders(DAYS, DAYS[-1])),
        ("customers", SHOP.customers(SHOP.customer_ids(DAYS), DAYS[-1])),
        ("products", SHOP.products(SHOP.product_ids(DAYS), DAYS[-1])),
    ):
        assert at_once[name] == [tuple(row.values()) for row in rows.to_pylist()]


@pytest.mark.parametrize(
    "groups",
    [
        [[day] for day in DAYS],
        [DAYS[:40], DAYS[40:]],
        [DAYS[40:], DAYS[:20], DAYS[20:40]],
        [DAYS[::2], DAYS[1::2]],
        [DAYS[-1:], DAYS[:-1]],
        [DAYS[:50], DAYS[10:60], DAYS, DAYS],
        [list(reversed(DAYS))],
    ],
    ids=["one by one", "two", "out of order", "every other", "last first", "again", "reversed"],
)
def test_any_way_to_the_same_days_ends_in_the_same_rows(
    groups: list[list[date]], at_once: dict[str, Any]
) -> None:
    assert state(made(*groups)) == at_once


@given(st.lists(st.sets(st.integers(0, 45), min_size=1, max_size=4), min_size=1, max_size=4))
@settings(max_examples=12, deadline=None)
def test_any_groups_of_days_end_as_the_days_at_once(groups: list[set[int]]) -> None:
    days = [[DAYS[number] for number in group] for group in groups]
    together = sorted({day for group in days for day in group})
    assert state(made(*days)) == state(made(together))


def test_a_day_made_again_changes_nothing() -> None:
    database = made(DAYS[:5])
    before = state(database)
    database.statements.clear()
    assert make_days(SHOP, database, TABLES, DAYS[:3]) == DayCounts()
    assert state(database) == before
    assert not [sql for sql in database.statements if "orders" in sql or "customers" in sql]


def test_made_counts_what_it_wrote() -> None:
    database = empty_shop()
    mark(database)
    first = make_days(SHOP, database, TABLES, DAYS[:10])
    assert first.rewritten_days == 0
    assert (first.days, first.orders) == (10, len(database.rows("orders")))
    assert (first.customers, first.products) == tuple(
        len(database.rows(name)) for name in ("customers", "products")
    )
    second = make_days(SHOP, database, TABLES, DAYS[10:11])
    assert second.days == 1
    assert 0 < second.rewritten_days <= HORIZON_DAYS


def test_an_earlier_day_leaves_later_ones_alone() -> None:
    database = made(DAYS[10:12])
    before = set(database.rows("orders"))
    result = make_days(SHOP, database, TABLES, DAYS[:1])
    assert result.rewritten_days == 0
    assert before < set(database.rows("orders"))


def test_settled_days_are_not_written_again() -> None:
    settling = DAYS[0] + timedelta(days=HORIZON_DAYS)
    database = made(DAYS[:1], [settling])
    database.execute(f"update orders set delivery_note = 'by hand' where order_date = '{DAYS[0]}'")
    settled = [row for row in database.rows("orders") if row[3] == DAYS[0]]
    make_days(SHOP, database, TABLES, [settling + timedelta(days=1)])
    assert [row for row in database.rows("orders") if row[3] == DAYS[0]] == settled
    assert settled


@pytest.mark.parametrize("days_at_a_time", [1, 7])
def test_rows_made_some_days_at_a_time_are_the_same(
    days_at_a_time: int, at_once: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulate, "CHUNK_DAYS", days_at_a_time)
    assert state(made(DAYS)) == at_once


def test_a_large_shop_is_made_fewer_days_at_a_time() -> None:
    assert [simulate._chunk_days(Shop(scale=scale)) for scale in (0.001, 1, 10, 100, 500)] == [
        *(31, 31, 31, 4, 1)
    ]


def test_what_fails_while_rows_are_made_or_written_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(simulate, "CHUNK_DAYS", 1)
    orders, calls = Shop.orders, itertools.count(1)

    def fails(*given: Any) -> Any:
        if next(calls) == 3:
            raise MemoryError("no room")
        return orders(*given)

    monkeypatch.setattr(Shop, "orders", fails)
    with pytest.raises(MemoryError, match="no room"):
        make_days(SHOP, made(), TABLES, DAYS[:5])
    monkeypatch.setattr(Shop, "orders", orders)
    database = made()
    database.connection.execute("drop table orders")
    with pytest.raises(duckdb.CatalogException, match="orders"):
        make_days(SHOP, database, TABLES, DAYS[:5])


def test_a_shop_goes_on_with_the_scale_it_was_begun_with() -> None:
    assert made_scale(empty_shop()) is None
    assert made_scale(made()) is None
    database = made(DAYS[:1])
    assert made_scale(database) == SHOP.scale
    with pytest.raises(NotOurShopError, match=r"made with scale 0\.02, not 1\.0"):
        make_days(Shop(seed=3), database, TABLES, DAYS[1:2])


def test_progress_counts_up_to_all_days() -> None:
    database = empty_shop()
    mark(database)
    seen: list[tuple[int, int]] = []
    make_days(SHOP, database, TABLES, DAYS, lambda done, all_: seen.append((done, all_)))
    assert seen == [(31, 75), (62, 75), (75, 75)]


def test_a_database_without_the_marker_is_refused_and_left_alone() -> None:
    database = empty_shop()
    with pytest.raises(NotOurShopError, match=r"no table orderhe_simulation.*orderhe create"):
        make_days(SHOP, database, TABLES, DAYS)
    assert database.statements == []
    assert database.rows("orders") == []


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (Shop(seed=4, scale=0.02), "seed 3, not 4"),
        (Shop(seed=3, scale=0.5), "scale 0.02, not 0.5"),
        (Shop(seed=3, scale=0.02, time_zone="UTC"), "time_zone Asia/Seoul, not UTC"),
    ],
)
def test_a_shop_made_otherwise_is_refused(other: Shop, what: str) -> None:
    database = made(DAYS[:2])
    before = state(database)
    with pytest.raises(NotOurShopError, match=what):
        make_days(other, database, TABLES, DAYS)
    assert state(database) == before


def test_a_shop_made_by_other_rules_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    database = made(DAYS[:2])
    monkeypatch.setattr(simulate, "RULES", simulate.RULES + 1)
    with pytest.raises(NotOurShopError, match="rules"):
        make_days(SHOP, database, TABLES, DAYS)


def test_a_shop_that_holds_rows_is_not_marked() -> None:
    database = made(DAYS[:1])
    database.execute(f"drop table {MARKER}")
    with pytest.raises(NotOurShopError, match="customers already holds rows"):
        mark(database)


def test_marking_twice_keeps_what_was_made() -> None:
    database = made(DAYS[:2])
    mark(database)
    assert made_days(SHOP, database) == DAYS[:2]


def test_a_backslash_is_refused_in_text_that_is_written_as_sql() -> None:
    with pytest.raises(ValueError, match="backslash"):
        simulate._literal("a\\b")


def test_the_rules_are_known_by_what_they_make() -> None:
    """Other numbers here mean other rules: raise `RULES`, so that shops already made are not mixed."""
    shop = Shop(seed=1)
    facts = shop.facts([date(2026, 11, 11)])
    assert simulate.RULES == 1
    assert (
        len(facts),
        int(facts.customer_id.sum()),
        int(facts.product_id.sum()),
        int((facts.quantity * facts.unit_price).sum()),
        int(facts.created_at.sum() % 1_000_000_007),
    ) == (1342, 354157139, 19703178, 134225100, 778443069)
