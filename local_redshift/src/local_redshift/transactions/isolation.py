"""Transactions side by side: their snapshots, what each read and wrote, and which cannot both stand.

No SQL and no DuckDB here: `engine` says what happened. Rows are compared in `conflicts`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from local_redshift.errors import RedshiftError
from local_redshift.transactions.locks import Owner

SNAPSHOT, SERIALIZABLE = "SNAPSHOT", "SERIALIZABLE"
LEVELS = (SNAPSHOT, SERIALIZABLE)


@dataclass(eq=False)
class Transaction(Owner):
    """A transaction. Tables are named `schema.table`; places in time are counts of commits."""

    began: datetime = field(kw_only=True)
    snapshot: int | None = None  # the commits that it sees
    committed: int | None = None  # which commit it was
    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    """Of `writes`, the tables whose rows it updated or deleted."""
    read_only: bool = False


class Transactions:
    """What is under way, and of what is done as much as matters to it. Guarded by the database's gate."""

    def __init__(self, level: str = SNAPSHOT) -> None:
        self.level = level
        self._commits = 0
        self._active: set[Transaction] = set()
        self._done: list[Transaction] = []

    @property
    def active(self) -> list[Transaction]:
        """The transactions whose snapshot is taken."""
        return sorted(self._active, key=lambda transaction: transaction.number)

    def begin(self, transaction: Transaction) -> None:
        """Its snapshot is taken now."""
        transaction.snapshot = self._commits
        self._active.add(transaction)

    def check(self, transaction: Transaction, oid: Callable[[str], int]) -> None:
        """Under serializable isolation: 1023 when this one and those beside it have no order.

        As on Redshift, the statement that closes the cycle fails, whether the others committed or not.
        """
        if self.level == SERIALIZABLE and (cycle := self._cycle(transaction)):
            mine = transaction.reads | transaction.writes
            shared = {table for other in cycle for table in mine & (other.writes | other.reads)}
            raise violation(oid(min(shared)), [transaction, *cycle])

    def commit(self, transaction: Transaction) -> None:
        """It is committed."""
        self._active.discard(transaction)
        if transaction.writes or self.level == SERIALIZABLE:
            self._commits += 1
            transaction.committed = self._commits
            self._done.append(transaction)
        self._forget()

    def end(self, transaction: Transaction) -> None:
        """It was rolled back."""
        self._active.discard(transaction)
        self._forget()

    def changed_since(self, transaction: Transaction, table: str) -> Transaction | None:
        """The last that changed rows of `table` and committed after this one's snapshot."""
        for other in reversed(self._done):
            if other.committed is not None and transaction.snapshot is not None:
                if other.committed <= transaction.snapshot:
                    break
                if table in other.changes:
                    return other
        return None

    def _forget(self) -> None:
        """Drop the ended transactions that overlap nobody who is active, nor who overlaps them."""
        oldest = min((t.snapshot for t in self._active if t.snapshot is not None), default=None)
        if oldest is None:
            self._done.clear()
            return
        while True:
            kept = [t for t in self._done if t.committed is not None and t.committed > oldest]
            reach = min((t.snapshot for t in kept if t.snapshot is not None), default=oldest)
            if reach >= oldest:
                self._done = kept
                return
            oldest = reach

    def _cycle(self, last: Transaction) -> list[Transaction] | None:
        """The others of a shortest cycle through `last`; None: there is an order.

        Each transaction is reached once: trying every path would take longer than anything that waits.
        """
        reached: dict[Transaction, Transaction] = {}
        frontier, unreached = deque([last]), [*self._done, *self._active]
        while frontier:
            at = frontier.popleft()
            following = [other for other in unreached if other is not last and _precedes(at, other)]
            for other in following:
                reached[other] = at
                if _precedes(other, last):
                    path = [other]
                    while reached[path[0]] is not last:
                        path.insert(0, reached[path[0]])
                    return path
            unreached = [other for other in unreached if other not in reached]
            frontier.extend(following)
        return None


def _precedes(one: Transaction, other: Transaction) -> bool:
    """Whether `one` must stand before `other` in every order that gives what both saw and wrote."""
    sees_one = one.committed is not None and (other.snapshot or 0) >= one.committed
    sees_other = other.committed is not None and (one.snapshot or 0) >= other.committed
    if not sees_other and one.reads & other.writes:
        return True  # it read what was there before the other wrote
    if sees_one and one.writes & (other.reads | other.writes):
        return True
    first = one.committed is not None and (
        other.committed is None or one.committed < other.committed
    )
    return first and bool(one.writes & other.writes)


def violation(oid: int, transactions: Iterable[Transaction]) -> RedshiftError:
    """Error 1023, as Redshift words it."""
    forming = list(transactions)
    numbers = ", ".join(str(one.number) for one in forming)
    process = forming[0].process_id if forming else 0
    return RedshiftError(
        "XX000",
        "1023",
        f"Serializable isolation violation on table - {oid}, transactions forming the cycle are: "
        f"{numbers} (pid:{process})",
    )
