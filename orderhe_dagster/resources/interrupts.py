"""How Ctrl-C reaches us through DuckDB. Which signals there are, and who handles them, is not said here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


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
