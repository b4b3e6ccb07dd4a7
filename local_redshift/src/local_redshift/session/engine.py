"""A session of the local Redshift: its transaction, and one statement at a time.

What all sessions share is in `database`, what each statement does in `statements`. To those below it is
a `database.session.Session`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from time import monotonic

from local_redshift.compile.compiler import RuleCompiler
from local_redshift.database.database import FIRST_PROCESS_ID, NOWHERE, Database
from local_redshift.database.query_log import Entry
from local_redshift.database.results import Row, Rows, Stream
from local_redshift.database.session import Cursor, State
from local_redshift.database.storage import Resolver
from local_redshift.errors import CONFLICT, RedshiftError, refuse, translated
from local_redshift.read.dialect import string
from local_redshift.read.syntax import parse
from local_redshift.read.words import Words
from local_redshift.session import query_results
from local_redshift.session.query_results import Shape
from local_redshift.session.room import with_room
from local_redshift.session.templates import TEMPLATES, Compiled, NotingContext, Times
from local_redshift.session.unit_of_work import UnitOfWork
from local_redshift.statements import registry as statements
from local_redshift.statements import views
from local_redshift.statements.permissions import permit
from local_redshift.statements.settings import began, ended, show
from local_redshift.transactions.commands import Command
from local_redshift.transactions.isolation import Transaction
from local_redshift.transactions.locks import Mode, Stale
from local_redshift.values.catalog import Catalog, Relation
from local_redshift.values.scope import Query
from local_redshift.values.types import MAX_VARCHAR, varchar
from local_redshift.values.uses import Uses
from local_redshift.views import system_views
from local_redshift.views.shows import shown

__all__ = ["Engine", "Rows", "connect"]

_OWNER = "admin"  # who a session is, unless it is told
_AGAIN_S = 0.02  # an interrupt that came between two steps of a statement is repeated
_READINGS = 10  # how often a statement is read again, since others changed its tables meanwhile


class Engine:
    """One session. Temporary tables, transaction and settings are its own; close it when done."""

    def __init__(
        self,
        path: str | Path = ":memory:",
        *,
        resolver: Resolver = NOWHERE,
        read_only: bool = False,
        user: str = _OWNER,
        application_name: str = "",
        database: Database | None = None,
    ) -> None:
        """A session of `database`; without one, of a database of its own at `path`.

        `resolver` reaches the addresses of COPY and UNLOAD. `read_only`: it may change nothing but
        temporary tables.
        """
        self._own = database is None
        self.database = database or Database(path, resolver=resolver, read_only=read_only)
        self.user, self.application_name, self.since = user, application_name, _now()
        self.process_id, self.connection = self.database.enter(self)
        self.work = UnitOfWork(self.database, self.process_id, self.connection, read_only)
        self.catalog = Catalog(
            self.connection,
            version=lambda: self.database.version,
            frozen=lambda: self.work.frozen,
            system=lambda schema, name: system_views.lookup(self, schema, name),
            shared=self.database.definitions,
        )
        self.catalog.user, self.catalog.salts = user, self.database.salts
        self.catalog.temporary = f"pg_temp_{self.process_id - FIRST_PROCESS_ID + 1}"
        if user != _OWNER:
            self.catalog.note_user()
        self.state: State = "idle"
        self.cursor: Cursor | None = None
        self.last_copy_count = 0
        self.last_copy_id = -1
        self.last_query_id = -1
        self._limit = TimeLimit(self.interrupt)
        self._stream: Stream | None = None
        self._shape: Shape | None = None  # of the statement that runs
        self.entry: Entry | None = None  # of the statement that runs

    def close(self) -> None:
        """End what runs, roll back what is open, leave the database; one of its own is closed."""
        self.database.leave(self)
        self.work.close()
        try:
            if self.work.transaction is not None:
                self.interrupt()
                self.work.undo()
        finally:
            self.connection.close()
            if self._own:
                self.database.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def interrupt(self) -> None:
        """End the statement that runs or waits; closing and rolling back would wait for it."""
        self.work.interrupt()

    @property
    def current_transaction(self) -> Transaction | None:
        """The transaction that it is in, if it is in one."""
        return self.work.transaction

    # -- transactions ------------------------------------------------------------------------------

    def begin(self, *, read_only: bool = False) -> None:
        """Open a transaction; inside one, nothing happens, as on Redshift.

        Its snapshot is taken later, by the first statement that reads or changes tables.
        """
        self._settle()
        if self.state == "idle":
            self.state = "open"
            began(self.catalog)
            self.work.open().read_only |= read_only

    def commit(self) -> None:
        """Commit; a failed transaction is rolled back instead."""
        if self.state == "failed":
            self.rollback()
        elif self.state == "open":
            self._settle()
            self.state, self.cursor = "idle", None
            try:
                self.work.commit()
            except RedshiftError:
                self.catalog.forget()
                ended(self.catalog, False)
                raise
            ended(self.catalog, True)

    def rollback(self) -> None:
        """Roll back, if a transaction is open."""
        self._stream = self.cursor = None
        self.catalog.forget()
        self.state = "idle"
        ended(self.catalog, False)
        self.work.undo()

    def transaction(self, statements: Sequence[str]) -> list[Rows]:
        """Run the statements as one transaction: all of them or none."""
        if self.state != "idle":
            raise RedshiftError("25001", "a transaction is already in progress")
        self.begin()
        try:
            results = [self.execute(statement) for statement in statements]
            self.commit()
        except BaseException:
            self.rollback()
            raise
        return results

    # -- statements --------------------------------------------------------------------------------

    def execute(self, sql: str) -> Rows:
        """Run one statement. RedshiftError when it fails; inside a transaction that fails it all."""
        return self.stream(sql).all()

    def stream(self, sql: str, shape: Shape | None = None) -> Stream:
        """`execute`, with the rows of a query in batches: a result may be larger than the memory.

        `shape`: the rows of a select come as Arrow arrays of what it makes of them, see `Stream.shaped`.
        """
        label = self.catalog.settings.values.get("query_group", "default")
        entry = self.database.log.begin(self.process_id, self.user, label, sql)
        self._limit.start(self.timeout_ms)
        with self._reporting(entry), self._limit.watching():
            self._settle()
            stream = with_room(lambda: self._answered(sql, entry, shape), self.interrupt)
            self.last_query_id = entry.query_id
            if stream is not self._stream:
                self._over(entry, stream.head.row_count)
            return stream

    def _answered(self, sql: str, entry: Entry, shape: Shape | None) -> Stream:
        if self.state != "failed" and (stream := self._answered_again(sql, entry, shape)):
            return stream
        statement, words = statements.read(sql)
        self.entry, entry.kind = entry, statements.query_type(words)
        statements.admit(statement, words, self.state)
        if self.work.transaction is not None:
            self.work.transaction.cancelled = False
        entry.transaction = 0 if statement.ends else self.work.open().number
        at = words.at
        for _ in range(_READINGS):
            words.at = at
            self.catalog.asked.clear()
            self._shape = shape if statement.query else None
            try:
                result = statement.run(self, words, sql)
            except Stale:
                continue
            except RedshiftError:
                if self.work.redefined(self.catalog, self.timeout_ms):
                    continue
                raise
            if isinstance(result, Stream):
                return result
            tag = result.tag or statements.command_tag(statement, words, result.row_count)
            return Stream(replace(result, tag=tag))
        raise RedshiftError("XX000", CONFLICT)

    def _answered_again(self, sql: str, entry: Entry, shape: Shape | None) -> Stream | None:
        """The rows of a query whose like has been compiled before; None: it is to be read as any other."""
        self.catalog.asked.clear()
        if self.work.transaction is not None:
            self.work.transaction.cancelled = False
        query = self._known(sql)
        if query is None:
            return None
        self.entry, entry.kind = entry, "SELECT"
        entry.transaction = self.work.open().number
        self._shape = shape
        try:
            return self.query(query)
        except Stale:
            return None
        except RedshiftError:
            if self.work.redefined(self.catalog, self.timeout_ms):
                return None
            raise

    def _over(self, entry: Entry | None, rows: int) -> None:
        """A statement has given all it had: alone, it is a transaction that is committed now."""
        if self.state == "idle":
            self.work.commit()
        if entry is not None:
            entry.end(max(rows, 0))

    def describe(self, sql: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The columns and types that a statement would give, without running it; none: no rows."""
        statement, words = statements.read(sql)
        if statement.shape is not None:
            with self._reporting():
                return statement.shape(self, words)
        if not statement.query:
            return (), ()
        with self._reporting():
            self._settle()
            query = with_room(lambda: self.compiled(sql), self.interrupt)
            names, types = zip(*query.columns, strict=True)
        return names, tuple(map(str, types))

    @contextmanager
    def _reporting(self, entry: Entry | None = None) -> Iterator[None]:
        """Errors inside are Redshift's, fail the transaction, and end the entry of the log."""
        try:
            yield
        except BaseException as error:
            failure = translated(error, self.database.failures)
            if not isinstance(failure, RedshiftError):  # as Ctrl-C: the statement may still run
                self.connection.interrupt()
            elif failure.code == "57014" and self._limit.expired:
                failure.detail = f"statement_timeout is {self.timeout_ms} ms"
            self.fail()
            if entry is not None:
                entry.end(error=str(failure))
            if failure is error:
                raise
            raise failure from error

    def fail(self) -> None:
        """What the statement did is rolled back; the transaction that is open can only be ended."""
        self.catalog.forget()
        self._stream = None
        self.work.undo()
        if self.state == "open":
            self.state = "failed"

    @property
    def timeout_ms(self) -> int:
        """The statement_timeout in milliseconds; 0: none."""
        setting = self.catalog.settings.values.get("statement_timeout", "0")
        return int(setting) if setting.isdigit() else 0

    def _settle(self) -> None:
        """Before anything else runs here: keep the rows that nobody has fetched yet."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.buffer()

    # -- for `statements` --------------------------------------------------------------------------

    def compiler(self, timeless: bool = False) -> RuleCompiler:
        """`timeless`: what is compiled is kept, so the clock is read when it runs."""
        if timeless:
            return RuleCompiler(
                views.lookup(self.catalog, self.compiler), self._context(None, None)
            )
        times = self._times()
        context = self._context(times.now, times.began, self.catalog)
        return RuleCompiler(views.lookup(self.catalog, self.compiler), context)

    def _times(self) -> Times:
        now, work = _now(), self.work.transaction
        return Times(now, work.began if work and self.state == "open" else now)

    def _context(
        self, now: datetime | None, began: datetime | None, catalog: Catalog | None = None
    ) -> NotingContext:
        return NotingContext(
            now,
            began,
            self.user,
            self.catalog.search_path[0],
            self.process_id,
            self.last_copy_count,
            last_query_id=self.last_query_id,
            last_copy_id=self.last_copy_id,
            catalog=catalog,
        )

    def _template(self, sql: str, times: Times) -> Compiled:
        """Compile a query as at other times, and say what it stands on."""
        context = self._context(times.now, times.began, self.catalog)
        tables: list[tuple[str | None, str, Relation]] = []
        others: list[str] = []
        lookup = views.lookup(self.catalog, self.compiler)

        def noting(schema: str | None, name: str) -> Query:
            relation = self.catalog.find(schema, name)
            if relation is None or relation.is_view:
                others.append(name)
            else:
                tables.append((schema, name, relation))
            return lookup(schema, name)

        asked: set[str] = set()
        compiler = RuleCompiler(noting, replace(context, asked=(asked,)))
        query = compiler.query(parse(sql), None, {})
        return Compiled(query, None if others or asked else tables)

    def _known(self, sql: str) -> Query | None:
        """The query, compiled, where its like has been before; None: it is to be read and compiled."""
        whose = (self.user, self.catalog.search_path)
        find = self._readable
        return TEMPLATES.query(sql, whose, self._times(), find, self._template)

    def _readable(self, schema: str | None, name: str) -> Relation | None:
        """`Catalog.find`, of what the user may read."""
        relation = self.catalog.find(schema, name)
        if relation is not None:
            self.catalog.permit(relation, "select")
        return relation

    def compiled(self, sql: str) -> Query:
        """The DuckDB text and the columns of a query or SHOW, without running it."""
        known = self._explained(sql) or shown(self, sql) or show(sql, self.catalog)
        return known or self.compiler().query(parse(sql), None, {})

    def _explained(self, sql: str) -> Query | None:
        """EXPLAIN: a plan of DuckDB's, that says so. None for another statement."""
        words = Words(sql)
        if not words.take("explain"):
            return None
        words.take("verbose")
        inner = words.rest()
        if not (statements.read(inner)[0].query and not inner.lower().startswith("show")):
            raise refuse(f"explain of {inner[:40]!r}", "explain the query in it")
        query = self.compiled(inner)
        if query.uses.udfs:
            self.database.know_udfs()
        ((_, plan),) = self.connection.execute(f"EXPLAIN {query.sql}").fetchall()
        lines = [
            query_results.NO_PLAN_OF_AMAZON_S,
            *(line for line in plan.split("\n") if line.strip()),
        ]
        listed = ", ".join(f"({string(line)})" for line in lines)
        columns = (("QUERY PLAN", varchar(MAX_VARCHAR)),)
        return Query(f'SELECT * FROM (VALUES {listed}) AS "_p"("QUERY PLAN")', columns, Uses())

    def query(self, query: Query) -> Stream:
        """Run a compiled query; its rows come as they are fetched."""
        text, zoned, entry = query_results.text(query), query_results.zoned(query), self.entry
        shape, self._shape = self._shape, None
        shaped = query_results.shaped(query, shape) if shape else None
        self._prepare([Command(text, query.uses)])
        with self.work.running():
            if shaped is None:
                cursor = self.connection.execute(text)
                query_results.check(query, cursor.description)
            else:
                zoned = []
                query_results.check(query, self.connection.execute(f"DESCRIBE {text}").fetchall())
                cursor = query_results.Arrays(self.connection, shaped, self._cancelled)

        def fetch(most: int) -> list[Row]:
            with self._reporting(entry), self._limit.watching():
                with self.work.running():
                    rows: list[Row] = cursor.fetchmany(most)
                if not rows:
                    self._stream = None
                    self._over(entry, cursor.rows if shaped else stream.sent)
            return [query_results.in_utc(row, zoned) for row in rows] if zoned else rows

        names, types = zip(*query.columns, strict=True)
        self._stream = stream = Stream(Rows(names, tuple(map(str, types)), tag="SELECT"), fetch)
        stream.shaped = shaped is not None
        return stream

    def _cancelled(self) -> bool:
        return self.work.transaction is not None and self.work.transaction.cancelled

    def run(self, commands: Sequence[Command], *, alone: bool = False) -> Rows:
        """DuckDB statements as one unit; the last one's count of rows.

        The tables they touch are locked first: `alone`, against readers, too.
        """
        self.work.require_writable(commands)
        permit(self.catalog, commands, truncates=alone)
        self._prepare(commands, alone=alone)
        return Rows(row_count=self.work.run(commands))

    def _prepare(self, commands: Sequence[Command], *, alone: bool = False) -> None:
        self.database.hold(self._width(commands))
        if any(command.udfs for command in commands):
            self.database.know_udfs()
        self.work.prepare(
            commands,
            self.catalog,
            alone=alone,
            block=self.state == "open",
            timeout_ms=self.timeout_ms,
        )

    def _width(self, commands: Sequence[Command]) -> int:
        """How many columns the widest table has that these read or change."""
        targets = [one.target for one in commands if one.target is not None]
        names = {tuple(key.split(".", 1)) for one in commands for key in one.uses.tables}
        relations = self.catalog.relations if names else {}
        read = [relations[schema, name] for schema, name in names if (schema, name) in relations]
        return max((len(one.columns) for one in (*targets, *read)), default=0)

    def lock(self, wanted: Mapping[str, Mode]) -> None:
        """Lock tables (`schema.table`) until the transaction ends."""
        self.work.lock(self.catalog, wanted, self.timeout_ms)

    def define(self, commands: Sequence[Command]) -> Rows:
        """`run` for statements that change definitions: other sessions read the catalogue anew."""
        if commands:
            self.work.require_writable(commands)
            self.work.defining = True
            self.run(commands)
            self.catalog.forget()
        return Rows()


class TimeLimit:
    """statement_timeout: of one session's statement at a time; `expired` once it was exceeded."""

    def __init__(self, interrupt: Callable[[], None]) -> None:
        self._interrupt = interrupt
        self._until: float | None = None
        self.expired = False

    def start(self, limit_ms: int) -> None:
        """A statement begins; 0: no limit."""
        self.expired = False
        self._until = monotonic() + limit_ms / 1000 if limit_ms else None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """The statement runs inside: it is interrupted when its time is over."""
        if self._until is None:
            yield
            return
        over = threading.Event()
        left = max(self._until - monotonic(), 0)
        timer = threading.Timer(left, self._expire, [over])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            over.set()
            timer.cancel()
            timer.join()  # so that it never strikes what comes next

    def _expire(self, over: threading.Event) -> None:
        self.expired = not over.is_set()
        while not over.is_set():
            self._interrupt()
            over.wait(_AGAIN_S)


def connect(
    database: Database | str | Path = ":memory:", *, user: str = _OWNER, application_name: str = ""
) -> Engine:
    """A session of a database, or of one of its own in this file: which is closed with it."""
    if isinstance(database, Database):
        return Engine(database=database, user=user, application_name=application_name)
    return Engine(database, user=user, application_name=application_name)


def _now() -> datetime:
    return datetime.now(timezone.utc)
