"""The records that earlier versions wrote are read as they were, and say so where they are none."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from orderhe_dagster.catalog.segments import WHOLE, Segment
from orderhe_dagster.ports.measures import Measure
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.road import backups

DAY = Segment("2026-01-02")
KEY = f"backup/sales/{DAY}/current.json"
STORED = """{
 "format": 1,
 "generation": 3,
 "manifest": "backup/products/all/run-7/manifest.json",
 "measure": {
  "digest": "12345678901234567890",
  "rows": 2,
  "sums": {
   "price": "6.50"
  }
 },
 "nulled": {
  "note": 1
 },
 "parts": [
  {
   "key": "backup/products/all/run-7/part-00000.parquet",
   "sha256": "ab",
   "size": 10
  }
 ],
 "quarantine": [],
 "quarantined": 0,
 "run_id": "run-7",
 "schema": "s",
 "segment": "all",
 "snapshot_at": "2026-01-03T00:07:00+00:00",
 "source": "test",
 "table": "products",
 "touch": {
  "cursor_sum": 5,
  "rows": 2
 },
 "verified_at": "2026-01-03T00:07:00+00:00"
}"""
"""A record as it lies in buckets."""


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(root=str(tmp_path), bucket="b")


def test_a_record_of_a_bucket_of_before_is_read_and_written_as_it_is(store: FolderStore) -> None:
    store.put("backup/products/all/current.json", STORED.encode())
    of_day = STORED.replace("products", "sales").replace('"all"', '"2026-01-02"')
    store.put(KEY, of_day.encode())
    (record,) = backups.read_pointers(store, "products", [WHOLE]).values()
    assert (record.segment, record.generation, record.version) == (WHOLE, 3, "3:run-7")
    assert record.measure == Measure(2, {"price": Decimal("6.50")}, 12345678901234567890)
    assert backups.encoded(record) | {"format": 1} == json.loads(STORED)
    days = backups.read_pointers(store, "sales", [DAY, Segment("2026-01-03")])
    assert [record.segment for record in days.values()] == [DAY] == list(days)
    assert backups.encoded(days[DAY]) | {"format": 1} == json.loads(of_day)


def test_a_record_of_before_the_quarantine_still_reads(store: FolderStore) -> None:
    older = json.loads(STORED)
    for name in ("quarantine", "quarantined", "nulled"):
        del older[name]
    store.put("backup/products/all/current.json", json.dumps(older).encode())
    (record,) = backups.read_pointers(store, "products", [WHOLE]).values()
    assert (record.quarantine, record.quarantined, record.nulled) == ((), 0, {})


def test_a_record_of_no_segment_is_refused_with_its_key_and_the_command(store: FolderStore) -> None:
    store.put(KEY, STORED.replace('"all"', '"2026-13-01"').encode())
    with pytest.raises(
        backups.BackupError,
        match=rf"{KEY} is not a backup record.*backup/sales' --from {DAY} --to {DAY}",
    ):
        backups.read_pointers(store, "sales", [DAY])
