"""Rows of cells (CSV, sheets of workbooks) to chunks of text columns.

The standard library's reader cuts the rows, not pandas': that one fills short lines up in silence
and cannot say on which line of the file a row began.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from orderhe_dagster.catalog.table import Table
from orderhe_dagster.errors import counted
from orderhe_dagster.intake.files.layout import (
    PlainLines,
    is_footnote,
    is_total,
    open_text,
    widen_cells,
)
from orderhe_dagster.intake.files.workbook import SheetRows
from orderhe_dagster.intake.importing.plan import Plan, visible
from orderhe_dagster.intake.importing.problems import Findings
from orderhe_dagster.intake.importing.source_file import (
    CHUNK_ROWS,
    Chunk,
    Lines,
    SourceFile,
    fault_of,
    open_lines,
)

if TYPE_CHECKING:
    pass

NULL = r"\N"
BLANK = 'a blank line: write "" for an empty text, or take the line out'
"""In a file of one column nothing tells the two apart, and passing a row over would lose it."""
UNCLOSED = (
    "no CSV: a quote that is not closed, or not doubled inside a cell; close it or write it twice"
)
_HELD_BACK = 3
"""Rows at the end that may be sums of the others."""


@dataclass
class Passed:
    """What was passed over while the rows were read, for the line of what was recognised."""

    totals: int = 0
    further_lines: int = 0  # of orders of which the table has one row
    filled_lines: int = 0  # of orders whose fields stand on their first line


@dataclass
class _Reading:
    """The rows of one reading of a file, and what is told of them."""

    table: Table
    plan: Plan
    findings: Findings
    passed: Passed
    rows: list[list[Any]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)  # the line that each row begins on
    odd: list[tuple[int, list[Any]]] = field(default_factory=list)  # of another width, yet untold
    blank: int = 0  # the last line that was blank

    def take(self, reader: Any) -> bool:
        """Take rows until a chunk is full, and some more that are held back; whether it was the end."""
        width, rows, starts, odd = self.plan.width, self.rows, self.starts, self.odd
        before = reader.line_num
        try:
            for row in reader:
                if len(row) == width:
                    rows.append(row)
                    starts.append(before + 1)
                    if odd:
                        self.tell_odd()
                elif row:
                    self.add_odd(row, before + 1)
                elif width == 1:  # elsewhere a blank line is passed over
                    self.findings.add(before + 1, self.plan.header[0], None, BLANK)
                else:
                    self.blank = before + 1
                before = reader.line_num
                if len(rows) == CHUNK_ROWS + _HELD_BACK:
                    return False
        except csv.Error:
            self.findings.add(before + 1, "", None, UNCLOSED)
        else:
            self.drop_totals()
        self.tell_odd()
        return True

    def add_odd(self, row: list[Any], line: int) -> None:
        """A row of another width: a sheet leaves empty cells at the end out; elsewhere it is wrong."""
        width = self.plan.width
        if self.findings.unit == "row":
            if not any(row):
                return
            if len(row) < width:
                self.rows.append([*row, *[None] * (width - len(row))])
                self.starts.append(line)
                return
        if len(self.odd) == _HELD_BACK:
            self.tell_odd()
        self.odd.append((line, row))

    def tell_odd(self) -> None:
        """Report the rows of another width."""
        width = self.plan.width
        for line, row in self.odd:
            few = "few" if len(row) < width else "many"
            message = (
                f"{counted(len(row), 'value')} where the header names "
                f"{counted(width, 'column')}: too {few}"
            )
            self.findings.add(line, "", None, message)
        self.odd.clear()

    def drop_totals(self) -> None:
        """Take the rows off the end that sum up the others, or are remarks."""
        width, needed = self.plan.width, _needed(self.table, self.plan)
        while self.odd and self._is_behind(*self.odd[-1], needed):
            self.odd.pop()
            self.passed.totals += 1
        while self.rows and not self.odd and self._sums_up(self.rows[-1], needed, width):
            self.rows.pop()
            self.starts.pop()
            self.passed.totals += 1

    def _is_behind(self, line: int, row: list[Any], needed: list[int]) -> bool:
        """A total, or a remark below a blank line; without that line, it may be a row that was cut."""
        if is_total(row, needed, self.plan.width):
            return True
        return len(row) == 1 and 0 < self.blank < line and is_footnote(row, needed)

    def _sums_up(self, row: list[Any], needed: list[int], width: int) -> bool:
        is_remark = self.findings.unit == "row" and is_footnote(row, needed)
        return is_remark or is_total(row, needed, width)


@contextmanager
def reader_of(source: SourceFile) -> Iterator[tuple[Any, Lines | PlainLines]]:
    """A reader of the file's rows behind its header, and the lines that it reads."""
    widen_cells()
    layout = source.layout
    if source.sheet is not None:
        rows = SheetRows(source.path)
        iterator = iter(rows)
        for _ in range(layout.header_rows + 1):
            next(iterator, None)
        yield _Iterated(iterator, rows), Lines([])
        return
    if source.encoding.is_plain:
        with open_lines(source.path, source.damage) as plain:
            yield _behind_header(plain, source), plain
        return
    with open_text(source.path, source.encoding) as text:
        lines = PlainLines(text)
        yield _behind_header(lines, source), lines


class _Iterated:
    """Rows that are being read already, with the number of the last."""

    def __init__(self, iterator: Iterator[list[str | None]], rows: SheetRows) -> None:
        self.iterator, self.rows = iterator, rows

    @property
    def line_num(self) -> int:
        """The row last given."""
        return self.rows.line_num

    def __iter__(self) -> Iterator[list[str | None]]:
        return self.iterator


class _Numbered:
    """A CSV reader some of whose lines were read before it."""

    def __init__(self, reader: Any, before: int) -> None:
        self.reader, self.before = reader, before

    @property
    def line_num(self) -> int:
        """The line of the file last read."""
        return int(self.reader.line_num) + self.before

    def __iter__(self) -> Iterator[list[str]]:
        return iter(self.reader)


def _behind_header(lines: Lines | PlainLines, source: SourceFile) -> Any:
    layout = source.layout
    iterator = iter(lines)
    for _ in range(layout.lead):
        next(iterator, None)
    reader = csv.reader(iterator, delimiter=layout.separator, quotechar=layout.quote, strict=True)
    for _ in range(layout.header_rows + 1):
        next(reader, None)
    lines.unclean = False
    return _Numbered(reader, layout.lead) if layout.lead else reader


def row_chunks(
    table: Table, source: SourceFile, plan: Plan, findings: Findings, passed: Passed
) -> Iterator[Chunk]:
    """The rows of a file behind its header."""
    with reader_of(source) as (reader, lines):
        if plan.order is not None:
            orders = _Orders(reader, plan, passed)
            chunks = _rows_chunked(table, orders.plan, orders, lines, findings, passed)
        else:
            chunks = _rows_chunked(table, plan, reader, lines, findings, passed)
        for chunk in chunks:
            yield _unwrapped(chunk) if source.layout.is_wrapped else chunk


def _unwrapped(chunk: Chunk) -> Chunk:
    """The cells without the =" and " around them, by which a spreadsheet keeps 0123 as a text."""
    import pyarrow.compute as pc

    return Chunk(
        {
            name: pc.replace_substring_regex(text, r'(?s)^="([^"]*)"$', r"\1")
            for name, text in chunk.columns.items()
        },
        chunk.lines,
    )


def _rows_chunked(
    table: Table,
    plan: Plan,
    reader: Any,
    lines: Lines | PlainLines,
    findings: Findings,
    passed: Passed,
) -> Iterator[Chunk]:
    reading = _Reading(table, plan, findings, passed)
    ended = False
    while not ended:
        ended = reading.take(reader)
        held = len(reading.rows) if ended else CHUNK_ROWS
        rows, starts = reading.rows[:held], reading.starts[:held]
        del reading.rows[:held], reading.starts[:held]
        if lines.unclean:
            rows, starts = _without_unclean(table, plan, rows, starts, findings)
            lines.unclean = any(_is_unclean(row) for row in reading.rows)
        if plan.nameless:
            _tell_nameless(plan, rows, starts, findings)
        if rows:
            yield _chunk(plan, rows, starts)


def _is_unclean(row: list[Any]) -> bool:
    return any(cell and fault_of(cell) for cell in row)


def _needed(table: Table, plan: Plan) -> list[int]:
    """The places of columns that need a value in every row."""
    return [
        at
        for at, name in plan.columns
        if at in plan.filled or (table.column(name).required and table.column(name).default is None)
    ]


def _chunk(plan: Plan, rows: list[list[str]], starts: list[int]) -> Chunk:
    import pyarrow as pa
    import pyarrow.compute as pc

    nothing = pa.scalar(None, pa.string())
    cells = list(zip(*rows, strict=True))
    columns = {}
    for at, name in plan.columns:
        text = pa.array(cells[at], pa.string())
        columns[name] = pc.if_else(pc.equal(text, NULL), nothing, text)
    for name, value in plan.fixed:
        columns[name] = pa.repeat(pa.scalar(value, pa.string()), len(rows))
    return Chunk(columns, starts)


def _without_unclean(
    table: Table, plan: Plan, rows: list[list[str]], starts: list[int], findings: Findings
) -> tuple[list[list[str]], list[int]]:
    clean: list[list[str]] = []
    kept: list[int] = []
    for row, line in zip(rows, starts, strict=True):
        wrong = [(name, row[at]) for at, name in plan.columns if fault_of(row[at])]
        for name, text in wrong:
            findings.add(line, table.column(name), visible(text), fault_of(text) or "")
        if not wrong:
            clean.append(row)
            kept.append(line)
    return clean, kept


def _tell_nameless(
    plan: Plan, rows: list[list[str]], starts: list[int], findings: Findings
) -> None:
    for at in plan.nameless:
        for row, line in islice(zip(rows, starts, strict=True), None):
            if row[at]:
                message = (
                    f"a value in column {at + 1}, which has no name in the header; name it there, or "
                    f"pass the column over by --map '#{at + 1}=-'"
                )
                findings.add(line, "", None, message)
                return


class _Orders:
    """The lines of a file in which one order has several, its fields on the first of them.

    Where the table has a row for each line, empty fields of the order are those of its first line;
    otherwise the further lines are passed over.
    """

    def __init__(self, reader: Any, plan: Plan, passed: Passed) -> None:
        from dataclasses import replace

        self.reader, self.passed = reader, passed
        self.plan = plan
        if plan.line_number is not None:
            self.plan = replace(
                plan,
                header=(*plan.header, "#"),
                columns=(*plan.columns, (plan.width, plan.line_number)),
            )
        self._given = plan.width
        self._rows = self._grouped()

    @property
    def line_num(self) -> int:
        """The line of the file last read."""
        return int(self.reader.line_num)

    def __iter__(self) -> Iterator[list[Any]]:
        return self._rows

    def _grouped(self) -> Iterator[list[Any]]:
        plan, at = self.plan, self.plan.order
        assert at is not None
        first: list[Any] = []
        number = 0
        for given in self.reader:
            row = given
            if len(row) != self._given:
                yield row
                continue
            number = number + 1 if first and row[at] == first[at] else 1
            if number == 1:
                first = row
            elif plan.of_lines:
                row = [
                    cell if cell or place in plan.line_places else first[place]
                    for place, cell in enumerate(row)
                ]
                self.passed.filled_lines += row != given
            elif all(not row[place] or row[place] == first[place] for place, _ in plan.columns):
                self.passed.further_lines += 1
                yield []
                continue
            yield [*row, str(number)] if plan.line_number is not None else row
