"""How long a statement may run: statement_timeout. Who ends it is told by the caller."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic


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
        timer = threading.Timer(max(self._until - monotonic(), 0), self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _expire(self) -> None:
        self.expired = True
        self._interrupt()
