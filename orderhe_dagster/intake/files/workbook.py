"""A sheet of an .xlsx workbook as rows of text, by openpyxl, which pandas uses too.

What a workbook cannot hold exactly, or holds only for the eye, is refused with its cell: numbers of more
than 15 digits, errors of formulas, formulas that were never computed, merged cells among the rows.
"""

from __future__ import annotations

import json
import re
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from orderhe_dagster.errors import counted
from orderhe_dagster.intake.files.refusals import Unreadable

_MOST_EXACT = 10**15
_OVERLAP = 4096
_UNCOMPUTED = re.compile(
    rb'<c r="([A-Z]+[0-9]+)"[^>]*>\s*<f[^>]*?(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>'
)
_MERGED = re.compile(rb'<mergeCell ref="([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)"')


class SheetRows:
    """The rows of a sheet that was written down by `read_sheet`. `line_num`: the row last given."""

    def __init__(self, path: Path) -> None:
        self.path, self.line_num = path, 0

    def __iter__(self) -> Iterator[list[str | None]]:
        with self.path.open(encoding="utf-8") as lines:
            for line in lines:
                self.line_num += 1
                yield json.loads(line)


def read_sheet(path: Path, wanted: str | None, aside: Path) -> tuple[str, list[str], list[int]]:
    """Write the rows of a sheet (the first unless `wanted`) into `aside`, one JSON list a line.

    Returns the sheet's name, the names of all sheets, and the rows that merged cells cover.
    """
    import openpyxl

    with warnings.catch_warnings(), path.open("rb") as file:  # by its bytes, whatever it is called
        warnings.simplefilter("ignore")  # of styles and extensions that do not matter here
        try:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        except (zipfile.BadZipFile, KeyError, ValueError, EOFError, OSError) as error:
            raise Unreadable(
                f"the workbook is damaged or cut short ({type(error).__name__}); open it in a "
                "spreadsheet program and save it anew as .xlsx"
            ) from None
        try:
            names = [str(sheet.title) for sheet in book.worksheets]
            sheet = _sheet(book, names, wanted)
            merged = _look_at_xml(path, str(sheet._worksheet_path), sheet.title)
            sheet.reset_dimensions()  # what some programs write there is wrong
            with aside.open("w", encoding="utf-8") as lines:
                for number, row in enumerate(sheet.iter_rows(), 1):
                    # Rows without a cell are left out of the file by some programs, not by openpyxl.
                    texts = [_text(cell, number) for cell in row]
                    while texts and texts[-1] is None:
                        texts.pop()
                    lines.write(json.dumps(texts, ensure_ascii=False) + "\n")
        except (zipfile.BadZipFile, EOFError):
            raise Unreadable(
                "the workbook is damaged or cut short; fetch the file again from where it came"
            ) from None
        finally:
            book.close()
    return str(sheet.title), names, merged


def _sheet(book: Any, names: list[str], wanted: str | None) -> Any:
    if not names:
        raise Unreadable("the workbook has no sheet of cells; save the data in one and import it")
    if wanted is None:
        return book.worksheets[0]
    if wanted not in names:
        raise Unreadable(
            f"the workbook has no sheet {wanted!r}; name one by --sheet: {', '.join(names[:12])}"
        )
    return book.worksheets[names.index(wanted)]


def _look_at_xml(path: Path, part: str, title: str) -> list[int]:
    """Refuse formulas without a value; the rows that merged cells cover."""
    merged: set[int] = set()
    with zipfile.ZipFile(path) as archive, archive.open(part.lstrip("/")) as xml:
        before = b""
        while block := xml.read(1 << 20):
            text = before + block
            if b"<f" in text and (cell := _UNCOMPUTED.search(text)):
                raise Unreadable(
                    f"cell {cell[1].decode()} of sheet {title!r} is a formula that was never computed; "
                    "open the workbook in a spreadsheet program and save it"
                )
            for _, first, _, last in _MERGED.findall(text):
                merged.update(range(int(first), min(int(last), int(first) + 10_000) + 1))
            before = text[-_OVERLAP:]
    return sorted(merged)


def _text(cell: Any, row: int) -> str | None:
    """The value of a cell as CSV would write it; None: there is none."""
    value = cell.value
    if value is None or isinstance(value, str):
        if getattr(cell, "data_type", "") == "e":
            raise Unreadable(
                f"cell {cell.coordinate} holds the error {value}; mend its formula and save the "
                "workbook",
                row,
                "row",
            )
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value, cell, row)
    return _moment(value)


def _number(value: float, cell: Any, row: int) -> str:
    if abs(value) >= _MOST_EXACT:
        raise Unreadable(
            f"cell {cell.coordinate} is a number of more than 15 digits, which a workbook does not "
            "keep exactly; export the column as text, or the data as CSV",
            row,
            "row",
        )
    if value == int(value):
        shown = getattr(cell, "number_format", "")
        zeros = len(shown) if re.fullmatch("0{2,}", shown) else 0
        return str(int(value)).zfill(zeros)  # 06236, as whoever looks at the sheet sees it
    # 15 digits are what a workbook shows; what stands behind them is the noise of its sums.
    text = format(value, ".15g")
    if "e" in text:
        from decimal import Decimal

        text = format(Decimal(text), "f")
    return text


def _moment(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return str(value)


def told(title: str, names: list[str]) -> str:
    """The sheet, as the line of what was recognised calls it."""
    more = counted(len(names) - 1, "other sheet") if len(names) > 1 else ""
    return f"sheet {title!r}" + (f" ({more} not read: --sheet)" if more else "")
