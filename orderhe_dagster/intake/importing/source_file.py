"""The file under an import: its bytes as lines, its header, its faults, and what a chunk of it is."""

from __future__ import annotations

import difflib
import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orderhe_dagster.catalog.table import Column, Table
from orderhe_dagster.intake.importing.problems import Findings

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK_ROWS = 32_768
_BUFFER_BYTES = 1 << 20
_NUL_MARK = "\udc00"  # for NUL, which csv of Python 3.10 does not read; escapes begin at dc80


@dataclass(frozen=True)
class Chunk:
    """Rows as text: one array of strings a column (NULL where there is no value), all of a length."""

    columns: dict[str, pa.Array]
    lines: Sequence[int]  # of the file, where each row begins


class Damaged(Exception):
    """A gzip file that cannot be unpacked to its end. `line`: where it breaks off."""

    def __init__(self, good: int, error: Exception) -> None:
        self.line = good + 1
        whole = f"line {good} is the last that came out whole" if good else "no line came out whole"
        super().__init__(
            f"the gzip file is damaged or cut short ({error}): {whole}; fetch the file again"
        )


@contextmanager
def open_lines(path: Path) -> Iterator[Lines]:
    """The lines of a file, gzipped or not."""
    with path.open("rb") as raw:
        if path.suffix.lower() == ".gz":
            with gzip.GzipFile(fileobj=raw) as file:
                yield Lines(io.BufferedReader(_Unpacked(file), _BUFFER_BYTES))
        else:
            yield Lines(raw)


class _Unpacked(io.RawIOBase):
    """Gives what is unpacked as it comes, so that what precedes damage is not lost with it."""

    def __init__(self, file: gzip.GzipFile) -> None:
        self.file = file

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as there is something; how many bytes that were."""
        part = self.file.read1(len(buffer))
        buffer[: len(part)] = part
        return len(part)


class Lines:
    """The lines of a file as text. `unclean`: a byte since it was last set to False was no text."""

    def __init__(self, file: Iterable[bytes]) -> None:
        self.file, self.unclean = file, False

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        """(number from 1, bytes) of each line. Damaged where the rest cannot be unpacked."""
        number = 0
        try:
            for number, line in enumerate(self.file, 1):
                yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise Damaged(number, error) from error

    def __iter__(self) -> Iterator[str]:
        for _, body in self.numbered():
            if b"\0" in body:
                self.unclean = True
                yield body.decode("utf-8", "surrogateescape").replace("\0", _NUL_MARK)
                continue
            try:
                yield body.decode("utf-8")
            except UnicodeDecodeError:
                self.unclean = True
                yield body.decode("utf-8", "surrogateescape")


def fault_of(text: str) -> str | None:
    """What is wrong with the characters of a text."""
    if _NUL_MARK in text or "\0" in text:
        return "a NUL character; take it out"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "bytes that are no UTF-8; save the file as UTF-8"
    return None


def visible(text: str) -> str:
    """A faulty text as it can be shown: what is no character is a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")


def check_header(table: Table, header: Sequence[str], findings: Findings) -> None:
    """Every column known, none twice, none missing that needs a value; ImportProblems otherwise."""
    if any(map(fault_of, header)):
        findings.add(1, "", None, "a header that is no UTF-8 text; save the file as UTF-8")
        findings.stop_if_any()
    spelling = {name.lower(): name for name in table.column_names}
    for position, name in enumerate(header):
        if name not in table.column_names:
            close = difflib.get_close_matches(name.lower(), spelling, 1)
            hint = f"there are {_list(table.columns)}"
            if close:
                hint = f"did you mean {spelling[close[0]]}?"
            elif len(header) == 1 and len(re.split(r"[;\t|]", name)) > 1:
                hint = "values are separated by commas: save the file so"
            findings.add(1, visible(name), None, f"{table.ref} has no such column; {hint}")
        elif name in header[:position]:
            findings.add(1, name, None, "the column is named twice")
    for column, reason in misfits(table, header):
        findings.add(1, column, None, reason)
    findings.stop_if_any()


def misfits(table: Table, header: Sequence[str]) -> list[tuple[Column, str]]:
    """The columns that a file with this header must have, or must not have, and why."""
    problems = []
    for column in table.columns:
        if column.generated and column.name in header:
            problems.append((column, "MySQL computes this column itself; leave it out of the file"))
        needed = column.required and not column.generated and column.default is None
        if needed and column.name not in header:
            problems.append((column, f"missing: {table.ref} needs a value in every row"))
    return problems


def _list(columns: Sequence[Column]) -> str:
    return ", ".join(column.name for column in columns)
