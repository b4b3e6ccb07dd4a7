"""What COPY and UNLOAD say when they fail: Redshift's block of error, code and context; rows that failed.

Nothing is kept here; `load_log` keeps what happened.
"""

from __future__ import annotations

from dataclasses import dataclass

from local_redshift.errors import RedshiftError, block


class LoadFailure(RedshiftError):
    """A failure of the loader: its own number, and the context in which it happened.

    `detail` is the block that Redshift sends; in one line it is `message; code: …; context: …`.
    """

    def __init__(self, message: str, number: int, context: str) -> None:
        super().__init__("XX000", message, block(message, number, context))
        self.number, self.context = number, context

    def __str__(self) -> str:
        return f"{self.message}; code: {self.number}; context: {self.context}"


def blocked(message: str, number: int, context: str) -> LoadFailure:
    """The error of the loader with this number and context."""
    return LoadFailure(message, number, context)


def scan_error(context: str, number: int = 15007) -> LoadFailure:
    """What the reader of columnar files says."""
    return LoadFailure("Spectrum Scan Error", number, context)


@dataclass(frozen=True)
class RowError:
    """A row that could not be loaded: where and why, as Redshift's tables of load errors keep it."""

    file: str
    line: int
    column: str
    type: str
    length: str
    position: int
    raw_line: str
    raw_value: str
    code: int
    reason: str
