"""A Markdown file as titles, lead lines and tables of text. What the cells mean is read elsewhere."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from orderhe_dagster.catalog.errors import Problem, Problems

FORMS = (
    "`Given <layer>.<table>:`, `Given no rows of <layer>.<table>.`, `Expect:` or `Expect no rows.`"
)
_GIVEN = re.compile(r"Given (\S+):")
_NO_ROWS_OF = re.compile(r"Given no rows of (\S+)\.")
_TITLE = re.compile(r"## +(.*)")
_RULE = re.compile(r":?-+:?")
_FENCE = re.compile(r"(```+|~~~+)")


@dataclass(frozen=True)
class Grid:
    """A table as it is written: names, and one tuple of texts a row. `line` is that of the names."""

    line: int
    names: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()

    def line_of(self, row: int) -> int:
        """The line of a row (from 0) in the file."""
        return self.line + 2 + row


@dataclass(frozen=True)
class WrittenRows:
    """A lead line and its rows: of `table` where it is given, "" where it is expected."""

    line: int
    table: str
    grid: Grid


@dataclass(frozen=True)
class Written:
    """One example as it is written; what is given to every example of the file is among `given`."""

    title: str
    line: int
    given: tuple[WrittenRows, ...]
    expected: WrittenRows


def read_document(path: str, text: str, problems: Problems) -> list[Written]:
    """The examples of a file that can be read; what cannot is noted with its line."""
    sections = _Sections(path, Problems())
    sections.read(text)
    examples = list(sections.examples())
    if not sections.sections and not sections.problems.items:
        sections.problems.add(
            path, 0, "no example in it: each begins with its title, `## <what it shows>`"
        )
    problems.items += sections.problems.items
    return examples


@dataclass
class _Section:
    """What stands under one title; the first section of a file has none: it is for every example."""

    title: str
    line: int
    given: list[WrittenRows]
    expected: list[WrittenRows]


class _Sections:
    """One reading of a file."""

    def __init__(self, path: str, problems: Problems) -> None:
        self.path, self.problems = path, problems
        self.common = _Section("", 0, [], [])
        self.sections: list[_Section] = []

    def read(self, text: str) -> None:
        """Fill the sections, line by line."""
        lead: tuple[int, str] | None = None  # a line that announces a table, not yet met
        for line, block in _blocks(text.split("\n")):
            first = block[0]
            if first.startswith("|"):
                self.problems.attempt(lambda at=line, b=block, to=lead: self._table(at, b, to))  # type: ignore[misc]
                lead = None
                continue
            if lead is not None:
                self._no_table(lead)
                lead = None
            if title := _TITLE.fullmatch(first):
                self._open(title[1].strip().strip("#").strip(), line)
            elif first.split(" ")[0].rstrip(":.") in ("Given", "Expect"):
                lead = self._lead(first, line)
        if lead is not None:
            self._no_table(lead)

    def examples(self) -> Iterator[Written]:
        """The sections that are whole, with what is given to all."""
        troubled = {problem.line for problem in self.problems.items}
        ends = [*(section.line for section in self.sections[1:]), sys.maxsize][: len(self.sections)]
        for section, end in zip(self.sections, ends, strict=True):
            if len(section.expected) != 1:
                if any(section.line <= line < end for line in troubled):
                    continue  # what is wrong there is told already
                what = "is expected twice" if section.expected else "expects nothing"
                self.problems.add(
                    self.path,
                    section.line,
                    f"example {section.title!r} {what}: write `Expect:` and a table, or `Expect no rows.`",
                )
                continue
            own = {rows.table for rows in section.given}
            common = [rows for rows in self.common.given if rows.table not in own]
            given = (*common, *section.given)
            yield Written(section.title, section.line, given, section.expected[0])

    def _open(self, title: str, line: int) -> None:
        if not title:
            self.problems.add(self.path, line, "an example has a title: what it shows")
        twin = next((section for section in self.sections if section.title == title), None)
        if title and twin is not None:
            self.problems.add(
                self.path, line, f"the title {title!r} is that of line {twin.line}: give it its own"
            )
        self.sections.append(_Section(title, line, [], []))

    def _lead(self, text: str, line: int) -> tuple[int, str] | None:
        """Read a line that begins with Given or Expect: what it announces, where a table follows."""
        if text == "Expect no rows.":
            self._add(line, "", Grid(line))
        elif none := _NO_ROWS_OF.fullmatch(text):
            self._add(line, none[1], Grid(line))
        elif text == "Expect:":
            return line, ""
        elif given := _GIVEN.fullmatch(text):
            return line, given[1]
        else:
            self.problems.add(
                self.path, line, f"a line that begins with Given or Expect is one of {FORMS}"
            )
        return None

    def _table(self, line: int, block: list[str], lead: tuple[int, str] | None) -> None:
        if lead is None:
            raise Problem(
                self.path, line, f"a table follows a line that says what it is: one of {FORMS}"
            )
        self._add(*lead, self._grid(line, block))

    def _grid(self, line: int, block: list[str]) -> Grid:
        cells = [self._cells(line + at, text) for at, text in enumerate(block)]
        names = cells[0]
        if len(cells) < 2 or not all(_RULE.fullmatch(cell) for cell in cells[1]):
            raise Problem(self.path, line + 1, "under the names stands a line such as |---|---|")
        for at, row in enumerate(cells[1:], 1):
            if len(row) != len(names):
                raise Problem(
                    self.path, line + at, f"{len(row)} cells, but {len(names)} columns are named"
                )
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise Problem(self.path, line, f"a column is named once: {', '.join(twice)}")
        if len(cells) == 2:
            raise Problem(
                self.path,
                line,
                "no row in this table; say so: `Given no rows of <layer>.<table>.` or `Expect no rows.`",
            )
        return Grid(line, names, tuple(cells[2:]))

    def _cells(self, line: int, text: str) -> tuple[str, ...]:
        """The cells of a row; a backslash before a bar or a backslash is Markdown's, not the cell's."""
        parts = re.findall(r"((?:[^|\\]|\\.|\\$)*)\|", text[1:])
        if not text.endswith("|") or "".join(f"{part}|" for part in parts) != text[1:]:
            raise Problem(self.path, line, "a row of a table begins and ends with |")
        return tuple(re.sub(r"\\([|\\])", r"\1", part.strip()) for part in parts)

    def _add(self, line: int, table: str, grid: Grid) -> None:
        section = self.sections[-1] if self.sections else self.common
        if not table:
            if section is self.common:
                message = "what is expected stands under the title of an example, `## …`"
                self.problems.add(self.path, line, message)
            section.expected.append(WrittenRows(line, "", grid))
            return
        if any(rows.table == table for rows in section.given):
            self.problems.add(self.path, line, f"{table} is given twice: write its rows together")
            return
        section.given.append(WrittenRows(line, table, grid))

    def _no_table(self, lead: tuple[int, str]) -> None:
        what = f"Given {lead[1]}:" if lead[1] else "Expect:"
        self.problems.add(self.path, lead[0], f"no table follows `{what}`")


def _blocks(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Lines that say something, by number (from 1): each alone, but those of a table together.

    What stands between fences of code is prose, and so are the blank lines' neighbours.
    """
    fence, table, began = "", list[str](), 0
    for number, line in enumerate([*lines, ""], 1):
        stripped = line.strip()
        if table and not stripped.startswith("|"):
            yield began, table
            table = []
        if mark := _FENCE.match(stripped):
            if not fence or stripped.startswith(fence):
                fence = "" if fence else mark[1]
        elif fence or not stripped:
            continue
        elif stripped.startswith("|"):
            began = began if table else number
            table.append(stripped)
        else:
            yield number, [stripped]
