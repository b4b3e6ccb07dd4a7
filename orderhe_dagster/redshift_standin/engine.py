"""A session of the local Redshift: its transaction, and one statement at a time.

What all sessions share is in `database`, what each statement does in `statements`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any

from orderhe_dagster.redshift_standin import statements, system_views, views
from orderhe_dagster.redshift_standin.arguments import Moment
from orderhe_dagster.redshift_standin.catalog import Catalog
from orderhe_dagster.redshift_standin.database import NOWHERE, Database
from orderhe_dagster.redshift_standin.errors import RedshiftError, from_duckdb
from orderhe_dagster.redshift_standin.forms import parse
from orderhe_dagster.redshift_standin.results import Row, Rows, Stream
from orderhe_dagster.redshift_standin.scope import Columns, Query
from orderhe_dagster.redshift_standin.storage import Resolver
from orderhe_dagster.redshift_standin.translate import Translator
from orderhe_dagster.redshift_standin.words import Words

__all__ = ["Engine", "Rows"]


class Engine:
    """One session. Temporary tables, transaction and settings are its own; close it when done."""

    def __init__(
        self,
        path: str | Path = ":memory:",
        *,
        resolver: Resolver = NOWHERE,
        read_only: bool = False,
        user: str = "admin",
        application_name: str = "",
        database: Database | None = None,
    ) -> None:
        """A session of `database`; without one, of a database of its own at `path`.

        `resolver` reaches the addresses of COPY and UNLOAD.
        """
        self._own = database is None
        self.database = database or Database(path, resolver=resolver, read_only=read_only)
        self.user, self.application_name = user, application_name
        self.process_id, self.connection = self.database.enter(self)
        self.catalog = Catalog(
            self.connection,
            version=lambda: self.database.version,
            frozen=lambda: self._started,
            system=lambda schema, name: system_views.lookup(self, schema, name),
        )
        self.catalog.user = user
        self.state = "idle"  # or "open", or "failed": inside a transaction
        self.last_copy_count = 0
        self.last_copy_id = -1
        self._began: datetime | None = None
        self._started = False  # DuckDB has a transaction open: the snapshot is taken
        self._defining = False  # the transaction changed definitions
        self._stream: Stream | None = None

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
        """Roll back what is open and leave the database; one of its own is closed."""
        self.database.leave(self)
        self.connection.close()
        if self._own:
            self.database.close()

    def interrupt(self) -> None:
        """End the statement that runs; closing and rolling back would wait for it."""
        self.connection.interrupt()

    # -- transactions ------------------------------------------------------------------------------

    def begin(self) -> None:
        """Open a transaction; inside one, nothing happens, as on Redshift.

        Its snapshot is taken later, by the first statement that reads or changes tables.
        """
        if self.state == "idle":
            self.state, self._began = "open", _now()

    def commit(self) -> None:
        """Commit; a failed transaction is rolled back instead."""
        if self.state == "failed":
            self.rollback()
        elif self.state == "open":
            self._settle()
            self.state = "idle"
            self._commit()

    def rollback(self) -> None:
        """Roll back, if a transaction is open."""
        if self.state != "idle":
            self.state = "idle"
            self._undo()

    def _start(self) -> None:
        """Take the snapshot, if it is not taken yet."""
        if not self._started:
            with self.database.gate:
                self.connection.execute("BEGIN TRANSACTION")
                self._started = True

    def _commit(self) -> None:
        if not self._started:
            return
        try:
            with self.database.gate:
                self.connection.execute("COMMIT")
                self._started = False
                if self._defining:
                    self.database.version += 1
        except self.database.failures as error:
            self._undo()
            raise from_duckdb(error) from error
        self._defining = False

    def _undo(self) -> None:
        self.catalog.forget()
        started, self._started, self._defining, self._stream = self._started, False, False, None
        if started:
            try:
                self.connection.execute("ROLLBACK")
            except self.database.failures as error:
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
        return self.stream(sql).all()

    def stream(self, sql: str) -> Stream:
        """`execute`, with the rows of a query in batches: a result may be larger than the memory."""
        with self._telling():
            self._settle()
            words = self._words(sql)
            statement = statements.find(words)
            if self.state == "failed" and not statement.ends:
                raise RedshiftError(
                    "25P02",
                    "current transaction is aborted, commands ignored until end of transaction block",
                )
            if statement.alone and self.state != "idle":
                verb = words.words[0].text.upper()
                raise RedshiftError("25001", f"{verb} cannot run inside a transaction block")
            found = statement.run(self, words, sql)
            if isinstance(found, Stream):
                return found
            tag = found.tag or statements.tag(statement, words, found.row_count)
            rows, count = found.rows, found.row_count
            return Stream(Rows(found.columns, found.types, rows, count, tag, found.notices))

    def describe(self, sql: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The columns and types that a statement would give, without running it; none: no rows."""
        words = self._words(sql)
        if not statements.find(words).query:
            return (), ()
        with self._telling():
            names, types = zip(*self.translated(sql).columns, strict=True)
        return names, tuple(map(str, types))

    def _words(self, sql: str) -> Words:
        words = Words(sql)
        if words.done:
            raise RedshiftError("42601", "the statement is empty")
        return words

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Errors inside are Redshift's, and fail the transaction."""
        try:
            yield
        except RedshiftError:
            self.fail()
            raise
        except RecursionError:
            self.fail()
            raise RedshiftError("54001", "the statement is nested too deeply") from None
        except self.database.failures as error:
            self.fail()
            raise from_duckdb(error) from error

    def fail(self) -> None:
        """The transaction that is open, if one is, can only be rolled back."""
        self.catalog.forget()
        if self.state == "open":
            self.state = "failed"

    def _settle(self) -> None:
        """Before anything else runs here: keep the rows that nobody has fetched yet."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.buffer()

    # -- for `statements` --------------------------------------------------------------------------

    def translator(self, timeless: bool = False) -> Translator:
        """`timeless`: what is translated is kept, so the clock is read when it runs."""
        now = None if timeless else _now()
        began = None if timeless else self._began if self.state == "open" else now
        schema = self.catalog.search_path[0]
        moment = Moment(now, began, self.user, schema, self.process_id, self.last_copy_count)

        def lookup(schema: str | None, name: str) -> tuple[str, Columns]:
            return views.looked_up(self.catalog, self.translator, schema, name)

        return Translator(lookup, moment)

    def translated(self, sql: str) -> Query:
        """The DuckDB text and the columns of a query, without running it."""
        return self.translator().query(parse(sql), None, {})

    def query(self, query: Query) -> Stream:
        """Run a translated query; its rows come as they are fetched."""
        zoned = [place for place, (_, t) in enumerate(query.columns) if t.kind == "timestamptz"]
        text = query.sql
        if zoned:
            names = [f"c{place}" for place in range(len(query.columns))]
            made = ", ".join(
                f"({c} AT TIME ZONE 'UTC')" if place in zoned else c
                for place, c in enumerate(names)
            )
            text = f'SELECT {made} FROM ({query.sql}) AS "_z"({", ".join(names)})'
        if self.state == "open":
            self._start()
        cursor = self.connection.execute(text)
        for (column, type_), found in zip(query.columns, cursor.description or (), strict=True):
            carrier = "TIMESTAMP" if type_.kind == "timestamptz" else type_.carrier
            if (
                str(found[1]) != carrier and type_.doubt != "null"
            ):  # DuckDB has its own type for NULL
                raise RedshiftError(
                    "XX000",
                    f"the local Redshift computed {column} as {found[1]}, not as {type_}: refused "
                    "rather than wrong; cast it to the type you mean, and report it",
                )

        def fetch(most: int) -> list[Row]:
            with self._telling():
                rows: list[Row] = cursor.fetchmany(most)
            return [_in_utc(row, zoned) for row in rows] if zoned else rows

        names_, types = zip(*query.columns, strict=True)
        self._stream = Stream(Rows(names_, tuple(map(str, types)), tag="SELECT"), fetch)
        return self._stream

    def run(self, texts: Sequence[str]) -> Rows:
        """DuckDB statements as one unit; the last one's count of rows."""
        if self.state == "open" or len(texts) > 1 or self._defining:
            self._start()
        try:
            count = -1
            for text in texts:
                found: list[Any] = self.connection.execute(text).fetchall()
                count = found[0][0] if found and isinstance(found[0][0], int) else -1
        except BaseException:
            if self.state == "idle":
                self._undo()
            raise
        if self.state == "idle":
            self._commit()
        return Rows(row_count=count)

    def define(self, texts: Sequence[str]) -> Rows:
        """`run` for statements that change definitions: other sessions read the catalogue anew."""
        if texts:
            self._defining = True
            self.run(texts)
            self.catalog.forget()
        return Rows()


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _in_utc(row: Row, zoned: list[int]) -> Row:
    return tuple(
        value.replace(tzinfo=timezone.utc) if place in zoned and value is not None else value
        for place, value in enumerate(row)
    )
