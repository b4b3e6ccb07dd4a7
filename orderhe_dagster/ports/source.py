"""Source: the shop's database, and what an extract of it is. Promises only, no driver.

Every implementation passes the suite of its port in `orderhe_dagster_tests/contracts/`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.measures import Measure, OutsideRows, Touch

if TYPE_CHECKING:
    import pyarrow as pa

    from orderhe_dagster.catalog.drift import Change
    from orderhe_dagster.catalog.segments import Outside, Scope, Segment
    from orderhe_dagster.catalog.table import Table


@dataclass(frozen=True)
class Extract:
    """One snapshot of a table, cut by segment: days, what lies outside of them, or the whole.

    `parts` lists the Parquet files of each that has rows; `measures` has every one asked for. Rows
    that cannot be carried are in no part and no measure: `quarantine` lists the JSON lines that tell
    their keys and why, `quarantined` counts them. `nulled` counts the values that became NULL, by
    column. `touches` count every row that was read: those of the parts, and the quarantined.
    """

    parts: Mapping[Segment, Sequence[Path]]
    measures: Mapping[Segment, Measure]
    touches: Mapping[Segment, Touch]
    snapshot_at: datetime  # UTC, by the source's clock
    quarantine: Mapping[Segment, Sequence[Path]] = field(default_factory=dict)
    quarantined: Mapping[Segment, int] = field(default_factory=dict)
    nulled: Mapping[Segment, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class ListedTable:
    """A table of the shop's database as it stands there, for `orderhe adopt`."""

    name: str
    rows: int  # as the server estimates
    text: str = ""  # its own `create table`
    indexed: frozenset[str] = frozenset()  # the first columns of its indexes
    refused: str = ""  # why it is none that can be read


@dataclass(frozen=True)
class LookAsked:
    """A table whose values are to be looked at; `maybe_days`: texts and numbers that may be days."""

    table: Table
    rows: int  # as the server estimates
    maybe_days: Sequence[str] = ()


@dataclass(frozen=True)
class ColumnLook:
    """What the rows that were looked at have in a column.

    `faults` counts the values that cannot be carried, by the letters of `mysql_projection.FAULTS`;
    `first` and `last` are the real days of a date or time; of texts and numbers, `like_days` counts those
    that are written like a day, `like_seconds` those that may be Unix time.
    """

    nulls: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)
    first: date | None = None
    last: date | None = None
    like_days: int = 0
    like_seconds: int = 0


@dataclass(frozen=True)
class TableLook:
    """How many rows of a table were looked at, and what was seen. `problem`: why none was."""

    rows: int = 0
    is_sample: bool = False  # the first and the last by the key, not all
    columns: Mapping[str, ColumnLook] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True)
class Reference:
    """A column of one table whose values may be the keys of another."""

    child: Table
    column: str
    parent: Table
    key: str


@dataclass(frozen=True)
class Look:
    """A server as a session of ours finds it, for `orderhe doctor`.

    `zone`, `modes` and `charset` are the session's, `own_zone` the server's. `refused` says of each table
    why its contract's columns cannot be read; `indexes` has the columns of each index of the others.
    """

    version: str
    tls: str  # the cipher; "": everything goes in clear
    zone: str
    own_zone: str
    modes: str
    charset: str
    clock: datetime  # UTC
    refused: Mapping[str, PortError] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)  # as the server estimates
    indexes: Mapping[str, Sequence[tuple[str, ...]]] = field(default_factory=dict)


class SourceTransaction(Protocol):
    """One read-write transaction on the shop's database, for the simulation and for imports.

    SQL given here is the small part that MySQL and DuckDB read alike.
    """

    def execute(self, sql: str) -> None:
        """Run a statement."""

    def fetch(self, sql: str) -> pa.Table:
        """Run a query and return its rows."""

    def table_names(self) -> list[str]:
        """The tables of this database alone, as it spells them. Loads no Arrow."""

    def append(self, table: Table, rows: pa.Table) -> None:
        """Insert rows by column name; types are cast to the contract's, exactly or not at all."""

    def append_files(self, table: Table, paths: Sequence[Path]) -> int:
        """Insert the rows of Parquet parts that an extract has written, as they were; how many.

        Never held in memory. What the database computes itself is left to it, and a row's parents may
        come later, or never.
        """

    def measure(self, table: Table, scope: Scope) -> dict[Segment, Measure]:
        """`Source.measure` of what this transaction sees."""


class Source(ABC):
    """The shop's database (MySQL)."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """Which database this is, without secrets: `mysql://host:port/database`, `duckdb:shop.duckdb`."""

    @abstractmethod
    def server(self) -> str:
        """Which server this is, whatever name it is reached by and whichever version it runs."""

    @abstractmethod
    def clock(self) -> datetime:
        """The moment it is now by its own clock (UTC), which extracts are told by."""

    @abstractmethod
    def create(self, tables: Sequence[Table]) -> None:
        """Create the raw tables that are not there yet, from their contracts, parents first."""

    @abstractmethod
    def extract(self, table: Table, scope: Scope, folder: Path) -> Extract:
        """Write the rows of `scope` (None: all rows) to Parquet under `folder` in one statement.

        `folder` is made here and must not exist; on any error it is removed again. Columns, order
        and types are the catalogue's, never inferred.
        """

    @abstractmethod
    def measure(
        self, table: Table, scope: Scope, known: Mapping[Segment, Measure] | None = None
    ) -> dict[Segment, Measure]:
        """Rows, sums and digest of every segment asked for, computed inside the source.

        `known`: what segments are expected to measure, which may be quicker to see than to find out.
        """

    @abstractmethod
    def touches(self, table: Table, scope: Scope) -> dict[Segment, Touch]:
        """The fingerprint of every day in `scope` that has rows; of what is not cut by day, always one."""

    @abstractmethod
    def outside(self, table: Table, outside: Outside) -> OutsideRows:
        """How many rows lie outside of the days, and on which side of them; quick where there is an index.

        MySQL's zero dates lie before.
        """

    @abstractmethod
    def calendar(self, table: Table) -> dict[date, int]:
        """How many rows each of the shop's days has, over the whole table; in order.

        Rows without a day, and MySQL's zero dates, are on none.
        """

    @abstractmethod
    def drift(self, table: Table) -> list[Change]:
        """What differs between the table's contract and the table that is there, what stops first.

        What stops, `extract` refuses by itself; the others are for whoever reads. PortError where the
        table is not there.
        """

    def list_tables(self) -> list[ListedTable]:
        """The tables that are there, by name, without their texts. PortError where there is no MySQL."""
        raise PortError(
            f"{self.identity} is no MySQL with tables of its own: set ORDERHE_SOURCE=mysql and "
            "ORDERHE_MYSQL_HOST, _USER, _PASSWORD and _DATABASE (see .env.example)"
        )

    def describe(self, tables: Sequence[ListedTable]) -> list[ListedTable]:
        """These tables with their texts and indexes. PortError."""
        raise PortError(f"{self.identity} is no server: it is a file of this machine")

    def survey(self, asked: Sequence[LookAsked], seconds: float) -> dict[str, TableLook]:
        """Look at the values of tables, by our name, for about so long in all. PortError.

        Large tables, and all once the time is over, are looked at in part, and say so.
        """
        raise PortError(f"{self.identity} is no server: it is a file of this machine")

    def matching(self, references: Sequence[Reference]) -> list[float | None]:
        """Which share of the first values of each reference are keys; None: not known, or no values."""
        raise PortError(f"{self.identity} is no server: it is a file of this machine")

    def commonest(
        self, table: Table, columns: Sequence[str], most: int
    ) -> list[tuple[tuple[str | None, ...], int]]:
        """The commonest values that columns of a table have together, as texts, and how many rows have them.

        Of a large table, of the rows with the highest keys; nothing where a server takes too long. PortError.
        """
        raise PortError(f"{self.identity} has no rows to look at")

    def look(self, tables: Sequence[Table]) -> Look:
        """The server, and whether the tables' columns can be read; no row is. PortError: there is none."""
        raise PortError(f"{self.identity} is no server: it is a file of this machine")

    @abstractmethod
    def writing(self) -> AbstractContextManager[SourceTransaction]:
        """A transaction: committed when the block ends, rolled back when it raises."""
