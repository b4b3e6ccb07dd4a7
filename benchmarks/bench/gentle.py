"""What the source has to bear of a run: its longest statement, its longest snapshot.

Statements are timed by the server itself (its slow log, with no threshold); snapshots by asking it which
transactions are open, some seven times a second, so they are right to that.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orderhe_dagster_tests.servers.mariadb import MariaDB

_EVERY_S = 0.15  # what it tells is renewed where it was not asked for a tenth of a second
_OURS = "root"
"""Who watches: what it asks is not counted."""
_USER = re.compile(r"^# User@Host: (\w+)\[")
_TIME = re.compile(r"^# Query_time: ([\d.]+)")
_OPEN = "select trx_mysql_thread_id, trx_started from information_schema.innodb_trx"


@dataclass
class Gentleness:
    """Seconds of the longest statement and of the longest snapshot."""

    longest_query_s: float = 0.0
    longest_snapshot_s: float = 0.0


@contextmanager
def watched(server: MariaDB) -> Iterator[Gentleness]:
    """Watch a server for the block; the figures are there after it."""
    log = server.folder / "slow.log"
    server.run("set global log_output = 'FILE'")
    server.run(f"set global slow_query_log_file = '{log}'")
    server.run("set global long_query_time = 0")
    server.run("set global slow_query_log = 1")
    start = log.stat().st_size if log.exists() else 0
    result, over = Gentleness(), threading.Event()
    thread = threading.Thread(target=_watch, args=(server, result, over), daemon=True)
    thread.start()
    try:
        yield result
    finally:
        over.set()
        thread.join()
        server.run("set global slow_query_log = 0")
        result.longest_query_s = longest(_since(log, start))


def longest(lines: Iterator[str]) -> float:
    """The longest statement that a slow log tells of, the watcher's own left out."""
    user, most = "", 0.0
    for line in lines:
        if found := _USER.match(line):
            user = found[1]
        elif (timed := _TIME.match(line)) and user != _OURS:
            most = max(most, float(timed[1]))
    return most


def _since(log: Path, start: int) -> Iterator[str]:
    with log.open(encoding="utf-8", errors="replace") as file:
        file.seek(start)
        yield from file


def _watch(server: MariaDB, result: Gentleness, over: threading.Event) -> None:
    import pymysql

    first: dict[tuple[object, object], float] = {}
    connection = pymysql.connect(unix_socket=str(server.folder / "s"), user=_OURS, autocommit=True)
    with connection, connection.cursor() as cursor:
        while not over.wait(_EVERY_S):
            cursor.execute(_OPEN)
            now = time.monotonic()
            for key in cursor.fetchall():
                began = first.setdefault(key, now)
                result.longest_snapshot_s = max(result.longest_snapshot_s, now - began)
