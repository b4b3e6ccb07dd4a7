"""How long a statement may run: statement_timeout. Who ends it is told by the caller."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

_AGAIN_S = 0.02  # an interrupt that came between two steps of a statement is repeated


class TimeLimit:
    """The limit of one session's statement at a time; `expired` once it was exceeded."""

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
