"""The proof of backups: is what the index says still what the source and the store hold? By the rota.

Nothing is mended here: what is in doubt is read again by `extracts`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

from orderhe_dagster.catalog.segments import Segment, segments_of
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.measures import Measure
from orderhe_dagster.ports.source import Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.road import measures
from orderhe_dagster.road.backups import Record
from orderhe_dagster.road.guards import Rules, are_many, check_lost
from orderhe_dagster.road.index_objects import Index, Proven
from orderhe_dagster.road.rota import Budget, Turn, choose, nights, piece_rows, scopes
from orderhe_dagster.road.step import Step


@dataclass
class Proof:
    """What a look at the backups came to: what is in doubt, and what was proven of which record."""

    doubted: set[Segment] = field(default_factory=set)
    unsound: set[Segment] = field(default_factory=set)  # of them, those whose objects are not
    proven: dict[Segment, tuple[Record, Proven]] = field(default_factory=dict)
    segments: int = 0  # that there are, besides those that are read anyhow
    nights: int = 1  # in which every one of them comes round

    def sentence(self) -> str:
        """How much was proven, for a person, and when all of it will have been."""
        looked_at = len(self.proven) + len(self.doubted)
        if looked_at == self.segments:
            return f"{counted(looked_at, 'segment')} proven beside, which are all"
        many = f"{looked_at:,} of {counted(self.segments, 'segment')} proven beside"
        return f"{many}; by turns, all of them in {counted(self.nights, 'night')}"


def prove_backups(
    step: Step,
    known: Index,
    leave_out: Collection[Segment],
    source: Source,
    store: Store,
    rules: Rules,
) -> Proof:
    """Prove the segments whose turn it is, but those that are read anyhow. BackupError: see `guards`.

    Those that the step was asked for come besides, and before all others.
    """
    proof = Proof()
    records = {
        segment: record for segment, record in known.records.items() if segment not in leave_out
    }
    rows = {segment: record.measure.rows for segment, record in records.items()}
    seen = {s: known.proven.get(s, Proven()) for s in records}
    asked = {*step.segments}
    of_backup = _chosen(
        {s: Turn(rows[s], seen[s].backup, s in asked) for s in records}, rules.budget
    )
    sound, unsound = _looked_at(store, [records[segment] for segment in of_backup])
    if are_many(
        len(unsound), sum(1 for s in of_backup if rows[s])
    ):  # of these: but of all of them?
        sound, unsound = _looked_at(store, list(records.values()))
    proof.unsound = unsound
    check_lost(step.table, unsound, sum(1 for s in sound if rows[s]), rules)
    turns = {s: Turn(rows[s], seen[s].source, s in asked) for s in records if s not in unsound}
    of_source = _chosen(turns, rules.budget)
    proof.segments, proof.nights = len(records), nights(turns, rules.budget)
    live = _measured(step, of_source, records, source, rules.budget)
    now = datetime.now(timezone.utc)
    for segment in sorted({*sound, *live}):
        record = records[segment]
        equal = segment in live and measures.same(live[segment], record.measure)
        if segment in unsound or (segment in live and not equal):
            proof.doubted.add(segment)
            continue
        proof.proven[segment] = (
            record,
            Proven(now if equal else None, now if segment in sound else None),
        )
    return proof


def _chosen(turns: Mapping[Segment, Turn], budget: Budget) -> list[Segment]:
    """Those whose turn it is, and before them those that were asked for: both have the whole budget."""
    asked = {segment: turn for segment, turn in turns.items() if turn.is_asked}
    others = {segment: turn for segment, turn in turns.items() if not turn.is_asked}
    return [*choose(asked, budget), *choose(others, budget)]


def _looked_at(store: Store, records: Sequence[Record]) -> tuple[dict[Segment, bool], set[Segment]]:
    """Whether the objects of each record are sound; and the segments that lack one, or have it damaged."""
    sound = soundness(store, records)
    unsound = {segment for segment, is_whole in sound.items() if not is_whole}
    return sound, unsound | _without_manifest(store, records)


def _without_manifest(store: Store, records: Sequence[Record]) -> set[Segment]:
    """The segments whose manifest is gone. It may name other addresses, where the store was copied."""
    with_rows = [record for record in records if record.parts]
    sizes = store.sizes([record.manifest for record in with_rows])
    return {r.segment for r, size in zip(with_rows, sizes, strict=True) if size is None}


def _measured(
    step: Step,
    segments: Sequence[Segment],
    records: Mapping[Segment, Record],
    source: Source,
    budget: Budget,
) -> dict[Segment, Measure]:
    """The measures of segments, which are in the order of their turns, as many as the time allows."""
    wanted, live = set(segments), dict[Segment, Measure]()
    known = {segment: records[segment].measure for segment in segments}
    rows = {segment: measure.rows for segment, measure in known.items()}
    turn = {segment: place for place, segment in enumerate(segments)}
    total = sum(rows[segment] for segment in segments)
    pieces = scopes(segments, rows, step.outside, piece_rows(budget, total))
    # What the time did not reach yesterday comes first today: in the order of days it never would.
    pieces.sort(key=lambda scope: min(turn.get(s, len(turn)) for s in segments_of(scope)))
    began = time.monotonic()
    for scope in pieces:
        live.update(source.measure(step.table, scope, known))
        if budget.seconds is not None and time.monotonic() - began > budget.seconds:
            break
    return {segment: measure for segment, measure in live.items() if segment in wanted}


def soundness(store: Store, records: Sequence[Record]) -> dict[Segment, bool]:
    """Whether all objects of each record are there, as they were written: by their SHA-256."""
    parts = [(record, part) for record in records for part in (*record.parts, *record.quarantine)]
    hashes = store.hashes([part.key for _, part in parts])
    sound = {record.segment: True for record in records}
    for (record, part), found in zip(parts, hashes, strict=True):
        if found != part.sha256:
            sound[record.segment] = False
    return sound


def objects_wrong(store: Store, record: Record) -> list[str]:
    """What is wrong with the objects of a record, for a person; often nothing."""
    parts = [*record.parts, *record.quarantine]
    texts = []
    for part, found in zip(parts, store.hashes([part.key for part in parts]), strict=True):
        if found is None:
            texts.append(f"{store.url(part.key)} is not there")
        elif found != part.sha256:
            texts.append(f"{store.url(part.key)} is not as it was written (SHA-256)")
    return texts
