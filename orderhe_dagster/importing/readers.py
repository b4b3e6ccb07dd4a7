"""Files to chunks of text columns with their line numbers. What a text means is not judged here.

CSV is cut by the standard library's reader, not by pandas': that one fills short lines up in
silence and cannot say on which line of the file a row began.
"""

from __future__ import annotations

import ast
import csv
import difflib
import gzip
import io
import json
import math
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orderhe_dagster.catalog.table import Column, Table
from orderhe_dagster.importing.problems import Findings, ImportProblems, WrongValue

if TYPE_CHECKING:
    import pyarrow as pa

NULL = r"\N"
CHUNK_ROWS = 32_768
_BUFFER_BYTES = 1 << 20
_NUL_MARK = (
    "\udc00"  # stands for NUL, which csv of Python 3.10 does not read; escapes begin at dc80
)
_NUMBERS = frozenset({"smallint", "integer", "bigint", "decimal", "real", "double", "boolean"})


@dataclass(frozen=True)
class Chunk:
    """Rows as text: one array of strings a column (NULL where there is no value), all of a length."""

    columns: dict[str, pa.Array]
    lines: Sequence[int]  # of the file, where each row begins
    share: float = 1.0  # of the file's bytes that have been read, about


def read(
    table: Table, path: Path, findings: Findings, module: str | None = None
) -> Iterator[Chunk]:
    """The rows of a CSV or JSON lines file, plain or gzipped, or of a Python file, in chunks.

    `module` is the dotted name by which the Python file is imported; None: it is run by itself.
    What is wrong with the shape of the file goes to `findings`; rows concerned are left out.
    ImportProblems where the header is wrong: no row can be read then.
    """
    try:
        yield from _rows(table, path, findings, module)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        findings.add(1, "", None, f"the gzip file is damaged or cut short: {error}; fetch it again")


def _rows(table: Table, path: Path, findings: Findings, module: str | None) -> Iterator[Chunk]:
    names = [suffix.lower() for suffix in path.suffixes]
    ending = names[-2] if names[-1:] == [".gz"] and len(names) > 1 else (names or [""])[-1]
    if ending == ".csv":
        return _csv(table, path, findings)
    if ending in {".jsonl", ".ndjson"}:
        return _objects(table, _json_rows(path, findings), _json_rows(path, findings), findings)
    if ending == ".py":
        rows = _module_rows(table, path, module, findings)
        return _objects(table, iter(rows), iter(rows), findings)
    says = (
        "its name ends in none of .csv, .csv.gz, .jsonl, .jsonl.gz, .ndjson, .ndjson.gz and .py; "
        "convert it to one of them"
    )
    findings.add(1, "", None, says)
    raise ImportProblems(findings.problems, findings.count)


@contextmanager
def _opened(path: Path) -> Iterator[_Lines]:
    with path.open("rb") as raw:
        size = max(1, path.stat().st_size)

        def share() -> float:
            return min(1.0, raw.tell() / size)

        if path.suffix.lower() == ".gz":
            with gzip.open(raw) as file, io.BufferedReader(file, _BUFFER_BYTES) as buffered:
                yield _Lines(buffered, share)
        else:
            yield _Lines(raw, share)


class _Lines:
    """The lines of a file as text. `unclean`: a byte was no text; `share`: how far it is read."""

    def __init__(self, file: Iterable[bytes], share: Callable[[], float]) -> None:
        self.file, self.share, self.unclean = file, share, False

    def __iter__(self) -> Iterator[str]:
        mark = b"\xef\xbb\xbf"
        for number, line in enumerate(self.file):
            body = line.removeprefix(mark) if number == 0 else line
            if b"\0" in body:
                self.unclean = True
                yield body.decode("utf-8", "surrogateescape").replace("\0", _NUL_MARK)
                continue
            try:
                yield body.decode("utf-8")
            except UnicodeDecodeError:
                self.unclean = True
                yield body.decode("utf-8", "surrogateescape")


def _csv(table: Table, path: Path, findings: Findings) -> Iterator[Chunk]:
    with _opened(path) as lines:
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
        _check_header(table, header, findings)
        lines.unclean = False
        yield from _csv_chunks(table, header, reader, lines, findings)


def _csv_chunks(
    table: Table, header: list[str], reader: Any, lines: _Lines, findings: Findings
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
                elif row:  # a blank line is passed over
                    few = "few" if len(row) < width else "many"
                    says = f"{len(row)} values where the header names {width} columns: too {few}"
                    findings.add(before + 1, "", None, says)
                elif width == 1:
                    rows.append([""])
                    starts.append(before + 1)
                before = reader.line_num
                if len(rows) == CHUNK_ROWS:
                    break
            else:
                ended = True
        except csv.Error as error:
            says = f"no CSV: {error}; look for a quote that is not closed or not doubled"
            findings.add(before + 1, "", None, says)
            ended = True
        if lines.unclean:
            rows, starts = _without_unclean(table, header, rows, starts, findings)
            lines.unclean = False
        if rows:
            yield _chunk(header, rows, starts, lines.share())
        if ended:
            return
        rows, starts = [], []


def _chunk(header: list[str], rows: list[list[str]], starts: list[int], share: float) -> Chunk:
    import pyarrow as pa
    import pyarrow.compute as pc

    nothing = pa.scalar(None, pa.string())
    columns = {}
    for name, values in zip(header, zip(*rows, strict=True), strict=True):
        text = pa.array(values, pa.string())
        columns[name] = pc.if_else(pc.equal(text, NULL), nothing, text)
    return Chunk(columns, starts, share)


def _without_unclean(
    table: Table, header: list[str], rows: list[list[str]], starts: list[int], findings: Findings
) -> tuple[list[list[str]], list[int]]:
    clean: list[list[str]] = []
    kept: list[int] = []
    for row, line in zip(rows, starts, strict=True):
        wrong = [(name, text) for name, text in zip(header, row, strict=True) if _fault(text)]
        for name, text in wrong:
            findings.add(line, table.column(name), _visible(text), _fault(text) or "")
        if not wrong:
            clean.append(row)
            kept.append(line)
    return clean, kept


def _fault(text: str) -> str | None:
    """What is wrong with the characters of a text."""
    if _NUL_MARK in text or "\0" in text:
        return "a NUL character; take it out"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "bytes that are no UTF-8; save the file as UTF-8"
    return None


def _visible(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")


def _check_header(table: Table, header: Sequence[str], findings: Findings) -> None:
    """Every column known, none twice, none missing that needs a value; ImportProblems otherwise."""
    for position, name in enumerate(header):
        if name not in table.column_names:
            close = difflib.get_close_matches(name, table.column_names, 1)
            hint = f"did you mean {close[0]}?" if close else f"there are {_list(table.columns)}"
            findings.add(1, _visible(name), None, f"{table.ref} has no such column; {hint}")
        elif name in header[:position]:
            findings.add(1, name, None, "the column is named twice")
    for column in lacking(table, header):
        findings.add(1, column, None, f"missing: {table.ref} needs a value in every row")
    findings.stop_if_any()


def lacking(table: Table, header: Sequence[str]) -> list[Column]:
    """The columns that a file with this header leaves without any value."""
    return [
        column
        for column in table.columns
        if column.name not in header and not column.nullable and column.default is None
    ]


def _list(columns: Sequence[Column]) -> str:
    return ", ".join(column.name for column in columns)


def _json_rows(path: Path, findings: Findings) -> Iterator[tuple[int, Any]]:
    """(line, value) of each line that is not blank; a line that is no JSON gives its error."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in found]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise WrongValue(f"{', '.join(sorted(twice))} is given twice in one object")
        return dict(found)

    with _opened(path) as lines:
        for line, raw in enumerate(lines.file, 1):
            body = raw.removeprefix(b"\xef\xbb\xbf") if line == 1 else raw
            if not body.strip():
                continue
            try:
                text = body.decode("utf-8")
                yield line, json.loads(text, parse_float=Decimal, object_pairs_hook=pairs)
            except WrongValue as error:
                yield line, error
            except UnicodeDecodeError:
                yield line, WrongValue("bytes that are no UTF-8; save the file as UTF-8")
            except ValueError as error:
                yield line, WrongValue(f"no JSON: {error}")


def _module_rows(
    table: Table, path: Path, module: str | None, findings: Findings
) -> list[tuple[int, Any]]:
    """(line, dict) of each row of the list named as the table in a Python file."""
    import importlib
    import runpy

    try:
        content = vars(importlib.import_module(module)) if module else runpy.run_path(str(path))
    except Exception as error:  # whatever the file does is its own
        findings.add(1, "", None, f"the file does not run: {type(error).__name__}: {error}")
        raise ImportProblems(findings.problems, findings.count) from error
    rows = content.get(table.name)
    if not isinstance(rows, list):
        says = f"there is no list named {table.name}; write {table.name} = [{{...}}, ...]"
        findings.add(1, "", None, says)
        findings.stop_if_any()
        return []
    lines: list[int] = []
    for node in ast.parse(path.read_bytes()).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        if isinstance(value, ast.List) and any(
            isinstance(target, ast.Name) and target.id == table.name for target in targets
        ):
            lines = [element.lineno for element in value.elts]
    if len(lines) != len(rows):  # computed: the lines of the file say nothing of them
        findings.unit = "row"
        lines = list(range(1, len(rows) + 1))
    return list(zip(lines, rows, strict=True))


def _objects(
    table: Table,
    first: Iterator[tuple[int, Any]],
    second: Iterator[tuple[int, Any]],
    findings: Findings,
) -> Iterator[Chunk]:
    """Chunks of rows given as dicts. Read twice: the columns of the file are those of any row."""
    columns: dict[str, None] = {}
    for line, row in first:
        if isinstance(row, WrongValue):
            findings.add(line, "", None, str(row))
        elif not isinstance(row, dict):
            findings.add(line, "", None, "no object of column names and values")
        else:
            for name in row:
                if name not in table.column_names:
                    findings.add(line, str(name), None, f"{table.ref} has no such column")
            columns.update(dict.fromkeys(name for name in row if name in table.column_names))
    header = [name for name in table.column_names if name in columns]
    if header:
        for column in lacking(table, header):
            findings.add(1, column, None, f"missing: {table.ref} needs a value in every row")
    rows: list[list[str | None]] = []
    lines: list[int] = []
    for line, row in second:
        if not isinstance(row, dict):
            continue
        rows.append([_cell(table.column(name), row, line, findings) for name in header])
        lines.append(line)
        if len(rows) == CHUNK_ROWS:
            yield _object_chunk(header, rows, lines)
            rows, lines = [], []
    if rows and header:
        yield _object_chunk(header, rows, lines)


def _object_chunk(header: list[str], rows: list[list[str | None]], lines: list[int]) -> Chunk:
    import pyarrow as pa

    arrays = (pa.array(values, pa.string()) for values in zip(*rows, strict=True))
    return Chunk(dict(zip(header, arrays, strict=True)), lines)


def _cell(column: Column, row: dict[str, Any], line: int, findings: Findings) -> str | None:
    if column.name not in row:
        if column.nullable and column.default is None:
            return None
        if column.default is not None:
            says = "missing, while other rows have it; give it a value in every row or in none"
            findings.add(line, column, None, says)
        return None
    value = row[column.name]
    try:
        text = _as_text(column, value)
        if text is not None and (fault := _fault(text)):
            findings.add(line, column, _visible(text), fault)
            return None
    except WrongValue as error:
        findings.add(line, column, value, str(error))
        return None
    return text


def _as_text(column: Column, value: Any) -> str | None:
    """A value of JSON or Python as CSV would write it; WrongValue where its type does not fit."""
    kind = column.type.kind
    text: str | None = None
    if value is None or isinstance(value, str):
        return value
    if column.type.declared.lower().startswith("json"):
        text = json.dumps(value, ensure_ascii=False, default=str)
    elif isinstance(value, int) and kind in _NUMBERS:
        text = str(int(value))
    elif isinstance(value, float | Decimal) and kind in {"real", "double"}:
        text = str(value)
    elif isinstance(value, float | Decimal) and kind in _NUMBERS and math.isfinite(value):
        text = format(Decimal(str(value)), "f")  # an integer column refuses the point by itself
    elif isinstance(value, datetime):
        text = value.isoformat(" ") if kind == "timestamp" else None
    elif isinstance(value, date):
        text = value.isoformat() if kind == "date" else None
    elif isinstance(value, bytes):
        text = value.hex() if kind == "varbyte" else None
    if text is None:
        called = column.type.declared or kind
        raise WrongValue(f"a {type(value).__name__} does not fit {called}; write it as a text")
    return text
