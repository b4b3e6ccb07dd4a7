"""`orderhe restore index`: what is damaged of an index is made anew, of what else lies in the store."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.road import index
from orderhe_dagster.road.index import Change
from orderhe_dagster.road.index_repair import remake
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


def lose_older_chunks_too(shop: TestShop) -> None:
    shop.store.delete([key for key, _ in shop.store.listing("backup/sales/index")])
    index.forget()


@pytest.mark.parametrize("damage", [lose_root, lose_older_chunks_too])
def test_what_was_forgotten_is_not_known_again(
    moved_on: TestShop, damage: Callable[[TestShop], None]
) -> None:
    """A moment of a generation that had its time is refused as before the damage."""
    segment = Segment("2026-01-02")
    moved_on.change(
        "update sales set price = 9, changed_at = timestamp '2026-01-07' where sale_no = 2"
    )
    assert moved_on.run("*", *DAYS).succeeded
    entry = index.read(moved_on.store, "sales").entries[segment]
    moment = dict(entry.became)[2]
    assert entry.unknown_at(moment) is None
    index.commit(moved_on.store, "sales", Change(expired={segment: {2}}))
    moved_on.store.delete([f"backup/sales/{segment}/generations/2.json"])
    damage(moved_on)
    assert remake(moved_on.store, "sales") is not None
    entry = index.read(moved_on.store, "sales").entries[segment]
    assert [number for number, _ in entry.became] == [1, 3]
    assert entry.unknown_at(moment) is not None
