"""Who wins the pointer of a day: always the run that has seen the source last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from orderhe_dagster.catalog.segments import WHOLE, Segment
from orderhe_dagster.ports.errors import PreconditionFailed
from orderhe_dagster.ports.measures import Measure, Touch
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.road import backups
from orderhe_dagster.road.backups import Record
from orderhe_dagster_tests.catalog.folders import ORDERS, read

DAY = Segment("2026-01-02")
KEY = f"backup/sales/{DAY}/current.json"


def at(minute: int) -> datetime:
    return datetime(2026, 1, 3, tzinfo=timezone.utc) + timedelta(minutes=minute)


def seen(rows: int, minute: int) -> Record:
    """What a run that read the source at `minute` would write: `rows` rows."""
    return Record(
        table="sales",
        segment=DAY,
        generation=0,
        run_id=f"run-{minute}",
        manifest="",
        measure=Measure(rows),
        touch=Touch(rows),
        parts=(),
        schema="s",
        source="test",
        snapshot_at=at(minute),
        verified_at=at(minute),
    )


class Overtaken(FolderStore):
    """Before the first write of the pointer, something else happens."""

    def put(
        self, key: str, body: bytes, *, if_none_match: bool = False, if_match: str | None = None
    ) -> str:
        if key == KEY and MEANWHILE:
            MEANWHILE.pop()()
        return super().put(key, body, if_none_match=if_none_match, if_match=if_match)


MEANWHILE: list[Callable[[], object]] = []


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    MEANWHILE.clear()
    return Overtaken(root=str(tmp_path), bucket="b")


def current(store: FolderStore) -> tuple[int, datetime]:
    stored = store.get(KEY)
    assert stored is not None
    record = backups._decode(KEY, stored.body)
    return record.measure.rows, record.verified_at


def test_generations_follow_one_another(store: FolderStore) -> None:
    assert [backups.commit(store, seen(rows, rows)).generation for rows in (1, 2, 3)] == [1, 2, 3]
    assert current(store) == (3, at(3))


def test_an_older_snapshot_does_not_replace_a_newer_one(store: FolderStore) -> None:
    newer = backups.commit(store, seen(2, 20))
    assert backups.commit(store, seen(1, 10)) == newer
    assert current(store) == (2, at(20))


def test_a_newer_snapshot_wins_when_an_older_one_comes_in_between(store: FolderStore) -> None:
    MEANWHILE.append(lambda: backups.commit(store, seen(1, 10)))
    backups.commit(store, seen(2, 20))
    assert current(store) == (2, at(20))


def test_an_older_snapshot_loses_when_a_newer_one_comes_in_between(store: FolderStore) -> None:
    MEANWHILE.append(lambda: backups.commit(store, seen(2, 20)))
    assert backups.commit(store, seen(1, 10)).measure.rows == 2
    assert current(store) == (2, at(20))


def test_an_older_snapshot_loses_when_the_rows_were_seen_unchanged_since(
    store: FolderStore,
) -> None:
    standing = backups.commit(store, seen(1, 0))
    backups.verify(store, standing, at(20))
    assert backups.commit(store, seen(2, 10)).measure.rows == 1
    assert current(store) == (1, at(20))


def test_seeing_rows_unchanged_keeps_the_generation(store: FolderStore) -> None:
    standing = backups.commit(store, seen(1, 0))
    MEANWHILE.append(lambda: backups.verify(store, standing, at(5)))
    assert backups.verify(store, standing, at(20)) == replace(standing, verified_at=at(20))
    assert backups.verify(store, standing, at(10)).verified_at == at(20)


@pytest.mark.parametrize("moment", ["before", "between"])
def test_the_source_is_read_again_when_older_rows_came_after_it_was_seen_unchanged(
    store: FolderStore, moment: str
) -> None:
    standing = backups.commit(store, seen(1, 0))
    if moment == "before":
        backups.commit(store, seen(2, 10))
    else:
        MEANWHILE.append(lambda: backups.commit(store, seen(2, 10)))
    with pytest.raises(PreconditionFailed, match="read the source again"):
        backups.verify(store, standing, at(20))


def test_a_record_of_before_the_quarantine_still_reads(store: FolderStore) -> None:
    import json

    written = backups.commit(store, seen(2, 1))
    held = store.get(KEY)
    assert held is not None
    old = json.loads(held.body)
    for name in ("quarantine", "quarantined", "nulled"):
        del old[name]
    store.put(KEY, json.dumps(old).encode(), if_match=held.etag)
    (record,) = backups.read_current(store, "sales", [DAY]).values()
    assert record == written
    assert (record.quarantine, record.quarantined, record.nulled) == ((), 0, {})


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


def test_a_record_of_a_bucket_of_before_is_read_and_written_as_it_is(store: FolderStore) -> None:
    store.put("backup/products/all/current.json", STORED.encode())
    of_day = STORED.replace("products", "sales").replace('"all"', '"2026-01-02"')
    store.put(KEY, of_day.encode())
    (record,) = backups.read_current(store, "products", [WHOLE]).values()
    assert (record.segment, record.generation, record.version) == (WHOLE, 3, "3:run-7")
    assert record.measure == Measure(2, {"price": Decimal("6.50")}, 12345678901234567890)
    assert backups._encode(record).decode() == STORED
    days = backups.read_current(store, "sales", [DAY, Segment("2026-01-03")])
    assert [record.segment for record in days.values()] == [DAY] == list(days)
    assert backups._encode(days[DAY]).decode() == of_day


def test_a_record_of_no_segment_is_refused(store: FolderStore) -> None:
    store.put(KEY, STORED.replace('"all"', '"2026-13-01"').encode())
    with pytest.raises(backups.BackupError, match=rf"{KEY} is not a backup record"):
        backups.read_current(store, "sales", [DAY])


def test_the_fingerprint_moves_with_what_a_digest_sees_and_else_stays(tmp_path: Path) -> None:
    """Records keep it: these two are those of records that lie in stores."""
    with_bytes = "create table x (id int primary key, photo blob);"
    catalogue = read(tmp_path, {"raw/orders.sql": ORDERS, "raw/x.sql": with_bytes})
    prints = {table.name: backups.schema_fingerprint(table) for table in catalogue.tables}
    assert prints["orders"] == "d2d78ede971a9070"
    assert prints["x"] != "e88865aa6685b846", "its digest leaves the bytes out"
