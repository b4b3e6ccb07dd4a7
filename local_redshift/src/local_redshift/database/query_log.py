"""What ran: one entry a statement, kept in memory outside of every transaction, the last ones only."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timezone

from local_redshift.read.secrets import without_secrets

KEPT = 1000
_LONGEST = 4000  # characters of a statement, as SYS_QUERY_HISTORY keeps


@dataclass(eq=False)
class Entry:
    """One statement. Times are UTC; `ended` None: it still runs."""

    query_id: int
    process_id: int
    transaction: int
    user: str
    label: str
    kind: str
    text: str
    started: datetime
    ended: datetime | None = None
    rows: int = 0
    error: str = ""

    @property
    def status(self) -> str:
        """`running`, `success` or `failed`."""
        if self.ended is None:
            return "running"
        return "failed" if self.error else "success"

    @property
    def elapsed_us(self) -> int:
        """How long it took, or has taken until now, in microseconds."""
        spent = (self.ended or _now()) - self.started
        return spent.days * 86_400_000_000 + spent.seconds * 1_000_000 + spent.microseconds

    def end(self, rows: int = 0, error: str = "") -> None:
        """It is over; the first end counts."""
        if self.ended is None:
            self.ended, self.rows, self.error = _now(), rows, error


class QueryLog:
    """The statements of a database's sessions, oldest first. Any thread may write."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def begin(self, process_id: int, user: str, label: str, sql: str) -> Entry:
        """A statement starts. Passwords and keys are not kept."""
        text = without_secrets(sql)[:_LONGEST]
        with self._lock:
            entry = Entry(next(self._ids), process_id, 0, user, label, "OTHER", text, _now())
            self._entries.append(entry)
        return entry

    @property
    def entries(self) -> list[Entry]:
        """What is kept now."""
        with self._lock:
            return list(self._entries)


def _now() -> datetime:
    return datetime.now(timezone.utc)
