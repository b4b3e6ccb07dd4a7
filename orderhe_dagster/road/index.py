"""The index of a table's backups: which generation of each segment counts. How rows are read is not here.

Keys in the store::

    backup/<table>/index.json                 the root: the pointer, the only object ever written over
    backup/<table>/index/<chunk>-<sha>.json   a chunk: the records of one month, of `all`, of `outside`

Whatever writes puts its chunks first, under names that tell their content, and then the root, over
the one that was read and no other. So one conditional write makes all segments of a range current, and
a reader who has a root has one state of the table. Nothing reads a generation that no chunk names.

The root also says when the source and the backup of each segment were last *proven*, and of which
server the rows are. Days that never had a row are ranges in their chunk and have no object of their own.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from threading import Lock

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.ports.errors import PreconditionFailed
from orderhe_dagster.ports.store import Store
from orderhe_dagster.road import backups
from orderhe_dagster.road.backups import BackupError, Record
from orderhe_dagster.road.index_objects import (
    FORMAT,
    Entry,
    Index,
    Origin,
    Proven,
    chunk_of,
    damaged,
    decoded_chunk,
    decoded_root,
    encoded_chunk,
    encoded_root,
    is_empty,
    root_key,
    rows_of_root,
)

_ATTEMPTS = 40
_GRACE = timedelta(hours=1)
"""How long a chunk that was replaced stays, for readers who hold the root that names it."""
_MOST_CACHED = 2_000


@dataclass(frozen=True)
class Change:
    """What a commit is to make of a table's index.

    `fresh`: records of an extract, to become current under numbers of their own, unless another run has
    seen the source later. `known` is what was current before the source was read: that cannot be newer,
    whatever a source's clock said of it. `verified`: when the source was seen to hold the rows of these
    records still. `proven`: what was proven of the records as they are given. `doubted`: the records whose
    segment was found to differ somewhere: they count as never proven, so that their turn comes first.
    `floor`: the highest generation of an index that is lost. `expired`: the generations that it forgets,
    never the current one.
    """

    fresh: Sequence[Record] = ()
    known: Mapping[Segment, Record] = field(default_factory=dict)
    verified: Mapping[Segment, tuple[Record, datetime]] = field(default_factory=dict)
    proven: Mapping[Segment, tuple[Record, Proven]] = field(default_factory=dict)
    doubted: Mapping[Segment, Record] = field(default_factory=dict)
    origin: Origin | None = None
    floor: int = 0
    expired: Mapping[Segment, Collection[int]] = field(default_factory=dict)
    retired: bool = False  # the pointers of an earlier version are


def read(store: Store, table: str) -> Index:
    """The index of a table as it is; one without entries where there is none. BackupError."""
    for _ in range(_ATTEMPTS):
        root = store.get(root_key(table))
        if root is None:
            return Index(table)
        index = decoded_root(table, root.body, root.etag)
        chunks = {key: _CACHE.get(key) for key in index.chunks.values()}
        missing = [key for key, entries in chunks.items() if entries is None]
        lost = ""
        for key, stored in zip(missing, store.get_many(missing), strict=True):
            if stored is None:
                lost = key
            else:
                chunks[key] = decoded_chunk(key, stored.body)
                _CACHE.put(key, chunks[key] or {})
        if not lost:
            # Of what was read here: the cache may have let go of any of it meanwhile.
            entries: dict[Segment, Entry] = {}
            for of_chunk in chunks.values():
                entries.update(of_chunk or {})
            return replace(index, entries=dict(sorted(entries.items())))
        again = store.get(root_key(table))
        if again is not None and again.etag == root.etag:
            raise BackupError(damaged(table, lost, "it is not there, but the index names it"))
    raise BackupError(_kept_writing(table))


def totals(store: Store, tables: Sequence[str]) -> dict[str, int]:
    """How many rows the backups of each table have, by their roots; 0 of one that is not there or damaged."""
    roots = store.get_many([root_key(table) for table in tables])
    rows = dict.fromkeys(tables, 0)
    for table, root in zip(tables, roots, strict=True):
        with suppress(BackupError):  # that of one table stops no other: its own step tells of it
            rows[table] = rows_of_root(table, root.body) if root else 0
    return rows


class Totals:
    """The rows of all tables' backups, by which they share a run's budget: read once a run, then kept up.

    A run that asked for each of its tables would read as many roots as the square of their number.
    """

    def __init__(self) -> None:
        self._lock, self._run_id, self._rows = Lock(), "", dict[str, int]()

    def of(self, run_id: str, store: Store, tables: Sequence[str]) -> dict[str, int]:
        """`totals` as of when the run first asked, and of what it has noted since."""
        with self._lock:
            if self._run_id != run_id:
                self._run_id, self._rows = run_id, totals(store, tables)
            return dict(self._rows)

    def note(self, run_id: str, table: str, rows: int) -> None:
        """Keep how many rows a table's backups have now."""
        with self._lock:
            if self._run_id == run_id:
                self._rows[table] = rows


TOTALS = Totals()
"""Those of the run that this process is in."""


def commit(store: Store, table: str, change: Change) -> Index:
    """Make `change` the state of the table's index, in one conditional write; give what it says then.

    Where another run wrote in between, its segments are looked at again and both changes are kept: of
    one segment the later snapshot. PreconditionFailed where a run that had read the source earlier put
    its rows where they were seen unchanged: then the source must be read again.
    """
    claimed: dict[Segment, Record] = {}
    for _ in range(_ATTEMPTS):
        before = read(store, table)
        after = _merged(store, before, change, claimed)
        if after is None:
            return before
        names = _write_chunks(store, before, after)
        now = datetime.now(timezone.utc)
        kept = [one for one in before.retired if now - one[1] < _GRACE]
        gone = [key for key, since in before.retired if now - since >= _GRACE]
        retired = [key for chunk, key in before.chunks.items() if names.get(chunk) != key]
        after = replace(
            after,
            chunks=names,
            retired=(*kept, *((key, now) for key in retired)),
        )
        try:
            etag = store.put(
                root_key(table),
                encoded_root(after),
                if_none_match=before.etag is None,
                if_match=before.etag,
            )
        except PreconditionFailed:
            # What lost is named by nobody, and by no root to come: its names are this write's own.
            store.delete(key for key in names.values() if key not in before.chunks.values())
            continue
        store.delete(gone)
        return replace(after, etag=etag)
    raise BackupError(_kept_writing(table))


def _merged(
    store: Store, before: Index, change: Change, claimed: dict[Segment, Record]
) -> Index | None:
    """The index with the change in it; None where nothing would be different."""
    entries, proven = dict(before.entries), dict(before.proven)
    now = datetime.now(timezone.utc)
    for record in _claim_all(store, before, change, claimed):
        was = entries.get(record.segment)
        became = (*(was.became if was else ()), (record.generation, now))
        ended = was.ended if was else ()
        entries[record.segment] = (
            Entry(record, became, ended) if record.generation else Entry(record)
        )
        proven.pop(record.segment, None)
    for segment, (record, at) in change.verified.items():
        was = entries.get(segment)
        if was is None:
            raise PreconditionFailed(
                f"{before.table} {segment} left the index meanwhile; run this again"
            )
        if was.record.verified_at >= at:
            continue
        if was.record.version != record.version:
            raise PreconditionFailed(
                f"{before.table} {segment}: a run that had read the source earlier wrote generation "
                f"{was.record.generation} meanwhile; read the source again"
            )
        entries[segment] = replace(was, record=replace(was.record, verified_at=at))
    for segment, (record, seen) in change.proven.items():
        was = entries.get(segment)
        if was is not None and was.record.version == record.version:
            proven[segment] = _later(proven.get(segment, Proven()), seen)
    for segment, record in change.doubted.items():
        was = entries.get(segment)
        if was is not None and was.record.version == record.version:
            proven.pop(segment, None)
    for segment, numbers in change.expired.items():
        was = entries.get(segment)
        if was is not None:
            entries[segment] = was.without(numbers)
    origin = change.origin or before.origin
    pointers = () if change.retired else before.pointers
    after = replace(before, entries=dict(sorted(entries.items())), proven=proven, origin=origin)
    after = replace(after, pointers=pointers, floor=max(before.floor, change.floor))
    return None if before.etag and after == before else after


def _later(one: Proven, other: Proven) -> Proven:
    def latest(*moments: datetime | None) -> datetime | None:
        return max((moment for moment in moments if moment), default=None)

    return Proven(latest(one.source, other.source), latest(one.backup, other.backup))


def _claim_all(
    store: Store, before: Index, change: Change, claimed: dict[Segment, Record]
) -> list[Record]:
    """The fresh records that become current, each under a number that is its own."""
    winning = []
    for record in change.fresh:
        was = before.entries.get(record.segment)
        known = change.known.get(record.segment)
        if was and was.record != known and was.record.verified_at > record.snapshot_at:
            continue
        winning.append(record)

    def claim(record: Record) -> Record:
        was = before.entries.get(record.segment)
        last = was.record.generation if was else max(before.floor, change.floor)
        if is_empty(record) and last == 0:
            return replace(record, run_id="", source="")
        mine = claimed.get(record.segment)
        if mine is not None and mine.generation > last:
            return mine
        return backups.claim(store, record, last + 1)

    for record, numbered in backups.in_parallel(claim, winning, store, writes=True):
        claimed[record.segment] = numbered
    return [claimed[record.segment] for record in winning]


def _write_chunks(store: Store, before: Index, after: Index) -> dict[str, str]:
    """Put the chunks that differ; the key of every one."""
    by_chunk: dict[str, dict[Segment, Entry]] = {}
    for segment, entry in after.entries.items():
        by_chunk.setdefault(chunk_of(segment), {})[segment] = entry
    names: dict[str, str] = {}
    writes: list[tuple[str, bytes, dict[Segment, Entry]]] = []
    for chunk, entries in by_chunk.items():
        known = before.chunks.get(chunk)
        if known is not None and _CACHE.get(known) == entries:
            names[chunk] = known
            continue
        body = encoded_chunk(after.table, chunk, entries)
        digest = hashlib.sha256(body).hexdigest()
        names[chunk] = f"backup/{after.table}/index/{chunk}-{digest}.json"
        writes.append((names[chunk], body, entries))

    def put(write: tuple[str, bytes, dict[Segment, Entry]]) -> None:
        store.put(write[0], write[1])

    for (key, _, entries), _done in backups.in_parallel(put, writes, store, writes=True):
        _CACHE.put(key, entries)
    return names


def take_over(store: Store, table: str, segments: Iterable[Segment]) -> Index:
    """The index made of the pointers `current.json` that earlier versions kept a segment, once.

    Killed anywhere, it is taken up by the next: the root comes first, then each old pointer is replaced
    by a word that makes an earlier version stop. `segments` are those that may have one.
    """
    index = read(store, table)
    if index.etag is None:
        found = backups.read_pointers(store, table, list(segments))
        if not found:
            return index
        now = datetime.now(timezone.utc)
        entries = {
            segment: Entry(record, ((record.generation, now),))
            for segment, record in sorted(found.items())
        }
        index = Index(table, entries=entries, pointers=tuple(entries))
        index = replace(index, chunks=_write_chunks(store, index, index))
        with suppress(PreconditionFailed):  # another run has taken over meanwhile
            store.put(root_key(table), encoded_root(index), if_none_match=True)
        index = read(store, table)
    if index.pointers:
        backups.retire_pointers(store, table, index.pointers, root_key(table), FORMAT)
        return commit(store, table, Change(retired=True))
    return index


def put_anew(
    store: Store, table: str, entries: Mapping[Segment, Entry], origin: Origin, over: str | None
) -> Index:
    """Put an index of these entries in the place of a damaged one: over the root `over` and no other.

    PreconditionFailed where somebody else put one meanwhile. Nothing of it counts as proven.
    """
    fresh = Index(table, entries=dict(sorted(entries.items())), origin=origin)
    fresh = replace(fresh, chunks=_write_chunks(store, Index(table), fresh))
    etag = store.put(
        root_key(table), encoded_root(fresh), if_none_match=over is None, if_match=over
    )
    return replace(fresh, etag=etag)


def _kept_writing(table: str) -> str:
    return (
        f"backup of {table}: other runs kept writing {root_key(table)} ({_ATTEMPTS} tries). "
        "Run it again when they are done."
    )


def forget() -> None:
    """Forget the chunks that this process has read: they are read again, and held to their names."""
    _CACHE.clear()


class _Cache:
    """Chunks by their keys, which tell their content: what was read once is not fetched again."""

    def __init__(self) -> None:
        self._lock, self._chunks = Lock(), OrderedDict[str, dict[Segment, Entry]]()

    def get(self, key: str) -> dict[Segment, Entry] | None:
        with self._lock:
            return self._chunks.get(key)

    def put(self, key: str, entries: dict[Segment, Entry]) -> None:
        with self._lock:
            self._chunks[key] = entries
            while len(self._chunks) > _MOST_CACHED:
                self._chunks.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._chunks.clear()


_CACHE = _Cache()
