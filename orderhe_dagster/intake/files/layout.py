"""How the rows of a text lie in it: separator, title rows, header. Tables and types are not known here."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orderhe_dagster.intake.files.encodings import Encoding
from orderhe_dagster.intake.files.workbook import SheetRows

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "pipes"}
LONGEST_CELL = 1 << 25
"""Characters of one cell, a mediumblob in hexadecimal; more is taken for a quote that is not closed."""
_HEAD_ROWS, _HEAD_CHARACTERS = 40, 1 << 18
_SEP = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
TOTAL = re.compile(
    r"((grand |sub)?total|totals|sum|합\s*계|총\s*계|소\s*계|총\s*합계|summe|gesamt(summe)?|total(e|es)? "
    r"g[eé]n[eé]ral(es?)?|totale|suma|итого|合計|総計|总计|合计|小计|總計)"
    r"[\s:]*(\(?[\d.,]+\s*(건|개|orders|rows|items|lines)?\)?)?",
    re.IGNORECASE,
)
_AS_TEXT = re.compile(r'="[^"]*"')


@dataclass(frozen=True)
class Layout:
    """Where the header stands and by what the cells are separated. Lines count from 1."""

    separator: str = ","
    quote: str = '"'
    header_line: int = 1
    lead: int = 0  # lines before the first row: sep=
    header_rows: int = 0  # rows before the header: titles, blank lines
    titles: int = 0
    header: tuple[str, ...] = ()
    is_wrapped: bool = False  # cells are written ="0123", so that a spreadsheet keeps them as texts


class PlainLines:
    """The lines of a text that is not plain UTF-8, ends of lines of any kind. Nothing in it is unclean."""

    def __init__(self, file: io.TextIOWrapper) -> None:
        self.file, self.unclean = file, False

    def __iter__(self) -> Iterator[str]:
        return iter(self.file)


@contextmanager
def open_text(path: Path, encoding: Encoding) -> Iterator[io.TextIOWrapper]:
    """The file as text, ends of lines kept as they are."""
    name = "utf-8-sig" if encoding.name == "utf-8" else encoding.name
    with path.open(encoding=name, errors="surrogateescape", newline="") as file:
        if encoding.name.startswith("utf-16-") and file.read(1) != "\ufeff":
            file.seek(0)
        yield file


def widen_cells() -> None:
    """Let cells be as long as MySQL's mediumblob: the standard library takes 131,072 characters."""
    csv.field_size_limit(LONGEST_CELL)


def head_of(path: Path, encoding: Encoding) -> str:
    """The beginning of the text, whole lines of it where it is cut."""
    with open_text(path, encoding) as file:
        text = file.read(_HEAD_CHARACTERS)
        if len(text) < _HEAD_CHARACTERS:
            return text
    cut = max(text.rfind("\n"), text.rfind("\r"))
    return text[: cut + 1] if cut > 0 else text


def text_layout(
    head: str, known: Callable[[Sequence[str]], int], wanted: str | None = None
) -> Layout:
    """The layout of a text. `known`: how many of these names of columns are known."""
    lead, separator = 0, wanted
    lines = head.splitlines(keepends=True)
    if lines and (mark := _SEP.fullmatch(lines[0])):
        lead, separator = 1, wanted or mark[1]
    body = "".join(lines[lead:])
    best: tuple[tuple[int, int, int], Layout] | None = None
    for candidate in [separator] if separator else list(SEPARATORS):
        quote = _quote(body, candidate)
        rows = _rows(body, candidate, quote)
        if not rows:
            continue
        at, score = _header_at(rows, known)
        line, row = rows[at]
        before = [cells for _, cells in rows[:at] if any(cells)]
        wrapped = any(_AS_TEXT.fullmatch(cell) for _, cells in rows[at:] for cell in cells)
        header = tuple(unwrapped(cell) for cell in row)
        layout = Layout(candidate, quote, lead + line, lead, at, len(before), header, wrapped)
        rank = (score, _steady(rows[at:]), len(row))
        if best is None or rank > best[0]:
            best = rank, layout
    return best[1] if best else Layout(separator or ",")


def sheet_layout(rows: SheetRows, known: Callable[[Sequence[str]], int]) -> Layout:
    """The layout of a sheet."""
    head: list[tuple[int, list[str]]] = []
    for row in rows:
        head.append((rows.line_num, [cell or "" for cell in row]))
        if len(head) == _HEAD_ROWS:
            break
    if not any(any(row) for _, row in head):
        return Layout()
    at, _ = _header_at(head, known)
    before = [cells for _, cells in head[:at] if any(cells)]
    return Layout(
        header_line=head[at][0], header_rows=at, titles=len(before), header=tuple(head[at][1])
    )


def _quote(text: str, separator: str) -> str:
    """The sign around cells: a single one only where every cell of the first line is in a pair of it."""
    first = text.lstrip("\r\n").splitlines()[:1]
    cell = rf"'[^'{re.escape(separator)}]*'"
    single = rf"{cell}({re.escape(separator)}{cell})+"
    return "'" if first and re.fullmatch(single, first[0].strip()) else '"'


def _rows(text: str, separator: str, quote: str) -> list[tuple[int, list[str]]]:
    """The first rows and the lines they begin on, as far as they can be cut."""
    rows: list[tuple[int, list[str]]] = []
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, quotechar=quote, strict=True
    )
    before = 0
    try:
        for row in reader:
            rows.append((before + 1, row))
            before = reader.line_num
            if len(rows) == _HEAD_ROWS:
                break
    except csv.Error:  # told with its line when the rows are read
        if not rows:
            lines = text.splitlines()
            return [(1, lines[0].split(separator))] if lines else []
    return rows


def _header_at(
    rows: Sequence[tuple[int, Sequence[str]]], known: Callable[[Sequence[str]], int]
) -> tuple[int, int]:
    """The row that is the header: most of its names are known; else the first that looks like one."""
    scores = [known(row) for _, row in rows]
    best = max(scores)
    first = next((at for at, (_, row) in enumerate(rows) if any(row)), 0)
    if best:
        at = scores.index(best)
        # A first row in which something is known is the header, whatever stands below it; one word
        # further down may be a value.
        alone = best == 1 and _filled(rows[at][1]) > 1
        return (first, scores[first]) if scores[first] or alone else (at, best)
    return _by_width(rows, first), 0


def _by_width(rows: Sequence[tuple[int, Sequence[str]]], first: int) -> int:
    """The first row as wide as most rows are, all of whose cells but the last ones have a text."""
    widths = [_filled(row) for _, row in rows if any(row)]
    usual = max(set(widths), key=lambda width: (widths.count(width), width)) if widths else 0
    for at, (_, row) in enumerate(rows):
        if _filled(row) >= max(usual, 2) and all(row[: _filled(row)]):
            return at
    return first


def _filled(row: Sequence[str]) -> int:
    """How many cells there are up to the last that is not empty."""
    return max((at + 1 for at, cell in enumerate(row) if cell.strip()), default=0)


def _steady(rows: Sequence[tuple[int, Sequence[str]]]) -> int:
    """How many rows are as wide as the header; none counts where there is one cell alone."""
    width = len(rows[0][1])
    return sum(len(row) == width for _, row in rows) if width > 1 else 0


def is_total(row: Sequence[Any], needed: Sequence[int], width: int) -> bool:
    """Whether a row at the end sums up the others: it says so, and it could be no row of the table."""
    filled = [cell for cell in row if cell]
    if not filled or not isinstance(filled[0], str) or not TOTAL.fullmatch(filled[0].strip()):
        return False
    return len(row) != width or any(not row[at] or row[at] == filled[0] for at in needed)


def is_footnote(row: Sequence[Any], needed: Sequence[int]) -> bool:
    """Whether a row at the end is a remark: one cell of several words, and nothing where values must be."""
    filled = [cell for cell in row if cell]
    if len(filled) != 1 or filled[0] is not row[0] or not re.search(r"\S[\s:]+\S", str(filled[0])):
        return False
    return len(row) == 1 or any(not row[at] for at in needed)


def unwrapped(cell: str) -> str:
    """A cell that is written ="0123" without what is around it."""
    return cell[2:-1] if _AS_TEXT.fullmatch(cell) else cell


def clean_name(name: str) -> str:
    """A name of a header without what nobody sees: blanks around it, marks, ends of lines within."""
    return re.sub(r"\s+", " ", name.replace("\ufeff", "").replace("\xa0", " ")).strip()
