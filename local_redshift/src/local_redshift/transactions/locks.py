"""Who may touch a table now: Redshift's table locks, who waits for whom, and deadlocks. Knows no SQL.

A lock is held until its transaction ends. Requests are served in their order, so nobody starves.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from time import monotonic

from local_redshift.errors import RedshiftError


class Stale(Exception):
    """While a statement waited for its locks, others changed what its names mean."""


class Mode(IntEnum):
    """How a statement needs a table, weakest first; what `clashes` says decides who waits."""

    READ = 1
    """SELECT, UNLOAD: waits for ALONE only."""
    APPEND = 2
    """INSERT and COPY under snapshot isolation: beside one another, not beside other writers."""
    WRITE = 3
    """UPDATE, DELETE, MERGE; under serializable isolation INSERT and COPY, too: one at a time."""
    ALONE = 4
    """LOCK, TRUNCATE, DDL: nobody else, not even a reader."""

    @property
    def label(self) -> str:
        """Redshift's name of the lock."""
        names = {Mode.READ: "AccessShareLock", Mode.ALONE: "AccessExclusiveLock"}
        return names.get(self, "ShareRowExclusiveLock")


def clashes(one: Mode, other: Mode) -> bool:
    """Whether two transactions cannot hold these on one table at once."""
    if Mode.ALONE in (one, other):
        return True
    return {one, other} in ({Mode.WRITE}, {Mode.WRITE, Mode.APPEND})


@dataclass(eq=False)
class Owner:
    """Who holds locks: a transaction of a session. `cancelled` is set by whoever ends its wait."""

    number: int
    process_id: int
    cancelled: bool = False


@dataclass(frozen=True)
class Held:
    """A lock that is held, or (`granted` false) waited for."""

    table: str
    mode: Mode
    owner: Owner
    granted: bool


@dataclass(eq=False)
class _Request:
    owner: Owner
    table: str
    mode: Mode


class Locks:
    """The lock table of a database. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: dict[str, dict[Owner, Mode]] = {}
        self._waiting: list[_Request] = []

    def take(
        self, owner: Owner, wanted: Mapping[str, Mode], timeout_s: float, timeout: Callable[[], str]
    ) -> bool:
        """Take these locks, in order of the tables' names; whether it had to wait for others.

        RedshiftError 40P01 for a deadlock (the last to ask loses), 57014 when it was cancelled, 55P03
        after `timeout_s` seconds; `timeout` gives the words of the last.
        """
        until = monotonic() + timeout_s
        waited = False
        with self._changed:
            for table in sorted(wanted):
                held = self._held.get(table, {}).get(owner)
                if held is None or held < wanted[table]:
                    request = _Request(owner, table, wanted[table])
                    waited |= self._take_one(request, until, timeout)
        return waited

    def _has(self, owner: Owner, table: str) -> bool:
        return owner in self._held.get(table, {})

    def _take_one(self, request: _Request, until: float, timeout: Callable[[], str]) -> bool:
        if not self._blockers(request):
            self._grant(request)
            return False
        # Who holds a weaker lock already goes before those who wait for it to be released.
        at = 0 if self._has(request.owner, request.table) else len(self._waiting)
        self._waiting.insert(at, request)
        try:
            self._find_deadlock(request)
            while blockers := self._blockers(request):
                if request.owner.cancelled:
                    raise RedshiftError("57014", "Query cancelled on user's request")
                left = until - monotonic()
                if left <= 0:
                    raise self._timed_out(request, blockers[0], timeout())
                self._changed.wait(left)
            if request.owner.cancelled:  # it may be free because all are being closed
                raise RedshiftError("57014", "Query cancelled on user's request")
            self._grant(request)
        finally:
            self._waiting.remove(request)
            self._changed.notify_all()
        return True

    def _timed_out(self, request: _Request, blocker: Owner, words: str) -> RedshiftError:
        code = "57014" if "statement" in words else "55P03"
        return RedshiftError(
            code,
            f"canceling statement due to {words}: table {request.table} is locked by process "
            f"{blocker.process_id} (transaction {blocker.number})",
            hint="wait until that transaction ends, or end its session",
        )

    def _grant(self, request: _Request) -> None:
        holders = self._held.setdefault(request.table, {})
        holders[request.owner] = max(request.mode, holders.get(request.owner, Mode.READ))

    def _blockers(self, request: _Request) -> list[Owner]:
        """Who must go first: who holds a lock that clashes, and who asked for one before."""
        holders = self._held.get(request.table, {})
        blockers = [
            owner
            for owner, mode in holders.items()
            if owner is not request.owner and clashes(mode, request.mode)
        ]
        for earlier in self._waiting:
            if earlier is request:
                break
            if (
                earlier.table == request.table
                and earlier.owner is not request.owner
                and clashes(earlier.mode, request.mode)
            ):
                blockers.append(earlier.owner)
        return blockers

    def _find_deadlock(self, request: _Request) -> None:
        """40P01 if those whom this request waits for wait, at last, for its own transaction."""
        path: list[tuple[_Request, Owner]] = []

        def leads_back(waiting: _Request, seen: set[int]) -> bool:
            for owner in self._blockers(waiting):
                path.append((waiting, owner))
                if owner is request.owner:
                    return True
                if id(owner) not in seen:
                    seen.add(id(owner))
                    for other in self._waiting:
                        if other.owner is owner and leads_back(other, seen):
                            return True
                path.pop()
            return False

        if leads_back(request, set()):
            detail = " ".join(
                f"Process {waiting.owner.process_id} waits for {waiting.mode.label} on relation "
                f"{waiting.table}; blocked by process {owner.process_id}."
                for waiting, owner in path
            )
            raise RedshiftError("40P01", "deadlock detected", detail)

    def release(self, owner: Owner) -> None:
        """Give back all that a transaction holds: it has ended."""
        with self._changed:
            for table in [table for table, holders in self._held.items() if owner in holders]:
                del self._held[table][owner]
                if not self._held[table]:
                    del self._held[table]
            self._changed.notify_all()

    def cancel(self, owner: Owner) -> None:
        """End the wait of a transaction, if it waits: 57014 there."""
        with self._changed:
            owner.cancelled = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Held]:
        with self._changed:
            held = [
                Held(table, mode, owner, True)
                for table, holders in self._held.items()
                for owner, mode in holders.items()
            ]
            held += [Held(r.table, r.mode, r.owner, False) for r in self._waiting]
        return iter(held)
