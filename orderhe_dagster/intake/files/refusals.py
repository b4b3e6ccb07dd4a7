"""What keeps a file from being read as a whole. The sentence names the cause and one cure."""

from __future__ import annotations

from orderhe_dagster.errors import OrderheError


class Unreadable(OrderheError):
    """A file that cannot be read, or not without being told more.

    `line` (a row of a sheet, where `unit` says so) counts from 1; 0: the file as a whole.
    """

    def __init__(self, message: str, line: int = 0, unit: str = "line") -> None:
        super().__init__(message)
        self.line, self.unit = line, unit
