"""What can be wrong with the files of examples, as values. No file is read here.

Errors::

    OrderheError
    ├── ExamplesError     every problem found in one reading, sorted by file and line
    └── UnknownModel      tables were asked for that are none of the models
"""

from __future__ import annotations

from collections.abc import Iterable

from orderhe_dagster.catalog.errors import Problem
from orderhe_dagster.errors import OrderheError

FOLDER = "examples"
"""The folder of examples, inside the folder of SQL files."""


class ExamplesError(OrderheError):
    """The examples cannot be read. `problems` holds everything found; the text is all of it."""

    def __init__(self, root: str, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.path, p.line, p.message)))
        many = len(self.problems)
        head = f"{root}: {many} problem{'s' if many != 1 else ''} in the examples"
        super().__init__("\n".join([head, *(f"  {problem}" for problem in self.problems)]))


class UnknownModel(OrderheError):
    """A name that no model has. The text names the nearest ones."""
