"""A home and a bucket of the version before the index are taken over by the next run, once."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from orderhe_dagster.catalog.segments import WHOLE, Segment
from orderhe_dagster.commands.prove import prove
from orderhe_dagster.ports.store import Store
from orderhe_dagster.road import backups, index
from orderhe_dagster_tests.shops import SALES, TestShop

STATE = Path(__file__).parent / "state_before_the_index.zip"
"""Source, store and warehouse of the shop of `SALES` after two runs (1 to 5 January, then the 5th again
with a price of the 2nd changed), written by the last version that kept `current.json`."""
ALL = "*"


@pytest.fixture
def old_shop(tmp_path: Path) -> TestShop:
    own = {"ORDERHE_SQL": str(tmp_path / "sql"), "ORDERHE_START_DATE": "2026-01-01"}
    shop = TestShop(tmp_path, own)
    shop.write(SALES)
    with zipfile.ZipFile(STATE) as archive:
        archive.extractall(tmp_path / "home")
    return shop


def generations(store: Store) -> dict[Segment, int]:
    return {day: record.generation for day, record in index.read(store, "sales").records.items()}


def test_the_next_run_takes_over_what_is_there_and_changes_no_row(old_shop: TestShop) -> None:
    rows = old_shop.rows("select * from warehouse.sales order by shop_no, sale_no")
    fences = "select distinct table_schema from svv_tables where left(table_name, 7) = '_fence_'"
    assert ("mart",) in old_shop.rows(fences)
    outcome = old_shop.run(ALL, "2026-01-05")
    assert outcome.succeeded, outcome.lines()
    assert old_shop.rows(fences) == [("warehouse",)], "who reads marts sees marts"
    assert not outcome.warned_checks
    days = [Segment(f"2026-01-0{day}") for day in range(1, 6)]
    assert generations(old_shop.store) == dict(zip(days, [1, 2, 1, 1, 1], strict=True))
    assert index.read(old_shop.store, "buyers").records[WHOLE].generation == 1
    assert old_shop.rows("select * from warehouse.sales order by shop_no, sale_no") == rows
    old_shop.change("update sales set price = 9, changed_at = timestamp '2026-01-07 00:00:00'")
    assert old_shop.run(ALL, "2026-01-05").succeeded
    assert generations(old_shop.store)[days[1]] == 3


def test_the_whole_past_is_proven_and_measured_after_the_first_night(old_shop: TestShop) -> None:
    with old_shop.warehouse.session("a hand") as session:
        session.execute("update warehouse.sales set price = 1 where sale_no = 3")
        session.execute("update mart.takings set price_total = 1 where sold_on = '2026-01-01'")
    outcome = old_shop.run(ALL)
    assert outcome.succeeded, outcome.lines()
    assert any("warehouse/sales: nothing_differed" in text for text in outcome.warned_checks)
    held = old_shop.rows(
        "select count(*), count(proven_at) from warehouse._loads where table_name = 'warehouse.sales'"
    )
    assert held[0][0] == held[0][1] > 300
    assert old_shop.rows("select price from warehouse.sales where sale_no = 3")[0][0] > 1
    # Of what an earlier version built no digest was kept: it is built anew once.
    assert (
        old_shop.rows("select price_total from mart.takings where sold_on = '2026-01-01'")[0][0] > 1
    )


def test_a_proof_takes_over_too_and_says_what_has_no_digest(old_shop: TestShop) -> None:
    report = prove(old_shop.settings)
    assert [one.asset for one in report.proofs if one.differences] == [
        "mart/buyer_totals",
        "mart/takings",
    ]
    assert {one.severity for _, one in report.differing()} == {"stale"}
    assert all("kept no digest" in one.text for _, one in report.differing())
    (remedy,) = report.remedies
    old_shop.paste(remedy)
    assert prove(old_shop.settings).agrees


def test_a_take_over_that_is_killed_anywhere_is_finished_by_the_next(
    old_shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = old_shop.store
    segments = [Segment(f"2026-01-0{day}") for day in range(1, 6)]
    put = type(store).put
    left = [0]

    def mortal(self: Store, key: str, body: bytes, **conditions: object) -> str:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return str(put(self, key, body, **conditions))  # type: ignore[arg-type]

    writes = 0
    while True:
        monkeypatch.setattr(type(store), "put", mortal)
        left[0] = writes
        try:
            index.take_over(store, "sales", segments)
            break
        except KeyboardInterrupt:
            writes += 1
        finally:
            monkeypatch.setattr(type(store), "put", put)
        known = index.read(store, "sales")
        assert not known.etag or sorted(known.records) == segments
    assert writes > 3
    assert index.read(store, "sales").pointers == ()
    assert sorted(index.read(store, "sales").records) == segments


def test_the_version_before_stops_at_what_was_taken_over(old_shop: TestShop) -> None:
    assert old_shop.run(ALL, "2026-01-05").succeeded
    stored = old_shop.store.get("backup/sales/2026-01-02/current.json")
    assert stored is not None
    # That version reads the format first and says: "format 2, this version reads 1".
    assert json.loads(stored.body) == {"format": 2, "index": "backup/sales/index.json"}
    assert backups.read_pointers(old_shop.store, "sales", [Segment("2026-01-02")]) == {}


def test_a_ledger_of_a_newer_version_stops_this_one_in_one_sentence(old_shop: TestShop) -> None:
    assert old_shop.run(ALL, "2026-01-05").succeeded
    with old_shop.warehouse.session("a newer version") as session:
        session.execute(
            "update warehouse._tables set definition = '99' where table_name = '_ledger'"
        )
    outcome = old_shop.run("warehouse/sales", "2026-01-05")
    assert "is of form 99, and this version writes " in outcome.failures[0]
    assert ": a newer orderhe made it" in outcome.failures[0]
