"""Peers that answer no more: processes that are stopped, sockets that accept and are silent.

Whatever waits for one must end by itself: `ended` waits for it with a patience of its own.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

_T = TypeVar("_T")
GUARD_S = 120.0
"""Far more than any limit that a test sets: what lasts longer would last for ever."""


def stand_still(pid: int) -> None:
    """Stop a child process, and come back when all of its threads stand still.

    The signal alone only asks for that: on a busy machine a thread may answer one more request.
    """
    os.kill(pid, signal.SIGSTOP)
    if hasattr(os, "waitid"):  # macOS has it from Python 3.13 on
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process that stands still for the block; the kernel goes on to acknowledge what it is sent."""
    stand_still(pid)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def silent_peer() -> Iterator[int]:
    """The port of somebody who takes connections and says nothing."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    held.append(listener.accept()[0])

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            for link in held:
                link.close()


def ended(work: Callable[[], _T]) -> _T:
    """What `work` gives, or raises. AssertionError where it does not end."""
    results: list[_T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(GUARD_S)
    assert not thread.is_alive(), "it waits without end"
    if errors:
        raise errors[0]
    return results[0]
