"""How Ctrl-C reaches us: through DuckDB, and where somebody has swallowed what a handler raised.

Who handles signals, and what a run does when it is interrupted, is not said here.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_ENDING = {int(signal.SIGINT), int(signal.SIGTERM)}


class _Inbox:
    """The signals that have come since `remember_interrupts` began; nobody can swallow these."""

    def __init__(self) -> None:
        self.reader: socket.socket | None = None
        self.heard = False


_INBOX = _Inbox()


@contextmanager
def remember_interrupts() -> Iterator[None]:
    """Remember for the block that Ctrl-C or a request to terminate came, whoever handles them.

    A handler's exception is lost where it lands in an import that C code has begun, or in a
    finalizer: the work would go on as if nobody had asked. In other threads than the main one,
    where no signals arrive, nothing is remembered.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = socket.socketpair()
    with reader, writer:
        reader.setblocking(False)
        writer.setblocking(False)
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        _INBOX.reader, _INBOX.heard = reader, False
        try:
            yield
        finally:
            _INBOX.reader = None
            signal.set_wakeup_fd(before)


def raise_if_interrupted() -> None:
    """Raise KeyboardInterrupt if an interrupt came in the block of `remember_interrupts`: between steps."""
    if interrupt_came():
        raise KeyboardInterrupt


def interrupt_came() -> bool:
    """Whether, in the block of `remember_interrupts`, an interrupt came; any thread may ask."""
    reader = _INBOX.reader
    if reader is None:
        return False
    with suppress(BlockingIOError):  # no signal since the last time
        _INBOX.heard |= not _ENDING.isdisjoint(reader.recv(4096))
    return _INBOX.heard


@contextmanager
def interruptible(stop: Callable[[], object]) -> Iterator[None]:
    """Let the interrupt of a signal handler out of the engine's error, and end what the engine does.

    DuckDB answers whatever a handler raises with a RuntimeError, so that Ctrl-C would look like a
    statement that failed; and closing the connection, or rolling back, would first run the statement
    to its end. `stop` ends it: the connection's `interrupt`.
    """
    try:
        yield
    except RuntimeError as error:
        interrupt = error.__cause__
        if interrupt is None or isinstance(interrupt, Exception):
            raise
        stop()
        raise interrupt from None
