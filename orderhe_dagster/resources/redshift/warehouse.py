"""RedshiftWarehouse: Amazon Redshift, or the local one on its wire protocol, through redshift-connector."""

from __future__ import annotations

import decimal
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from orderhe_dagster.ports.errors import (
    CommitUnknown,
    ConnectionLost,
    StatementError,
    as_told_by,
)
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Lines, Result, Row, Take, Warehouse
from orderhe_dagster.resources.redshift.connection import close, connect
from orderhe_dagster.resources.redshift.errors import statement_error, unreadable
from orderhe_dagster.resources.redshift.knock import knock
from orderhe_dagster.resources.redshift.repeating import ATTEMPTS, repeated
from orderhe_dagster.resources.redshift.unload import UNLOADED, Unload, written
from orderhe_dagster.settings.config import RedshiftSettings

_T = TypeVar("_T")
_BATCH = 2_000  # rows


@dataclass(frozen=True)
class RedshiftWarehouse(Warehouse):
    """The warehouse that `settings` name.

    Where another transaction was in the way (1023 and its kin), the whole transaction is repeated, at
    most `attempts` times in all. A lost connection is never repeated here: ConnectionLost or, where
    the COMMIT was under way, CommitUnknown; the audit tells what became of it.

    Results of `unloaded` rows and more that are written as lines come by way of `store`, if there is one.
    """

    settings: RedshiftSettings
    attempts: int = ATTEMPTS
    store: Store | None = None
    unloaded: int = UNLOADED

    @property
    def identity(self) -> str:
        """`redshift://host:port/database`."""
        return f"redshift://{self.settings.where}"

    @property
    def copy_authorization(self) -> str:
        """The role that COPY reads S3 by; keys never stand in SQL."""
        return role_clause(self.settings)

    def knock(self) -> str:
        """Reach the server as far as TLS goes, and no further: nothing is billed."""
        return knock(self.settings)

    @contextmanager
    def session(self, label: str, *, read_only: bool = False) -> Iterator[RedshiftSession]:
        """Open a connection; `label` is the query group its statements are logged under.

        What may be written is the user's rights, not `read_only`'s. PortError where none is made.
        """
        connection = connect(self.settings, label)
        session = RedshiftSession(connection, self.settings, self.attempts)
        try:
            yield session
        finally:
            session.close()

    def write(self, sql: str, lines: Lines, label: str = "query", about: int = 0) -> Result:
        """Run a reading statement into lines: by UNLOAD where it is worth it and allowed."""
        way = None
        if self.store is not None and about >= self.unloaded:
            way = Unload(self.store, self.copy_authorization)
        with self.session(label, read_only=True) as session:
            return written(session, sql, lines, label, way)


def role_clause(settings: RedshiftSettings) -> str:
    """What COPY and UNLOAD are authorized by."""
    role = settings.iam_role
    return "iam_role default" if role == "default" else f"iam_role '{role}'"


class RedshiftSession:
    """One connection in autocommit mode: transactions are opened and closed by statements of ours."""

    def __init__(self, connection: Any, settings: RedshiftSettings, attempts: int) -> None:
        self._connection, self._settings, self._attempts = connection, settings, attempts
        self._open = False  # a transaction that the caller began by a statement of its own

    def close(self) -> None:
        """End the connection; the server rolls back what is open."""
        close(self._connection)

    def execute(self, sql: str) -> Result:
        """Run one Redshift statement, committed at once when no transaction is open."""
        word = (sql.split(None, 1) or [""])[0].lower().rstrip(";")
        if self._open or word in ("begin", "start", "commit", "end", "rollback", "abort"):
            result = self._run(sql)
            self._open = word not in ("commit", "end", "rollback", "abort")
            return result
        return self._repeated(lambda: self._run(sql))

    def stream(self, sql: str, take: Take) -> Result:
        """Run a query and hand its rows to `take` as the driver reads them off the wire."""
        handing = _Handing(take)
        return self._repeated(lambda: self._run(sql, handing), lambda: not handing.count)

    def transaction(self, statements: Sequence[str]) -> list[Result]:
        """Run the statements as one transaction: all of them or none."""
        return self._repeated(lambda: self._once(statements))

    def _once(self, statements: Sequence[str]) -> list[Result]:
        self._run("begin")
        try:
            results = [self._run(statement) for statement in statements]
        except StatementError:
            self._run("rollback")
            raise
        try:
            self._run("commit")
        except ConnectionLost as error:
            unknown = CommitUnknown(f"{error}. Whether the transaction was committed is not known")
            raise as_told_by(error, unknown) from None
        return results

    def _repeated(self, run: Callable[[], _T], again: Callable[[], bool] = lambda: True) -> _T:
        return repeated(run, self._attempts, again)

    def _run(self, sql: str, handing: _Handing | None = None) -> Result:
        import redshift_connector

        cursor = self._connection.cursor()
        if handing is not None:
            cursor._cached_rows = handing
        try:
            with decimal.localcontext() as digits:  # the driver computes with Python's 28
                digits.prec = 60
                cursor.execute(sql)
            shape = cursor.ps["row_desc"]
            if not shape:
                return Result(row_count=cursor.rowcount)
            rows = [tuple(row) for row in cursor.fetchall()] if handing is None else []
        except (redshift_connector.Error, OSError) as error:
            if handing is not None and error is handing.failure:
                raise
            # The driver's error quotes the statement's values: not a cause to be written down.
            raise statement_error(error, sql, self._settings) from None
        except (LookupError, struct.error, UnicodeDecodeError) as error:
            if handing is not None and error is handing.failure:
                raise
            raise unreadable(error, sql) from None
        names = tuple(column["label"].decode("utf-8") for column in shape)
        count = len(rows) if handing is None else handing.hand()
        return Result(names, tuple(map(_type_name, shape)), rows, count)


class _Handing:
    """Stands where the driver keeps a result's rows, and hands them on: it would keep them all."""

    def __init__(self, take: Take) -> None:
        self._take, self._rows = take, list[Row]()
        self.count = 0  # rows handed on
        self.failure: BaseException | None = None  # what `take` raised

    def append(self, row: Sequence[Any]) -> None:
        """One row off the wire."""
        self._rows.append(tuple(row))
        if len(self._rows) >= _BATCH:
            self.hand()

    def hand(self) -> int:
        """Hand on what is here; return how many rows there were in all."""
        rows, self._rows = self._rows, []
        self.count += len(rows)
        try:
            if rows:
                self._take(rows)
        except BaseException as error:
            self.failure = error
            raise
        return self.count

    def clear(self) -> None:
        """A statement begins."""
        self._rows.clear()

    def __len__(self) -> int:
        return self.count + len(self._rows)


_NAMES = {
    16: "boolean",
    20: "bigint",
    21: "smallint",
    23: "integer",
    700: "real",
    701: "double",
    1082: "date",
    1114: "timestamp",
    1184: "timestamptz",
    1266: "timetz",
    1083: "time",
    4000: "super",
    25: "text",
}
_SIZED = {1042: "char", 1043: "varchar", 6551: "varbyte"}


def _type_name(column: dict[str, Any]) -> str:
    """Redshift's name of a column's type, from the OID and the modifier of the row description."""
    oid, modifier = column["type_oid"], column["type_modifier"]
    if oid == 1700:
        digits = modifier - 4
        return f"decimal({digits >> 16},{digits & 0xFFFF})" if modifier > 0 else "decimal"
    if oid in _SIZED:
        return f"{_SIZED[oid]}({modifier - 4})" if modifier > 4 else _SIZED[oid]
    return _NAMES.get(oid, f"oid {oid}")
