"""One client of the local Redshift, from its first message to its last. Listening: `server`.

Replies are kept until Sync or Query has been dealt with, or a Flush finds nothing more to read:
redshift-connector flushes after every message, and a packet for each would be slow.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from local_redshift.database.results import Stream
from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.words import Words
from local_redshift.session.engine import Engine
from local_redshift.wire import messages as wire
from local_redshift.wire.client_socket import ClientSocket, Gone
from local_redshift.wire.prepared import Portal, Prepared, fields_of, statements_of
from local_redshift.wire.values import row_encoder

logger = logging.getLogger("local_redshift")

_BATCH = 1000  # rows
_CANCELLED = "Query cancelled on user's request"
_AGAIN_S = 0.02  # an interrupt that came between two steps of a statement is repeated


def failure(error: RedshiftError, severity: str = "ERROR") -> bytes:
    """The ErrorResponse of an error."""
    fields = {
        "S": severity,
        "C": error.code,
        "M": error.message,
        "D": error.detail,
        "H": error.hint,
    }
    return wire.error(fields)


class Connection:
    """Answers a client's messages on its session, until it leaves. Others may `cancel` and `stop` it."""

    def __init__(
        self, client_socket: ClientSocket, engine: Engine, version: int, float_digits: int = 0
    ) -> None:
        self._socket, self._engine, self._version = client_socket, engine, version
        self._float_digits = float_digits
        self._prepared: dict[str, Prepared] = {}
        self._portals: dict[str, Portal] = {}
        self._skipping = False  # after an error, until Sync
        self._busy = threading.Lock()  # held while `_running` changes and while a cancel strikes
        self._running: threading.Event | None = None  # set once the statement is over
        self._cancelled = self._stopped = False
        self._handlers: dict[bytes, Callable[[bytes], None]] = {
            b"B": self._bind,
            b"C": self._close,
            b"D": self._describe,
            b"E": self._execute,
            b"F": self._call,
            b"P": self._parse,
            b"Q": self._query,
        }

    def serve(self) -> None:
        """Answer until the client terminates. Gone, ProtocolError: the connection is of no more use."""
        self._ready()
        while True:
            code, body = self._socket.message()
            if code == b"X":
                return
            if code == b"S":
                self._skipping = False
                self._ready()
            elif code == b"H":
                if not self._socket.pending:
                    self._socket.flush()
            elif code in self._handlers:
                if not self._skipping or code == b"Q":
                    self._answer(code, body)
            elif code not in (
                b"d",
                b"c",
                b"f",
            ):  # what is left of a COPY that failed is passed over
                raise wire.ProtocolError(f"invalid frontend message type {code[0]}")

    def stop(self) -> None:
        """Cancel the statement that runs, and let none begin any more."""
        with self._busy:
            self._stopped = True
        self.cancel()

    def cancel(self) -> None:
        """Cancel the statement that runs, if one does; return when it is over, or another sees to it.

        It may take as long as the client does not read: who asks twice must not wait in two threads.
        """
        with self._busy:
            running = self._running
            if running is None or self._cancelled:
                return
            self._cancelled = True
        while not running.is_set():
            with self._busy:
                if self._running is running:
                    self._engine.interrupt()
            running.wait(_AGAIN_S)

    @contextmanager
    def _working(self) -> Iterator[None]:
        """A statement runs inside: it can be cancelled."""
        over = threading.Event()
        with self._busy:
            if self._stopped:
                raise Gone
            self._running, self._cancelled = over, False
        try:
            yield
        except RedshiftError as error:
            if self._cancelled:
                raise RedshiftError("57014", _CANCELLED) from error
            raise
        finally:
            with self._busy:
                self._running = None
            over.set()

    def _answer(self, code: bytes, body: bytes) -> None:
        try:
            with self._working():
                self._handlers[code](body)
        except RedshiftError as error:
            self._fail(error)
        except wire.ProtocolError as error:
            self._fail(RedshiftError("08P01", str(error)))
        else:
            if code == b"Q":
                self._ready()
            return
        if code in (b"Q", b"F"):
            self._ready()
        else:
            self._skipping = True

    def _fail(self, error: RedshiftError) -> None:
        self._engine.fail()
        self._socket.send(failure(error))

    def _ready(self) -> None:
        if self._engine.state == "idle":  # portals end with their transaction
            while self._portals:
                self._portals.popitem()[1].drop()
        self._socket.send(wire.ready(self._engine.state))
        self._socket.flush()

    # -- the simple protocol -----------------------------------------------------------------------

    def _query(self, body: bytes) -> None:
        """Several statements are one transaction, unless they open and end some themselves."""
        statements = statements_of(wire.read_text(body))
        engine, implicit = self._engine, False
        if not statements:
            self._socket.send(wire.EMPTY)
        try:
            for sql in statements:
                verb = Words(sql).next().lower
                if verb in ("begin", "start") and implicit:
                    implicit = False  # the block that the client opens holds what came before it
                elif (
                    len(statements) > 1
                    and engine.state == "idle"
                    and verb not in ("begin", "start")
                ):
                    engine.begin()
                    implicit = True
                stream = engine.stream(sql)
                self._send(stream, fields_of(stream.columns, stream.types))
                implicit = implicit and engine.state != "idle"
            if implicit:
                engine.commit()
        except BaseException:
            if implicit:
                engine.rollback()
            raise

    def _send(self, stream: Stream, fields: tuple[wire.Field, ...]) -> None:
        """A whole answer, as text."""
        formats = [wire.TEXT] * len(fields)
        if fields:
            self._socket.send(wire.row_description(fields, formats, self._version))
            encode = row_encoder(fields, formats, self._float_digits)
            while rows := stream.fetch(_BATCH):
                self._socket.send(b"".join(map(encode, rows)))
        self._complete(stream)

    def _complete(self, stream: Stream) -> None:
        for notice in stream.head.notices:
            fields = {"S": notice.severity, "C": notice.code, "M": notice.message}
            self._socket.send(wire.notice(fields))
        self._socket.send(wire.complete(stream.tag))

    def _call(self, body: bytes) -> None:
        raise refuse("the function call protocol", "write select f(…)")

    # -- the extended protocol ---------------------------------------------------------------------

    def _parse(self, body: bytes) -> None:
        parse = wire.read_parse(body)
        if parse.name and parse.name in self._prepared:
            raise RedshiftError("42P05", f'prepared statement "{parse.name}" already exists')
        self._prepared.pop(parse.name, None)
        self._prepared[parse.name] = Prepared.of(parse, self._engine)
        self._socket.send(wire.PARSED)

    def _bind(self, body: bytes) -> None:
        bind = wire.read_bind(body)
        if bind.portal and bind.portal in self._portals:
            raise RedshiftError("42P03", f'portal "{bind.portal}" already exists')
        if former := self._portals.pop(bind.portal, None):
            former.drop()
        self._portals[bind.portal] = Portal.of(bind, self._statement(bind.statement))
        self._socket.send(wire.BOUND)

    def _statement(self, name: str) -> Prepared:
        prepared = self._prepared.get(name)
        if prepared is None:
            which = f'prepared statement "{name}"' if name else "unnamed prepared statement"
            raise RedshiftError("26000", f"{which} does not exist")
        return prepared

    def _portal(self, name: str) -> Portal:
        portal = self._portals.get(name)
        if portal is None:
            raise RedshiftError("34000", f'portal "{name}" does not exist')
        return portal

    def _describe(self, body: bytes) -> None:
        kind, name = wire.read_target(body)
        formats: tuple[int, ...] = ()
        if kind == "S":
            prepared = self._statement(name)
            fields, prepared.described = prepared.fields, True
            self._socket.send(wire.parameters(prepared.oids))
        else:
            portal = self._portal(name)
            fields, formats = portal.describe(self._engine), portal.formats
        if fields:
            codes = wire.spread(formats, len(fields))
            self._socket.send(wire.row_description(fields, codes, self._version))
        else:
            self._socket.send(wire.NO_DATA)

    def _execute(self, body: bytes) -> None:
        name, most = wire.read_execute(body)
        portal = self._portal(name)
        if not portal.sql:
            self._socket.send(wire.EMPTY)
            return
        stream = portal.start(self._engine)
        if not portal.fields:
            portal.finished = True
        else:
            formats = wire.spread(portal.formats, len(portal.fields))
            encode = row_encoder(portal.fields, formats, self._float_digits)
            left = most
            while rows := stream.fetch(min(_BATCH, left) if most else _BATCH):
                self._socket.send(b"".join(map(encode, rows)))
                left -= len(rows)
                if most and left <= 0:
                    self._socket.send(wire.SUSPENDED)
                    return
        self._complete(stream)

    def _close(self, body: bytes) -> None:
        kind, name = wire.read_target(body)
        if kind == "S":
            self._prepared.pop(name, None)
        elif portal := self._portals.pop(name, None):
            portal.drop()
        self._socket.send(wire.CLOSED)
