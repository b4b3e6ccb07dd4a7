"""The rows that were set apart, one by one: of which day, why, since which generation and until which.

Counts and sentences for checks are `quarantine_report`'s; the files are written by the adapters
(`resources.extract.faulty_rows`). Of the past, the generations that are kept tell and no others.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from orderhe_dagster.catalog.mysql_projection import FAULTS
from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.store import Store
from orderhe_dagster.rendering.masking import MASK
from orderhe_dagster.road import backups
from orderhe_dagster.road.backups import BackupError, Part, Record
from orderhe_dagster.road.index_objects import Entry
from orderhe_dagster.road.remedies import replay_command

WHY = "quarantined_because"
"""The member of a quarantined row that tells why; the others are its key."""
_MANY = "; "  # between the reasons of one row


class UnreadableError(BackupError):
    """An object of quarantined rows is gone, or not as it was written; `what` says which."""

    def __init__(self, what: str, record: Record) -> None:
        name, segment = record.table, record.segment
        super().__init__(
            f"{what}: which rows of {name} {segment} are in quarantine is told by reading them again: "
            f"{replay_command(name, [segment])}"
        )
        self.what = what


@dataclass(frozen=True)
class Reading:
    """One reading of a segment: the generation that it made, by which run, and when (the source's clock)."""

    generation: int
    run_id: str
    at: datetime

    @classmethod
    def of(cls, record: Record) -> Reading:
        """The reading that a record is of."""
        return cls(record.generation, record.run_id, record.snapshot_at)


@dataclass(frozen=True)
class ApartRow:
    """A row that was set apart: its key (personal data masked), why, and the reading that found it first.

    `until`: the reading in which it was set apart no more; None: it still is.
    """

    segment: Segment
    key: Mapping[str, Any]
    why: str
    since: Reading
    until: Reading | None = None

    @property
    def key_text(self) -> str:
        """The key for a person; '' of a table that has none to show."""
        return key_text(self.key)


@dataclass
class Apart:
    """What stands apart of a table: how many rows by segment, and the rows themselves.

    `problems`: which objects could not be read, each with a command; their rows are counted all the same.
    """

    counts: Counter[Segment] = field(default_factory=Counter)
    rows: list[ApartRow] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass
class Group:
    """The rows that one column set apart for one reason; a row with several is in several groups."""

    column: str
    reason: str
    since: Reading
    until: Reading | None = None
    values: Counter[str] = field(default_factory=Counter)  # that are told: none of personal data
    segments: Counter[Segment] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        """How many rows they are."""
        return self.segments.total()


def standing(store: Store, table: Table, entries: Mapping[Segment, Entry]) -> Apart:
    """What stands in quarantine by the current records, each row with the reading that set it apart."""
    result = Apart()
    for segment, entry in sorted(entries.items()):
        record = entry.record
        if not record.quarantined:
            continue
        result.counts[segment] += record.quarantined
        try:
            lines = lines_of(store, table, record)
        except BackupError as error:
            result.problems.append(str(error))
            continue
        since = _since(store, table, entry, lines)
        result.rows += [ApartRow(segment, *_split(line), since[_name(line)]) for line in lines]
    return result


def gone(store: Store, table: Table, entries: Mapping[Segment, Entry]) -> Apart:
    """What stood in quarantine and does no more, by all readings that are kept of these segments."""
    result = Apart()
    several = [entry for _, entry in sorted(entries.items()) if len(entry.became) > 1]
    readings_of = backups.in_parallel(lambda one: _readings(store, table, one), several, store)
    for entry, readings in readings_of:
        found, problems = readings
        result.problems += problems
        for row in _ended(entry.record.segment, found):
            result.rows.append(row)
            result.counts[row.segment] += 1
    return result


def lines_of(store: Store, table: Table, record: Record) -> list[dict[str, Any]]:
    """The quarantined rows of a record. BackupError: an object is gone, or not as it was written.

    Masked is what the contract calls personal data now, whatever it said when they were written.
    """
    rows: list[dict[str, Any]] = []
    for part in record.quarantine:
        rows += _lines(store, part, record)
    hidden = {column.name for column in table.columns if column.pii}
    return [_masked(table, row, hidden) for row in rows] if hidden else rows


def _masked(table: Table, row: Mapping[str, Any], hidden: Collection[str]) -> dict[str, Any]:
    result = {
        name: MASK if name in hidden and value is not None else value for name, value in row.items()
    }
    reasons = (
        (column, "" if column in hidden else value, reason)
        for column, reason, value in reasons_of(table, str(row.get(WHY)))
    )
    return result | {WHY: _MANY.join(" ".join(filter(None, words)) for words in reasons)}


def grouped(table: Table, rows: Iterable[ApartRow]) -> list[Group]:
    """The rows by column and reason, the most first."""
    groups: dict[tuple[str, str], Group] = {}
    for row in rows:
        for column, reason, value in reasons_of(table, row.why):
            group = groups.setdefault((column, reason), Group(column, reason, row.since, row.until))
            group.since = min(group.since, row.since, key=lambda one: one.at)
            if group.until and row.until:
                group.until = max(group.until, row.until, key=lambda one: one.at)
            group.segments[row.segment] += 1
            if value:
                group.values[value] += 1
    return sorted(groups.values(), key=lambda one: (-one.rows, one.column, one.reason))


def reasons_of(table: Table, why: str) -> Iterator[tuple[str, str, str]]:
    """Column, reason and value of each fault of a row; of a column that is not there now, all is reason."""
    for text in why.split(_MANY):
        names = [column.name for column in table.columns if text.startswith(f"{column.name} ")]
        column = max(names, key=len, default="")
        rest = text.removeprefix(column).strip()
        reason = next((one for one in FAULTS.values() if rest.endswith(one)), rest)
        yield column, reason, rest.removesuffix(reason).strip()


def key_text(row: Mapping[str, Any]) -> str:
    """The key in a row of quarantine, for a person."""
    return ", ".join(f"{name} = {value}" for name, value in row.items() if name != WHY)


def _lines(store: Store, part: Part, record: Record) -> Iterator[dict[str, Any]]:
    stored = store.get(part.key)
    if stored is None or hashlib.sha256(stored.body).hexdigest() != part.sha256:
        wrong = "is not there" if stored is None else "is not as it was written (SHA-256)"
        raise UnreadableError(f"{store.url(part.key)} {wrong}", record)
    for line in stored.body.splitlines():
        yield json.loads(line, parse_float=Decimal)


def _since(
    store: Store, table: Table, entry: Entry, lines: Sequence[Mapping[str, Any]]
) -> dict[tuple[Any, ...], Reading]:
    """Of each row that stands apart, the first of the readings in a row that set it apart."""
    result = {_name(line): Reading.of(entry.record) for line in lines}
    left = {*result}
    for number, _ in reversed(entry.became[:-1]):
        if not left:
            break
        try:
            record = backups.read_generation(
                store, entry.record.table, entry.record.segment, number
            )
            there = {_name(line) for line in lines_of(store, table, record)} if record else None
        except BackupError:
            there = None  # what it set apart nobody knows any more: the one before may tell
        if record is not None and there is not None:
            left &= there
            result.update(dict.fromkeys(left, Reading.of(record)))
    return result


def _readings(
    store: Store, table: Table, entry: Entry
) -> tuple[list[tuple[Reading, list[dict[str, Any]]]], list[str]]:
    """The readings of a segment that are kept, in order, each with the rows that it set apart."""
    found, problems = [], []
    current = entry.record
    for number, _ in entry.became:
        try:
            record: Record | None = current
            if number != current.generation:
                record = backups.read_generation(store, current.table, current.segment, number)
            if record is not None:
                found.append((Reading.of(record), lines_of(store, table, record)))
        except UnreadableError as error:
            is_current = number == current.generation
            problems.append(str(error) if is_current else _of_before(error, current, number))
        except BackupError as error:
            problems.append(str(error))
    return found, problems


def _of_before(error: UnreadableError, current: Record, number: int) -> str:
    return (
        f"{error.what}: it is of generation {number} of {current.table} {current.segment}, which counts no "
        "more, and no command makes it again"
    )


def _ended(
    segment: Segment, readings: Sequence[tuple[Reading, Sequence[Mapping[str, Any]]]]
) -> Iterator[ApartRow]:
    """The rows that one reading set apart and the next did not."""
    since: dict[tuple[Any, ...], tuple[int, Reading]] = {}
    for reading, lines in readings:
        now = Counter(_name(line) for line in lines)
        for name, (rows, first) in since.items():
            for _ in range(rows - now[name]):
                yield ApartRow(segment, *_split(dict(name)), first, reading)
        since = {
            name: (rows, since[name][1] if name in since else reading) for name, rows in now.items()
        }


def _name(line: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells a row from the others: its key and why. Masked keys are alike, and counted."""
    return tuple(line.items())


def _split(line: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    return {name: value for name, value in line.items() if name != WHY}, str(line.get(WHY))
