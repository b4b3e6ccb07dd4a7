"""JSON lines and Python lists of dicts to chunks of text columns."""

from __future__ import annotations

import ast
import json
import traceback
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from orderhe_dagster.catalog.mysql_limits import is_json
from orderhe_dagster.catalog.table import Column, Table
from orderhe_dagster.intake.importing.column_map import ColumnMap
from orderhe_dagster.intake.importing.json_text import RawJson, json_text, members
from orderhe_dagster.intake.importing.plan import misfits, near, plain, visible
from orderhe_dagster.intake.importing.problems import Findings, ImportProblems, WrongValue
from orderhe_dagster.intake.importing.source_file import (
    CHUNK_ROWS,
    Chunk,
    fault_of,
    open_lines,
)

_NUMBERS = frozenset({"smallint", "integer", "bigint", "decimal", "real", "double", "boolean"})
_MOST_PLACES = 400  # more than any column holds; a Decimal may have millions


def json_rows(
    table: Table, path: Path, damage: str | None = None, mapped: ColumnMap | None = None
) -> Iterator[tuple[int, Any]]:
    """(line, value) of each line that is not blank; a line that is no JSON gives its error.

    The values of JSON columns are RawJson, except null, which is no value. `mapped` gives names of the
    file their columns.
    """
    renamed = _Renamed(table, mapped) if mapped else None
    raw_columns = [column.name for column in table.columns if is_json(column.type)]

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        row = dict(members)
        if len(row) < len(members):
            names = [name for name, _ in members]
            twice = {name for name in names if names.count(name) > 1}
            raise WrongValue(f"{', '.join(sorted(twice))} is given twice in one object")
        return row

    def value_of(text: str) -> Any:
        row = json.loads(text, parse_float=Decimal, object_pairs_hook=pairs)
        named = [
            name for name in raw_columns if isinstance(row, dict) and row.get(name) is not None
        ]
        if named:
            raw = members(text)
            row.update({name: raw[name] for name in named})
        return renamed.row(row) if renamed and isinstance(row, dict) else row

    with open_lines(path, damage) as lines:
        for line, body in lines.numbered():
            if not body.strip():
                continue
            try:
                yield line, value_of(body.decode("utf-8"))
            except WrongValue as error:
                yield line, error
            except UnicodeDecodeError:
                yield line, WrongValue("bytes that are no UTF-8; save the file as UTF-8")
            except RecursionError:
                yield line, WrongValue("no JSON that can be read: it is nested too deeply")
            except json.JSONDecodeError as error:
                message = f"no JSON: {error.msg} at character {error.colno}"
                yield line, WrongValue(f'{message}; each line is one object such as {{"a": 1}}')
            except (ValueError, ArithmeticError):
                yield line, WrongValue("a number too long to be read; write it as a text")


class _Renamed:
    """The names of a map given to the members of an object."""

    def __init__(self, table: Table, mapped: ColumnMap) -> None:
        self.rest = mapped.passes_rest
        self.names = set(table.column_names)
        self.targets: dict[str, str | None] = {}
        self.fixed: dict[str, str] = {}
        for entry in mapped.entries:
            target = next((one for one in entry.targets if one in self.names), None)
            if entry.fixed is not None and target is not None:
                self.fixed[target] = entry.fixed
            for source in entry.sources:
                self.targets[plain(source)] = None if entry.passes_over else target

    def row(self, given: dict[str, Any]) -> dict[str, Any]:
        """The object with the columns' names."""
        row: dict[str, Any] = dict(self.fixed)
        for name, value in given.items():
            target = self.targets.get(plain(name), name)
            if target is not None and (target in self.names or not self.rest):
                row[target] = value
        return row


def module_rows(
    table: Table, path: Path, module: str | None, findings: Findings
) -> list[tuple[int, Any]]:
    """(line, dict) of each row of the list named as the table in a Python file."""
    import importlib
    import runpy

    try:
        content = vars(importlib.import_module(module)) if module else runpy.run_path(str(path))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever the file does is its own, leaving included
        message = f"the file does not run: {type(error).__name__}: {error}"
        findings.add(_line_of(error, path), "", None, message)
        raise ImportProblems(findings.problems, findings.count) from error
    rows = content.get(table.name)
    if not isinstance(rows, list):
        message = f"there is no list named {table.name}; write {table.name} = [{{...}}, ...]"
        findings.add(1, "", None, message)
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


def _line_of(error: BaseException, path: Path) -> int:
    """The line of the file at which it failed; 1 where it is not known."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno or 1
    lines = [
        line
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == str(path)
    ]
    return lines[-1] if lines else 1


def object_chunks(
    table: Table,
    first: Iterator[tuple[int, Any]],
    second: Iterator[tuple[int, Any]],
    findings: Findings,
) -> Iterator[Chunk]:
    """Chunks of rows given as dicts. Read twice: the columns of the file are those of any row."""
    header = _header(table, first, findings)
    if header:
        for column, message in misfits(table, header):
            findings.add(1, column, None, message)
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


def _header(table: Table, rows: Iterator[tuple[int, Any]], findings: Findings) -> list[str]:
    """The table's columns that any of the rows names; what is no row, or no column, is reported."""
    names: set[str] = set()
    for line, row in rows:
        if isinstance(row, WrongValue):
            findings.add(line, "", None, str(row))
        elif not isinstance(row, dict):
            findings.add(line, "", None, "no object of column names and values")
        else:
            for name in row.keys() - names - set(table.column_names):
                cure = f"--map '{name}=-' passes it over"
                message = f"{table.ref} has no such column; {near(str(name), table)}; {cure}"
                findings.add(line, str(name), None, message)
            names.update(row)
    return [name for name in table.column_names if name in names]


def _object_chunk(header: list[str], rows: list[list[str | None]], lines: list[int]) -> Chunk:
    import pyarrow as pa

    arrays = (pa.array(values, pa.string()) for values in zip(*rows, strict=True))
    return Chunk(dict(zip(header, arrays, strict=True)), lines)


def _cell(column: Column, row: dict[str, Any], line: int, findings: Findings) -> str | None:
    if column.name not in row:
        if not column.required and column.default is None:
            return None
        if column.default is not None:
            message = "missing, while other rows have it; give it a value in every row or in none"
            findings.add(line, column, None, message)
        return None
    value = row[column.name]
    try:
        text = _as_text(column, value)
        if text is not None and (fault := fault_of(text)):
            findings.add(line, column, visible(text), fault)
            return None
    except WrongValue as error:
        findings.add(line, column, value, str(error))
        return None
    return text


def _as_text(column: Column, value: Any) -> str | None:
    """A value of JSON or Python as CSV would write it; WrongValue where its type does not fit."""
    if value is None:
        return None
    if is_json(column.type):
        return _json_cell(value)
    text = value if isinstance(value, str) else _typed_text(column, value)
    if text is None:
        declared = column.type.declared or column.type.kind
        raise WrongValue(f"a {type(value).__name__} does not fit {declared}; write it as a text")
    return text


def _typed_text(column: Column, value: Any) -> str | None:
    """A value that is no text, as text; None where the column takes none of its type."""
    kind = column.type.kind
    if isinstance(value, int | float | Decimal) and kind in _NUMBERS:
        return _number_text(column, value)
    if isinstance(value, datetime):
        return value.isoformat(" ") if kind == "timestamp" else None
    if isinstance(value, date):
        return value.isoformat() if kind == "date" else None
    if isinstance(value, bytes):
        return value.hex() if kind == "varbyte" else None
    return None


def _number_text(column: Column, value: float | Decimal) -> str | None:
    kind = column.type.kind
    if isinstance(value, int):
        if value.bit_length() > 4096:
            raise WrongValue(f"out of range for {column.type.declared or kind}")
        return str(int(value))
    if kind in {"real", "double"}:
        return str(value)
    number = Decimal(str(value))
    if not number.is_finite():
        return None
    # An integer column refuses the point by itself.
    few = abs(number.adjusted()) <= _MOST_PLACES
    return format(number, "f") if few else str(number)


def _json_cell(value: Any) -> str:
    """The text of a value in a JSON column.

    A text that holds an object or an array is that, as MySQL reads it and as exports write it; any
    other text is a JSON text ("5" stays a text).
    """
    raw = isinstance(value, RawJson)
    inner = json.loads(value) if raw and value.startswith('"') else value
    if isinstance(inner, str) and not (raw and inner is value) and inner.lstrip()[:1] in {"{", "["}:
        try:
            json.loads(inner)
        except (ValueError, RecursionError):
            pass
        else:
            return inner
    return str(value) if raw else json_text(value)
