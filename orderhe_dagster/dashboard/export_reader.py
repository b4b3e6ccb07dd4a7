"""Reads the CSV files of the exports back, as `csvfile` writes them. Which columns is `panels`' to say."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from orderhe_dagster.dashboard.panels import Sort
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.rendering.csv_files import uncell

_WHOLE = re.compile(r"-?[0-9]+")
_FIELD_LIMIT = 1 << 20  # characters; the longest text of a warehouse is 65,535 bytes


class ExportError(PortError):
    """An export's file is not what its select says."""


def read_export(path: Path, columns: Mapping[str, Sort]) -> list[dict[str, Any]]:
    """The rows of a CSV file: days as ISO text, numbers as int or float, empty cells as None.

    Only `columns` are read; more may be there. ExportError names file, line and column; an
    OSError passes.
    """
    again = f"materialize export/{path.stem} again"
    csv.field_size_limit(max(csv.field_size_limit(), _FIELD_LIMIT))
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = [uncell(name) for name in next(reader, [])]
            missing = [name for name in columns if name not in header]
            if missing:
                raise ExportError(f"{path} has no column {', '.join(missing)}: {again}")
            places = [(name, header.index(name), _READ[sort]) for name, sort in columns.items()]
            rows = []
            for cells in reader:
                if len(cells) != len(header):
                    raise ExportError(
                        f"{path}, line {reader.line_num}: {len(cells)} cells, where the header has "
                        f"{len(header)}: {again}"
                    )
                row = {}
                for name, place, read in places:
                    try:
                        row[name] = read(cells[place]) if cells[place] else None
                    except ValueError as error:
                        where = f"{path}, line {reader.line_num}, {name}"
                        raise ExportError(f"{where}: {error}: {again}") from None
                rows.append(row)
        except (csv.Error, UnicodeDecodeError) as error:
            raise ExportError(f"{path}, line {reader.line_num}: {error}: {again}") from error
    return rows


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("not a date like 2026-01-31") from None


def _number(text: str) -> int | float:
    if _WHOLE.fullmatch(text):
        return int(text)
    try:
        number = float(text)
    except ValueError:
        raise ValueError("not a number") from None
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def _name(text: str) -> str | int:
    """A number stays the text it is where it would not be written so again: `007`."""
    return int(text) if _WHOLE.fullmatch(text) and str(int(text)) == text else uncell(text)


_READ: Mapping[Sort, Callable[[str], Any]] = {
    "day": _day,
    "number": _number,
    "text": uncell,
    "name": _name,
}
