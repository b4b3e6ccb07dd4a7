"""Rows to a CSV file that spreadsheets and BI tools read alike, and its parts. Which rows: not said here."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

from orderhe_dagster.rendering.printing import csv_writer, text

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What spreadsheets take for the start of a formula; the last four are = + - @ at full width."""
SHEET_ROWS = 1_048_575
"""The rows that a sheet of Excel holds below the header."""
_CHUNK = 1 << 20


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


@dataclass(frozen=True)
class Written:
    """A CSV file as it was written: its rows, its bytes, and where it may be cut.

    `edges` are the bytes where its parts begin and the last one ends; two of them: it is small enough.
    """

    path: Path
    rows: int
    size: int
    edges: tuple[int, ...]


class CsvFile:
    """A CSV file that grows: UTF-8, header, LF. A part has at most so many bytes and rows.

    A row is never cut, so one that is larger than a part is a part of its own.
    """

    def __init__(
        self, file: IO[bytes], columns: Sequence[str], part_bytes: int, part_rows: int = SHEET_ROWS
    ) -> None:
        self._file = file
        self._part_bytes, self._part_rows = part_bytes, part_rows
        self._size = self._edge = 0
        self._edges: list[int] = []
        self._rows_before = self.rows = 0
        self._writer = csv_writer(self)
        self._writer.writerow([cell(name) for name in columns])
        self._header = self._size
        self._edges.append(self._size)
        self.rows = 0

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write some more rows."""
        self._writer.writerows([cell(value) for value in row] for row in rows)

    def write(self, line: str) -> None:
        """Write one row's text; a new part begins before it where the part would become too large."""
        data = line.encode("utf-8")
        if self._edges and self.rows > self._rows_before:
            grown = self._header + self._size - self._edges[-1] + len(data)
            if grown > self._part_bytes or self.rows - self._rows_before >= self._part_rows:
                self._edges.append(self._size)
                self._rows_before = self.rows
        self._file.write(data)
        self._size += len(data)
        self.rows += 1

    def written(self, path: Path) -> Written:
        """What was written; the file's bytes are on the disk then."""
        self._file.flush()
        os.fsync(self._file.fileno())
        edges = self._edges if self._edges[-1] == self._size else [*self._edges, self._size]
        return Written(path, self.rows, self._size, tuple(edges))


@contextmanager
def csv_file(path: Path, columns: Sequence[str], part_bytes: int) -> Iterator[CsvFile]:
    """A new CSV file at `path`, open for the block."""
    with path.open("wb") as file:
        yield CsvFile(file, columns, part_bytes)


def write_parts(whole: Written, folder: Path) -> list[Path]:
    """The file in parts, each with the header, in a new folder; none where one part holds it all.

    Their names hold a mark of the whole file's content, so that parts of two exports never mix.
    """
    if len(whole.edges) <= 2:
        return []
    folder.mkdir()
    parts: list[Path] = []
    with whole.path.open("rb") as source:
        mark = _digest(source)[:8]
        source.seek(0)
        header = source.read(whole.edges[0])
        many = len(whole.edges) - 1
        for number, (start, end) in enumerate(pairwise(whole.edges), 1):
            place = str(number).zfill(len(str(many)))
            path = folder / f"{whole.path.stem}-{mark}-{place}-of-{many}.csv"
            with path.open("wb") as target:
                target.write(header)
                _copy(source, target, end - start)
                target.flush()
                os.fsync(target.fileno())
            parts.append(path)
    return parts


def _copy(source: IO[bytes], target: IO[bytes], many: int) -> None:
    while many:
        chunk = source.read(min(many, _CHUNK))
        if not chunk:
            raise EOFError("the CSV file became shorter while it was cut into parts; export again")
        target.write(chunk)
        many -= len(chunk)


def _digest(source: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
