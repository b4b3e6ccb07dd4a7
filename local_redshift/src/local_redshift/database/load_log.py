"""What COPY and UNLOAD did: loads, and the rows that could not be loaded. Kept outside of transactions.

Bounded: the oldest are forgotten. The views on it are in `load_views`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone

from local_redshift.database.load_errors import RowError
from local_redshift.transactions.locks import Stale

_KEPT_LOADS, _KEPT_ERRORS = 10_000, 100_000


@dataclass
class Load:
    """A COPY or UNLOAD: who, what, from where, how much, and how it ended."""

    query_id: int
    user: str
    process_id: int
    verb: str  # copy or unload
    table: str
    source: str
    format: str
    began: datetime
    ended: datetime | None = None
    status: str = "running"
    rows: int = 0
    files: int = 0
    file_bytes: int = 0
    error_count: int = 0
    error: str = ""
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failed:
    """A row that was not loaded, and the load in which that was."""

    load: Load
    at: datetime
    row: RowError


@dataclass
class LoadLog:
    """The loads of a database, newest last."""

    loads: deque[Load] = field(default_factory=lambda: deque(maxlen=_KEPT_LOADS))
    errors: deque[Failed] = field(default_factory=lambda: deque(maxlen=_KEPT_ERRORS))

    def begin(self, load: Load) -> Load:
        """Keep a load that begins now."""
        self.loads.append(load)
        return load

    @contextmanager
    def keeping(self, load: Load) -> Iterator[None]:
        """Note how the block ends: completed, failed with its error, or not at all where it is Stale."""
        try:
            yield
        except Stale:  # it is read again, with the tables as they are now
            self.loads.remove(load)
            raise
        except BaseException as error:
            load.status, load.error = "failed", str(error)[:500]
            raise
        else:
            load.status = "completed"
        finally:
            load.ended = now()

    def failed(self, load: Load, at: datetime, rows: Sequence[RowError]) -> None:
        """Keep the rows that a load could not load."""
        load.error_count += len(rows)
        self.errors.extend(Failed(load, at, row) for row in rows)


def now() -> datetime:
    """The moment it is, in UTC."""
    return datetime.now(timezone.utc)
