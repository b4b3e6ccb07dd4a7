"""Source, Store, Warehouse: what the road needs of the outside world. Promises only, no driver, no engine.

Every implementation passes the suite of its port in `orderhe_dagster_tests/contracts/`.

Errors::

    PortError                 what, where and the remedy, in one text
    ├── PreconditionFailed    a conditional write lost: somebody else wrote first
    ├── LockTimeout           a file or table stayed locked; names who holds it
    ├── StatementError        a statement failed; carries Redshift's code and message
    └── ConnectionLost        the server went away; an open transaction is rolled back
        └── CommitUnknown     it went away while it committed: look, do not repeat blindly
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import dagster as dg

from orderhe_dagster.errors import OrderheError

if TYPE_CHECKING:
    import pyarrow as pa

    from orderhe_dagster.catalog.days import Window
    from orderhe_dagster.catalog.table import Table


class PortError(OrderheError):
    """The base of every error of a port. The text names the thing and the next action."""


class PreconditionFailed(PortError):
    """A conditional write lost to another writer."""


class LockTimeout(PortError):
    """A lock was not had in the time allowed."""


UNDEFINED_TABLE = "42P01"
"""The SQLSTATE of a statement that names a relation which is not there."""


class StatementError(PortError):
    """A warehouse statement failed. `code` is an SQLSTATE, `statement` the SQL that failed."""

    def __init__(self, message: str, code: str = "XX000", statement: str = "") -> None:
        super().__init__(message)
        self.message, self.code, self.statement = message, code, statement


class ConnectionLost(PortError):
    """The connection broke. What was not committed is rolled back; temporary tables are gone."""


class CommitUnknown(ConnectionLost):
    """The connection broke while a COMMIT was under way: it may have happened."""


@dataclass(frozen=True)
class Measure:
    """What equality is judged by: rows, the exact sum of each numeric column, an order-free digest.

    `sums` leaves NULLs out; `digest` is the sum over the rows of 60 bits of the MD5 of the row's
    canonical text (see `catalog.measure`), so it does not depend on the order of the rows.
    """

    rows: int
    sums: Mapping[str, Decimal] = field(default_factory=dict)
    digest: int = 0


@dataclass(frozen=True)
class Touch:
    """A cheap fingerprint of a day in the source: rows, and the sum of the cursor in microseconds."""

    rows: int
    cursor_sum: int = 0


@dataclass(frozen=True)
class Extract:
    """One snapshot of a table, cut by day. Key None: the whole of an unpartitioned table.

    `parts` lists the Parquet files of each day that has rows; `measures` has every day asked for. Rows
    that cannot be carried are in no part and no measure: `quarantine` lists the JSON lines that tell
    their keys and why, `quarantined` counts them. `nulled` counts the values that became NULL, by
    column. `touches` count every row that was read: those of the parts, and the quarantined.
    """

    parts: Mapping[date | None, Sequence[Path]]
    measures: Mapping[date | None, Measure]
    touches: Mapping[date | None, Touch]
    snapshot_at: datetime  # UTC, by the source's clock
    quarantine: Mapping[date | None, Sequence[Path]] = field(default_factory=dict)
    quarantined: Mapping[date | None, int] = field(default_factory=dict)
    nulled: Mapping[date | None, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class FoundTable:
    """A table of the shop's database as it stands there, for `orderhe adopt`."""

    name: str
    rows: int  # as the server estimates
    text: str = ""  # its own `create table`
    spans: Mapping[str, int] = field(default_factory=dict)  # indexed date column -> days it spans
    refused: str = ""  # why it is none that can be read


class SourceTransaction(Protocol):
    """One read-write transaction on the shop's database, for the simulation and for imports.

    SQL given here is the small part that MySQL and DuckDB read alike.
    """

    def execute(self, sql: str) -> None:
        """Run a statement."""

    def fetch(self, sql: str) -> pa.Table:
        """Run a query and return its rows."""

    def append(self, table: Table, rows: pa.Table) -> None:
        """Insert rows by column name; types are cast to the contract's, exactly or not at all."""


class Source(dg.ConfigurableResource[Any], ABC):
    """The shop's database (MySQL)."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """Which database this is, without secrets: `mysql://host:port/database`, `duckdb:shop.duckdb`."""

    @abstractmethod
    def create(self, tables: Sequence[Table]) -> None:
        """Create the raw tables that are not there yet, from their contracts, parents first."""

    @abstractmethod
    def extract(self, table: Table, window: Window | None, folder: Path, time_zone: str) -> Extract:
        """Write the rows of `window` (None: all rows) to Parquet under `folder` in one statement.

        `folder` is made here and must not exist; on any error it is removed again. Columns, order
        and types are the catalogue's, never inferred.
        """

    @abstractmethod
    def measure(
        self, table: Table, window: Window | None, time_zone: str
    ) -> dict[date | None, Measure]:
        """Rows, sums and digest by day, computed inside the source. Every day asked for is a key."""

    @abstractmethod
    def touches(
        self, table: Table, window: Window | None, time_zone: str
    ) -> dict[date | None, Touch]:
        """The fingerprint of every day in `window` that has rows (None key: unpartitioned)."""

    @abstractmethod
    def outside(self, table: Table, window: Window, time_zone: str) -> tuple[int, int]:
        """How many rows lie before `window` and how many after it."""

    def found_tables(self) -> list[FoundTable]:
        """The tables that are there, by name, contracts or not. PortError where there is no MySQL."""
        raise PortError(
            f"{self.identity} is no MySQL with tables of its own: set ORDERHE_SOURCE=mysql and "
            "ORDERHE_MYSQL_HOST, _USER, _PASSWORD and _DATABASE (see .env.example)"
        )

    @abstractmethod
    def writing(self) -> AbstractContextManager[SourceTransaction]:
        """A transaction: committed when the block ends, rolled back when it raises."""


@dataclass(frozen=True)
class Object:
    """A stored object and its etag."""

    body: bytes
    etag: str


class Store(dg.ConfigurableResource[Any], ABC):
    """The object store (S3). Keys use forward slashes and no leading slash."""

    @property
    def requests_at_once(self) -> int:
        """How many threads may use it with profit: one on a disk, several where each request travels."""
        return 1

    @abstractmethod
    def create(self) -> None:
        """Make the bucket (or folder) if it is not there."""

    @abstractmethod
    def url(self, key: str) -> str:
        """The full address, `s3://bucket/prefix/key`, as COPY and manifests write it."""

    @abstractmethod
    def get(self, key: str) -> Object | None:
        """The object, or None where there is none."""

    def get_many(self, keys: Sequence[str]) -> list[Object | None]:
        """`get` for each key, in order. Remote stores do it side by side."""
        return [self.get(key) for key in keys]

    @abstractmethod
    def put(
        self, key: str, body: bytes, *, if_none_match: bool = False, if_match: str | None = None
    ) -> str:
        """Write an object whole or not at all; return its etag.

        `if_none_match`: only where nothing is; `if_match`: only over that etag. PreconditionFailed otherwise.
        """

    @abstractmethod
    def upload(self, files: Iterable[tuple[str, Path]]) -> None:
        """Store each local file under its key. The files are not kept: they may be moved."""

    @abstractmethod
    def sizes(self, keys: Sequence[str]) -> list[int | None]:
        """The size in bytes of each object, None where there is none."""

    def hashes(self, keys: Sequence[str]) -> list[str | None]:
        """The sha256 (hex) of each object as it lies there, None where there is none."""
        import hashlib

        return [
            None if found is None else hashlib.sha256(found.body).hexdigest()
            for found in map(self.get, keys)
        ]

    def listing(self, prefix: str) -> Sequence[tuple[str, int]]:
        """The keys that begin with `prefix`, and their sizes, for COPY and UNLOAD of whoever asks.

        The road itself never lists: what to load is in its records.
        """
        raise PortError(f"this store cannot list the keys {prefix!r}; name the objects one by one")

    @abstractmethod
    def download(self, key: str, path: Path) -> None:
        """Copy an object to a local file."""

    @abstractmethod
    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; those that are not there are passed over."""


Row = tuple[Any, ...]
Take = Callable[[Sequence[Row]], None]
"""What is given the rows of a query, some at a time, as they come."""


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


class Warehouse(dg.ConfigurableResource[Any], ABC):
    """Amazon Redshift."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """Which warehouse this is, without secrets."""

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

    @property
    @abstractmethod
    def copy_authorization(self) -> str:
        """The clause COPY authorizes itself by: `iam_role default` or `iam_role 'arn:…'`."""
