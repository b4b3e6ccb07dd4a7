"""Rows to a CSV file that spreadsheets and BI tools read alike, and its parts. Which rows: not said here."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from orderhe_dagster.rendering.csv_lines import FORMULA_STARTS, lines_select
from orderhe_dagster.rendering.printing import csv_writer, text

if TYPE_CHECKING:
    import pyarrow as pa

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
        return "'" + value if value.startswith(FORMULA_STARTS) else value
    return text(value)


def uncell(text: str) -> str:
    """The text that `cell` made a cell of. One that began with an apostrophe itself loses it."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(FORMULA_STARTS) else text


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
        self._writer = csv_writer(self)
        self._rows_before = self.rows = 0
        self._header = self._size = file.write(_header(columns))
        self._edges = [self._size]

    def select(self, columns: Sequence[tuple[str, str]], source: str) -> str | None:
        """The lines as `add` would write them, for who computes them in DuckDB: see `csv_lines`."""
        return lines_select(columns, source)

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write some more rows."""
        self._writer.writerows([cell(value) for value in row] for row in rows)

    def write(self, line: str) -> None:
        """Write one row's text."""
        data = line.encode("utf-8")
        self._put(data, (len(data),))

    def add_lines(self, lines: pa.Array) -> None:
        """Write some more rows, of which an engine has made the lines: an Arrow array of texts."""
        wide: Literal["q", "i"] = "q" if str(lines.type).startswith("large") else "i"
        _, offsets, data = lines.buffers()
        if not len(lines) or data is None:
            return
        every = memoryview(offsets).cast("B").cast(wide)
        ends = every[lines.offset : lines.offset + len(lines) + 1]
        self._put(memoryview(data)[ends[0] : ends[-1]], ends[1:], ends[0])

    def _put(self, data: bytes | memoryview, ends: Sequence[int], start: int = 0) -> None:
        """Write whole lines, which end at `ends`, counted from `start`; parts begin where they must.

        A part takes as many lines as it has room for, and its first one always.
        """
        shift, at = self._size - start, 0  # what an end lacks to a place in the file
        while at < len(ends):
            room = self._edges[-1] + self._part_bytes - self._header - shift
            most = at + self._part_rows - (self.rows + at - self._rows_before)
            to = bisect_right(ends, room, at, max(at, min(len(ends), most)))
            if to == at and self.rows + at == self._rows_before:
                to = at + 1
            if to < len(ends):
                self._edges.append((ends[to - 1] if to else start) + shift)
                self._rows_before = self.rows + to
            at = to
        self._file.write(data)
        self._size += len(data)
        self.rows += len(ends)

    def written(self, path: Path) -> Written:
        """What was written; the file's bytes are on the disk then."""
        self._file.flush()
        os.fsync(self._file.fileno())
        edges = self._edges if self._edges[-1] == self._size else [*self._edges, self._size]
        return Written(path, self.rows, self._size, tuple(edges))


def _header(columns: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv_writer(text).writerow([cell(name) for name in columns])
    return text.getvalue().encode("utf-8")


@contextmanager
def csv_file(path: Path, columns: Sequence[str], part_bytes: int) -> Iterator[CsvFile]:
    """A new CSV file at `path`, open for the block."""
    with path.open("wb") as file:
        yield CsvFile(file, columns, part_bytes)


def first_rows(path: Path, most: int) -> list[list[str]]:
    """The first rows of a CSV file below its header, as texts; formulas stay guarded as they are there."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows, None)
        return list(islice(rows, most))


def write_parts(whole: Written, folder: Path) -> list[Path]:
    """The file in parts, each with the header, in a new folder; none where one part holds it all.

    Their names hold a mark of the whole file's content, so that parts of two exports never mix.
    """
    if len(whole.edges) <= 2:
        return []
    folder.mkdir()
    return cut(whole, folder, whole.path.stem)


def cut(whole: Written, folder: Path, stem: str) -> list[Path]:
    """The file in parts, one or more, in a folder that is there; none where it has no rows.

    A file that is one part is moved there.
    """
    many = len(whole.edges) - 1
    parts: list[Path] = []
    if not many:
        return parts
    with whole.path.open("rb") as source:
        mark = _digest(source)[:8]
        source.seek(0)
        header = source.read(whole.edges[0])
        for number, (start, end) in enumerate(pairwise(whole.edges), 1):
            place = str(number).zfill(len(str(many)))
            path = folder / f"{stem}-{mark}-{place}-of-{many}.csv"
            parts.append(path)
            if many == 1:
                whole.path.replace(path)
                break
            with path.open("wb", buffering=0) as target:
                target.write(header)
                _copy(source, start, end - start, target)
                os.fsync(target.fileno())
    return parts


def join(parts: Sequence[Path], columns: Sequence[str], path: Path) -> int:
    """One new file of the rows of all parts; return its bytes, which are on the disk then."""
    header = _header(columns)
    with path.open("wb", buffering=0) as target:
        target.write(header)
        for part in parts:
            with part.open("rb") as source:
                _copy(source, len(header), part.stat().st_size - len(header), target)
        os.fsync(target.fileno())
    return path.stat().st_size


def _copy(source: IO[bytes], start: int, many: int, target: io.FileIO) -> None:
    """Append so many bytes of `source` to `target`: in the kernel, where the system and the disk can."""
    copy_range = getattr(os, "copy_file_range", None)
    while many and copy_range:
        try:
            copied = copy_range(source.fileno(), target.fileno(), many, offset_src=start)
        except OSError:
            break  # a full disk fails again below
        if not copied:
            break
        start, many = start + copied, many - copied
    source.seek(start)
    while many:
        chunk = memoryview(source.read(min(many, _CHUNK)))
        if not chunk:
            raise EOFError("the CSV file became shorter while it was copied; export again")
        many -= len(chunk)
        while chunk:
            chunk = chunk[target.write(chunk) :]


def _digest(source: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
