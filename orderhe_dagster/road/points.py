"""Which generation of each segment a restore takes: the current one, a chosen one, or a moment's.

Only generations that the index names are taken: what a crashed run left beside them never counted.
Nothing is restored here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orderhe_dagster.catalog.days import ONE_DAY, Window
from orderhe_dagster.catalog.segments import WHOLE, Segment, days_of, segments_of
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.store import Store
from orderhe_dagster.road import backups, index, index_objects
from orderhe_dagster.road.backups import Record
from orderhe_dagster.road.index_objects import Entry, Index
from orderhe_dagster.road.remedies import again_command, segments_text
from orderhe_dagster.road.step import Step

_SHOWN = 8
_INSTANT = timedelta(microseconds=1)


class RestoreError(PortError):
    """Nothing can be restored like this. Names table, day or object, and the next command."""


@dataclass(frozen=True)
class Point:
    """Which state is asked for: what counted at a moment, one generation, or (neither) what counts now."""

    as_of: datetime | None = None
    generation: int | None = None

    @property
    def is_now(self) -> bool:
        """Whether it is what counts now."""
        return self.as_of is None and self.generation is None


@dataclass(frozen=True)
class Choice:
    """What of a table is restored: the chosen record of each segment, and the index that told it.

    `unknown_then`: segments that had no backup at the moment that was asked for; they are chosen empty.
    """

    step: Step
    known: Index
    records: Mapping[Segment, Record]
    unknown_then: Sequence[Segment] = ()

    @property
    def is_whole(self) -> bool:
        """Whether it is all that the backups have of the table, not some of its days."""
        return self.records.keys() == self.known.entries.keys()

    @property
    def table(self) -> Table:
        """The table's contract."""
        return self.step.table

    @property
    def rows(self) -> int:
        """Rows in all of the chosen records."""
        return sum(record.measure.rows for record in self.records.values())

    @property
    def others(self) -> dict[Segment, Record]:
        """Of the chosen records, those whose content is not what counts now."""
        return {
            segment: record
            for segment, record in self.records.items()
            if not _is_alike(record, self.known.records[segment])
        }


def choose(
    table: Table, window: Window | None, history: Window, run_id: str, store: Store, point: Point
) -> Choice:
    """The records of the days of `window`, or of all that there is, at this point. RestoreError, BackupError.

    What has no days is taken whole. `history`: the days that the shop has.
    """
    step, known = _opened(table, window, history, run_id, store)
    if window is not None and table.partition:
        _require_days(table, window, known)
        wanted = segments_of(window)
    else:
        wanted = [*known.entries]
    chosen, unknown = _at(table, wanted, known, store, point)
    if window is not None and unknown:
        raise RestoreError(_too_early(table, unknown, known, point))
    if len(unknown) == len(wanted):
        raise RestoreError(_too_early(table, unknown, known, point))
    _require_columns(table, chosen, point)
    return Choice(replace(step, chosen=tuple(wanted)), known, chosen, unknown)


def everything(table: Table, history: Window, store: Store) -> Choice:
    """All that counts now of a table, whatever its columns are; to be looked at."""
    step, known = _opened(table, None, history, "check", store)
    return Choice(replace(step, chosen=(*known.entries,)), known, known.records)


def _opened(
    table: Table, window: Window | None, history: Window, run_id: str, store: Store
) -> tuple[Step, Index]:
    """The step, and the index of the table as it is cut now. RestoreError where there is no backup."""
    step = Step(table, history if table.partition else None, run_id, history, is_alone=True)
    known = index.read(store, table.name)
    if known.etag is None:
        known = index.take_over(store, table.name, step.cut)
    known = known.of(step.cut)
    if not known.entries:
        raise RestoreError(_no_backup(table, store))
    days = [day for day in days_of(known.entries) if day in history]
    if days:
        # What lay outside of the days was told by those that were over when it was backed up.
        history = Window(history.start, max(days) + ONE_DAY)
    window = (window or history) if table.partition else None
    return replace(step, window=window, history=history), known


def _at(
    table: Table, wanted: Sequence[Segment], known: Index, store: Store, point: Point
) -> tuple[dict[Segment, Record], list[Segment]]:
    """The record of each segment at a point; and those that had none, which are empty."""
    _require_kept(table, wanted, known, point)
    numbers = {
        segment: _number(table, segment, known.entries[segment], point) for segment in wanted
    }

    def record(segment: Segment) -> Record | None:
        current, number = known.entries[segment].record, numbers[segment]
        if number is None:
            return None
        if number == current.generation:
            return current
        found = backups.read_generation(store, table.name, segment, number)
        if found is None:
            raise RestoreError(_gone(table, segment, number, known.entries[segment], store))
        return found

    found = dict(backups.in_parallel(record, wanted, store))
    unknown = [segment for segment, one in found.items() if one is None]
    schema = backups.schema_fingerprint(table)
    records = {
        segment: one
        or index_objects.empty_record(
            table.name, segment, schema, known.entries[segment].record.snapshot_at
        )
        for segment, one in found.items()
    }
    return records, unknown


def _number(table: Table, segment: Segment, entry: Entry, point: Point) -> int | None:
    """The generation of a segment at a point; None where it had none. RestoreError."""
    current = entry.record.generation
    if point.generation is not None:
        named = sorted({number for number, _ in entry.became} | {current})
        if point.generation not in named:
            raise RestoreError(_no_generation(table, segment, point.generation, named))
        return point.generation
    if point.as_of is None or not current:  # a day that never had a row had none then either
        return current
    before = [number for number, at in entry.became if at <= point.as_of]
    return before[-1] if before else None


def _is_alike(record: Record, current: Record) -> bool:
    """Whether two generations are of the very same objects."""
    return record.generation == current.generation or (
        record.same_rows(current)
        and [part.sha256 for part in record.parts] == [part.sha256 for part in current.parts]
    )


def _require_days(table: Table, window: Window, known: Index) -> None:
    missing = [segment for segment in segments_of(window) if segment not in known.entries]
    if missing:
        there = sorted(segment for segment in known.entries if segment.day)
        span = f"they are of {there[0]} to {there[-1]}" if there else "there are none by day"
        raise RestoreError(
            f"no backup of {table.name} for {counted(len(missing), 'day')} of {window}, the first "
            f"{missing[0]}: {span}. Ask for these, or back the others up first: "
            f"{again_command(table.name, missing)}"
        )


def _require_kept(table: Table, wanted: Sequence[Segment], known: Index, point: Point) -> None:
    """RestoreError where the generation that counted at the moment is not kept any more."""
    if point.as_of is None:
        return
    spans = {
        segment: span
        for segment in wanted
        if (span := known.entries[segment].unknown_at(point.as_of)) is not None
    }
    if not spans:
        return
    zone = point.as_of.tzinfo
    moments = list[str]()
    for text, step in (("before", _earlier), ("after", _later)):
        moment: datetime | None = point.as_of
        while moment is not None and (at := step(moment, wanted, known)) != moment:
            moment = at
        if moment is not None:
            moments.append(f"--as-of {moment.astimezone(zone).isoformat()} ({text})")
    what = table.name if wanted == [WHOLE] else f"{table.name} {segments_text(sorted(spans))},"
    raise RestoreError(
        f"what counted of {what} at {_text(point.as_of)} is not kept any more (docs/janitor.md says what "
        f"is). Nothing was changed. The nearest moments that are: {', or '.join(moments)}"
    )


def _later(moment: datetime, wanted: Sequence[Segment], known: Index) -> datetime:
    """The moment, or a later one from which on more segments are known."""
    spans = (known.entries[segment].unknown_at(moment) for segment in wanted)
    return max((span[1] for span in spans if span), default=moment)


def _earlier(moment: datetime, wanted: Sequence[Segment], known: Index) -> datetime | None:
    """The moment, or an earlier one until which more segments were known; None where none was yet."""
    spans = (known.entries[segment].unknown_at(moment) for segment in wanted)
    before = min((span[0] - _INSTANT for span in spans if span), default=moment)
    firsts = [known.entries[s].became[0][1] for s in wanted if known.entries[s].became]
    return before if before >= min(firsts) else None


def _require_columns(table: Table, records: Mapping[Segment, Record], point: Point) -> None:
    """RestoreError where records are of other columns than the contract's."""
    wanted = backups.schema_fingerprint(table)
    others = [
        segment
        for segment, record in sorted(records.items())
        if record.schema != wanted and not index_objects.is_empty(record)
    ]
    if not others:
        return
    cure = (
        f"Back it up again: {again_command(table.name, others)}"
        if point.is_now
        else "Bring back the contract of that time (from your version control), in a folder of its own, "
        "and name the folder in ORDERHE_SQL for this command"
    )
    raise RestoreError(
        f"the backup of {table.name} {segments_text(others)}, was written with other columns than "
        f"{table.path} has now. Nothing was changed. {cure}"
    )


def _no_backup(table: Table, store: Store) -> str:
    where = store.url(index_objects.root_key(table.name))
    return (
        f"{table.name} has no backup: {where} is not there. Nothing was changed. Is it another bucket, "
        "prefix or ORDERHE_HOME? Name the right one in ORDERHE_S3_BUCKET, ORDERHE_S3_PREFIX or "
        f"ORDERHE_HOME; or leave the table out: name the others with --table; or back it up: "
        f"{again_command(table.name)}"
    )


def _no_generation(table: Table, segment: Segment, number: int, named: Sequence[int]) -> str:
    there = ", ".join(map(str, named[-_SHOWN:]))
    never = "never had" if number > named[-1] else "does not have, or not any more,"
    return (
        f"{table.name} {segment} {never} a generation {number} that counted; there are {there}. Nothing "
        f"was changed. Choose one of them: --generation {named[-1]}"
    )


def _gone(table: Table, segment: Segment, number: int, entry: Entry, store: Store) -> str:
    key = f"{backups.prefix(table.name, segment)}/generations/{number}.json"
    kept = [one for one, _ in entry.became if one > number]
    kept = kept[:1] or [entry.record.generation]
    return (
        f"generation {number} of {table.name} {segment} is gone: {store.url(key)} is not there. Nothing was "
        "changed. Bring the object back from the bucket's versions, or take a later one: --generation "
        f"{kept[0]}"
    )


def _too_early(table: Table, segments: Sequence[Segment], known: Index, point: Point) -> str:
    """No backup counted yet at that moment: the first moment at which one did."""
    assert point.as_of is not None
    firsts = [
        min(at for _, at in known.entries[segment].became)
        for segment in segments
        if known.entries[segment].became
    ]
    first = max(firsts).astimezone(point.as_of.tzinfo)
    what = table.name if segments == [WHOLE] else f"{table.name} {segments_text(segments)},"
    return (
        f"{what} had no backup yet at {_text(point.as_of)}. Nothing was changed. Ask for a later moment: "
        f"--as-of {_text(_ceil(first))}"
    )


def _ceil(moment: datetime) -> datetime:
    """The moment in whole seconds, not earlier."""
    whole = moment.replace(microsecond=0)
    return whole if whole == moment else whole + timedelta(seconds=1)


def _text(moment: datetime) -> str:
    """A moment as --as-of takes it."""
    return moment.isoformat(timespec="seconds")
