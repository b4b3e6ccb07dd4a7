"""A source that moves: a second writer, and every state that it ever committed. No run is known here.

What a reader of the warehouse may see is told by those states: each of its days must be one of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import socket
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from orderhe_dagster_tests.chaos.processes import Child, begin
from orderhe_dagster_tests.shops import TestShop

DAYS = 5
ROWS_A_DAY = 24
ROWS = "select shop_no, sale_no, sold_on, price, state, buyer_code from {} order by 1, 2"
Row = tuple[str, ...]
_WORDS = ("밥", "Žluť", "it's", "a|b")
_ACK_S = 3.0


def filling(first: date, rng: random.Random) -> list[str]:
    """The statements of the shop's first rows."""
    buyers = ", ".join(f"('b{n}', '{n}@example.com', '{first} 00:00:00')" for n in range(10))
    sales = ", ".join(
        f"({1 + n % 3}, {n}, {_buyer(rng)}, '{first + timedelta(days=n % DAYS)}', "
        f"{_price(rng)}, '{rng.choice(('open', 'paid'))}', '{first} 00:00:00')"
        for n in range(1, DAYS * ROWS_A_DAY + 1)
    )
    return [f"insert into buyers values {buyers}", f"insert into sales values {sales}"]


def _buyer(rng: random.Random) -> str:
    return "null" if rng.random() < 0.2 else f"'b{rng.randrange(10)}'"


def _price(rng: random.Random) -> str:
    return f"{rng.randrange(1, 10**6) / 1000:.3f}"


@dataclass
class Writer:
    """Another application that writes to the shop's database. `states` is the file it keeps them in."""

    shop: TestShop
    first: date
    states: Path
    rng: random.Random
    number: int
    """Its rows are numbered from here on, and were changed on days of its own."""
    _moment: datetime = field(init=False)

    def __post_init__(self) -> None:
        self._moment = datetime(2015, 1, 1) + timedelta(days=self.number)

    def statements(self) -> list[str]:
        """What it does next, in one transaction: one to four changes of rows, now and then of buyers."""
        result = [self._one() for _ in range(self.rng.randint(1, 4))]
        if self.rng.random() < 0.3:
            self.number += 1
            name = self.rng.choice(_WORDS).replace("'", "''")
            code = f"'{name}{self.number}'"
            result.append(f"insert into buyers values ({code}, null, {self._now()})")
        return result

    def _now(self) -> str:
        self._moment += timedelta(seconds=self.rng.randint(1, 90))
        return f"'{self._moment}'"

    def _one(self) -> str:
        number = self.rng.randint(1, DAYS * ROWS_A_DAY)
        day = self.first + timedelta(days=self.rng.randrange(DAYS))
        which = f"where sale_no = {number}"
        kind = self.rng.choice(("price", "price", "state", "delete", "insert", "insert", "move"))
        if kind == "delete":
            return f"delete from sales {which}"
        if kind == "insert":
            self.number += 1
            return (
                f"insert into sales values ({self.rng.randint(1, 3)}, {self.number}, "
                f"{_buyer(self.rng)}, '{day}', {_price(self.rng)}, 'open', {self._now()})"
            )
        does = {
            "price": f"price = {_price(self.rng)}",
            "state": "state = if(state = 'open', 'paid', 'open')",
            "move": f"sold_on = '{day}'",
        }[kind]
        return f"update sales set {does}, changed_at = {self._now()} {which}"

    def write(self, connection: Any, statements: Sequence[str] | None = None) -> None:
        """One transaction; its state is kept before it is committed: its answer may be lost."""
        with connection.cursor() as cursor:
            cursor.execute("start transaction")
            for statement in self.statements() if statements is None else statements:
                cursor.execute(statement)
            self.keep(cursor)
            cursor.execute("commit")

    def keep(self, cursor: Any) -> None:
        """Note the state that this transaction sees."""
        cursor.execute(ROWS.format("sales"))
        rows = [texts(row) for row in cursor.fetchall()]
        with self.states.open("a", encoding="utf-8") as file:
            file.write(json.dumps(rows) + "\n")

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """A connection of its own."""
        from orderhe_dagster.resources.mysql.connection import close, connect

        connection = connect(self.shop.settings.mysql)
        try:
            yield connection
        finally:
            close(connection)

    def once(self, statements: Sequence[str] | None = None) -> None:
        """One transaction on a connection of its own."""
        with self.connected() as connection:
            self.write(connection, statements)


@dataclass
class SecondWriter:
    """A writer at work in its own process, by its own clock, and whenever it is asked to."""

    child: Child
    asks: socket.socket

    def now(self) -> None:
        """Have it commit a transaction, and wait for that, but not for long."""
        self.asks.send(b"w")
        select.select([self.asks], [], [], _ACK_S)
        with contextlib.suppress(BlockingIOError):
            self.asks.recv(64, socket.MSG_DONTWAIT)

    def stop(self) -> int:
        """End it after a last transaction; how many there were."""
        self.asks.send(b"q")
        count, status = self.child.result()
        self.asks.close()
        assert status == 0, f"the second writer ended with {status}; see above"
        return int(count)


def second_writer(writer: Writer, gap_s: float) -> SecondWriter:
    """Let a writer write, about every `gap_s` seconds."""
    asks, asked = socket.socketpair()

    def work() -> int:
        asks.close()
        return _write_on(writer, asked, gap_s)

    child = begin(work)
    asked.close()
    return SecondWriter(child, asks)


def _write_on(writer: Writer, asked: socket.socket, gap_s: float) -> int:
    """Write until told to stop. A server that is down or stands still is left alone for a while."""
    import pymysql

    from orderhe_dagster.ports.errors import PortError

    count, word = 0, b""
    while word != b"q":
        waiting = select.select([asked], [], [], writer.rng.expovariate(1 / gap_s))[0]
        word = asked.recv(1) if waiting else b""
        if waiting and not word:  # whoever asked is gone
            os._exit(1)
        with contextlib.suppress(pymysql.MySQLError, PortError):
            writer.once()
            count += 1
        if word == b"w":
            asked.send(b".")
    return count


def texts(row: Sequence[Any]) -> Row:
    """A row as both systems print it."""
    return tuple("" if value is None else str(value) for value in row)


# -- what was seen --------------------------------------------------------------------------------


@dataclass
class Versions:
    """The states that the source ever had, cut by day: what a reader may see of each."""

    days: Mapping[str, list[dict[Row, Row]]]  # day -> its versions in order: key -> row
    moved: set[Row] = field(default_factory=set)  # keys that were on several days

    @classmethod
    def of(cls, file: Path) -> Versions:
        """Those that a writer kept."""
        states = [
            by_day([tuple(row) for row in json.loads(line)])
            for line in file.read_text("utf-8").splitlines()
        ]
        days: dict[str, list[dict[Row, Row]]] = {day: [] for state in states for day in state}
        stood = defaultdict[Row, set[str]](set)
        for state in states:
            for day, versions in days.items():
                version = state.get(day, {})
                if not versions or version != versions[-1]:
                    versions.append(version)
                for key in version:
                    stood[key].add(day)
        return cls(days, {key for key, seen in stood.items() if len(seen) > 1})

    def torn(self, states: Sequence[Sequence[Row]], *, may_lack: bool) -> list[str]:
        """What is wrong with the warehouse's rows, as one reader saw them one after the other.

        Each day must be one of its versions, and never an earlier one than before. A row that moved to
        another day goes with the load of that day; its old day, if it was not read again, is a version
        without it. `may_lack`: days may not have been loaded yet.
        """
        problems: list[str] = []
        reached = dict.fromkeys(self.days, -1)
        for number, rows in enumerate(states, 1):
            keys = [row[:2] for row in rows]
            twice = sorted({key for key in keys if keys.count(key) > 1})
            if twice:
                problems.append(f"look {number}: keys twice: {twice[:5]}")
            there = by_day(rows)
            for day in sorted({*there, *self.days}):
                seen, versions = there.get(day, {}), self.days.get(day, [])
                fits = [n for n, version in enumerate(versions) if self._is(seen, version)]
                later = [n for n in fits if n >= reached.get(day, -1)]
                if later:
                    reached[day] = later[0]
                elif fits:
                    problems.append(f"look {number}: {day} went back to an earlier version")
                elif seen or not may_lack or reached[day] >= 0:
                    what = _odd(seen, versions)
                    many = f"none of its {len(versions)} versions"
                    problems.append(f"look {number}: {day} is {many}: {what}")
        return problems

    def _is(self, there: Mapping[Row, Row], version: Mapping[Row, Row]) -> bool:
        missing = version.keys() - there.keys()
        same = there.items() <= version.items()
        return same and missing <= self.moved

    def torn_takings(self, rows: Sequence[Row]) -> list[str]:
        """The same of the mart at one moment: day, count, sum."""
        return [
            f"mart.takings {day} is of no version: {count} rows, {total}"
            for day, count, total in rows
            if not any(self._sums(int(count), total, v) for v in self.days.get(day, []))
        ]

    def _sums(self, count: int, total: str, version: Mapping[Row, Row]) -> bool:
        prices = [_thousandths(row[3]) for key, row in version.items() if key not in self.moved]
        may_lack = [_thousandths(row[3]) for key, row in version.items() if key in self.moved]
        wanted = _thousandths(total) - sum(prices)
        return _some_sum_to(may_lack, count - len(prices), wanted)


def _some_sum_to(numbers: Sequence[int], count: int, total: int) -> bool:
    """Whether so many of the numbers make that sum."""
    reached = {(0, 0)}
    for number in numbers:
        reached |= {(many + 1, sum_ + number) for many, sum_ in reached if many < count}
    return (count, total) in reached


def _thousandths(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole + part.ljust(3, "0"))


def by_day(rows: Sequence[Row]) -> dict[str, dict[Row, Row]]:
    """Rows by their day and key."""
    result: dict[str, dict[Row, Row]] = {}
    for row in rows:
        result.setdefault(row[2], {})[row[:2]] = row
    return result


def _odd(there: Mapping[Row, Row], versions: Sequence[Mapping[Row, Row]]) -> str:
    """How it differs from the version that it is most like."""
    if not versions:
        return f"{len(there)} rows"
    like = min(versions, key=lambda v: len(there.items() ^ v.items()))
    more, less = there.items() - like.items(), like.items() - there.items()
    return f"more {sorted(more)[:3]}, less {sorted(less)[:3]}"
