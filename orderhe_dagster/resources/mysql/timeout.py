"""A timeout for reads that have none: DuckDB's scanner waits for a silent server without end.

Linux alone tells how long a connection has been silent; elsewhere nothing is watched. pymysql has
timeouts of its own, and its connections are left alone.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from orderhe_dagster.settings.interrupts import interrupt_came

_OPEN_FILES = Path("/proc/self/fd")
_SILENT_MS_AT, _RECEIVED_AT = 52, 128  # in Linux's struct tcp_info
_INFO_BYTES = 192
_CHECKS, _LONGEST_PAUSE_S = 4, 5.0
_PAUSE_S = 0.5
_WITH_TIMEOUT: weakref.WeakSet[socket.socket] = weakref.WeakSet()


def leave_alone(connection: Any) -> None:
    """Leave a connection of pymysql alone."""
    _WITH_TIMEOUT.add(connection._sock)


@contextmanager
def close_on_silence(host: str, port: int, after_s: float) -> Iterator[None]:
    """Break this process's connections to a server that sends nothing for `after_s`, during the block.

    Whoever reads from one gets an error instead of waiting on. A connection whose data nobody has
    fetched yet is not silent.
    """
    if not (sys.platform == "linux" and _OPEN_FILES.is_dir()):
        yield
        return
    over = threading.Event()
    watch = threading.Thread(
        target=_watch, args=(_addresses(host, port), after_s, over), name="mysql-watch", daemon=True
    )
    watch.start()
    try:
        yield
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


def _watch(addresses: set[tuple[str, int]], after_s: float, over: threading.Event) -> None:
    suspected: dict[tuple[str, int], int] = {}
    while not over.wait(min(after_s / _CHECKS, _LONGEST_PAUSE_S)):
        before, suspected = suspected, {}
        for link in _links(addresses):
            with link, suppress(OSError):  # closed meanwhile
                received = _silent(link, after_s)
                if received is None:
                    continue
                name = link.getsockname()[:2]
                # Twice in a row: after a pause of the reader, the next data may be on their way.
                if before.get(name) == received:
                    link.shutdown(socket.SHUT_RDWR)
                else:
                    suspected[name] = received


def _silent(link: socket.socket, after_s: float) -> int | None:
    """The bytes received so far where nothing came for so long, and all that came was read; else None."""
    import fcntl
    import termios

    info = link.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    if len(info) < _RECEIVED_AT + 8:
        return None  # an old kernel
    (silent_ms,) = struct.unpack_from("=I", info, _SILENT_MS_AT)
    (received,) = struct.unpack_from("=Q", info, _RECEIVED_AT)
    waiting = struct.unpack("i", fcntl.ioctl(link, termios.FIONREAD, b"\0" * 4))[0]
    return int(received) if silent_ms >= after_s * 1000 and not waiting else None


def _links(addresses: set[tuple[str, int]]) -> Iterator[socket.socket]:
    """Our connections to one of the addresses that have no timeout, as copies to be closed."""
    others = {link.fileno() for link in list(_WITH_TIMEOUT)}  # -1 for a closed one
    for entry in os.listdir(_OPEN_FILES):  # noqa: PTH208 (names only, and it changes under us)
        if int(entry) in others:
            continue
        try:
            copy = os.dup(int(entry))
        except OSError:
            continue
        try:
            link = socket.socket(fileno=copy)
        except OSError:  # no socket
            os.close(copy)
            continue
        try:
            wanted = tuple(link.getpeername()[:2]) in addresses
        except OSError:  # not connected
            wanted = False
        if wanted:
            yield link
        else:
            link.close()


def _addresses(host: str, port: int) -> set[tuple[str, int]]:
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return {(str(address[0]), int(address[1])) for *_, address in infos}
