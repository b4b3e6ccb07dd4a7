"""What keeps a file from being read as a whole. The sentence names the cause and one cure."""

from __future__ import annotations

from orderhe_dagster.errors import OrderheError


class Unreadable(OrderheError):
    """A file that cannot be read, or not without being told more. `line` counts from 1; 0: all of it."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line
