"""`orderhe restore index`: what is damaged of an index is made anew, of what else lies in the store."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.road import index
from orderhe_dagster.road.index import Change
from orderhe_dagster.road.index_repair import remake
from orderhe_dagster.road.seals import FIELD, sealed
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


# By a run, unasked ------------------------------------------------------------------------------


def alter_server(shop: TestShop) -> None:
    """One byte, in the name of the server that the rows were read from."""
    stored = shop.store.get(ROOT)
    assert stored is not None
    shop.store.put(ROOT, stored.body.replace(b'"server": "duckdb:', b'"server": "ducktb:'))


def cut_root(shop: TestShop) -> None:
    stored = shop.store.get(ROOT)
    assert stored is not None
    shop.store.put(ROOT, stored.body[: len(stored.body) // 2])


@pytest.mark.parametrize(
    "damage", [lose_root, alter_root, cut_root, alter_server, alter_chunks, lose_all_of_it]
)
def test_a_run_makes_a_damaged_index_anew_by_itself_and_says_so(
    moved_on: TestShop, damage: Callable[[TestShop], None]
) -> None:
    """Neither the table's other days nor other tables wait for a person."""
    known = index.read(moved_on.store, "sales").records
    damage(moved_on)
    index.forget()
    moved_on.change(
        "insert into sales values"
        " (7, 7, null, date '2026-01-03', 3.000, 'paid', timestamp '2026-01-09 10:00:00')"
    )
    outcome = moved_on.run("*", *DAYS)
    assert outcome.succeeded, outcome.lines()
    (told,) = [text for text in outcome.warned_checks if "nothing_differed" in text]
    assert "its index was made anew" in told and "s3://orderhe/backup/sales/index" in told
    assert moved_on.rows("select price::varchar from warehouse.sales where shop_no = 7") == [
        ("3.000",)
    ]
    found = moved_on.rows("select count(*) from warehouse._findings where kind = 'index'")
    assert found == [(1,)]
    now = index.read(moved_on.store, "sales").records
    same = Segment("2026-01-02")
    assert (now[same].generation, now[same].parts) == (known[same].generation, known[same].parts)
    assert not moved_on.run("*", *DAYS).warned_checks


def test_a_run_asks_where_what_is_left_lacks_what_was_loaded(moved_on: TestShop) -> None:
    before = moved_on.rows("select * from warehouse.sales order by 1, 2")
    moved_on.store.delete(["backup/sales/2026-01-02/generations/2.json", *chunks(moved_on), ROOT])
    index.forget()
    outcome = moved_on.run("*", *DAYS)
    (failure,) = outcome.failures
    assert "the backups of sales are gone" in failure and "--accept lost_backups" in failure
    assert moved_on.rows("select * from warehouse.sales order by 1, 2") == before


def test_another_server_is_asked_for_though_the_index_is_damaged(moved_on: TestShop) -> None:
    stored = moved_on.store.get(ROOT)
    assert stored is not None
    raw = {name: value for name, value in json.loads(stored.body).items() if name != FIELD}
    of_other = sealed({**raw, "server": "duckdb:else"}, indent=1)
    moved_on.store.put(ROOT, of_other.replace(b'"floor": 0', b'"floor": 1'))
    outcome = moved_on.run("*", *DAYS)
    assert "was read from the server duckdb:else" in outcome.failures[0]


def test_a_damaged_record_of_before_stops_no_load(moved_on: TestShop) -> None:
    """Which rows the warehouse was given then, it can do without: the day is loaded whole."""
    record = moved_on.record("sales", "2026-01-02")
    moved_on.store.put(record.key, b"")
    moved_on.change(
        "update sales set price = 9, changed_at = timestamp '2026-01-07' where sale_no = 2"
    )
    outcome = moved_on.run("*", *DAYS)
    assert outcome.succeeded, outcome.lines()
    assert moved_on.rows("select price::varchar from warehouse.sales where sale_no = 2") == [
        ("9.000",)
    ]


def test_a_damaged_record_is_written_again_as_the_index_has_it(moved_on: TestShop) -> None:
    record = moved_on.record("sales", "2026-01-02")
    moved_on.store.put(record.key, b"{}")
    said = restore(moved_on, "--check", code=1)
    assert record.key in said
    moved_on.paste(said.splitlines()[0])
    assert moved_on.record("sales", "2026-01-02").generation == record.generation
    assert "are as they were written" in restore(moved_on, "--check")


def test_archives_and_certificates_are_held_to_their_own_digests(moved_on: TestShop) -> None:
    restore(moved_on, "--drill", "--seed", "1")
    archive = moved_on.folder / "sales.csv"
    archive.write_text(
        "shop_no,sale_no,buyer_code,sold_on,price,state,changed_at\n"
        "8,8,,2026-01-03,1,paid,2026-01-08 00:00:00\n"
    )
    moved_on.paste(f"orderhe import raw/sales {archive}")
    assert "are as they were written" in restore(moved_on, "--check")
    keys = [key for key, _ in moved_on.store.listing("imports/") if not key.endswith(".json")]
    for key in (*keys, "restore/drills/latest.json"):
        flips.flip(moved_on.store, key, random.Random(4))
        assert f"s3://orderhe/{key}: it is not as it was written" in restore(
            moved_on, "--check", code=1
        )
