"""`orderhe restore index`: what is damaged of an index is made anew, of what else lies in the store."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.road import index
from orderhe_dagster_tests.faults import flips
from orderhe_dagster_tests.road.test_restore import contents, lose_source, lose_warehouse, restore
from orderhe_dagster_tests.shops import TestShop

ROOT = "backup/sales/index.json"
DAYS = ("2026-01-01", "2026-01-05")


@pytest.fixture
def moved_on(ran_shop: TestShop) -> TestShop:
    """The small shop with two generations of a day."""
    ran_shop.change(
        "update sales set price = 8, changed_at = timestamp '2026-01-06' where sale_no = 2"
    )
    assert ran_shop.run("*", *DAYS).succeeded
    return ran_shop


def chunks(shop: TestShop) -> list[str]:
    return [*index.read(shop.store, "sales").chunks.values()]


def lose_root(shop: TestShop) -> None:
    shop.store.delete([ROOT])


def alter_root(shop: TestShop) -> None:
    flips.flip(shop.store, ROOT, random.Random(1))


def alter_chunks(shop: TestShop) -> None:
    for key in chunks(shop):
        flips.flip(shop.store, key, random.Random(2))


def lose_all_of_it(shop: TestShop) -> None:
    shop.store.delete([*chunks(shop), ROOT])
    index.forget()


def alter_root_and_chunks(shop: TestShop) -> None:
    alter_chunks(shop)
    alter_root(shop)


@pytest.mark.parametrize(
    "damage", [lose_root, alter_root, alter_chunks, lose_all_of_it, alter_root_and_chunks]
)
def test_a_damaged_index_is_made_anew_and_all_comes_back(
    moved_on: TestShop, damage: object
) -> None:
    before, known = contents(moved_on), index.read(moved_on.store, "sales")
    assert callable(damage)
    damage(moved_on)
    lose_source(moved_on)
    lose_warehouse(moved_on)
    said = restore(moved_on, "warehouse", code=1)
    if damage in (alter_root, alter_chunks, alter_root_and_chunks):
        assert "orderhe restore index --table sales" in said
    said = restore(moved_on, "index")
    assert "sales: its index was made anew" in said
    assert "buyers: its index is sound, nothing was changed" in said
    now = index.read(moved_on.store, "sales")
    for segment, record in known.records.items():
        if record.generation:
            # When it was last seen unchanged, only the chunk knew.
            assert replace(now.records[segment], verified_at=record.verified_at) == record
    assert [n for n, _ in now.entries[Segment("2026-01-02")].became] == [1, 2]
    assert "are as they were written" in restore(moved_on, "--check")
    restore(moved_on, "warehouse")
    assert contents(moved_on) == before
    of_day = ("--table", "sales", "--from", "2026-01-02", "--generation", "1")
    restore(moved_on, "warehouse", *of_day)
    assert moved_on.rows(
        "select price::varchar from warehouse.sales where sale_no = 2 and shop_no = 1"
    ) == [("7.000",)]


def test_a_record_that_was_never_published_does_not_count(moved_on: TestShop) -> None:
    record = moved_on.record("sales", "2026-01-04")
    from orderhe_dagster.road import backups

    earlier = backups.read_generation(moved_on.store, "sales", record.segment, 1)
    assert earlier is not None
    backups.claim(moved_on.store, earlier, 2)  # of a run that had read before, and lost
    alter_root(moved_on)
    restore(moved_on, "index")
    assert moved_on.record("sales", "2026-01-04") == record


def test_a_sound_record_is_taken_before_a_damaged_one(moved_on: TestShop) -> None:
    (part,) = moved_on.record("sales", "2026-01-02").parts
    flips.flip(moved_on.store, part.key, random.Random(3))
    lose_all_of_it(moved_on)
    restore(moved_on, "index")
    assert moved_on.record("sales", "2026-01-02").generation == 1
    assert "are as they were written" in restore(moved_on, "--check")
    assert moved_on.run(
        "*", *DAYS, accept=["lost_backups"]
    ).succeeded  # the source tells what is newer


def test_a_sound_index_and_a_lost_bucket_are_left_alone(ran_shop: TestShop) -> None:
    root = ran_shop.store.get(ROOT)
    said = restore(ran_shop, "index", "--table", "sales")
    assert said.startswith("sales: its index is sound, nothing was changed")
    assert ran_shop.store.get(ROOT) == root
    ran_shop.store.delete([key for key, _ in ran_shop.store.listing("backup/sales/")])
    said = restore(ran_shop, "index", "--table", "sales", code=1)
    assert "nothing is left of the backups of sales in s3://orderhe/backup/sales" in said
