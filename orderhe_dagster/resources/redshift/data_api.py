"""DataApiWarehouse: Amazon Redshift, or the local one, through the Data API: HTTPS and IAM, no connection.

A session is one of the service's, in which temporary tables live. Requests and waits: `data_client`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

from orderhe_dagster.ports.errors import (
    CommitUnknown,
    ConnectionLost,
    PortError,
    StatementError,
    as_told_by,
)
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Lines, Result, Row, Take, Warehouse
from orderhe_dagster.resources.redshift.connection import label_text
from orderhe_dagster.resources.redshift.data_client import DataClient, Members, running
from orderhe_dagster.resources.redshift.data_errors import SessionGone, failed_statement, place
from orderhe_dagster.resources.redshift.repeating import ATTEMPTS, repeated
from orderhe_dagster.resources.redshift.unload import UNLOADED, Unload, written
from orderhe_dagster.resources.redshift.warehouse import role_clause
from orderhe_dagster.settings.config import RedshiftSettings

KEPT_ALIVE_S = 1_800
"""How long a session stays that nothing is run in: what a run does between two statements takes less."""
MOST_STATEMENTS, MOST_BYTES = 40, 100_000
"""Of a batch; more is run statement by statement, in a transaction of the session's."""
_BATCH = 2_000  # rows
_COMMIT = "commit"


@dataclass(frozen=True)
class DataApiWarehouse(Warehouse):
    """The warehouse that `settings` name, asked by requests.

    A transaction is one batch: where another transaction was in the way it is repeated, at most
    `attempts` times in all. What was lost on the way is looked up by its token; where that gives no
    answer: CommitUnknown, and the audit tells.

    Results of `unloaded` rows and more that are written as lines come by way of `store`, if there is one.
    """

    settings: RedshiftSettings
    attempts: int = ATTEMPTS
    store: Store | None = None
    unloaded: int = UNLOADED

    @property
    def identity(self) -> str:
        """`redshift-data://workgroup/database`."""
        return place(self.settings)

    @property
    def copy_authorization(self) -> str:
        """The role that COPY reads S3 by; keys never stand in SQL."""
        return role_clause(self.settings)

    @contextmanager
    def session(self, label: str, *, read_only: bool = False) -> Iterator[DataApiSession]:
        """Open a session; `label` is the query group its statements are logged under.

        What may be written is the user's rights, not `read_only`'s. PortError where none is opened.
        """
        session = DataApiSession(DataClient(self.settings), label, self.attempts)
        try:
            session.open()
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


class DataApiSession:
    """One session of the service's, whose statements commit themselves unless a transaction is open."""

    def __init__(self, client: DataClient, label: str, attempts: int) -> None:
        self._client, self._attempts = client, attempts
        self._name = label_text(label)
        self._id = ""
        self._open = False  # a transaction that the caller began by a statement of its own

    def open(self) -> None:
        """Have the service open it, and set it up. PortError."""
        limit_ms = self._client.settings.statement_timeout * 1000
        statements = [
            f"set statement_timeout to {limit_ms}",
            f"set query_group to '{self._name}'",
        ]
        opening = {**self._client.warehouse, "SessionKeepAliveSeconds": KEPT_ALIVE_S}
        answer = self._submit("batch_execute_statement", {"Sqls": statements, **opening}, "set …")
        self._id = str(answer.get("SessionId", ""))
        self._over(answer, statements)

    def close(self) -> None:
        """Let the session end, and with it its temporary tables; what is open is rolled back."""
        if self._id:
            self._client.end_session(self._id)

    def execute(self, sql: str) -> Result:
        """Run one Redshift statement, committed at once when no transaction is open."""
        word = (sql.split(None, 1) or [""])[0].lower().rstrip(";")
        if self._open or word in ("begin", "start", "commit", "end", "rollback", "abort"):
            result = self._run(sql)
            self._open = word not in ("commit", "end", "rollback", "abort")
            return result
        return repeated(lambda: self._run(sql), self._attempts)

    def stream(self, sql: str, take: Take) -> Result:
        """Run a query and hand its rows to `take`, page by page."""
        described = repeated(lambda: self._executed(sql), self._attempts)
        return self._streamed(described, sql, take)

    def transaction(self, statements: Sequence[str]) -> list[Result]:
        """Run the statements as one transaction: all of them or none."""
        is_batch = (
            len(statements) <= MOST_STATEMENTS
            and sum(len(sql.encode("utf-8")) for sql in statements) <= MOST_BYTES
        )
        once = self._as_batch if is_batch else self._one_by_one
        return repeated(lambda: once(statements), self._attempts)

    def _as_batch(self, statements: Sequence[str]) -> list[Result]:
        doing = f"run a transaction of {len(statements)} statements"
        try:
            answer = self._submit(
                "batch_execute_statement",
                {"Sqls": list(statements), "SessionId": self._id, "StatementName": self._name},
                doing,
            )
        except SessionGone:
            raise
        except ConnectionLost as error:
            raise _unknown(error) from None
        try:
            described = self._over(answer, statements)
            return [
                self._result(part, sql)
                for part, sql in zip(described["SubStatements"], statements, strict=True)
            ]
        except StatementError:
            raise
        except PortError as error:
            raise _unknown(error) from None

    def _one_by_one(self, statements: Sequence[str]) -> list[Result]:
        self._run("begin")
        try:
            results = [self._run(statement) for statement in statements]
        except StatementError:
            self._run("rollback")
            raise
        try:
            self._run(_COMMIT)
        except SessionGone:
            raise  # before it committed
        except ConnectionLost as error:
            raise _unknown(error) from None
        return results

    def _run(self, sql: str) -> Result:
        return self._result(self._executed(sql), sql)

    def _executed(self, sql: str) -> Members:
        """Run a statement; its description, once it is over."""
        answer = self._submit(
            "execute_statement",
            {"Sql": sql, "SessionId": self._id, "StatementName": self._name},
            running(sql),
            sql,
        )
        if answer["Status"] == "FINISHED" and answer.get("HasResultSet"):
            return answer  # it has all that is needed
        return self._over(answer, [sql])

    def _submit(self, operation: str, members: Members, doing: str, sql: str = "") -> Members:
        return self._client.submit(operation, members, doing, sql)

    def _over(self, answer: Members, statements: Sequence[str]) -> Members:
        """The description of what was submitted, once it is over. StatementError where it failed."""
        described = self._client.finished(answer, running(statements[0]))
        if described["Status"] == "FINISHED":
            return described
        text, sql = described.get("Error", ""), _COMMIT if len(statements) > 1 else statements[0]
        for part, statement in zip(described.get("SubStatements", ()), statements, strict=False):
            if part["Status"] == "FAILED":
                text, sql = part.get("Error") or text, statement
                break
        if described["Status"] == "ABORTED":
            raise StatementError(f"cancelled: {text}" if text else "cancelled", "57014", sql)
        raise failed_statement(text, sql, self._client.settings)

    def _result(self, described: Members, sql: str) -> Result:
        """What a statement that is over gave."""
        if not described.get("HasResultSet"):
            return Result(row_count=int(described.get("ResultRows", -1)))
        rows: list[Row] = []
        result = self._streamed(described, sql, rows.extend)
        return Result(result.columns, result.types, rows, len(rows))

    def _streamed(self, described: Members, sql: str, take: Take) -> Result:
        """Hand on the rows of a result; the columns and their count are what is given."""
        if not described.get("HasResultSet"):
            return Result(row_count=int(described.get("ResultRows", -1)))
        names: tuple[str, ...] = ()
        types: tuple[str, ...] = ()
        made: list[Callable[[Any], Any]] = []
        count, total = 0, 0
        for page in self._client.pages(described["Id"], running(sql)):
            if not made:
                columns = page["ColumnMetadata"]
                names = tuple(column.get("label") or column.get("name", "") for column in columns)
                types = tuple(map(_type_name, columns))
                made = [_reader(type_.partition("(")[0]) for type_ in types]
                total = int(page.get("TotalNumRows", -1))
            records = page["Records"]
            for begin in range(0, len(records), _BATCH):
                rows = [_row(record, made) for record in records[begin : begin + _BATCH]]
                count += len(rows)
                take(rows)
        if total not in (-1, count):
            raise ConnectionLost(
                f"the Data API gave {count:,} of {total:,} rows of {running(sql)}: run it again"
            )
        return Result(names, types, (), count)


def _unknown(error: PortError) -> CommitUnknown:
    unknown = CommitUnknown(f"{error}. Whether the transaction was committed is not known")
    return as_told_by(error, unknown)


# -- values ----------------------------------------------------------------------------------------

_NAMES = {
    "bool": "boolean",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double",
    "numeric": "decimal",
    "bpchar": "char",
}
"""Redshift's short names of types, as its drivers give them too."""
_SIZED = ("char", "varchar", "varbyte")


def _type_name(column: Members) -> str:
    """Redshift's name of a column's type, as the other adapter has it."""
    short = str(column.get("typeName", "")).lower()
    name = _NAMES.get(short, short)
    precision = int(column.get("precision") or 0)
    if name == "decimal" and precision:
        return f"decimal({precision},{int(column.get('scale') or 0)})"
    size = precision or int(column.get("length") or 0)
    return f"{name}({size})" if name in _SIZED and size else name


def _row(record: Sequence[Members], made: Sequence[Callable[[Any], Any]]) -> Row:
    return tuple(
        None if field.get("isNull") else make(next(iter(field.values())))
        for field, make in zip(record, made, strict=True)
    )


def _reader(kind: str) -> Callable[[Any], Any]:
    """What makes a value of a field's, for a column of this kind of type."""
    return _READERS.get(kind, lambda value: value)


def _moment(text: str) -> datetime:
    """A timestamp; the digits of its seconds are as many as it has."""
    head, _, digits = text.partition(".")
    return datetime.fromisoformat(f"{head}.{digits:0<6}" if digits else head)


_ZONE = re.compile(r"([+-])(\d\d)(?::?(\d\d))?$")


def _zoned_moment(text: str) -> datetime:
    """A timestamp with a zone, as the moment in UTC."""
    zone = _ZONE.search(text)
    if zone is None:
        return _moment(text).replace(tzinfo=timezone.utc)
    away = timedelta(hours=int(zone[2]), minutes=int(zone[3] or 0))
    moment = _moment(text[: zone.start()].rstrip())
    return (moment - away if zone[1] == "+" else moment + away).replace(tzinfo=timezone.utc)


def _clock(text: str) -> time:
    return time.fromisoformat(text)


def _digits(value: str | bytes) -> str:
    """Bytes as hexadecimal digits, as the driver gives them."""
    return value if isinstance(value, str) else value.hex()


_READERS: dict[str, Callable[[Any], Any]] = {
    "boolean": bool,
    **dict.fromkeys(("smallint", "integer", "bigint"), int),
    **dict.fromkeys(("real", "double"), float),
    "decimal": Decimal,
    "date": date.fromisoformat,
    "timestamp": _moment,
    "timestamptz": _zoned_moment,
    "time": _clock,
    "varbyte": _digits,
}
