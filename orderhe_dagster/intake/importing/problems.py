"""What can be wrong with a file, and how that is told. Nothing is read or judged here.

Errors::

    ImportProblems    the file was not taken: what is wrong, and where
"""

from __future__ import annotations

from dataclasses import dataclass, field

from orderhe_dagster.catalog.table import Column
from orderhe_dagster.errors import OrderheError

SHOWN = 20
MASK = "•••"
_LONGEST = 80
_MEND = "Mend the file and import it again."


class WrongValue(ValueError):
    """A text that is no value of its column; says why and what to write. Never leaves this package."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong. `line` counts from 1 (0: the file as a whole); `value` is masked."""

    file: str
    line: int
    column: str
    value: str | None
    message: str
    unit: str = "line"

    def __str__(self) -> str:
        where = f"{self.file}, {self.unit} {self.line}" if self.line else self.file
        if self.column:
            where += f", column {self.column}"
        return f"{where}: {self.message if self.value is None else f'{self.value}: {self.message}'}"


class ImportProblems(OrderheError):
    """The file was not taken, and no row of it. `problems` are the first 20 of `count`.

    `recognised`: what the file was taken for, where that is out of the ordinary.
    """

    def __init__(self, problems: list[Problem], count: int, recognised: str | None = None) -> None:
        self.problems, self.count = tuple(problems), count
        lines = [recognised] if recognised else []
        lines += [str(problem) for problem in problems]
        if count > len(problems):
            lines.append(f"and {count - len(problems):,} more")
        asked = any("--" in problem.message for problem in problems)
        cure = "Import it again with what is asked for." if asked else _MEND
        lines.append(f"Nothing was loaded. {cure}")
        super().__init__("\n".join(lines))


@dataclass
class Findings:
    """What was found wrong so far: the first in the file's order, and how many in all."""

    file: str
    unit: str = "line"
    count: int = 0
    problems: list[Problem] = field(default_factory=list)
    recognised: str | None = None
    cells: set[tuple[int, str]] = field(default_factory=set)  # (line, column) lately reported
    called: dict[str, str] = field(default_factory=dict)  # what the file calls a column, if not so

    def add(self, line: int, column: Column | str, value: object, message: str) -> None:
        """Note a problem; `value` None: there is none to show. Personal data is masked."""
        name = column if isinstance(column, str) else column.name
        if name and (line, name) in self.cells:
            return  # one word on a cell is enough
        if name:
            self.cells.add((line, name))
        self.count += 1
        if len(self.problems) == SHOWN and line >= self.problems[-1].line:
            return
        pii = isinstance(column, Column) and column.pii
        self.problems.append(
            Problem(
                self.file,
                line,
                self.called.get(name, name),
                shown(value, pii=pii),
                message,
                self.unit,
            )
        )
        self.problems.sort(key=lambda problem: problem.line)
        del self.problems[SHOWN:]

    def stop_if_any(self) -> None:
        """Raise ImportProblems when anything was found."""
        if self.count:
            raise ImportProblems(self.problems, self.count, self.recognised)

    def forget(self) -> None:
        """Nothing was found so far: the file is judged anew."""
        self.count = 0
        self.problems.clear()
        self.cells.clear()


def shown(value: object, *, pii: bool = False) -> str | None:
    """A value as a report shows it: masked where it is personal, shortened where it is long."""
    if value is None:
        return None
    if pii:
        return MASK
    try:
        text = repr(value)
    except Exception:  # Python's longest numbers have none, and objects of others may fail
        text = f"a {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]}…{text[-1]}"
