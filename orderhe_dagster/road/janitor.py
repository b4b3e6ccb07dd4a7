"""What may go from a table's backups: generations beyond their time, and what no record names.

The index forgets a generation first, then its objects are removed, so a kill leaves what nobody names,
which the next one finds. What stays and for how long is `retention`'s to say; local files are not here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.ports.store import Listed, Store, Upload
from orderhe_dagster.road import backups, index
from orderhe_dagster.road.backups import BackupError, Record
from orderhe_dagster.road.index import Change
from orderhe_dagster.road.index_objects import Entry, Index, root_key
from orderhe_dagster.road.retention import Retention

log = logging.getLogger("orderhe.janitor")

_LOOKED_BACK = timedelta(days=8)
"""How old what nobody names may be and still be looked for each time; anything older, where all is."""
_RECORD = re.compile(r"generations/(\d+)\.json")
_FORGOTTEN = re.compile(r"/generations/(\d+)\.json$")
_OBJECT = re.compile(r"([^/]+)/(?:part-\d+\.parquet|manifest\.json|quarantine-\d+\.jsonl)")
_CHUNK, _LOAD = re.compile(r"index/[^/]+\.json"), re.compile(r"loads/([^/]+?)(?:-older)?\.json")


@dataclass(frozen=True)
class Sweep:
    """What may go of one table's backups.

    `expired`: the generations, by segment. `objects`: what is removed, generations' objects and
    `orphans`, objects that no record names. `unclear` says of which segments nothing is removed, and why.
    `seen`: the generation of each segment that counted when this was planned.
    """

    table: str
    expired: Mapping[Segment, frozenset[int]] = field(default_factory=dict)
    objects: Sequence[Listed] = ()
    orphans: Sequence[Listed] = ()
    uploads: Sequence[Upload] = ()
    unclear: Sequence[str] = ()
    seen: Mapping[Segment, int] = field(default_factory=dict)

    @property
    def generations(self) -> int:
        """How many generations are forgotten."""
        return sum(map(len, self.expired.values()))

    @property
    def size(self) -> int:
        """Bytes that are freed."""
        return sum(listed.size for listed in (*self.objects, *self.orphans))


@dataclass(frozen=True)
class Keeping:
    """What must stay besides what the index names: generations held elsewhere, objects of runs at work."""

    held: Mapping[Segment, Collection[int]] = field(default_factory=dict)
    open_runs: Collection[str] = ()


def plan(
    store: Store,
    table: str,
    retention: Retention,
    keeping: Keeping,
    now: datetime,
    *,
    everything: bool = False,
) -> Sweep:
    """What may go now (UTC) of the backups of `table`; nothing where they have no index. BackupError.

    `everything` looks for old objects that no record names in all segments, whatever their age.
    """
    known = index.read(store, table)
    if known.etag is None:
        return Sweep(table)
    expired = {
        segment: numbers
        for segment, entry in known.entries.items()
        if (numbers := retention.expired(entry, keeping.held.get(segment, ()), now))
    }
    prefix = f"backup/{table}/"
    listed = store.inventory(prefix)
    before = now - retention.grace
    since = None if everything else before - _LOOKED_BACK
    sorted_out = _SortedOut()
    of_segments: dict[str, list[Listed]] = {}
    for one in listed:
        rest = one.key.removeprefix(prefix)
        if rest.startswith("index/"):
            if _is_lost_chunk(one, rest, known) and one.modified_at < before:
                sorted_out.orphans.append(one)
        elif match := _LOAD.fullmatch(rest):
            if one.modified_at < before and match[1] not in keeping.open_runs:
                sorted_out.orphans.append(one)
        elif "/" in rest:
            of_segments.setdefault(rest.partition("/")[0], []).append(one)
    for segment, entry in known.entries.items():
        own = of_segments.get(segment.text, [])
        gone = expired.get(segment, frozenset())
        if not gone and not _has_strangers(entry, own, before, since):
            continue
        try:
            live = _live_keys(store, entry, gone)
        except BackupError as error:
            sorted_out.unclear.append(str(error))
            expired.pop(segment, None)
            continue
        _sort_out(table, segment, own, live, gone, before, keeping.open_runs, sorted_out)
    uploads = [up for up in store.unfinished_uploads(prefix) if up.begun_at < before]
    return Sweep(
        table,
        expired,
        sorted_out.objects,
        sorted_out.orphans,
        uploads,
        sorted_out.unclear,
        {segment: entry.record.generation for segment, entry in known.entries.items()},
    )


def sweep(store: Store, planned: Sweep) -> None:
    """Remove what a plan says. Whoever restores one of its generations meanwhile keeps its objects.

    Records go last: where this is killed, they tell the next one what there is to remove.
    """
    if planned.expired:
        after = index.commit(store, planned.table, Change(expired=planned.expired))
    else:
        after = index.read(store, planned.table)
    current = {key for entry in after.entries.values() for key in keys_of(entry.record)}
    for segment, entry in after.entries.items():
        seen = planned.seen.get(segment, 0)
        for number in {n for n, _ in entry.became if n > seen} - {entry.record.generation}:
            since = backups.read_generation(store, planned.table, segment, number)
            current |= {*keys_of(since)} if since else set()
    named = [one.key for one in (*planned.objects, *planned.orphans) if one.key not in current]
    for is_record in (False, True):
        store.delete(key for key in named if ("/generations/" in key) is is_record)
    store.abort(planned.uploads)


def keys_of(record: Record) -> Iterator[str]:
    """The objects that a record names."""
    for part in (*record.parts, *record.quarantine):
        yield part.key
    if record.manifest:
        yield record.manifest


@dataclass
class _SortedOut:
    objects: list[Listed] = field(default_factory=list)
    orphans: list[Listed] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)


def _is_lost_chunk(one: Listed, rest: str, known: Index) -> bool:
    named = {*known.chunks.values(), *(key for key, _ in known.retired), root_key(known.table)}
    return bool(_CHUNK.fullmatch(rest)) and one.key not in named


def _has_strangers(
    entry: Entry, own: Iterable[Listed], before: datetime, since: datetime | None
) -> bool:
    """Whether an object lies there that the current record does not name, of an age to be looked at.

    Of any age: the record of a generation that was forgotten, whose objects may lie there still.
    """
    current = {*keys_of(entry.record)}
    named = {number for number, _ in entry.became}
    between = range(min(named, default=0), entry.record.generation)

    def is_forgotten(one: Listed) -> bool:
        match = _FORGOTTEN.search(one.key)
        return match is not None and int(match[1]) in between and int(match[1]) not in named

    return any(
        one.key not in current
        and one.modified_at < before
        and (since is None or one.modified_at >= since or is_forgotten(one))
        for one in own
    )


def _live_keys(store: Store, entry: Entry, gone: Collection[int]) -> set[str]:
    """The objects of the generations that stay, their records included. BackupError: one is not there."""
    record = entry.record
    live = {*keys_of(record)}
    for number, _ in entry.became:
        if number in gone:
            continue
        live.add(f"{backups.prefix(record.table, record.segment)}/generations/{number}.json")
        if number == record.generation:
            continue
        kept = backups.read_generation(store, record.table, record.segment, number)
        if kept is None:
            raise BackupError(
                f"backup of {record.table} {record.segment}: the record of generation {number} is not "
                "there, so nobody knows which objects it names: nothing of this segment is removed"
            )
        live |= {*keys_of(kept)}
    return live


def _sort_out(
    table: str,
    segment: Segment,
    own: Iterable[Listed],
    live: Collection[str],
    gone: Collection[int],
    before: datetime,
    open_runs: Collection[str],
    result: _SortedOut,
) -> None:
    """Tell the objects of one segment that may go: of generations that are gone, and nobody's."""
    prefix = f"{backups.prefix(table, segment)}/"
    for one in own:
        rest = one.key.removeprefix(prefix)
        if one.key in live:
            continue
        if match := _RECORD.fullmatch(rest):
            if int(match[1]) in gone:
                result.objects.append(one)
            elif one.modified_at < before:
                result.orphans.append(one)
        elif (
            (match := _OBJECT.fullmatch(rest))
            and one.modified_at < before
            and match[1] not in open_runs
        ):
            (result.objects if gone else result.orphans).append(one)
