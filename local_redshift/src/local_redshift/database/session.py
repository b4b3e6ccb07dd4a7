"""What a session is to those who run its statements and fill its views. It is made in `session.engine`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from local_redshift.compile.protocol import Compiler
from local_redshift.database.database import Database
from local_redshift.database.query_log import Entry
from local_redshift.database.results import Rows, Stream
from local_redshift.errors import RedshiftError
from local_redshift.transactions.commands import Command
from local_redshift.transactions.isolation import Transaction
from local_redshift.transactions.locks import Mode
from local_redshift.values.catalog import Catalog
from local_redshift.values.scope import Query

State = Literal["idle", "open", "failed"]
"""Of a session's transaction: none, one, or one that can only be ended."""


@dataclass
class Cursor:
    """An open cursor: its rows, all in memory, and how many were fetched."""

    name: str
    rows: Rows
    at: int = 0


class Session(Protocol):
    """A session: who it is, its transaction, and what a statement may have it do."""

    database: Database
    user: str
    since: datetime
    process_id: int
    connection: Any  # to DuckDB
    catalog: Catalog
    state: State
    entry: Entry | None
    """Of the statement that runs, in the log."""
    last_copy_count: int
    last_copy_id: int
    cursor: Cursor | None
    """The one that is open."""

    @property
    def current_transaction(self) -> Transaction | None:
        """The transaction that it is in, if it is in one."""

    def interrupt(self) -> None:
        """End the statement that runs or waits."""

    def close(self) -> None:
        """Roll back what is open, and leave the database."""

    def begin(self, *, read_only: bool = False) -> None:
        """Open a transaction."""

    def commit(self) -> None:
        """Commit it."""

    def rollback(self) -> None:
        """Roll it back."""

    def lock(self, wanted: Mapping[str, Mode]) -> None:
        """Lock tables (`schema.table`) until the transaction ends."""

    def compiler(self, timeless: bool = False) -> Compiler:
        """A compiler for this session; `timeless`: what it compiles is kept, and run later."""

    def compiled(self, sql: str) -> Query:
        """The DuckDB text and the columns of a query or SHOW, without running it."""

    def query(self, query: Query) -> Stream:
        """Run a compiled query; its rows come as they are fetched."""

    def run(self, commands: Sequence[Command], *, alone: bool = False) -> Rows:
        """Run commands; `alone`: with the tables they write to itself."""

    def define(self, commands: Sequence[Command]) -> Rows:
        """`run` for commands that change definitions."""


def permit_role(session: Session, arn: str | None, command: str) -> None:
    """RedshiftError where the user may not name this IAM role (None: the default) for COPY or UNLOAD."""
    access = session.catalog.access
    if access is None or access.may_assume(arn or "default", command):
        return
    raise RedshiftError(
        "42501",
        f"User {session.user} does not have ASSUMEROLE permission on IAM role "
        f'"{arn or "default"}" for {command.upper()}',
    )
