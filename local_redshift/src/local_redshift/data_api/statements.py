"""The statements that run for the Data API, and the sessions they run in. Requests: `operations`.

A statement has a thread of its own, and is asked after by its id. A session is one of the database's
that stays open between statements for as long as its client wants it, and runs one at a time.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from local_redshift.data_api.faults import (
    ApiError,
    Limits,
    invalid,
    no_such_statement,
)
from local_redshift.data_api.fields import metadata, row_fields
from local_redshift.data_api.pages import Pages
from local_redshift.database.database import Database
from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.words import Words
from local_redshift.session.engine import Engine, connect

SUBMITTED, STARTED, FINISHED, FAILED, ABORTED = (
    *("SUBMITTED", "STARTED", "FINISHED", "FAILED", "ABORTED"),
)
_AGAIN_S = 0.02  # an interrupt that came between two steps of a statement is repeated
_ROWS = 1_000
_LOOKED_AT_S = 60.0
_CANCELLED = "Query cancelled on user's request"
_ENDS = ("commit", "end", "rollback", "abort")
Clock = Callable[[], float]


@dataclass(frozen=True)
class Asked:
    """What a request has run: one statement, or several as a batch, by whom and where.

    `keep_alive_s` None: no session is kept. `session_id`: one that is there.
    """

    user: str
    texts: tuple[str, ...]
    is_batch: bool = False
    is_transaction: bool = True
    database: str = ""
    session_id: str = ""
    keep_alive_s: int | None = None
    name: str = ""


@dataclass
class Part:
    """One SQL text of a statement, and what became of it. Times are seconds since 1970."""

    text: str
    created: float
    updated: float
    status: str = SUBMITTED
    error: str = ""
    began: float = 0.0
    duration_ns: int = 0
    rows: int = -1
    query_id: int = -1
    pages: Pages | None = None


@dataclass(eq=False)
class Statement:
    """What a request has run, from its acceptance on. `over` is set when nothing of it changes any more."""

    id: str
    asked: Asked
    parts: list[Part]
    created: float
    updated: float
    session: Session | None = None
    status: str = SUBMITTED
    error: str = ""
    process_id: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    waiting: int = 0
    """How many requests wait for its end."""
    cancelled: bool = False
    engine: Engine | None = None

    @property
    def has_result(self) -> bool:
        """Whether any part of it gave rows, or could have."""
        return any(part.pages is not None for part in self.parts)


@dataclass(eq=False)
class Session:
    """A session of the database that outlives its statements; `closes`: when, if nothing runs in it."""

    id: str
    user: str
    engine: Engine
    keep_alive_s: int
    created: float
    closes: float = 0.0
    runs: Statement | None = None
    closed: bool = False


class Statements:
    """The statements of a database's Data API. Close it when done: what runs is rolled back."""

    def __init__(
        self, database: Database, limits: Limits | None = None, clock: Clock = time.time
    ) -> None:
        self.limits = limits or Limits()
        self.clock = clock
        self._database = database
        self._folder = TemporaryDirectory(prefix="local-redshift-data-api-")
        self._change = threading.Condition()
        self._statements: dict[str, Statement] = {}
        self._sessions: dict[str, Session] = {}
        self._tokens: dict[tuple[str, str], tuple[float, Asked, str]] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._made: set[str] = set()  # users that were made, and seen here
        self._closing = False
        self._look_again = 0.0
        self._reaper = threading.Thread(target=self._reap, name="data-api-sessions", daemon=True)
        self._reaper.start()

    def close(self) -> None:
        """Cancel what runs, close the sessions, forget the results."""
        with self._change:
            self._closing = True
            self._change.notify_all()
            running = [one for one in self._statements.values() if not one.over.is_set()]
            threads = list(self._threads.values())
        for statement in running:
            self._interrupt(statement)
        for thread in threads:
            thread.join()
        self._reaper.join()
        for session in list(self._sessions.values()):
            self._end(session)
        for statement in self._statements.values():
            _drop(statement)
        self._folder.cleanup()

    # -- for requests ------------------------------------------------------------------------------

    def submit(self, asked: Asked, token: str) -> Statement:
        """Take a statement in; the same token again gives the same one. ApiError where it cannot run."""
        with self._change:
            self._forget_old()
            known = self._tokens.get((asked.user, token))
            if known is not None:
                _, before, id_ = known
                if before != asked:
                    raise invalid("ClientToken was used before, for another request")
                if id_ not in self._statements:  # it ran, and is not kept any more: never twice
                    raise no_such_statement()
                return self._statements[id_]
            active = sum(not one.over.is_set() for one in self._statements.values())
            if active >= self.limits.active_statements:
                raise ApiError(
                    "ActiveStatementsExceededException",
                    f"Active statements exceeded the allowed quota ({self.limits.active_statements}).",
                )
            session = self._session(asked)
            now = self.clock()
            parts = [Part(text, now, now) for text in asked.texts]
            statement = Statement(str(uuid.uuid4()), asked, parts, now, now, session)
            if session is not None:
                session.runs = statement
                if asked.keep_alive_s is not None:
                    session.keep_alive_s = asked.keep_alive_s
            self._statements[statement.id] = statement
            self._tokens[asked.user, token] = (now, asked, statement.id)
            thread = threading.Thread(
                target=self._run, args=(statement,), name="data-api-statement", daemon=True
            )
            self._threads[statement.id] = thread
            thread.start()
            return statement

    def find(self, user: str, id_: str) -> Statement:
        """A statement by its id. ApiError where this user has none of that id, or not any more."""
        with self._change:
            self._forget_old()
            statement = self._statements.get(id_)
        if statement is None or statement.asked.user != user:
            raise no_such_statement()
        return statement

    def wait(self, statement: Statement, seconds: float) -> None:
        """Let a request wait for a statement's end. ApiError where too many wait for it."""
        with self._change:
            if statement.waiting >= self.limits.waiting:
                raise ApiError(
                    "ActiveWaitingRequestsExceededException",
                    f"{self.limits.waiting} requests wait for this statement already",
                )
            statement.waiting += 1
        try:
            statement.over.wait(seconds)
        finally:
            with self._change:
                statement.waiting -= 1

    def cancel(self, statement: Statement) -> None:
        """End a statement that runs. ApiError where it is over."""
        if statement.over.is_set():
            raise invalid(
                f"Could not cancel a query that is already in {statement.status} state with ID: "
                f"{statement.id}"
            )
        self._interrupt(statement)

    def _interrupt(self, statement: Statement) -> None:
        statement.cancelled = True
        while not statement.over.wait(_AGAIN_S):
            if statement.engine is not None:
                statement.engine.interrupt()

    # -- sessions ----------------------------------------------------------------------------------

    def _session(self, asked: Asked) -> Session | None:
        """The session that a request names, or a new one where it wants one kept."""
        if asked.session_id:
            session = self._sessions.get(asked.session_id)
            if session is None or session.user != asked.user:
                raise invalid(f"Session with Id: {asked.session_id} is invalid")
            if session.closed:
                raise invalid("Session is not available")
            if session.runs is not None:
                raise invalid(
                    f"Session is not available: it runs the statement {session.runs.id}, and one at "
                    "a time"
                )
            return session
        if asked.keep_alive_s is None:
            return None
        if sum(not one.closed for one in self._sessions.values()) >= self.limits.sessions:
            raise ApiError(
                "ActiveSessionsExceededException",
                f"Active sessions exceeded the allowed quota ({self.limits.sessions}).",
            )
        engine = self._engine(asked.user)
        session = Session(str(uuid.uuid4()), asked.user, engine, asked.keep_alive_s, self.clock())
        self._sessions[session.id] = session
        return session

    def _engine(self, user: str) -> Engine:
        """A session of this user: one that was made by CREATE USER stays so when it has been dropped."""
        engine = connect(self._database, user=user, application_name="Data API")
        engine.catalog.is_made |= user in self._made
        if engine.catalog.is_made:
            self._made.add(user)
        return engine

    def _end(self, session: Session) -> None:
        """Roll back what is open in a session, and close it."""
        if not session.closed:
            session.closed = True
            session.engine.close()

    def _reap(self) -> None:
        """Close the sessions whose time is over."""
        with self._change:
            while not self._closing:
                now = self.clock()
                due = [one for one in self._sessions.values() if _is_due(one, now)]
                for session in due:
                    self._end(session)
                ends = [one.closes for one in self._sessions.values() if _is_idle(one)]
                self._change.wait(max(min(ends) - now, _AGAIN_S) if ends else None)

    @property
    def sessions(self) -> list[Session]:
        """The sessions that are remembered, closed ones too."""
        with self._change:
            return list(self._sessions.values())

    def settle(self) -> None:
        """Return when nothing runs."""
        with self._change:
            running = [one for one in self._statements.values() if not one.over.is_set()]
        for statement in running:
            statement.over.wait()

    def sweep(self) -> None:
        """Look at the clock now: for those whose clock is not the system's."""
        with self._change:
            self._change.notify_all()
            for session in [one for one in self._sessions.values() if _is_due(one, self.clock())]:
                self._end(session)

    def _forget_old(self) -> None:
        """Forget what was kept for long enough; looked at once a minute, and when there is too much."""
        now, limits = self.clock(), self.limits
        if now < self._look_again and len(self._statements) < limits.kept_statements:
            return
        self._look_again = now + _LOOKED_AT_S
        over = [one for one in self._statements.values() if one.over.is_set()]
        surplus = len(self._statements) - limits.kept_statements // 2
        if len(self._statements) >= limits.kept_statements:
            for statement in over[:surplus]:
                _drop(self._statements.pop(statement.id))
        for id_, statement in list(self._statements.items()):
            if statement.over.is_set() and now - statement.updated > limits.retention_s:
                _drop(self._statements.pop(id_))
        for token, (since, _, _) in list(self._tokens.items()):
            if now - since > limits.token_s:
                del self._tokens[token]
        for id_, session in list(self._sessions.items()):
            if session.closed and now - session.closes > limits.retention_s:
                del self._sessions[id_]

    # -- one statement -----------------------------------------------------------------------------

    def _run(self, statement: Statement) -> None:
        """A statement's thread."""
        session = statement.session
        try:
            engine = session.engine if session is not None else self._engine(statement.asked.user)
            statement.engine = engine
            statement.process_id = engine.process_id
            statement.status, statement.updated = STARTED, self.clock()
            try:
                self._run_parts(statement, engine)
            finally:
                statement.engine = None
                if session is None:
                    engine.close()
        except RedshiftError as error:
            statement.status = ABORTED if statement.cancelled else FAILED
            statement.error = _CANCELLED if statement.cancelled else error_text(error, statement.id)
        else:
            statement.status = FINISHED
        finally:
            self._leave(statement)

    def _leave(self, statement: Statement) -> None:
        """Nothing of it changes any more: its session is free for the next before anybody is told."""
        with self._change:
            now = statement.updated = self.clock()
            if statement.status not in (FINISHED, FAILED, ABORTED):  # it ended by an error of ours
                statement.status, statement.error = FAILED, "internal error of the local Redshift"
            session = statement.session
            if session is not None:
                session.runs, session.closes = None, now + session.keep_alive_s
                if session.keep_alive_s == 0 or self._closing:
                    self._end(session)
                self._change.notify_all()
            self._threads.pop(statement.id, None)
            statement.over.set()

    def _run_parts(self, statement: Statement, engine: Engine) -> None:
        asked = statement.asked
        if asked.database and asked.database != "dev":
            raise RedshiftError("3D000", f'database "{asked.database}" does not exist')
        if asked.is_batch and asked.is_transaction:
            self._transaction(statement, engine)
            return
        failures = [self._attempt(statement, engine, place) for place in range(len(asked.texts))]
        failure = next((one for one in failures if one is not None), None)
        if failure is not None:
            raise failure

    def _transaction(self, statement: Statement, engine: Engine) -> None:
        """The parts as one transaction: all of them or none. TRUNCATE commits, and another begins."""
        try:
            for place in range(len(statement.parts)):
                engine.begin()
                self._part(statement, engine, place)
            engine.commit()
        except BaseException:
            engine.rollback()
            for part in statement.parts:
                if part.status == SUBMITTED:
                    part.status = ABORTED
            raise

    def _attempt(self, statement: Statement, engine: Engine, place: int) -> RedshiftError | None:
        """Run a part that stands alone; the error that it ended with."""
        try:
            self._part(statement, engine, place)
        except RedshiftError as error:
            return error
        return None

    def _part(self, statement: Statement, engine: Engine, place: int) -> None:
        part = statement.parts[place]
        if statement.cancelled:
            part.status = ABORTED
            raise RedshiftError("57014", _CANCELLED)
        with self._timed(part):
            try:
                if statement.asked.is_batch and statement.asked.is_transaction:
                    _check_ends_nothing(part.text)
                self._stream(part, engine, Path(self._folder.name) / f"{statement.id}-{place + 1}")
            except RedshiftError as error:
                engine.fail()
                part.status = ABORTED if statement.cancelled else FAILED
                part.error = error_text(error, statement.id)
                raise
            part.query_id = engine.last_query_id
            part.status = FINISHED

    @contextmanager
    def _timed(self, part: Part) -> Iterator[None]:
        part.status, part.began, part.updated = STARTED, time.monotonic(), self.clock()
        try:
            yield
        finally:
            part.duration_ns = int((time.monotonic() - part.began) * 1e9)
            part.updated = self.clock()

    def _stream(self, part: Part, engine: Engine, file: Path) -> None:
        """Run it, and keep what it gives."""
        stream = engine.stream(part.text)
        if not stream.columns:
            part.rows = stream.head.row_count
            return
        columns = list(zip(stream.columns, stream.types, strict=True))
        pages = Pages([metadata(*column) for column in columns], self.limits, file)
        made = row_fields(columns)
        try:
            while rows := stream.fetch(_ROWS):
                for row in rows:
                    pages.add(made(row))
        except BaseException:
            stream.drop()
            pages.drop()
            raise
        pages.end()
        part.pages, part.rows = pages, pages.rows


def error_text(error: RedshiftError, id_: str) -> str:
    """What the service tells of a statement's error: the server's words, without their SQLSTATE."""
    severity = "FATAL" if error.code == "3D000" else "ERROR"
    lines = [f"{severity}: {error.message}"]
    if error.detail:
        lines.append(f"  Detail: {error.detail}")
    if error.hint:
        lines.append(f"  Hint: {error.hint}")
    digits = id_.replace("-", "")
    return "\n".join(lines) + f" [ErrorId: 1-{digits[:8]}-{digits[8:32]}]"


def _check_ends_nothing(text: str) -> None:
    """A batch that is one transaction ends by itself: by a word in its midst half would be committed."""
    words = Words(text)
    if not words.done and (word := words.next().lower) in _ENDS:
        raise refuse(f"{word} in a batch that is a transaction", "leave it out: the batch is one")


def _is_idle(session: Session) -> bool:
    return not session.closed and session.runs is None


def _is_due(session: Session, now: float) -> bool:
    return _is_idle(session) and session.closes <= now


def _drop(statement: Statement) -> None:
    for part in statement.parts:
        if part.pages is not None:
            part.pages.drop()
