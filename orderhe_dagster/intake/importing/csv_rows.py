"""CSV to chunks of text columns.

The standard library's reader cuts the rows, not pandas': that one fills short lines up in silence
and cannot say on which line of the file a row began.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orderhe_dagster.catalog.table import Table
from orderhe_dagster.intake.importing.problems import Findings
from orderhe_dagster.intake.importing.source_file import (
    CHUNK_ROWS,
    Chunk,
    Lines,
    check_header,
    fault_of,
    open_lines,
    visible,
)

NULL = r"\N"
BLANK = 'a blank line: write "" for an empty text, or take the line out'
"""In a file of one column nothing tells the two apart, and passing a row over would lose it."""


def csv_chunks(table: Table, path: Path, findings: Findings) -> Iterator[Chunk]:
    """The rows of a CSV file. ImportProblems at once where the header is wrong."""
    with open_lines(path) as lines:
        reader = csv.reader(lines, strict=True)
        try:
            header = next(reader, None)
        except csv.Error as error:
            header = None
            findings.add(1, "", None, f"the header is no CSV: {error}")
            findings.stop_if_any()
        if header is None:
            findings.add(1, "", None, "the file is empty; its first line must name the columns")
            findings.stop_if_any()
            return
        check_header(table, header, findings)
        lines.unclean = False
        yield from _rows_chunked(table, header, reader, lines, findings)


def _rows_chunked(
    table: Table, header: list[str], reader: Any, lines: Lines, findings: Findings
) -> Iterator[Chunk]:
    width = len(header)
    rows: list[list[str]] = []
    starts: list[int] = []
    before = reader.line_num
    while True:
        ended = False
        try:
            for row in reader:
                if len(row) == width:
                    rows.append(row)
                    starts.append(before + 1)
                elif row:
                    few = "few" if len(row) < width else "many"
                    message = f"{len(row)} values where the header names {width} columns: too {few}"
                    findings.add(before + 1, "", None, message)
                elif width == 1:  # elsewhere a blank line is passed over
                    findings.add(before + 1, header[0], None, BLANK)
                before = reader.line_num
                if len(rows) == CHUNK_ROWS:
                    break
            else:
                ended = True
        except csv.Error as error:
            message = f"no CSV: {error}; look for a quote that is not closed or not doubled"
            findings.add(before + 1, "", None, message)
            ended = True
        if lines.unclean:
            rows, starts = _without_unclean(table, header, rows, starts, findings)
            lines.unclean = False
        if rows:
            yield _chunk(header, rows, starts)
        if ended:
            return
        rows, starts = [], []


def _chunk(header: list[str], rows: list[list[str]], starts: list[int]) -> Chunk:
    import pyarrow as pa
    import pyarrow.compute as pc

    nothing = pa.scalar(None, pa.string())
    columns = {}
    for name, values in zip(header, zip(*rows, strict=True), strict=True):
        text = pa.array(values, pa.string())
        columns[name] = pc.if_else(pc.equal(text, NULL), nothing, text)
    return Chunk(columns, starts)


def _without_unclean(
    table: Table, header: list[str], rows: list[list[str]], starts: list[int], findings: Findings
) -> tuple[list[list[str]], list[int]]:
    clean: list[list[str]] = []
    kept: list[int] = []
    for row, line in zip(rows, starts, strict=True):
        wrong = [(name, text) for name, text in zip(header, row, strict=True) if fault_of(text)]
        for name, text in wrong:
            findings.add(line, table.column(name), visible(text), fault_of(text) or "")
        if not wrong:
            clean.append(row)
            kept.append(line)
    return clean, kept
