"""What a statement gives: rows, counts, a command tag, notices. Runs nothing itself: see `engine`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Notice:
    """Something said beside an answer: `INFO` or `WARNING`, an SQLSTATE, a sentence."""

    severity: str
    code: str
    message: str


@dataclass(frozen=True)
class Rows:
    """What a statement gave: columns and types of a query with its rows, or how many it changed.

    `tag` is the command tag of the wire protocol: `SELECT`, `INSERT 0 3`, `CREATE TABLE`.
    """

    columns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    rows: Sequence[Row] = ()
    row_count: int = -1
    tag: str = ""
    notices: tuple[Notice, ...] = ()


class Stream:
    """The answer of a statement, its rows in batches: the head at once, `fetch` until it gives none.

    A row that cannot be computed raises RedshiftError in `fetch`, and fails the transaction then.
    The next statement of the session first takes what is left into memory (`buffer`). Where it is
    `shaped`, each row is one Arrow array: what a shape made of many rows of the query.
    """

    def __init__(self, head: Rows, fetch: Callable[[int], list[Row]] | None = None) -> None:
        self.head = head
        self.shaped = False
        self._fetch = fetch
        self._kept: list[Row] = list(head.rows)
        self._at = 0
        self.sent = 0  # rows handed out so far

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns; none: the statement gives no rows."""
        return self.head.columns

    @property
    def types(self) -> tuple[str, ...]:
        """The Redshift types of the columns."""
        return self.head.types

    @property
    def tag(self) -> str:
        """The command tag."""
        return self.head.tag

    def fetch(self, most: int = 1000) -> list[Row]:
        """The next rows, at most so many; an empty list: that was all."""
        rows = self._kept[self._at : self._at + most]
        self._at += len(rows)
        if not rows and self._fetch is not None:
            rows = self._fetch(most)
            if not rows:
                self._fetch = None
        self.sent += len(rows)
        return rows

    def buffer(self) -> None:
        """Read what is left into memory, since the session goes on to something else."""
        if self._fetch is not None:
            kept = self._kept[self._at :]
            while rows := self._fetch(10_000):
                kept += rows
            self._kept, self._at, self._fetch = kept, 0, None

    def drop(self) -> None:
        """Forget what is left: nobody will ask for it, so nobody keeps it."""
        self._kept, self._at, self._fetch = [], 0, None

    def __iter__(self) -> Iterator[Row]:
        while rows := self.fetch():
            yield from rows

    def all(self) -> Rows:
        """Everything that is left, as one answer; a query's count is the number of its rows."""
        head = self.head
        if not head.columns:
            return head
        rows = list(self)
        return Rows(head.columns, head.types, rows, len(rows), head.tag, head.notices)
