"""The one open transaction of a writer on MySQL, gone with its block. `insert` judges the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orderhe_dagster.catalog.segments import Scope, Segment
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.measures import Measure
from orderhe_dagster.resources.mysql import insert as mysql_insert
from orderhe_dagster.resources.mysql.connection import LIKE_DUCKDB, close, connect
from orderhe_dagster.resources.mysql.errors import code_of, commit_unknown, mysql_error
from orderhe_dagster.resources.mysql.fetch import arrow_of
from orderhe_dagster.resources.mysql.measuring import measures_of_rows, measuring_select
from orderhe_dagster.settings.config import MySQLSettings

if TYPE_CHECKING:
    import pyarrow as pa

_IN_TRANSACTION = 1  # of the server's status
_COMMITTING = ("alter", "create", "drop", "grant", "rename", "revoke", "truncate")
"""First words of statements before which MySQL commits."""


class MySQLTransaction:
    """A `ports.SourceTransaction`. SQL is read as DuckDB reads it: see `connection.LIKE_DUCKDB`.

    MySQL commits before and after DDL. That is taken where nothing was written yet, and refused else.
    """

    def __init__(self, connection: Any, settings: MySQLSettings) -> None:
        self._connection, self._settings = connection, settings
        self._wrote = False

    def execute(self, sql: str) -> None:
        """Run a statement."""
        self._run(sql)

    def fetch(self, sql: str) -> pa.Table:
        """Run a query and return its rows."""
        return arrow_of(self._run(sql))

    def table_names(self) -> list[str]:
        """The tables of the database; information_schema would list other databases' too."""
        return [str(name) for (name,) in self._run("show tables").fetchall()]

    def append(self, table: Table, rows: pa.Table) -> None:
        """Insert rows by column name, exactly or not at all; PortError says which row was wrong."""
        import pymysql

        try:
            with self._connection.cursor() as cursor:
                mysql_insert.insert(cursor, table.in_source, rows)
        except pymysql.MySQLError as error:
            raise self._error(error, what=f"{table.ref}: the rows were not taken") from None
        self._wrote = True

    def append_files(self, table: Table, paths: Sequence[Path]) -> int:
        """Insert the rows of Parquet parts, as they were; what the server computes is left to it."""
        import duckdb
        import pymysql

        try:
            with self._connection.cursor() as cursor:
                rows = mysql_insert.insert_files(cursor, table.in_source, paths)
        except (pymysql.MySQLError, duckdb.Error) as error:
            raise self._error(error, what=f"{table.ref}: the rows were not taken") from None
        self._wrote = True
        return rows

    def measure(self, table: Table, scope: Scope) -> dict[Segment, Measure]:
        """Rows, sums and digest of every segment asked for, as this transaction sees them."""
        import pymysql

        select = measuring_select(table, scope)
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("select @@sql_mode")
                mode = str(cursor.fetchone()[0])
                # The select is in MySQL's own words.
                plain = ",".join(one for one in mode.split(",") if one not in LIKE_DUCKDB)
                cursor.execute(f"set sql_mode = '{plain}'")
                try:
                    cursor.execute(select)
                    rows = cursor.fetchall()
                finally:
                    cursor.execute(f"set sql_mode = '{mode}'")
        except pymysql.MySQLError as error:
            raise self._error(error, what=f"measure {table.ref}") from None
        return measures_of_rows(table, scope, rows)

    def _run(self, sql: str) -> Any:
        import pymysql

        if self._wrote and sql.split(None, 1)[0].lower() in _COMMITTING:
            raise PortError(
                f"mysql://{self._settings.where}: before `{' '.join(sql.split())[:80]}` MySQL would commit "
                "what this transaction has written: run it in a transaction of its own"
            )
        cursor = self._connection.cursor()
        try:
            changed = cursor.execute(sql)
        except pymysql.MySQLError as error:
            raise self._error(error, sql=sql) from None
        if not self._connection.server_status & _IN_TRANSACTION:
            self._connection.begin()
        elif cursor.description is None and changed:
            self._wrote = True
        return cursor

    def _error(self, error: BaseException, *, what: str = "", sql: str = "") -> PortError:
        return mysql_error(error, self._settings.where, self._settings.user, what=what, sql=sql)


@contextmanager
def writing(settings: MySQLSettings) -> Iterator[MySQLTransaction]:
    """A transaction on a connection of its own: committed when the block ends, else rolled back.

    MySQLCommitUnknown where the connection broke in the commit.
    """
    import pymysql

    connection = connect(settings, LIKE_DUCKDB, texts=True, bulk=True)
    try:
        connection.begin()
        yield MySQLTransaction(connection, settings)
        try:
            connection.commit()
        except pymysql.MySQLError as error:
            if code_of(error) in (2006, 2013):
                raise commit_unknown(error, settings.where) from None
            raise mysql_error(error, settings.where, settings.user, what="commit") from None
    finally:
        close(connection)  # the server rolls back what is not committed
