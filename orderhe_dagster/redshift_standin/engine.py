"""A session of the local Redshift: one DuckDB file, transactions, one statement at a time.

Locks between processes and the wire are others' business; so is where S3's bytes are (`Resolver`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any

from orderhe_dagster.redshift_standin import utility
from orderhe_dagster.redshift_standin.alter import Alterations
from orderhe_dagster.redshift_standin.arguments import Moment
from orderhe_dagster.redshift_standin.catalog import DATABASE, Catalog
from orderhe_dagster.redshift_standin.copy import Resolver, copy_statement, read_copy
from orderhe_dagster.redshift_standin.ddl import Definitions
from orderhe_dagster.redshift_standin.dialect import quote, string
from orderhe_dagster.redshift_standin.dml import Changes
from orderhe_dagster.redshift_standin.errors import RedshiftError, from_duckdb, refuse
from orderhe_dagster.redshift_standin.forms import parse
from orderhe_dagster.redshift_standin.scope import Query
from orderhe_dagster.redshift_standin.translate import Translator
from orderhe_dagster.redshift_standin.words import Words


@dataclass(frozen=True)
class Rows:
    """What a statement gave: columns and types of a query with its rows, or how many it changed."""

    columns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    rows: Sequence[tuple[Any, ...]] = ()
    row_count: int = -1


def _nowhere(address: str) -> Any:
    raise FileNotFoundError(address)


class Engine:
    """One connection. Temporary tables and transactions are its own; close it when done."""

    def __init__(
        self,
        path: str | Path = ":memory:",
        *,
        read: Callable[[str], bytes] = _nowhere,
        local_path: Callable[[str], str] = _nowhere,
        read_only: bool = False,
        user: str = "admin",
    ) -> None:
        """Open the file, or make it. `read` and `local_path` resolve the addresses of COPY."""
        import duckdb

        self._failures = duckdb.Error
        self._resolver, self._user = Resolver(read, local_path), user
        self._connection = duckdb.connect(
            config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}
        )
        try:
            mode = " (READ_ONLY)" if read_only else ""
            self._connection.execute(f"ATTACH {string(str(path))} AS {quote(DATABASE)}{mode}")
            self._connection.execute("SET TimeZone = 'UTC'")
            if str(path) != ":memory:":  # what does not fit in memory goes beside the file
                self._connection.execute(f"SET temp_directory = {string(f'{path}.tmp')}")
            if not read_only:
                self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(DATABASE)}.public")
        except BaseException:
            self._connection.close()
            raise
        self.catalog = Catalog(self._connection)
        self.state = "idle"  # or "open", or "failed": inside a transaction
        self._began: datetime | None = None
        self._last_copy_count = 0

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Roll back what is open and close the file."""
        self._connection.close()

    def interrupt(self) -> None:
        """End the statement that runs; closing and rolling back would wait for it."""
        self._connection.interrupt()

    # -- transactions ------------------------------------------------------------------------------

    def begin(self) -> None:
        """Open a transaction; inside one, nothing happens, as on Redshift."""
        if self.state == "idle":
            self._connection.execute("BEGIN TRANSACTION")
            self.state, self._began = "open", _now()

    def commit(self) -> None:
        """Commit; a failed transaction is rolled back instead."""
        if self.state == "failed":
            self.rollback()
        elif self.state == "open":
            self.state = "idle"
            try:
                self._connection.execute("COMMIT")
            except self._failures as error:
                self._undo()
                raise from_duckdb(error) from error

    def rollback(self) -> None:
        """Roll back, if a transaction is open."""
        if self.state != "idle":
            self.state = "idle"
            self._undo()

    def _undo(self) -> None:
        self.catalog.forget()
        try:
            self._connection.execute("ROLLBACK")
        except self._failures as error:
            if "no transaction is active" not in str(error):
                raise

    def transaction(self, statements: Sequence[str]) -> list[Rows]:
        """Run the statements as one transaction: all of them or none."""
        if self.state != "idle":
            raise RedshiftError("25001", "a transaction is already in progress")
        self.begin()
        try:
            found = [self.execute(statement) for statement in statements]
            self.commit()
        except BaseException:
            self.rollback()
            raise
        return found

    # -- statements --------------------------------------------------------------------------------

    def execute(self, sql: str) -> Rows:
        """Run one statement. RedshiftError when it fails; inside a transaction that fails it all."""
        try:
            words = Words(sql)
            if words.done:
                raise RedshiftError("42601", "the statement is empty")
            return self._dispatch(words, sql)
        except RedshiftError:
            self._failed()
            raise
        except RecursionError:
            self._failed()
            raise RedshiftError("54001", "the statement is nested too deeply") from None
        except self._failures as error:
            self._failed()
            raise from_duckdb(error) from error

    def _failed(self) -> None:
        self.catalog.forget()
        if self.state == "open":
            self.state = "failed"

    def _dispatch(self, words: Words, sql: str) -> Rows:
        verb = words.next().lower
        if verb in ("commit", "end", "rollback", "abort"):
            _ = words.take("work") or words.take("transaction")
            words.end()
            (self.commit if verb in ("commit", "end") else self.rollback)()
            return Rows()
        if self.state == "failed":
            raise RedshiftError(
                "25P02",
                "current transaction is aborted, commands ignored until end of transaction block",
            )
        if verb in ("select", "with", "("):
            return self._query(sql)
        if verb in ("insert", "update", "delete"):
            changes = Changes(self.catalog, self._translator(False))
            return self._run(getattr(changes, verb)(self._parsed(sql, verb)))
        if verb in ("create", "drop", "alter"):
            reader = Definitions if verb == "create" else Alterations
            self._run(getattr(reader(self.catalog, self._translator), verb)(words))
            self.catalog.forget()
            return Rows()
        if verb == "copy":
            return self._copy(words)
        return self._other(verb, words)

    def _other(self, verb: str, words: Words) -> Rows:
        if verb in ("begin", "start"):
            _ = words.take("work") or words.take("transaction")
            words.end()
            self.begin()
        elif verb == "truncate":
            self._truncate(words)
        elif verb in ("lock", "analyze", "comment"):
            getattr(utility, verb)(words, self.catalog)
        elif verb == "vacuum":
            if self.state != "idle":
                raise RedshiftError("25001", "VACUUM cannot run inside a transaction block")
            utility.vacuum(words, self.catalog)
        elif verb in ("grant", "revoke"):
            utility.grant(words, self.catalog, "to" if verb == "grant" else "from")
        elif verb == "set":
            utility.set_(words, self.catalog)
        elif verb == "reset":
            utility.reset(words, self.catalog)
        else:
            raise refuse(f"the statement {words.words[0].text}", "see docs/standin.md")
        return Rows()

    def _parsed(self, sql: str, verb: str) -> Any:
        tree = parse(sql)
        if tree.key != verb:
            raise refuse(f"this form of {verb}", "write it in the form of docs/standin.md")
        return tree

    def _translator(self, timeless: bool) -> Translator:
        """`timeless`: what is translated is kept, so the clock is read when it runs."""
        now = None if timeless else _now()
        began = None if timeless else self._began if self.state == "open" else now
        moment = Moment(
            now, began, self._user, self.catalog.search_path[0], os.getpid(), self._last_copy_count
        )
        return Translator(self.catalog.lookup, moment)

    def translated(self, sql: str) -> Query:
        """The DuckDB text and the columns of a query, without running it."""
        return self._translator(False).query(parse(sql), None, {})

    def _query(self, sql: str) -> Rows:
        query = self.translated(sql)
        zoned = [place for place, (_, t) in enumerate(query.columns) if t.kind == "timestamptz"]
        text = query.sql
        if zoned:
            names = [f"c{place}" for place in range(len(query.columns))]
            made = ", ".join(
                f"({c} AT TIME ZONE 'UTC')" if place in zoned else c
                for place, c in enumerate(names)
            )
            text = f'SELECT {made} FROM ({query.sql}) AS "_z"({", ".join(names)})'
        cursor = self._connection.execute(text)
        for (column, type_), found in zip(query.columns, cursor.description or (), strict=True):
            carrier = "TIMESTAMP" if type_.kind == "timestamptz" else type_.carrier
            if str(found[1]) != carrier:
                raise RedshiftError(
                    "XX000",
                    f"the local Redshift computed {column} as {found[1]}, not as {type_}: refused "
                    "rather than wrong; cast it to the type you mean, and report it",
                )
        rows = cursor.fetchall()
        if zoned:
            rows = [_in_utc(row, zoned) for row in rows]
        names_, types = zip(*query.columns, strict=True)
        return Rows(names_, tuple(str(type_) for type_ in types), rows, len(rows))

    def _run(self, statements: list[str]) -> Rows:
        """DuckDB statements as one unit; the last one's count of rows."""
        alone = self.state == "idle" and len(statements) > 1
        if alone:
            self._connection.execute("BEGIN TRANSACTION")
        try:
            count = -1
            for statement in statements:
                found = self._connection.execute(statement).fetchall()
                count = found[0][0] if found and isinstance(found[0][0], int) else -1
            if alone:
                self._connection.execute("COMMIT")
        except BaseException:
            if alone:
                self._undo()
            raise
        return Rows(row_count=count)

    def _copy(self, words: Words) -> Rows:
        copy = read_copy(words, self.catalog)
        found = self._run([copy_statement(copy, self._resolver, self._connection)])
        self._last_copy_count = found.row_count
        return found

    def _truncate(self, words: Words) -> None:
        """Empties the table and commits: the transaction around it, too, as on Redshift."""
        words.take("table")
        table = self.catalog.table(*words.table())
        words.end()
        self._run([f"DELETE FROM {table.sql}"])
        self.commit()


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _in_utc(row: tuple[Any, ...], zoned: list[int]) -> tuple[Any, ...]:
    return tuple(
        value.replace(tzinfo=timezone.utc) if place in zoned and value is not None else value
        for place, value in enumerate(row)
    )
