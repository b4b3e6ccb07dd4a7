"""Whether the objects of backups are, byte for byte, as they were written: each that is not, by its key.

What is restored or mended because of it is not said here.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.ports.store import Object, Store
from orderhe_dagster.road import backups
from orderhe_dagster.road.backups import BackupError, Part, Record
from orderhe_dagster.road.points import Choice
from orderhe_dagster.road.remedies import again_command
from orderhe_dagster.road.seals import is_sealed

_ARCHIVE = re.compile(r"imports/[^/]+/([0-9a-f]{64})-.+")
GONE, ALTERED = "it is not there", "it is not as it was written (SHA-256)"


@dataclass(frozen=True)
class Damage:
    """One object that is not as it was written: its key, of which day, and whether rows depend on it."""

    table: str
    segment: Segment
    key: str
    url: str
    why: str
    has_rows: bool
    sound: int | None = None
    """A generation before of the segment whose objects are sound, where somebody looked for one."""
    earlier: int | None = None
    """The generation that it is of, where that counts no more: reading the source mends nothing of it."""

    def sentence(self, verb: str = "orderhe restore warehouse") -> str:
        """The object, what is wrong with it, and the command that mends it."""
        day = f" --from {self.segment} --to {self.segment}" if self.segment.day else ""
        if self.earlier is not None:
            return (
                f"{self.table} {self.segment}: {self.url}: {self.why}. It is of generation {self.earlier}, "
                "which counts no more: no run needs it, but it cannot be restored. Bring the object back "
                "from the bucket's versions, or from a copy; else the janitor takes it when it has had "
                "its time. To see that the one that counts is sound: orderhe restore warehouse --table "
                f"{self.table}{day} --dry-run"
            )
        again = again_command(self.table, [self.segment])
        text = f"{self.table} {self.segment}: {self.url}: {self.why}. From the source: {again}"
        if self.sound is None:
            return text
        return (
            f"{text}; without it, the generation before: {verb} --table {self.table}{day} "
            f"--generation {self.sound}"
        )


def check(store: Store, choices: Sequence[Choice]) -> list[Damage]:
    """What of the parts of these choices is damaged, by table and day."""
    records = [record for choice in choices for _, record in sorted(choice.records.items())]
    return [
        _with_sound(store, choices, one) if one.has_rows else one
        for one in _of_parts(store, records)
    ]


def check_all(store: Store, choices: Sequence[Choice]) -> Iterator[Damage]:
    """What of all that the index names of these segments is damaged: each generation, whole.

    The manifests and the records' own objects too, which no restore of what counts now reads. A
    generation before that is gone is no damage: retention may have taken it.
    """
    yield from check(store, choices)
    yield from _of_manifests(store, choices)
    for choice in choices:
        yield from _of_records(store, choice)
        earlier = list[Record]()
        for segment, entry in sorted(choice.known.entries.items()):
            for number in sorted({n for n, _ in entry.became} - {entry.record.generation}):
                try:
                    record = backups.read_generation(store, choice.table.name, segment, number)
                except BackupError as error:
                    named = replace(entry.record, generation=number)
                    damage = _damage(store, named, named.key, str(error))
                    yield replace(damage, earlier=number)
                    continue
                earlier += [record] if record else []
        current = {part.key for one in choice.records.values() for part in _parts(one)}
        generations = {
            part.key: one.generation
            for one in earlier
            for part in _parts(one)
            if part.key not in current
        }
        for damage in _of_parts(store, earlier):
            # A state that was restored shares its objects with the generation that it was taken from.
            if damage.key in generations:
                yield replace(damage, earlier=generations.pop(damage.key))


def check_others(store: Store) -> Iterator[str]:
    """What of the objects that no run reads is not as it was written: a sentence for each.

    The archives of imports are held to the SHA-256 in their names, the certificates of drills to their own.
    """
    archives = {
        key: match[1] for key, _ in store.listing("imports/") if (match := _ARCHIVE.fullmatch(key))
    }
    for (key, digest), found in zip(archives.items(), store.hashes([*archives]), strict=True):
        if found not in (digest, None):
            yield (
                f"{store.url(key)}: {ALTERED}. It is the archive of an import, which no run reads: bring the "
                "object back from the bucket's versions, or put the file there again; else move it away"
            )
    certificates = [key for key, _ in store.listing("restore/drills/")]
    for key, stored in zip(certificates, store.get_many(certificates), strict=True):
        if stored is not None and not is_sealed(stored.body):
            yield (
                f"{store.url(key)}: {ALTERED}. It is the certificate of a drill, which no run reads: move it "
                "away, and make a new one: orderhe restore --drill"
            )


def _parts(record: Record) -> tuple[Part, ...]:
    return (*record.parts, *record.quarantine)


def _of_parts(store: Store, records: Sequence[Record]) -> Iterator[Damage]:
    """Of each part, of rows or of quarantined ones, its SHA-256 as it lies there."""
    parts = [(record, part, part in record.parts) for record in records for part in _parts(record)]
    hashes = store.hashes([part.key for _, part, _ in parts])
    for (record, part, has_rows), found in zip(parts, hashes, strict=True):
        if found != part.sha256:
            why = GONE if found is None else ALTERED
            yield _damage(store, record, part.key, why, has_rows=has_rows)


def _of_manifests(store: Store, choices: Sequence[Choice]) -> Iterator[Damage]:
    """Of each manifest, whether it is the one of its parts.

    In a copy of the bucket they name the bucket that they were written for: all of them the same.
    """
    records = [
        record for choice in choices for _, record in sorted(choice.records.items()) if record.parts
    ]
    stored = store.get_many([record.manifest for record in records])
    bases = [_base(one, record) for one, record in zip(stored, records, strict=True)]
    own = {store.url(one.key).removesuffix(one.key) for one in records[:1]}
    usual = Counter(base for base in bases if base).most_common(1)
    accepted = own | {base for base, many in usual if many > 1}
    for one, record, base in zip(stored, records, bases, strict=True):
        if one is None:
            yield _damage(store, record, record.manifest, GONE)
        elif base not in accepted or one.body != _manifest(base, record.parts):
            yield _damage(store, record, record.manifest, "it does not name its parts")


def _base(stored: Object | None, record: Record) -> str:
    """What the addresses of a manifest begin with; '' where it is none."""
    try:
        url = json.loads(stored.body)["entries"][0]["url"] if stored else ""
    except (ValueError, KeyError, IndexError, TypeError):
        return ""
    return str(url).removesuffix(record.parts[0].key)


def _manifest(base: str, parts: Iterable[Part]) -> bytes:
    entries = [
        {"url": base + p.key, "mandatory": True, "meta": {"content_length": p.size}} for p in parts
    ]
    return json.dumps({"entries": entries}, indent=1).encode()


def _of_records(store: Store, choice: Choice) -> Iterator[Damage]:
    """Of each record that counts now, whether its own object says what the index says of it."""
    records = [
        record
        for segment, record in sorted(choice.records.items())
        if record.generation and choice.known.records.get(segment) == record
    ]
    stored = store.get_many([one.key for one in records])
    for record, one in zip(records, stored, strict=True):
        if one is None:
            yield _damage(store, record, record.key, GONE)
        elif not says(one, record):
            yield _damage(store, record, record.key, "it does not say what the index says of it")


def says(stored: Object | None, record: Record) -> bool:
    """Whether an object is the record, but for when it was last verified, which moves in the index."""
    if stored is None:
        return False
    try:
        written = backups.decoded_body(record.key, stored.body)
    except BackupError:
        return False
    if replace(written, verified_at=record.verified_at) != record:
        return False
    return written.verified_at <= record.verified_at


def _damage(store: Store, record: Record, key: str, why: str, *, has_rows: bool = False) -> Damage:
    return Damage(record.table, record.segment, key, store.url(key), why, has_rows)


def _with_sound(store: Store, choices: Sequence[Choice], damage: Damage) -> Damage:
    """The damage with the latest other generation of its segment that is sound, if there is one."""
    choice = next(one for one in choices if one.table.name == damage.table)
    chosen = choice.records[damage.segment].generation
    schema = backups.schema_fingerprint(choice.table)
    became = choice.known.entries[damage.segment].became
    for number in sorted({number for number, _ in became if number != chosen}, reverse=True):
        try:
            record = backups.read_generation(store, damage.table, damage.segment, number)
        except BackupError:
            continue
        if record is None or record.schema != schema:
            continue
        hashes = store.hashes([part.key for part in record.parts])
        if all(found == p.sha256 for found, p in zip(hashes, record.parts, strict=True)):
            return replace(damage, sound=number)
    return damage
