"""Rows to a CSV file that spreadsheets and BI tools read alike. Which rows is decided elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

from orderhe_dagster.printing import csv_writer, text

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What spreadsheets take for the start of a formula; the last four are = + - @ at full width."""


def cell(value: object) -> object:
    """A value as a cell: as `printing.text` has it, empty for NULL, no text that a spreadsheet runs.

    A leading apostrophe is what spreadsheets themselves use to say "this is text".
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return "'" + value if value.startswith(_FORMULA_STARTS) else value
    return text(value)


def uncell(text: str) -> str:
    """The text that `cell` made a cell of. One that began with an apostrophe itself loses it."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(_FORMULA_STARTS) else text


def write_rows(file: IO[str], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write a header and the rows to an open text file; return how many rows."""
    writer = csv_writer(file)
    writer.writerow([cell(name) for name in columns])
    count = 0
    for row in rows:
        writer.writerow([cell(value) for value in row])
        count += 1
    return count


def write_csv(
    path: Path,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    aside: Path | None = None,
) -> int:
    """Replace `path` whole or not at all: UTF-8, header, LF. Returns how many rows were written.

    The file grows in the folder `aside`, on the same disk; by default beside `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = (aside or path.parent) / f".{path.name}.{os.getpid()}.tmp"
    try:
        with aside.open("w", encoding="utf-8", newline="") as file:
            count = write_rows(file, columns, rows)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return count
