"""A large export with days, month by month: which months there are, and their files.

Only months that changed are read again; the file of all rows is joined of theirs. What is written
when is `exports`' to say.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.rendering.csv_files import Written, cut, join
from orderhe_dagster.road.audit import Loaded
from orderhe_dagster.road.export_order import MonthOrder
from orderhe_dagster.road.export_records import MonthFiles

EARLIER, LATER = "0000-earlier", "later"
"""The rows before the first month that anything was loaded of, and those behind the last or without a day.

The names sort as the rows do.
"""
Held = Mapping[str, Mapping[Segment, Loaded]]


@dataclass(frozen=True)
class Month:
    """A month of an export (`2026-11`): its rows as a condition, what they are made from, about how many."""

    name: str
    condition: str
    content: str
    about: int

    def select(self, table: Table, order: MonthOrder) -> str:
        """Its rows, in their order."""
        columns = ddl.quoted_names(table.column_names)
        return (
            f"select {columns} from (\n{order.rows}\n) as export"
            f" where {self.condition} order by {order.by}"
        )


def load_lines(
    held: Held, chosen: Callable[[Segment], bool] = lambda segment: True
) -> Iterator[str]:
    """What was loaded of the chosen segments, a line each."""
    for name, rows in sorted(held.items()):
        for segment, row in sorted(rows.items()):
            if chosen(segment):
                yield f"{name} {segment}={row.version} {row.rows} {row.digest} {row.inputs}"


def months_of(table: Table, held: Held, made_by: Sequence[str]) -> list[Month]:
    """The months from the first day that was loaded to the last, and the other rows.

    What is read as a whole, or lies outside of the days, counts for each. `made_by` is what makes
    other bytes of the same rows.
    """
    column = ddl.quoted(table.partition or "")
    days = [day for rows in held.values() for segment in rows if (day := segment.day)]
    if not days:
        return [Month(LATER, "true", _digest([*made_by, *load_lines(held)]), 0)]
    common = [*made_by, *load_lines(held, lambda segment: segment.day is None)]
    begins = list(_begins(min(days), max(days)))
    months: list[Month] = []
    for begin, end in zip(begins, [*begins[1:], _next(begins[-1])], strict=True):
        own = _between(begin, end)
        about = [sum(row.rows for at, row in rows.items() if own(at)) for rows in held.values()]
        months.append(
            Month(
                f"{begin:%Y-%m}",
                f"{column} >= {_literal(begin)} and {column} < {_literal(end)}",
                _digest([*common, *load_lines(held, own)]),
                max(about),
            )
        )
    first, after = _literal(begins[0]), _literal(_next(begins[-1]))
    later = f"{column} is null or {column} >= {after}"
    return [
        Month(EARLIER, f"{column} < {first}", _digest([*common, first]), 0),
        *months,
        Month(LATER, later, _digest([*common, after]), 0),
    ]


def _begins(first: date, last: date) -> Iterator[date]:
    begin = first.replace(day=1)
    while begin <= last:
        yield begin
        begin = _next(begin)


def _next(begin: date) -> date:
    return (begin + timedelta(days=31)).replace(day=1)


def _between(begin: date, end: date) -> Callable[[Segment], bool]:
    return lambda segment: segment.day is not None and begin <= segment.day < end


def _literal(day: date) -> str:
    return f"cast('{day}' as date)"


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


class MonthsFolder:
    """A new folder of an export's parts, to which each month adds its own, in order."""

    def __init__(self, folder: Path, stem: str) -> None:
        folder.mkdir()
        self.folder, self._stem = folder, stem
        self.parts: list[Path] = []
        self.months: dict[str, MonthFiles] = {}

    def add(self, month: Month, written: Written) -> None:
        """The parts of a month that was written now; the file is used up."""
        parts = cut(written, self.folder, f"{self._stem}-{month.name}")
        self._note(month.name, MonthFiles(month.content, written.rows, _names(parts)))

    def keep(self, name: str, kept: MonthFiles, before: Path) -> None:
        """The parts of a month that has not changed, from the folder of before, which keeps them."""
        for part in kept.parts:
            try:
                os.link(before / part, self.folder / part)
            except OSError:  # this disk has no such links
                shutil.copyfile(before / part, self.folder / part)
        self._note(name, kept)

    def _note(self, name: str, files: MonthFiles) -> None:
        self.months[name] = files
        self.parts += [self.folder / part for part in files.parts]

    def joined(self, path: Path, columns: Sequence[str]) -> Written:
        """All rows in one new file."""
        size = join(self.parts, columns, path)
        return Written(path, sum(month.rows for month in self.months.values()), size, ())


def _names(paths: Iterable[Path]) -> tuple[str, ...]:
    return tuple(path.name for path in paths)
