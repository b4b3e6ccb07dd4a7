"""Generations of a backup: immutable records and the pointer to the current one.

What a day's backup is and how it is committed lives here; how rows are extracted or loaded does not.

Keys in the store; `<segment>` is the text of a `catalog.segments.Segment`, an ISO day or `all`::

    backup/<table>/<segment>/<run>/part-00000.parquet     rows
    backup/<table>/<segment>/<run>/manifest.json          for COPY … MANIFEST
    backup/<table>/<segment>/<run>/quarantine-00000.jsonl keys of rows that cannot be carried, and why
    backup/<table>/<segment>/generations/<n>.json         the record; written once, never changed
    backup/<table>/<segment>/current.json                 the record that counts

Nothing ever lists a prefix to decide what to load.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.errors import PortError, PreconditionFailed
from orderhe_dagster.ports.measures import Measure, Touch
from orderhe_dagster.ports.store import Store

FORMAT = 1
_ATTEMPTS = 20


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
    def version(self) -> str:
        """What tells this content from any other of the segment."""
        return f"{self.generation}:{self.run_id}"

    def same_rows(self, other: Record) -> bool:
        """Whether both hold the same rows in the same columns."""
        return self._rows() == other._rows()

    def _rows(self) -> tuple[object, ...]:
        apart = (self.quarantined, self.nulled, [part.sha256 for part in self.quarantine])
        return (self.measure, self.schema, apart)


def prefix(table: str, segment: Segment) -> str:
    """Where everything of one segment lies."""
    return f"backup/{table}/{segment}"


def schema_fingerprint(table: Table) -> str:
    """The names and types of the columns, in order: equal means the parts fit, and their digest is ours."""
    import hashlib

    columns = [[c.name, c.type.declared, c.nullable] for c in table.columns]
    # Records of earlier versions have a digest that leaves bytes out: they are to be read again.
    rules = ["bytes digested"] if any(c.type.kind == "varbyte" for c in table.columns) else []
    text = json.dumps([*columns, rules] if rules else columns)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def manifest_body(store: Store, parts: Sequence[Part]) -> bytes:
    """A Redshift COPY manifest: full addresses, all mandatory, exact sizes."""
    entries = [
        {"url": store.url(p.key), "mandatory": True, "meta": {"content_length": p.size}}
        for p in parts
    ]
    return json.dumps({"entries": entries}, indent=1).encode()


def read_current(store: Store, table: str, segments: Sequence[Segment]) -> dict[Segment, Record]:
    """The current record of each segment that has one."""
    keys = [f"{prefix(table, segment)}/current.json" for segment in segments]
    objects = zip(segments, keys, store.get_many(keys), strict=True)
    return {segment: _decode(key, obj.body) for segment, key, obj in objects if obj is not None}


def read_generation(store: Store, table: str, segment: Segment, number: int) -> Record | None:
    """One generation's own record, whatever is current; None where there is none."""
    key = f"{prefix(table, segment)}/generations/{number}.json"
    stored = store.get(key)
    return _decode(key, stored.body) if stored is not None else None


def commit(store: Store, record: Record, known: Record | None = None) -> Record:
    """Make `record` the current generation of its segment, numbered after the one that is.

    Two small conditional writes. Where another run got in between, the later snapshot stays:
    returns the record that is current afterwards, ours or the newer one. `known` is what was current
    before the source was read: that cannot be newer, whatever a source's clock said of it.
    """
    base = prefix(record.table, record.segment)
    for _ in range(_ATTEMPTS):
        current = store.get(f"{base}/current.json")
        before = _decode(f"{base}/current.json", current.body) if current else None
        if before is not None and before != known and before.verified_at > record.snapshot_at:
            return before
        numbered = _claim(store, base, record, before.generation + 1 if before else 1)
        try:
            store.put(
                f"{base}/current.json",
                _encode(numbered),
                if_none_match=current is None,
                if_match=current.etag if current else None,
            )
        except PreconditionFailed:
            continue
        return numbered
    raise _kept_writing(record)


def _kept_writing(record: Record) -> BackupError:
    key = f"{prefix(record.table, record.segment)}/current.json"
    return BackupError(
        f"backup of {record.table} {record.segment}: other runs kept writing {key} "
        f"({_ATTEMPTS} tries). Run it again when they are done."
    )


def verify(store: Store, record: Record, verified_at: datetime) -> Record:
    """Note that the source still held the rows of the current generation at `verified_at`.

    Only the pointer is written; the generation stays. Returns the record that is current afterwards:
    this one, or what another run has seen later. PreconditionFailed where a run that had read the
    source earlier has put its rows there meanwhile: then the source must be read again.
    """
    key = f"{prefix(record.table, record.segment)}/current.json"
    for _ in range(_ATTEMPTS):
        current = store.get(key)
        if current is None:
            raise PreconditionFailed(f"{key} was removed meanwhile; run this again")
        standing = _decode(key, current.body)
        if standing.verified_at >= verified_at:
            return standing
        if standing.version != record.version:
            raise PreconditionFailed(
                f"{key}: a run that had read the source earlier wrote generation {standing.generation} "
                "meanwhile; read the source again"
            )
        noted = replace(standing, verified_at=verified_at)
        try:
            store.put(key, _encode(noted), if_match=current.etag)
        except PreconditionFailed:
            continue
        return noted
    raise _kept_writing(record)


def _claim(store: Store, base: str, record: Record, generation: int) -> Record:
    """Write the record under the first free number; a crashed run may have left one taken."""
    for number in range(generation, generation + 1000):
        numbered = replace(record, generation=number)
        try:
            store.put(f"{base}/generations/{number}.json", _encode(numbered), if_none_match=True)
        except PreconditionFailed:
            continue
        return numbered
    raise BackupError(f"{base}/generations: no free number from {generation} on")


def _encode(record: Record) -> bytes:
    body = asdict(record) | {
        "format": FORMAT,
        "segment": record.segment.text,
        "snapshot_at": record.snapshot_at.isoformat(),
        "verified_at": record.verified_at.isoformat(),
    }
    body["measure"] = {
        "rows": record.measure.rows,
        "sums": {name: str(total) for name, total in record.measure.sums.items()},
        "digest": str(record.measure.digest),  # beyond 2^53: not a JSON number for every reader
    }
    return json.dumps(body, indent=1, sort_keys=True).encode()


def _decode(key: str, body: bytes) -> Record:
    try:
        raw: Mapping[str, Any] = json.loads(body)
        if raw["format"] != FORMAT:
            raise BackupError(f"{key}: format {raw['format']}, this version reads {FORMAT}")
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
        raise BackupError(
            f"{key} is not a backup record ({error}). Materialize the backup of this day again "
            "after moving the file away."
        ) from error
