"""The index of a table's backups: one write makes a range current, and nothing of anybody is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import OUTSIDE, WHOLE, Segment, segments_of
from orderhe_dagster.ports.errors import PreconditionFailed
from orderhe_dagster.ports.measures import Measure, Touch
from orderhe_dagster.ports.store import Store
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.resources.s3.policy import policy
from orderhe_dagster.resources.s3.store import S3Store
from orderhe_dagster.road import index, index_objects
from orderhe_dagster.road.backups import BackupError, Record
from orderhe_dagster.road.index import Change
from orderhe_dagster.road.index_objects import Proven
from orderhe_dagster.road.seals import sealed
from orderhe_dagster.settings.config import S3Settings
from orderhe_dagster_tests.servers.s3 import S3Server, use

DAY = Segment("2026-01-02")
ROOT = "backup/sales/index.json"
MEANWHILE: list[Callable[[], object]] = []


def at(minute: int) -> datetime:
    return datetime(2026, 1, 3, tzinfo=timezone.utc) + timedelta(minutes=minute)


def seen(rows: int, minute: int, segment: Segment = DAY) -> Record:
    """What a run that read the source at `minute` would write: `rows` rows."""
    return Record(
        table="sales",
        segment=segment,
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
    """Before the first write of the root, something else happens; it counts what is asked of it."""

    def put(
        self, key: str, body: bytes, *, if_none_match: bool = False, if_match: str | None = None
    ) -> str:
        if key == ROOT and MEANWHILE:
            MEANWHILE.pop()()
        ASKED.append(("put", key))
        return super().put(key, body, if_none_match=if_none_match, if_match=if_match)

    def get(self, key: str) -> Any:
        ASKED.append(("get", key))
        return super().get(key)


ASKED: list[tuple[str, str]] = []


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    MEANWHILE.clear()
    ASKED.clear()
    return Overtaken(root=str(tmp_path), bucket="b")


def commit(store: FolderStore, *records: Record) -> Record:
    """Commit records; what counts of the first afterwards."""
    done = index.commit(store, "sales", Change(fresh=records))
    return done.records[records[0].segment]


def verify(store: FolderStore, record: Record, moment: datetime) -> Record:
    change = Change(verified={record.segment: (record, moment)})
    return index.commit(store, "sales", change).records[record.segment]


def current(store: FolderStore) -> tuple[int, datetime]:
    record = index.read(store, "sales").records[DAY]
    return record.measure.rows, record.verified_at


def test_generations_follow_one_another_and_the_index_says_since_when(store: FolderStore) -> None:
    assert [commit(store, seen(rows, rows)).generation for rows in (1, 2, 3)] == [1, 2, 3]
    assert current(store) == (3, at(3))
    became = index.read(store, "sales").entries[DAY].became
    assert [number for number, _ in became] == [1, 2, 3]
    assert [moment for _, moment in became] == sorted(moment for _, moment in became)


def test_an_older_snapshot_does_not_replace_a_newer_one(store: FolderStore) -> None:
    newer = commit(store, seen(2, 20))
    assert commit(store, seen(1, 10)) == newer
    assert current(store) == (2, at(20))


def test_a_newer_snapshot_wins_when_an_older_one_comes_in_between(store: FolderStore) -> None:
    MEANWHILE.append(lambda: commit(store, seen(1, 10)))
    commit(store, seen(2, 20))
    assert current(store) == (2, at(20))


def test_an_older_snapshot_loses_when_a_newer_one_comes_in_between(store: FolderStore) -> None:
    MEANWHILE.append(lambda: commit(store, seen(2, 20)))
    assert commit(store, seen(1, 10)).measure.rows == 2
    assert current(store) == (2, at(20))
    lost = store.get(f"backup/sales/{DAY}/generations/1.json")
    assert lost is not None, "it was claimed, and never published"
    assert [number for number, _ in index.read(store, "sales").entries[DAY].became] == [2]


def test_what_was_current_before_the_source_was_read_cannot_be_newer(store: FolderStore) -> None:
    ahead = commit(store, seen(1, 0))
    ahead = verify(store, ahead, at(100_000))
    change = Change(fresh=[seen(2, 5)], known={DAY: ahead})
    assert index.commit(store, "sales", change).records[DAY].measure.rows == 2


def test_an_older_snapshot_loses_when_the_rows_were_seen_unchanged_since(
    store: FolderStore,
) -> None:
    standing = commit(store, seen(1, 0))
    verify(store, standing, at(20))
    assert commit(store, seen(2, 10)).measure.rows == 1
    assert current(store) == (1, at(20))


def test_seeing_rows_unchanged_keeps_the_generation(store: FolderStore) -> None:
    standing = commit(store, seen(1, 0))
    MEANWHILE.append(lambda: verify(store, standing, at(5)))
    assert verify(store, standing, at(20)) == replace(standing, verified_at=at(20))
    assert verify(store, standing, at(10)).verified_at == at(20)


@pytest.mark.parametrize("moment", ["before", "between"])
def test_the_source_is_read_again_when_older_rows_came_after_it_was_seen_unchanged(
    store: FolderStore, moment: str
) -> None:
    standing = commit(store, seen(1, 0))
    if moment == "before":
        commit(store, seen(2, 10))
    else:
        MEANWHILE.append(lambda: commit(store, seen(2, 10)))
    with pytest.raises(PreconditionFailed, match="read the source again"):
        verify(store, standing, at(20))


def days(first: date, many: int) -> list[Segment]:
    return segments_of(Window(first, first + timedelta(days=many)))


def test_one_write_makes_a_range_current_and_leaves_other_months_alone(store: FolderStore) -> None:
    commit(store, *(seen(1, 1, day) for day in days(date(2025, 1, 1), 90)))
    first = index.read(store, "sales")
    assert sorted(first.chunks) == ["2025-01", "2025-02", "2025-03"]
    ASKED.clear()
    commit(store, *(seen(2, 2, day) for day in days(date(2025, 2, 27), 4)))
    second = index.read(store, "sales")
    assert second.chunks["2025-01"] == first.chunks["2025-01"]
    assert second.chunks["2025-02"] != first.chunks["2025-02"]
    assert [key for verb, key in ASKED if verb == "put"].count(ROOT) == 1
    assert not [key for verb, key in ASKED if verb == "get" and "index/2025-01" in key]
    assert sum(record.measure.rows for record in second.records.values()) == 94


def test_days_that_never_had_a_row_are_ranges_without_an_object(
    store: FolderStore, tmp_path: Path
) -> None:
    empty = [
        index_objects.empty_record("sales", day, "s", at(1)) for day in days(date(2023, 1, 1), 1095)
    ]
    index.commit(store, "sales", Change(fresh=[*empty, seen(3, 1, OUTSIDE)]))
    known = index.read(store, "sales")
    assert len(known.records) == 1096
    assert known.records[OUTSIDE].measure.rows == 3
    assert not list(tmp_path.glob("b/backup/sales/20*"))
    chunks = [store.get(key) for key in known.chunks.values()]
    assert sum(len(chunk.body) for chunk in chunks if chunk) < 25_000
    day = Segment("2024-02-29")
    filled = commit(store, seen(5, 2, day))
    assert (filled.generation, filled.version) == (1, "1:run-2")
    emptied = commit(store, seen(0, 3, day))
    assert emptied.generation == 2, "a day that had rows has an object that says it has none"
    assert index.read(store, "sales").records[Segment("2024-03-01")].version == "0:"


def test_a_root_is_small_and_keeps_what_was_proven_by_ranges(store: FolderStore) -> None:
    every = days(date(2023, 1, 1), 1095)
    done = index.commit(store, "sales", Change(fresh=[seen(1, 1, day) for day in every]))
    proven = {day: (done.records[day], Proven(at(5), at(6))) for day in every}
    index.commit(store, "sales", Change(proven=proven))
    root = store.get(ROOT)
    assert root is not None
    assert len(root.body) < 20_000
    assert len(json.loads(root.body)["proven"]) == 1
    commit(store, seen(2, 9, every[500]))
    known = index.read(store, "sales")
    assert known.proven.get(every[500]) is None, "a new generation is not proven"
    assert known.proven[every[501]] == Proven(at(5), at(6))
    late = {every[500]: (done.records[every[500]], Proven(at(7), at(7)))}
    index.commit(store, "sales", Change(proven=late))
    assert index.read(store, "sales").proven.get(every[500]) is None, "proven of another generation"


def test_writers_of_disjoint_days_lose_nothing(tmp_path: Path) -> None:
    store = FolderStore(root=str(tmp_path), bucket="b")
    every = days(date(2023, 1, 1), 1095)
    shares = [every[number::6] for number in range(6)]

    def write(share: Sequence[Segment]) -> None:
        for start in range(0, len(share), 61):
            some = share[start : start + 61]
            index.commit(store, "sales", Change(fresh=[seen(1, 1, day) for day in some]))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, shares))
    known = index.read(store, "sales")
    assert sorted(known.records) == every
    assert {record.generation for record in known.records.values()} == {1}
    named = {*known.chunks.values(), *(key for key, _ in known.retired)}
    lying = {
        path.relative_to(tmp_path / "b").as_posix()
        for path in (tmp_path / "b/backup/sales/index").iterdir()
    }
    assert lying == named, "what lost a race has taken its chunks away"


def test_writers_lose_nothing_on_s3_either(
    s3_with_tls: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = s3_with_tls.bucket_name()
    rights = s3_with_tls.user(bucket, policy(bucket, creates=True))
    use(monkeypatch, {**rights, "AWS_CA_BUNDLE": s3_with_tls.ca})
    store = S3Store(S3Settings(bucket=bucket, endpoint_url=s3_with_tls.url))
    store.create()
    every = days(date(2025, 1, 1), 60)

    def write(number: int) -> None:
        index.commit(store, "sales", Change(fresh=[seen(1, 1, day) for day in every[number::6]]))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    assert sorted(index.read(store, "sales").records) == every


class Killed(BaseException):
    """The process ends here."""


class Mortal(FolderStore):
    """Dies at the write of a number."""

    def put(
        self, key: str, body: bytes, *, if_none_match: bool = False, if_match: str | None = None
    ) -> str:
        LEFT[0] -= 1
        if LEFT[0] < 0:
            raise Killed
        return super().put(key, body, if_none_match=if_none_match, if_match=if_match)


LEFT = [0]


def test_death_between_any_two_writes_leaves_the_state_before(tmp_path: Path) -> None:
    some = days(date(2025, 1, 30), 4)
    change = Change(fresh=[seen(2, 2, day) for day in some])
    for writes in range(100):
        root = str(tmp_path / f"{writes}")
        store = FolderStore(root=root, bucket="b")
        first = Change(fresh=[seen(1, 1, day) for day in some])
        before = index.commit(store, "sales", first).records
        LEFT[0] = writes
        try:
            index.commit(Mortal(root=root, bucket="b"), "sales", change)
            break
        except Killed:
            assert index.read(store, "sales").records == before
            index.commit(store, "sales", change)
            after = index.read(store, "sales").records
            assert {record.measure.rows for record in after.values()} == {2}
    assert writes == 4 + 2 + 1, "a record a day, a chunk a month, the root"


def test_a_damaged_index_is_named_with_the_way_out(store: FolderStore) -> None:
    commit(store, seen(1, 1))
    root = store.get(ROOT)
    assert root is not None
    (chunk,) = index.read(store, "sales").chunks.values()
    index._CACHE = index._Cache()
    held = store.get(chunk)
    assert held is not None
    store.put(chunk, held.body.replace(b'"rows": 1', b'"rows": 7'))
    with pytest.raises(
        BackupError, match=r"bytes are not what was written.*orderhe run .* --accept lost_backups"
    ):
        index.read(store, "sales")
    store.delete([chunk])
    with pytest.raises(BackupError, match="it is not there, but the index names it"):
        index.read(store, "sales")
    for body in (b"{}", root.body.replace(b'"floor": 0', b'"floor": null')):
        store.put(ROOT, body)
        with pytest.raises(BackupError, match=f"{ROOT}: it is no index"):
            index.read(store, "sales")
    store.put(ROOT, b'{"format": 2}')
    with pytest.raises(BackupError, match=f"{ROOT}: it is no index"):
        index.read(store, "sales")


def test_an_index_of_a_newer_version_stops_this_one_in_one_sentence(store: FolderStore) -> None:
    commit(store, seen(1, 1))
    root = store.get(ROOT)
    assert root is not None
    newer = json.loads(root.body) | {"format": 3}
    store.put(ROOT, sealed(newer))
    with pytest.raises(
        BackupError, match="is of format 3, and this version reads 2: a newer orderhe"
    ):
        index.read(store, "sales")


def test_totals_are_read_from_roots_alone(store: FolderStore) -> None:
    commit(store, seen(7, 1), seen(5, 1, WHOLE))
    assert index.totals(store, ["sales", "none"]) == {"sales": 12, "none": 0}


def test_a_run_of_many_tables_reads_the_totals_once(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(store, seen(7, 1))
    asked: list[Sequence[str]] = []
    ask = index.totals

    def counted(store: Store, tables: Sequence[str]) -> dict[str, int]:
        asked.append(tables)
        return ask(store, tables)

    monkeypatch.setattr(index, "totals", counted)
    totals, tables = index.Totals(), ["sales", "none"]
    for _ in range(3):
        assert totals.of("one", store, tables) == {"sales": 7, "none": 0}
    totals.note("one", "none", 4)
    totals.note("another", "sales", 1)
    assert totals.of("one", store, tables) == {"sales": 7, "none": 4}
    assert len(asked) == 1
    assert totals.of("two", store, tables) == {"sales": 7, "none": 0}
    assert len(asked) == 2


def test_what_the_cache_let_go_of_is_still_in_the_index(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shop of many tables and years has more months than the cache holds."""
    months = [Segment(f"2026-{month:02d}-01") for month in range(1, 7)]
    index.commit(store, "sales", Change(fresh=[seen(1, 1, month) for month in months]))
    monkeypatch.setattr(index, "_MOST_CACHED", 3)
    index._CACHE = index._Cache()
    for _ in range(2):
        assert list(index.read(store, "sales").entries) == months
    after = index.commit(store, "sales", Change(fresh=[seen(2, 2, months[0])]))
    assert list(after.entries) == months == list(index.read(store, "sales").entries)
    assert after.records[months[0]].measure.rows == 2
