"""The objects of an index: what a root and a chunk say, and their text. Nothing is read or written here.

How they become current, and who wins, is in `index`.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from functools import cached_property
from typing import Any

from orderhe_dagster.catalog.days import ONE_DAY, windows
from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.ports.measures import Measure
from orderhe_dagster.road import backups
from orderhe_dagster.road.backups import BackupError, Record
from orderhe_dagster.road.seals import check_fields, check_seal, sealed

FORMAT = 2
_FIELDS = {
    *("format", "table", "source", "server", "chunks", "proven", "retired", "pointers", "floor"),
    "rows",
}
_CLOCKS = timedelta(hours=1)
"""How far ahead a moment may lie and still be believed."""


class NewerFormatError(BackupError):
    """An object of the index is of a format that this version does not read: nothing is damaged."""


@dataclass(frozen=True)
class Proven:
    """When source and backup of a segment were last seen to be those of the generation that counts.

    None: never since that became current.
    """

    source: datetime | None = None
    backup: datetime | None = None


@dataclass(frozen=True)
class Origin:
    """Where the rows of a table were read: the database, and the server whatever its name."""

    identity: str = ""
    server: str = ""


@dataclass(frozen=True)
class Entry:
    """A segment in the index: its current record, and when each generation became current.

    `ended`: until when the generations counted whose next ones are forgotten. What counted from then on,
    until the next that is named, is not known any more.
    """

    record: Record
    became: tuple[tuple[int, datetime], ...] = ()
    ended: tuple[tuple[int, datetime], ...] = ()

    def without(self, numbers: Collection[int]) -> Entry:
        """The entry that has forgotten these generations, but never the current one."""
        gone = {*numbers} - {self.record.generation}
        ended = dict(self.ended)
        for (number, _), (after, at) in zip(self.became, self.became[1:], strict=False):
            if after in gone:
                ended.setdefault(number, at)
        return replace(
            self,
            became=tuple(pair for pair in self.became if pair[0] not in gone),
            ended=tuple(pair for pair in sorted(ended.items()) if pair[0] not in gone),
        )

    def unknown_at(self, moment: datetime) -> tuple[datetime, datetime] | None:
        """The time around a moment of which nobody knows what counted; None where it is known."""
        ended = dict(self.ended)
        for (number, at), (_, until) in zip(self.became, self.became[1:], strict=False):
            since = ended.get(number)
            if at <= moment < until and since is not None and since <= moment:
                return since, until
        return None


@dataclass(frozen=True)
class Index:
    """What the index of one table says, all of one moment. `etag` is the root's, None: there is none."""

    table: str
    etag: str | None = None
    entries: Mapping[Segment, Entry] = field(default_factory=dict)
    proven: Mapping[Segment, Proven] = field(default_factory=dict)
    origin: Origin = Origin()
    chunks: Mapping[str, str] = field(default_factory=dict)  # chunk -> its key
    retired: tuple[tuple[str, datetime], ...] = ()  # chunks that are named no more, and since when
    pointers: tuple[Segment, ...] = ()  # of an earlier version, not yet retired
    floor: int = 0  # new segments are numbered above it: a lost index had numbers up to here

    def of(self, segments: Iterable[Segment]) -> Index:
        """What it says of these segments alone: a table may have been cut otherwise before."""
        wanted = set(segments)
        return replace(
            self,
            entries={s: entry for s, entry in self.entries.items() if s in wanted},
            proven={s: proven for s, proven in self.proven.items() if s in wanted},
        )

    def is_doubted(self, segment: Segment) -> bool:
        """Whether nobody has found the source to have the rows of its backup, or somebody others since."""
        seen = self.proven.get(segment)
        return seen is None or seen.source is None

    @cached_property
    def records(self) -> Mapping[Segment, Record]:
        """The current record of each segment."""
        return {segment: entry.record for segment, entry in self.entries.items()}


def root_key(table: str) -> str:
    """The key of the root."""
    return f"backup/{table}/index.json"


def is_empty(record: Record) -> bool:
    """Whether a segment has no row at all, not even one in quarantine."""
    return not (record.measure.rows or record.quarantined)


def empty_record(table: str, segment: Segment, schema: str, at: datetime) -> Record:
    """The record of a segment that never had a row, as of `at`."""
    return Record(
        table=table,
        segment=segment,
        generation=0,
        run_id="",
        manifest="",
        measure=Measure(0),
        touch=backups.NO_ROWS,
        parts=(),
        schema=schema,
        source="",
        snapshot_at=at,
        verified_at=at,
    )


def chunk_of(segment: Segment) -> str:
    """The chunk that a segment is in: its month, or its own name."""
    return segment.text[:7] if segment.day else segment.text


def encoded_chunk(table: str, chunk: str, entries: Mapping[Segment, Entry]) -> bytes:
    """A chunk as JSON: its records, and the days that never had a row as ranges."""
    records = {
        segment.text: backups.encoded(entry.record)
        | {"became": [[number, at.isoformat()] for number, at in entry.became]}
        | ({"ended": [[n, at.isoformat()] for n, at in entry.ended]} if entry.ended else {})
        for segment, entry in entries.items()
        if entry.record.generation
    }
    empty = [
        {
            "from": str(days[0]),
            "to": str(days[-1]),
            "schema": schema,
            "snapshot_at": snapshot_at.isoformat(),
            "verified_at": verified_at.isoformat(),
        }
        for days, (schema, snapshot_at, verified_at) in _runs(
            {
                segment: (entry.record.schema, entry.record.snapshot_at, entry.record.verified_at)
                for segment, entry in entries.items()
                if not entry.record.generation
            }
        )
    ]
    body = {
        "format": FORMAT,
        "table": table,
        "chunk": chunk,
        "write": uuid.uuid4().hex,  # no two writes have one name, so that each may remove its own
        "segments": records,
        "empty": empty,
    }
    return json.dumps(body, sort_keys=True).encode()


def decoded_chunk(key: str, body: bytes) -> dict[Segment, Entry]:
    """The entries of a chunk, which is held to the SHA-256 in its name. BackupError."""
    if hashlib.sha256(body).hexdigest() != key.rpartition("-")[2].removesuffix(".json"):
        raise BackupError(damaged(key.split("/")[1], key, "its bytes are not what was written"))
    raw: Mapping[str, Any] = json.loads(body)
    _check_format(key, raw)
    entries = {
        Segment(text): Entry(
            backups.decoded(key, record),
            *(
                tuple((number, datetime.fromisoformat(at)) for number, at in moments)
                for moments in (record["became"], record.get("ended", ()))
            ),
        )
        for text, record in raw["segments"].items()
    }
    for run in raw["empty"]:
        for segment in _between(run["from"], run["to"]):
            record = empty_record(
                raw["table"], segment, run["schema"], datetime.fromisoformat(run["snapshot_at"])
            )
            verified_at = datetime.fromisoformat(run["verified_at"])
            entries[segment] = Entry(replace(record, verified_at=verified_at))
    return entries


def encoded_root(index: Index) -> bytes:
    """The root as JSON; days in a row that were proven together are one range."""

    def text(moment: datetime | None) -> str | None:
        return moment.isoformat() if moment else None

    body = {
        "format": FORMAT,
        "table": index.table,
        "source": index.origin.identity,
        "server": index.origin.server,
        "chunks": dict(sorted(index.chunks.items())),
        "proven": [
            [str(run[0]), str(run[-1]), text(proven.source), text(proven.backup)]
            for run, proven in _runs(index.proven)
        ],
        "retired": [[key, since.isoformat()] for key, since in index.retired],
        "pointers": [segment.text for segment in index.pointers],
        "floor": index.floor,
        "rows": sum(entry.record.measure.rows for entry in index.entries.values()),
    }
    return sealed(body, indent=1)


def decoded_root(table: str, body: bytes, etag: str) -> Index:
    """What a root says, its chunks not read yet. BackupError."""
    key = root_key(table)
    try:
        raw: Mapping[str, Any] = json.loads(body)
        check_seal(raw, body)
        _check_format(key, raw)
        check_fields(raw, _FIELDS)
        if not isinstance(raw["chunks"], dict) or not isinstance(raw["floor"], int):
            raise TypeError("chunks or floor are none")
        proven: dict[Segment, Proven] = {}
        for first, last, source, backup in raw["proven"]:
            seen = Proven(*(_past(at) for at in (source, backup)))
            proven.update(dict.fromkeys(_between(first, last), seen))
        return Index(
            table,
            etag,
            proven=proven,
            origin=Origin(raw["source"], raw["server"]),
            chunks=raw["chunks"],
            retired=tuple((at, datetime.fromisoformat(since)) for at, since in raw["retired"]),
            pointers=tuple(map(Segment, raw["pointers"])),
            floor=raw["floor"],
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BackupError(damaged(table, key, f"it is no index ({error})")) from error


def _past(at: str | None) -> datetime | None:
    """A moment; None of one to come: a clock that was ahead must not keep a segment from its turn."""
    moment = datetime.fromisoformat(at) if at else None
    soon = datetime.now(timezone.utc) + _CLOCKS
    return moment if moment and moment < soon else None


def rows_of_root(table: str, body: bytes) -> int:
    """How many rows the backups of a table have, by its root. BackupError."""
    try:
        return int(json.loads(body)["rows"])
    except (KeyError, TypeError, ValueError) as error:
        key = root_key(table)
        raise BackupError(damaged(table, key, f"it is no index ({error})")) from error


def _check_format(key: str, raw: Mapping[str, Any]) -> None:
    if raw["format"] != FORMAT:
        raise NewerFormatError(
            f"{key} is of format {raw['format']}, and this version reads {FORMAT}: a newer orderhe wrote "
            "it. Nothing was changed. Install that version here too."
        )


def _runs(values: Mapping[Segment, Any]) -> list[tuple[list[Segment], Any]]:
    """Days in a row that have the same value, and what is no day by itself; in order."""
    days: dict[Any, list[date]] = {}
    others: list[tuple[list[Segment], Any]] = []
    for segment, value in sorted(values.items()):
        if segment.day:
            days.setdefault(value, []).append(segment.day)
        else:
            others.append(([segment], value))
    runs = [
        ([Segment.of(day) for day in (window.start, window.end - ONE_DAY)], value)
        for value, of_value in days.items()
        for window in windows(of_value)
    ]
    return sorted(runs, key=lambda run: run[0]) + others


def _between(first: str, last: str) -> list[Segment]:
    """The segments from one to another: days, or one that is no day."""
    start, end = Segment(first), Segment(last)
    if start.day is None or end.day is None:
        return [start]
    return [
        Segment.of(start.day + timedelta(days=number))
        for number in range((end.day - start.day).days + 1)
    ]


def damaged(table: str, key: str, why: str) -> str:
    """What is wrong with an object of the index, and the way out."""
    return (
        f"backup of {table}: {key}: {why}. Nothing was changed. Bring the object back from the bucket's "
        "versions; where there are none, make the index anew from what else lies there: "
        f"orderhe restore index --table {table}; where nothing does, move {root_key(table)} away and fill "
        "the backups again from the source: orderhe run '*' --accept lost_backups"
    )
