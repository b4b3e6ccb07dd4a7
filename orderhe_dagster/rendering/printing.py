"""Rows on the screen: a table for people, CSV and JSON for programs. Which rows is not decided here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, Protocol

from orderhe_dagster.errors import counted

if TYPE_CHECKING:
    from orderhe_dagster.ports.warehouse import Result

_NUMBERS = (int, float, Decimal)
_CONTROLS = {
    **{number: chr(0x2400 + number) for number in range(32)},
    10: "⏎",
    127: "\u2421",
    **{number: f"\\x{number:02x}" for number in range(128, 160)},
}
"""What a terminal would obey rather than show, made visible."""
_OF_JSON = (bool, int, float, dict)


def print_result(result: Result, form: str, out: IO[str]) -> None:
    """Print a statement's rows as `table`, `csv` or `json`; for a statement without rows, what it changed."""
    if not result.columns:
        out.write("done\n" if result.row_count < 0 else f"{counted(result.row_count, 'row')}\n")
    elif form == "csv":
        _csv(result, out)
    elif form == "json":
        _json(result, out)
    else:
        out.write(table(result.columns, result.rows) + "\n")
        out.write(f"({counted(len(result.rows), 'row')})\n")


def _csv(result: Result, out: IO[str]) -> None:
    """Values as they are: formulas are neutralised in exports, not here, where programs read."""
    writer = csv_writer(out)
    writer.writerow(result.columns)
    for row in result.rows:
        writer.writerow(["" if value is None else text(value) for value in row])


class Writes(Protocol):
    """What takes text: an open file, or what stands for one."""

    def write(self, text: str, /) -> object:
        """Take it."""


class _Lines:
    """What a CSV writer writes to: rows end in LF, whatever they hold."""

    def __init__(self, out: Writes) -> None:
        self._out = out

    def write(self, line: str) -> None:
        """Write one row, which comes with CR LF at its end."""
        self._out.write(line[:-2] + "\n")


def csv_writer(out: Writes) -> Any:
    """A `csv.writer` whose rows end in LF and whose cells are quoted when they hold a CR or an LF.

    The standard writer quotes only what stands in its own line end.
    """
    import csv

    return csv.writer(_Lines(out), lineterminator="\r\n")


def _json(result: Result, out: IO[str]) -> None:
    """One object a line; decimals, dates and times as text, exactly."""
    for row in result.rows:
        record = {
            name: value if value is None or isinstance(value, _OF_JSON) else text(value)
            for name, value in zip(result.columns, row, strict=True)
        }
        out.write(json.dumps(record, ensure_ascii=False, default=text) + "\n")


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], right: Sequence[int] = ()) -> str:
    """Columns in line, numbers (and the columns `right`) to the right; Hangul takes two places."""
    from rich.cells import cell_len

    shown = [
        ["" if value is None else text(value).translate(_CONTROLS) for value in row] for row in rows
    ]
    widths = [
        max([cell_len(name), *(cell_len(row[place]) for row in shown)])
        for place, name in enumerate(columns)
    ]
    to_the_right = [
        place in right
        or (
            any(row[place] is not None for row in rows)
            and all(row[place] is None or isinstance(row[place], _NUMBERS) for row in rows)
        )
        for place in range(len(columns))
    ]

    def line(cells: Sequence[str]) -> str:
        padded = [
            " " * (width - cell_len(cell)) + cell
            if to_right
            else cell + " " * (width - cell_len(cell))
            for cell, width, to_right in zip(cells, widths, to_the_right, strict=True)
        ]
        return "  ".join(padded).rstrip()

    return "\n".join([line(columns), line(["-" * width for width in widths]), *map(line, shown)])


def text(value: object) -> str:
    """One value as text: ISO dates, plain decimals."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[object]], most: int = 60) -> str:
    """Rows as a Markdown table; values of more than `most` characters are cut, as in Dagster's UI."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += [
        "| " + " | ".join(_markdown_cell(value, most) for value in row) + " |" for row in rows
    ]
    return "\n".join(lines)


def _markdown_cell(value: object, most: int) -> str:
    text = "" if value is None else str(value)
    shown = text if len(text) <= most else text[: most - 1] + "…"
    return shown.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("\r", " ")
