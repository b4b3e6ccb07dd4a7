"""A timeout for what has none: DuckDB's scanner connects to and reads from a silent server without end.

Linux alone tells how long a connection has been silent; elsewhere nothing is watched. pymysql has
timeouts of its own, and its connections are left alone.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orderhe_dagster.resources.mysql.errors import GREETS_NOT
from orderhe_dagster.resources.waits import LEAST_BYTES_A_SECOND, at_most, shut
from orderhe_dagster.settings.interrupts import interrupt_came

_OPEN_FILES = Path("/proc/self/fd")
_SILENT_MS_AT, _RECEIVED_AT = 52, 128  # in Linux's struct tcp_info
_INFO_BYTES = 192
_CHECKS, _LONGEST_PAUSE_S = 4, 5.0
_PAUSE_S = 0.5
_CONNECTING = threading.Lock()
"""Held while the scanner connects, so that what appears meanwhile is its connection."""
_Name = tuple[str, int]
_WITH_TIMEOUT: weakref.WeakKeyDictionary[Any, _Name] = weakref.WeakKeyDictionary()


def leave_alone(connection: Any, link: socket.socket) -> None:
    """Leave a connection of pymysql alone, which goes over `link`."""
    _WITH_TIMEOUT[connection] = _name(link)


def is_closed(connection: Any) -> None:
    """A connection of pymysql has ended: others may get its address."""
    _WITH_TIMEOUT.pop(connection, None)


class Silence:
    """What a server was waited for in vain, if it was: `reason` says so, and "" where it was not."""

    def __init__(self, addresses: set[_Name]) -> None:
        self.addresses, self.reason = addresses, ""
        self.is_connecting = False

    @contextmanager
    def connecting(self, within_s: float) -> Iterator[None]:
        """Let the block, in which the scanner connects, last so long; what it waits for is broken then."""
        with _CONNECTING:
            before = set(self._names())

            def cut() -> None:
                self.reason = GREETS_NOT.format(within_s)
                for link in _links(self.addresses):
                    with link:
                        if _name(link) not in before:
                            shut(link)

            self.is_connecting = True
            with at_most(within_s, cut):
                yield
            self.is_connecting = False

    def _names(self) -> Iterator[_Name]:
        for link in _links(self.addresses):
            with link, suppress(OSError):  # closed meanwhile
                yield _name(link)


@contextmanager
def close_on_silence(host: str, port: int, after_s: float) -> Iterator[Silence]:
    """Break this process's connections to a server that sends (nearly) nothing for `after_s`, in the block.

    Whoever reads from one gets an error instead of waiting on. A connection whose data nobody has
    fetched yet is not silent.
    """
    if not (sys.platform == "linux" and _OPEN_FILES.is_dir()):
        yield Silence(set())
        return
    silence, over = Silence(_addresses(host, port)), threading.Event()
    watch = threading.Thread(
        target=_watch, args=(silence, after_s, over), name="mysql-watch", daemon=True
    )
    watch.start()
    try:
        yield silence
    finally:
        over.set()
        watch.join()


@contextmanager
def close_on_interrupt(connection: Any) -> Iterator[None]:
    """Break a connection of pymysql when Ctrl-C comes, for reads in a thread that no signal reaches."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_PAUSE_S):
            if interrupt_came():
                with suppress(OSError, AttributeError):  # closed meanwhile
                    connection._sock.shutdown(socket.SHUT_RDWR)
                return

    thread = threading.Thread(target=watch, name="mysql-interrupt", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@dataclass(frozen=True)
class _Seen:
    """A connection at one look: how long it has been silent, what came in all, what waits to be read."""

    silent_s: float
    received: int
    waiting: int


def _watch(silence: Silence, after_s: float, over: threading.Event) -> None:
    suspected: dict[_Name, int] = {}
    since: dict[
        _Name, tuple[float, int]
    ] = {}  # from when on hardly anything came, and what had come
    while not over.wait(min(after_s / _CHECKS, _LONGEST_PAUSE_S)):
        before, suspected = suspected, {}
        drips, since = since, {}
        now = time.monotonic()
        for link in _links(silence.addresses):
            with link, suppress(OSError):  # closed meanwhile
                seen = _seen(link)
                if seen is None or seen.waiting:
                    continue
                name = _name(link)
                began, had = drips.get(name, (now, seen.received))
                if seen.received - had >= LEAST_BYTES_A_SECOND * after_s:
                    began, had = now, seen.received
                since[name] = (began, had)
                if seen.silent_s >= after_s:
                    # Twice in a row: after a pause of the reader, the next data may be on their way.
                    if before.get(name) == seen.received:
                        silence.reason = f"nothing came for {after_s:g} s"
                        shut(link)
                    suspected[name] = seen.received
                elif now - began >= after_s and had < seen.received:
                    silence.reason = f"hardly anything came for {after_s:g} s"
                    shut(link)


def _seen(link: socket.socket) -> _Seen | None:
    """What Linux knows of a connection; None where its kernel is too old."""
    import fcntl
    import termios

    info = link.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    if len(info) < _RECEIVED_AT + 8:
        return None
    (silent_ms,) = struct.unpack_from("=I", info, _SILENT_MS_AT)
    (received,) = struct.unpack_from("=Q", info, _RECEIVED_AT)
    waiting = struct.unpack("i", fcntl.ioctl(link, termios.FIONREAD, b"\0" * 4))[0]
    return _Seen(silent_ms / 1000, int(received), int(waiting))


def _links(addresses: set[_Name]) -> Iterator[socket.socket]:
    """Our connections to one of the addresses that have no timeout, as copies to be closed."""
    others = set(_WITH_TIMEOUT.values())
    for entry in os.listdir(_OPEN_FILES):  # noqa: PTH208 (names only, and it changes under us)
        copy = _copy_of_socket(int(entry))
        if copy is None:
            continue
        try:
            link = socket.socket(fileno=copy)
        except OSError:  # of a family that has no names: the watch goes on
            os.close(copy)
            continue
        try:
            wanted = tuple(link.getpeername()[:2]) in addresses and _name(link) not in others
        except OSError:  # not connected
            wanted = False
        if wanted:
            yield link
        else:
            link.close()


def _copy_of_socket(number: int) -> int | None:
    """A copy of an open file if it is a socket. Never of another one: closing that would harm.

    With any copy of a file the kernel takes away all locks that this process has on it: SQLite's on
    the run history, DuckDB's on a database.
    """
    try:
        if not str((_OPEN_FILES / str(number)).readlink()).startswith("socket:"):
            return None
        copy = os.dup(number)
        # What got the number in between stays open for good, which is better than to close it.
        return copy if stat.S_ISSOCK(os.fstat(copy).st_mode) else None
    except OSError:  # closed meanwhile
        return None


def _name(link: socket.socket) -> _Name:
    host, port = link.getsockname()[:2]
    return str(host), int(port)


def _addresses(host: str, port: int) -> set[_Name]:
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return {(str(address[0]), int(address[1])) for *_, address in infos}
