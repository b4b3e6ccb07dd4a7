"""Warehouse: Redshift, its sessions and results. Promises only, no driver, no engine.

Every implementation passes the suite of its port in `orderhe_dagster_tests/contracts/`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

Row = tuple[Any, ...]
Take = Callable[[Sequence[Row]], None]
"""What is given the rows of a query, some at a time, as they come."""


class Lines(Protocol):
    """What takes the rows of a query as lines of text: as rows, or as lines that DuckDB has made of them."""

    def add(self, rows: Sequence[Row]) -> None:
        """Some rows, of which it makes the lines itself."""

    def select(self, columns: Sequence[tuple[str, str]], source: str) -> str | None:
        """A select of DuckDB's: the lines of the rows of `source`, in their order.

        The columns come as SQL with their Redshift types; a moment with a zone as a timestamp in UTC.
        None: these are to be given as rows.
        """

    def add_lines(self, lines: Any) -> None:
        """An Arrow array of the lines of some rows, as `select` makes them."""


@dataclass(frozen=True)
class Result:
    """What a statement gave. `types` are Redshift's names, lower case; no rows for non-queries."""

    columns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    rows: Sequence[Row] = ()
    row_count: int = -1

    def scalar(self) -> Any:
        """The single value of a single row."""
        ((value,),) = self.rows
        return value


class Session(Protocol):
    """One connection to the warehouse: its temporary tables live as long as it does."""

    def execute(self, sql: str) -> Result:
        """Run one Redshift statement, committed at once when no transaction is open. StatementError."""

    def stream(self, sql: str, take: Take) -> Result:
        """Run a query outside a transaction and hand its rows to `take` as they come, never holding all.

        The result has no rows, but their count. What `take` raises ends the session. StatementError.
        """

    def transaction(self, statements: Sequence[str]) -> list[Result]:
        """Run the statements as one transaction: all of them or none. StatementError after rollback."""


class Warehouse(ABC):
    """Amazon Redshift."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """Which warehouse this is, without secrets."""

    def knock(self) -> str:
        """See that a server answers and who it is, without a login or a statement. PortError where not.

        Gives what TLS it speaks; "" where there is no server.
        """
        return ""

    @abstractmethod
    def session(self, label: str, *, read_only: bool = False) -> AbstractContextManager[Session]:
        """Open a connection; `label` names the work (asset and run) for whoever looks at the server."""

    def query(self, sql: str, label: str = "query") -> Result:
        """Run one reading statement."""
        with self.session(label, read_only=True) as session:
            return session.execute(sql)

    def stream(self, sql: str, take: Take, label: str = "query") -> Result:
        """Run one reading statement of any size; see `Session.stream`."""
        with self.session(label, read_only=True) as session:
            return session.stream(sql, take)

    def write(self, sql: str, lines: Lines, label: str = "query", about: int = 0) -> Result:
        """`stream` into lines; `about` is how many rows to expect.

        Here row by row; where the rows are in a DuckDB, or can come there, as it makes the lines.
        """
        return self.stream(sql, lines.add, label)

    @property
    @abstractmethod
    def copy_authorization(self) -> str:
        """The clause COPY authorizes itself by: `iam_role default` or `iam_role 'arn:…'`."""
