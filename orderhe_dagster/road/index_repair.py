"""The index of a table made anew where it is damaged or gone, of what else lies in the store.

Chunks whose bytes are what their names say tell which generation counted, and when each became current.
Where a chunk is lost, the records tell: of a segment the latest reading whose objects are sound. This is
done only where the index cannot be read: when a person asks for it, and by a run where what is left tells of
all that the warehouse has loaded (`guards`). Nothing else lists the store.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.ports.store import Object, Store
from orderhe_dagster.road import backups, index
from orderhe_dagster.road.backups import BackupError, Record
from orderhe_dagster.road.index_objects import (
    Entry,
    NewerFormatError,
    Origin,
    decoded_chunk,
    root_key,
)
from orderhe_dagster.road.points import RestoreError
from orderhe_dagster.road.seals import FIELD, sealed

_NOBODY = Origin()
_RECORD = re.compile(r"backup/[^/]+/([^/]+)/generations/(\d+)\.json")


@dataclass(frozen=True)
class Remade:
    """What the index of a table was made of: segments by its own chunks, and by their records alone."""

    table: str
    by_chunks: int
    by_records: int
    damaged: tuple[str, ...]  # chunks that are not what their names say

    def sentence(self) -> str:
        """What was done, for a person."""
        text = (
            f"{self.table}: its index was made anew: {self.by_chunks:,} segments as its parts say"
        )
        if self.by_records:
            text += f", {self.by_records:,} by their own records"
        if self.damaged:
            text += f"; not readable any more: {', '.join(self.damaged)}"
        return text


def remake(
    store: Store,
    table: str,
    loaded: Mapping[Segment, int] | None = None,
    origin: Origin | None = None,
) -> Remade | None:
    """Make the index of a table anew; None where it is sound.

    RestoreError where there is nothing to make it of, or not of these `loaded` generations or later ones;
    NewerFormatError where a newer orderhe wrote it. `origin`: the server that the rows are of, if that is
    known; else the damaged index is believed.
    """
    try:
        if index.read(store, table).etag is not None:
            return None
    except NewerFormatError:
        raise
    except BackupError:
        pass  # damaged: what this is for
    root = store.get(root_key(table))
    keys = [key for key, _ in store.listing(f"backup/{table}/")]
    entries, damaged = _of_chunks(
        store, [k for k in keys if k.startswith(f"backup/{table}/index/")]
    )
    by_chunks = len(entries)
    for segment, numbers in _numbers(keys).items():
        entry = _of_records(store, table, segment, numbers, entries.get(segment))
        if entry is not None:
            entries[segment] = entry
    if not entries:
        raise RestoreError(
            f"nothing is left of the backups of {table} in {store.url('backup/' + table)} that an index "
            "could name. Is it another bucket, prefix or ORDERHE_HOME? Nothing was changed"
        )
    lacking = sorted(
        segment
        for segment, number in (loaded or {}).items()
        if segment not in entries or entries[segment].record.generation < number
    )
    if lacking:
        raise RestoreError(
            f"what is left of the backups of {table} does not tell of {lacking[0]} what the warehouse has "
            "loaded"
        )
    if root is not None:
        digest = hashlib.sha256(root.body).hexdigest()
        store.put(f"backup/{table}/damaged/{digest}.json", root.body)
    index.put_anew(store, table, entries, origin or origin_of(root), root.etag if root else None)
    return Remade(table, by_chunks, len(entries) - by_chunks, tuple(damaged))


def _of_chunks(store: Store, keys: list[str]) -> tuple[dict[Segment, Entry], list[str]]:
    """What the chunks say, of each segment the one that knows of most; and those that say nothing."""
    entries: dict[Segment, Entry] = {}
    damaged = []
    for key, stored in zip(keys, store.get_many(keys), strict=True):
        try:
            found = decoded_chunk(key, stored.body) if stored else {}
        except (BackupError, ValueError, KeyError, TypeError):
            damaged.append(store.url(key))
            continue
        for segment, entry in found.items():
            known = entries.get(segment)
            entries[segment] = entry if known is None else max(known, entry, key=_age)
    return entries, damaged


def _age(entry: Entry) -> tuple[int, float, int]:
    """Of two that were verified at once, what had been forgotten by then tells the later."""
    return entry.record.generation, entry.record.verified_at.timestamp(), -len(entry.became)


def _numbers(keys: Iterable[str]) -> dict[Segment, list[int]]:
    """The generations whose records lie there, by segment, the latest first."""
    found: dict[Segment, list[int]] = {}
    for key in keys:
        match = _RECORD.fullmatch(key)
        if match:
            try:
                found.setdefault(Segment(match[1]), []).append(int(match[2]))
            except ValueError:
                continue  # no segment is called so: nobody of ours wrote it
    return {segment: sorted(numbers, reverse=True) for segment, numbers in found.items()}


def _of_records(
    store: Store, table: str, segment: Segment, numbers: list[int], known: Entry | None
) -> Entry | None:
    """The entry of a segment by its records, where they know of a later reading than its chunk did.

    Objects that are not sound are taken where there are no others: they are named then.
    """
    records = list[Record]()
    for number in numbers:
        if known is not None and number <= known.record.generation:
            break
        try:
            record = backups.read_generation(store, table, segment, number)
        except BackupError:
            continue
        # What was read before the chunk's was last seen had lost to it, or is no news.
        if record and (known is None or record.snapshot_at >= known.record.verified_at):
            records.append(record)
    if not records:
        return None
    sound = [record for record in records if _is_sound(store, record)]
    if known is not None and not sound:
        return None
    best = (sound or records)[0]
    became = [*(known.became if known else ())]
    became += [
        (one.generation, one.snapshot_at)
        for one in reversed(records)
        if one.generation <= best.generation
    ]
    # Where a number is left out, nobody knows any more whether it ever counted, and until when.
    ended = dict(known.ended if known else ())
    told = max(len(known.became) - 1, 0) if known else 0
    for (number, at), (after, _) in pairwise(became[told:]):
        if after > number + 1:
            ended.setdefault(number, at)
    return Entry(best, tuple(became), tuple(sorted(ended.items())))


def _is_sound(store: Store, record: Record) -> bool:
    hashes = store.hashes([part.key for part in record.parts])
    return all(found == part.sha256 for found, part in zip(hashes, record.parts, strict=True))


def origin_of(root: Object | None, maybe: Origin = _NOBODY) -> Origin:
    """Which server the rows are of, as far as a damaged root still says it; nobody where it does not.

    `maybe`, where the root was sealed with it: then a byte was altered in these very names.
    """
    try:
        raw: Mapping[str, object] = json.loads(root.body) if root else {}
        said = {"source": str(raw["source"]), "server": str(raw["server"])}
        given = {"source": maybe.identity, "server": maybe.server}
        body = {name: value for name, value in raw.items() if name != FIELD}
        if json.loads(sealed({**body, **given}, indent=1))[FIELD] == raw[FIELD]:
            return maybe
        return Origin(said["source"], said["server"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return _NOBODY
