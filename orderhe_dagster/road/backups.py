"""Generations of a backup: immutable records of what one extract brought of one segment.

What a segment's backup is lives here; which generation counts is said by `index`, and how rows are
extracted or loaded elsewhere.

Keys in the store; `<segment>` is the text of a `catalog.segments.Segment`, an ISO day or `all`::

    backup/<table>/<segment>/<run>/part-00000.parquet     rows
    backup/<table>/<segment>/<run>/manifest.json          for COPY … MANIFEST
    backup/<table>/<segment>/<run>/quarantine-00000.jsonl keys of rows that cannot be carried, and why
    backup/<table>/<segment>/generations/<n>.json         the record; written once, never changed

Nothing ever lists a prefix to decide what to load. Earlier versions kept the record that counts as
`current.json` beside them: those are read once, to make the index (`read_pointers`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.errors import PortError, PreconditionFailed
from orderhe_dagster.ports.measures import Measure, Touch
from orderhe_dagster.ports.store import Store
from orderhe_dagster.road.seals import check_fields, check_seal, sealed

FORMAT = 1
NO_ROWS = Touch(0)
_Item = TypeVar("_Item")
_T = TypeVar("_T")


class BackupError(PortError):
    """A record in the store cannot be read or written. Names table, segment and key."""


@dataclass(frozen=True)
class Part:
    """One object of rows: its key, size in bytes and sha256 (hex)."""

    key: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Record:
    """One generation of one segment of a table."""

    table: str
    segment: Segment
    generation: int
    run_id: str
    manifest: str  # key of the COPY manifest; '' where there are no rows
    measure: Measure
    touch: Touch
    parts: tuple[Part, ...]
    schema: str  # fingerprint of the columns as written
    source: str
    snapshot_at: datetime  # when these rows were read, by the source's clock
    verified_at: datetime  # when the source was last seen to hold just these rows
    quarantine: tuple[Part, ...] = ()  # JSON lines: the rows that could not be carried
    quarantined: int = 0  # how many they are: in no part, in no measure
    nulled: Mapping[str, int] = field(default_factory=dict)  # column -> values that became NULL

    @property
    def key(self) -> str:
        """The key of its own object."""
        return f"{prefix(self.table, self.segment)}/generations/{self.generation}.json"

    @property
    def version(self) -> str:
        """What tells this content from any other of the segment."""
        return f"{self.generation}:{self.run_id}"

    def same_rows(self, other: Record) -> bool:
        """Whether both hold the same rows in the same columns."""
        return self._rows() == other._rows()

    def _rows(self) -> tuple[object, ...]:
        apart = (self.quarantined, self.nulled, [part.sha256 for part in self.quarantine])
        return (self.measure if self.measure.rows else 0, self.schema, apart)


_FIELDS = {"format", *(one.name for one in fields(Record))}


def prefix(table: str, segment: Segment) -> str:
    """Where everything of one segment lies."""
    return f"backup/{table}/{segment}"


def schema_fingerprint(table: Table) -> str:
    """The names and types of the columns, in order: equal means the parts fit, and their digest is ours."""
    import hashlib

    columns = [[c.name, c.type.declared, c.nullable] for c in table.columns]
    # Records of earlier versions have a digest that leaves bytes out: they are to be read again.
    rules = ["bytes digested"] if any(c.type.kind == "varbyte" for c in table.columns) else []
    if table.day_through:  # by another way, rows have other days
        day = table.day_through[-1].parent
        rules.append(f"{table.day_text}: {day.column(str(day.partition)).type.declared}")
    text = json.dumps([*columns, rules] if rules else columns)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def manifest_body(store: Store, parts: Sequence[Part]) -> bytes:
    """A Redshift COPY manifest: full addresses, all mandatory, exact sizes."""
    entries = [
        {"url": store.url(p.key), "mandatory": True, "meta": {"content_length": p.size}}
        for p in parts
    ]
    return json.dumps({"entries": entries}, indent=1).encode()


def read_generation(store: Store, table: str, segment: Segment, number: int) -> Record | None:
    """One generation's own record, whatever is current; None where there is none."""
    key = f"{prefix(table, segment)}/generations/{number}.json"
    stored = store.get(key)
    return decoded_body(key, stored.body) if stored is not None else None


def read_sound(store: Store, table: str, segment: Segment, number: int) -> Record | None:
    """One generation's own record for who can do without it: None also of one that is damaged."""
    try:
        return read_generation(store, table, segment, number)
    except BackupError:
        return None


def claim(store: Store, record: Record, generation: int) -> Record:
    """Write the record under the first free number from `generation` on.

    A number that is taken is of a run that crashed or lost a race: its record was never published.
    """
    base = prefix(record.table, record.segment)
    for number in range(generation, generation + 1000):
        numbered = replace(record, generation=number)
        body = sealed(encoded(numbered) | {"format": FORMAT})
        try:
            store.put(f"{base}/generations/{number}.json", body, if_none_match=True)
        except PreconditionFailed:
            continue
        return numbered
    raise BackupError(f"{base}/generations: no free number from {generation} on")


def write_again(store: Store, record: Record) -> None:
    """Put the object of a record as the index has it: it was lost, or altered on the disk."""
    store.put(record.key, sealed(encoded(record) | {"format": FORMAT}))


def download_parts(store: Store, record: Record, folder: Path) -> list[Path]:
    """The parts of a record, copied into `folder`, which is made here."""
    folder.mkdir()
    paths = [folder / f"part-{number:05d}.parquet" for number in range(len(record.parts))]
    for part, path in zip(record.parts, paths, strict=True):
        store.download(part.key, path)
    return paths


def read_pointers(store: Store, table: str, segments: Sequence[Segment]) -> dict[Segment, Record]:
    """The records that earlier versions kept as current, of each segment that has one."""
    keys = [f"{prefix(table, segment)}/current.json" for segment in segments]
    objects = zip(segments, keys, store.get_many(keys), strict=True)
    return {
        segment: decoded_body(key, obj.body)
        for segment, key, obj in objects
        if obj is not None and not _is_retired(obj.body)
    }


def retire_pointers(
    store: Store, table: str, segments: Sequence[Segment], root: str, newer: int
) -> None:
    """Put a word into the pointers of earlier versions: they stop, and say that a newer one is at work."""
    body = _text({"format": newer, "index": root})

    def retire(segment: Segment) -> None:
        store.put(f"{prefix(table, segment)}/current.json", body)

    for _ in in_parallel(retire, segments, store):
        pass


def _is_retired(body: bytes) -> bool:
    try:
        raw = json.loads(body)
    except ValueError:
        return False
    return isinstance(raw, dict) and "index" in raw


def in_parallel(
    work: Callable[[_Item], _T], items: Sequence[_Item], store: Store, *, writes: bool = False
) -> Iterator[tuple[_Item, _T]]:
    """What `work` makes of each item, in order, as many at once as the store takes well.

    `writes`: the work is to put an object, and little else.
    """
    at_once = store.writes_at_once if writes else store.requests_at_once
    if at_once == 1 or len(items) <= 1:
        yield from zip(items, map(work, items), strict=True)
        return
    with ThreadPoolExecutor(min(at_once, len(items))) as pool:
        yield from zip(items, pool.map(work, items), strict=True)


def _text(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True).encode()  # indented, it would take ten times as long


def encoded(record: Record) -> dict[str, Any]:
    """The record as JSON has it; read again by `decoded`."""
    body = vars(record) | {
        "segment": record.segment.text,
        "touch": vars(record.touch),
        "parts": [vars(part) for part in record.parts],
        "quarantine": [vars(part) for part in record.quarantine],
        "nulled": dict(record.nulled),
        "snapshot_at": record.snapshot_at.isoformat(),
        "verified_at": record.verified_at.isoformat(),
    }
    body["measure"] = {
        "rows": record.measure.rows,
        "sums": {name: str(total) for name, total in record.measure.sums.items()},
        "digest": str(record.measure.digest),  # beyond 2^53: not a JSON number for every reader
    }
    return body


def decoded_body(key: str, body: bytes) -> Record:
    """A record as its own object `key` has it. BackupError."""
    try:
        raw: Mapping[str, Any] = json.loads(body)
        check_seal(raw, body)
        version = raw["format"]
        if version == FORMAT:
            check_fields(raw, _FIELDS)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BackupError(_no_record(key, error)) from error
    if version != FORMAT:
        raise BackupError(f"{key}: format {version}, this version reads {FORMAT}")
    return decoded(key, raw)


def decoded(key: str, raw: Mapping[str, Any]) -> Record:
    """A record as `encoded` gave it, of the object `key`. BackupError."""
    try:
        measure = raw["measure"]
        return Record(
            table=raw["table"],
            segment=Segment(raw["segment"]),
            generation=raw["generation"],
            run_id=raw["run_id"],
            manifest=raw["manifest"],
            measure=Measure(
                measure["rows"],
                {name: Decimal(total) for name, total in measure["sums"].items()},
                int(measure["digest"]),
            ),
            touch=Touch(**raw["touch"]),
            parts=tuple(Part(**part) for part in raw["parts"]),
            schema=raw["schema"],
            source=raw["source"],
            snapshot_at=datetime.fromisoformat(raw["snapshot_at"]),
            verified_at=datetime.fromisoformat(raw["verified_at"]),
            # Records of earlier versions know no quarantine: they had none.
            quarantine=tuple(Part(**part) for part in raw.get("quarantine", ())),
            quarantined=raw.get("quarantined", 0),
            nulled=raw.get("nulled", {}),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BackupError(_no_record(key, error)) from error


def _no_record(key: str, error: Exception) -> str:
    _, table, segment, *_ = key.split("/")
    day = f" --from {segment} --to {segment}" if segment[:1].isdigit() else ""
    return (
        f"{key} is not a backup record ({error}). Move the object away, then back this up again: "
        f"orderhe run 'backup/{table}'{day}"
    )
