"""The janitor of backups: what has had its time goes, and nothing that anybody may still need."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import TableRef
from orderhe_dagster.ports.store import Listed
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.road import backups, index
from orderhe_dagster.road.index import Change
from orderhe_dagster.road.index_objects import Entry
from orderhe_dagster.road.janitor import Keeping, keys_of, plan, sweep
from orderhe_dagster.road.retention import Retention
from orderhe_dagster_tests.shops import TestShop

LOADED = "backup/sales,warehouse/sales"
DAY = "2026-01-02"
ONE = Retention(generations=1, grace=timedelta(hours=24))
PRICE = (
    "update sales set price = {}, changed_at = changed_at + interval 1 second"
    " where shop_no = 1 and sale_no = 2"
)


def later(days: float = 2) -> datetime:
    return datetime.now(timezone.utc) + timedelta(days=days)


@pytest.fixture
def grown(ran_shop: TestShop) -> TestShop:
    """A day with four generations, the last of which is loaded."""
    for price in (1, 2, 3):
        ran_shop.change(PRICE.format(price))
        assert ran_shop.run(LOADED, DAY).succeeded
    assert ran_shop.record("sales", DAY).generation == 4
    return ran_shop


def keys(shop: TestShop, prefix: str = "backup/sales/") -> set[str]:
    return {one.key for one in shop.store.inventory(prefix)}


def numbers(shop: TestShop) -> list[int]:
    entry = index.read(shop.store, "sales").entries[Segment(DAY)]
    return [number for number, _ in entry.became]


def test_generations_beyond_their_number_go_with_their_objects(grown: TestShop) -> None:
    old = backups.read_generation(grown.store, "sales", Segment(DAY), 3)
    assert old is not None
    planned = plan(grown.store, "sales", ONE, Keeping(), later())
    assert planned.expired == {Segment(DAY): {2, 3}}  # 1 is the first of its month
    before = keys(grown)
    assert {one.key for one in planned.objects} >= {*keys_of(old)}
    sweep(grown.store, planned)
    assert numbers(grown) == [1, 4]
    named = {one.key for one in (*planned.objects, *planned.orphans)}
    chunks = {key for key in before if "/index" in key}
    assert before - keys(grown) - chunks == named - chunks
    assert {key for key in keys(grown) if f"/{DAY}/generations/" in key} == {
        f"backup/sales/{DAY}/generations/{number}.json" for number in (1, 4)
    }
    again = plan(grown.store, "sales", ONE, Keeping(), later(), everything=True)
    assert (again.generations, again.objects, again.unclear) == (0, [], [])
    assert grown.run(LOADED, DAY, prove_all=True).succeeded
    grown.change(PRICE.format(9))
    assert grown.run(LOADED, DAY).succeeded
    assert numbers(grown) == [1, 4, 5]


def test_what_the_warehouse_holds_and_what_counted_just_now_stays(grown: TestShop) -> None:
    keeping = Keeping(held={Segment(DAY): [2]})
    assert plan(grown.store, "sales", ONE, keeping, later()).expired == {Segment(DAY): {3}}
    assert not plan(grown.store, "sales", ONE, Keeping(), later(0.5)).expired


def remains(shop: TestShop) -> dict[str, bytes]:
    """What killed runs leave, and what is nobody's business."""
    mine = {
        f"backup/sales/{DAY}/a-dead-run/part-00000.parquet": b"rows",
        f"backup/sales/{DAY}/a-dead-run/manifest.json": b"{}",
        f"backup/sales/{DAY}/a-dead-run/quarantine-00000.jsonl": b"{}",
        f"backup/sales/{DAY}/generations/99.json": b"{}",
        "backup/sales/index/2026-01-0123abcd.json": b"{}",
        "backup/sales/loads/a-dead-run.json": b"{}",
        "backup/sales/loads/a-dead-run-older.json": b"{}",
    }
    for key, body in mine.items():
        shop.store.put(key, body)
    return mine


def test_what_no_record_names_goes_when_it_is_old(ran_shop: TestShop) -> None:
    live = keys(ran_shop)
    dead = {*remains(ran_shop)}
    theirs = {"backup/sales/notes.txt", f"backup/sales/{DAY}/mine/rows.csv", "backup/mine/x.json"}
    for key in theirs:
        ran_shop.store.put(key, b"a person's own")
    store = ran_shop.store
    for now, keeping, gone in (
        (later(0), Keeping(), set[str]()),
        (later(30), Keeping(open_runs=["a-dead-run"]), {key for key in dead if "dead" not in key}),
        (later(), Keeping(), dead),
    ):
        planned = plan(store, "sales", ONE, keeping, now, everything=True)
        named = {one.key for one in planned.orphans}
        assert {key for key in named if key not in live} == gone
        assert not [key for key in named & live if "/index/" not in key and "/loads/" not in key]
    sweep(store, planned)
    assert not keys(ran_shop) & dead
    assert theirs <= keys(ran_shop, "backup/")
    assert ran_shop.run(LOADED, DAY, prove_all=True).succeeded


def test_remains_of_long_ago_are_looked_for_where_all_is(ran_shop: TestShop) -> None:
    dead = {key for key in remains(ran_shop) if f"/{DAY}/" in key}
    assert not dead & {
        one.key for one in plan(ran_shop.store, "sales", ONE, Keeping(), later(30)).orphans
    }
    everything = plan(ran_shop.store, "sales", ONE, Keeping(), later(30), everything=True)
    assert dead <= {one.key for one in everything.orphans}


@pytest.mark.parametrize("removed", [0, 3])
@pytest.mark.parametrize("days", [2, 30])
def test_what_a_killed_janitor_left_is_the_next_ones(
    grown: TestShop, monkeypatch: pytest.MonkeyPatch, days: int, removed: int
) -> None:
    """However old it is, as what has had its time mostly is."""
    planned = plan(grown.store, "sales", ONE, Keeping(), later(days))
    delete = FolderStore.delete

    def killed(self: FolderStore, keys: Iterable[str]) -> None:
        some = [*keys]
        if some:
            delete(self, some[:removed])
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(FolderStore, "delete", killed)
        with pytest.raises(KeyboardInterrupt):
            sweep(grown.store, planned)
    assert numbers(grown) == [1, 4]
    left = keys(grown) & {one.key for one in planned.objects}
    assert len(left) == len(planned.objects) - removed
    again = plan(grown.store, "sales", ONE, Keeping(), later(days))
    assert left <= {one.key for one in again.orphans}
    sweep(grown.store, again)
    assert not keys(grown) & {one.key for one in planned.objects}


def test_nothing_goes_of_a_segment_whose_record_is_lost(grown: TestShop) -> None:
    for price in (4, 5):
        grown.change(PRICE.format(price))
        assert grown.run(LOADED, DAY).succeeded
    grown.store.delete([f"backup/sales/{DAY}/generations/5.json"])
    two = replace(ONE, generations=2)
    planned = plan(grown.store, "sales", two, Keeping(), later())
    assert not planned.expired
    assert not planned.objects
    (told,) = planned.unclear
    assert f"backup of sales {DAY}: the record of generation 5 is not there" in told


def test_a_generation_that_is_made_current_again_keeps_its_objects(grown: TestShop) -> None:
    """Between the plan and the sweep: as a restore does, under a new number, by the old one's objects."""
    old = backups.read_generation(grown.store, "sales", Segment(DAY), 2)
    assert old is not None
    planned = plan(grown.store, "sales", ONE, Keeping(), later())
    assert {*keys_of(old)} <= {one.key for one in planned.objects}
    fresh = replace(old, snapshot_at=later(0), verified_at=later(0))
    known = {Segment(DAY): grown.record("sales", DAY)}
    index.commit(grown.store, "sales", Change(fresh=[fresh], known=known))
    sweep(grown.store, planned)
    assert numbers(grown) == [1, 4, 5]
    assert {*keys_of(old)} <= keys(grown)


def test_one_that_was_current_again_and_is_no_more_keeps_its_objects(grown: TestShop) -> None:
    """Between the plan and the sweep a restore, and a run behind it."""
    old = backups.read_generation(grown.store, "sales", Segment(DAY), 2)
    assert old is not None
    planned = plan(grown.store, "sales", ONE, Keeping(), later())
    fresh = replace(old, snapshot_at=later(0), verified_at=later(0))
    known = {Segment(DAY): grown.record("sales", DAY)}
    index.commit(grown.store, "sales", Change(fresh=[fresh], known=known))
    grown.change(PRICE.format(77))
    assert grown.run(LOADED, DAY).succeeded
    sweep(grown.store, planned)
    assert numbers(grown) == [1, 4, 5, 6]
    assert {*keys_of(old)} <= keys(grown)


@dataclass(frozen=True)
class Eager(Retention):
    """Gives no time to a generation that counts no more."""

    def expired(self, entry: Entry, held: Collection[int], now: datetime) -> frozenset[int]:
        return replace(ONE, grace=timedelta(0)).expired(entry, held, now)


@dataclass(frozen=True)
class Swept(FolderStore):
    """A store in which the janitor is at work before each write."""

    def put(self, key: str, body: bytes, **conditions: Any) -> str:
        self.swept()
        return super().put(key, body, **conditions)

    def upload(self, files: Iterable[tuple[str, Path]]) -> None:
        self.swept()
        super().upload(files)

    def swept(self) -> None:
        store = FolderStore(self.root, self.bucket, self.prefix)
        for name in ("sales", "buyers"):
            eager = Eager(1, timedelta(hours=24))
            sweep(store, plan(store, name, eager, Keeping(), later(0), everything=True))


def test_a_janitor_between_all_writes_of_a_run_takes_nothing_from_it(
    grown: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = grown.store
    assert isinstance(at, FolderStore)
    swept = Swept(at.root, at.bucket, at.prefix)
    for module in ("shops", "resources"):
        target = {
            "shops": "orderhe_dagster_tests.shops.build_store",
            "resources": "orderhe_dagster.resources.build.build_store",
        }[module]
        monkeypatch.setattr(target, lambda settings: swept)
    grown.change(PRICE.format(7), "delete from sales where sale_no = 1")
    assert grown.run("*", "2026-01-01", "2026-01-05").succeeded
    assert grown.run("*", "2026-01-01", "2026-01-05", prove_all=True).succeeded
    assert grown.rows("select price from warehouse.sales where shop_no = 1 and sale_no = 2") == [
        (7,)
    ]


def test_a_table_without_an_index_is_left_alone(sales_shop: TestShop) -> None:
    sales_shop.store.put(f"backup/sales/{DAY}/x/part-00000.parquet", b"")
    planned = plan(sales_shop.store, "sales", ONE, Keeping(), later(90), everything=True)
    empty: Sequence[Listed] = ()
    assert (planned.objects, planned.orphans) == (empty, empty)
    assert sales_shop.catalogue.get(TableRef("raw", "sales"))
