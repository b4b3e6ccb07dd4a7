"""What can be wrong with a folder of SQL, as values. No file is read and no SQL is judged here.

Errors::

    CatalogueError            every problem found in one reading, sorted by file and line
    Problem                   (an exception too) one of them, raised where it is found
    TypeRefused               a type that cannot be carried; the text says what to do instead
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

Value = TypeVar("Value")


class TypeRefused(ValueError):
    """A type that cannot be carried exactly. The text is the reason and the remedy."""


class Problem(Exception):
    """One thing wrong: file (relative to the sql folder), line (1-based; 0 = the file as a whole)."""

    def __init__(self, path: str, line: int, message: str) -> None:
        super().__init__(path, line, message)
        self.path, self.line, self.message = path, line, message

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}" if self.line else self.where_whole

    @property
    def where_whole(self) -> str:
        """The text of a problem that belongs to no line."""
        return f"{self.path}: {self.message}"


class CatalogueError(Exception):
    """The folder cannot be read. `problems` holds everything found, sorted; the text is all of it."""

    def __init__(self, root: str, problems: Iterable[Problem]) -> None:
        self.root = root
        self.problems = tuple(sorted(problems, key=lambda p: (p.path, p.line, p.message)))
        count = len(self.problems)
        head = f"{root}: {count} problem{'s' if count != 1 else ''} in the SQL files"
        super().__init__("\n".join([head, *(f"  {problem}" for problem in self.problems)]))


class Problems:
    """A list of problems that is filled while reading goes on."""

    def __init__(self) -> None:
        self.items: list[Problem] = []

    def add(self, path: str, line: int, message: str) -> None:
        """Note one problem."""
        self.items.append(Problem(path, line, message))

    def attempt(self, work: Callable[[], Value]) -> Value | None:
        """Do the work; a Problem it raises is noted and gives None."""
        try:
            return work()
        except Problem as problem:
            self.items.append(problem)
            return None


def close_to(name: str, known: Iterable[str]) -> str:
    """`; did you mean a or b?` where something known looks like `name`, else nothing."""
    import difflib

    matches = difflib.get_close_matches(name, sorted(set(known)), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(matches)}?" if matches else ""


def listing(names: Sequence[str]) -> str:
    """Names for a message: `a, b, c`."""
    return ", ".join(names)
