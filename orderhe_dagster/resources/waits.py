"""How long a peer is waited for: sockets and files that end a wait, and a watch over a whole block.

A timeout of Python's own bounds one wait for some bytes: a peer that sends a byte a second is waited
for without end, and so is one that has stopped where the driver sets no timeout. What a driver does
with its sockets, and what the errors are called, is the adapters'.
"""

from __future__ import annotations

import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

LEAST_BYTES_A_SECOND = 8
"""Fewer than these, in a time in which silence would end the wait, are as good as silence: databases
answer when they have the rows, and then by kilobytes."""
_MOST_ENDS = 100
"""How often a reader may be told that the peer has closed, before it is one that never asks why."""
_AGAIN_S = 0.05


@dataclass
class Patience:
    """How long a peer's answer is waited for: `silence_s` without a byte, `answer_s` in all (0: no limit).

    An answer begins whenever something is sent. Only waiting counts, not what is done in between. Less
    than `least` bytes a second are silence.
    """

    silence_s: float
    answer_s: float = 0.0
    least: float = LEAST_BYTES_A_SECOND
    _waited_s: float = field(default=0.0, repr=False)
    _answer_s: float = field(default=0.0, repr=False)
    _bytes: int = field(default=0, repr=False)
    _ends: int = field(default=0, repr=False)

    def ask(self) -> None:
        """Something is sent, so another answer begins."""
        self._waited_s = self._answer_s = 0.0
        self._bytes = 0

    def left_s(self) -> float:
        """How long the next bytes may take. TimeoutError where the answer has had its time."""
        if self.answer_s and self._answer_s >= self.answer_s:
            raise TimeoutError(f"the answer was not complete after {self.answer_s:g} s")
        if self._waited_s >= self.silence_s:
            if self._bytes < self.least * self._waited_s:
                raise TimeoutError(f"hardly anything came for {self.silence_s:g} s")
            self._waited_s, self._bytes = 0.0, 0
        left = self.answer_s - self._answer_s if self.answer_s else self.silence_s
        return min(left, self.silence_s)

    def waited(self, took_s: float, count: int) -> None:
        """So many bytes came after so long; 0: the peer has closed. ConnectionResetError: once too often."""
        self._waited_s += took_s
        self._answer_s += took_s
        self._bytes += count
        self._ends = 0 if count else self._ends + 1
        if self._ends > _MOST_ENDS:
            raise ConnectionResetError("the connection was closed in the middle of an answer")

    def read(
        self, link: socket.socket, read: Callable[[], Any], count: Callable[[Any], int]
    ) -> Any:
        """What `read` gives, which reads from `link` once. TimeoutError says what was waited for."""
        left_s = self.left_s()
        link.settimeout(left_s)
        began = time.monotonic()
        try:
            result = read()
        except TimeoutError:
            if left_s < self.silence_s:
                raise TimeoutError(
                    f"the answer was not complete after {self.answer_s:g} s"
                ) from None
            raise TimeoutError(f"nothing came for {self.silence_s:g} s") from None
        self.waited(time.monotonic() - began, count(result))
        return result


class _Patient:
    """What both kinds of sockets add to Python's own; `patience` None: nothing."""

    patience: Patience | None = None

    def recv(self, *arguments: Any) -> bytes:
        if self.patience is None:
            return super().recv(*arguments)  # type: ignore[misc, no-any-return]
        read = super().recv  # type: ignore[misc]
        return self.patience.read(self, lambda: read(*arguments), len)  # type: ignore[arg-type, no-any-return]

    def recv_into(self, *arguments: Any) -> int:
        if self.patience is None:
            return super().recv_into(*arguments)  # type: ignore[misc, no-any-return]
        read = super().recv_into  # type: ignore[misc]
        return self.patience.read(self, lambda: read(*arguments), int)  # type: ignore[arg-type, no-any-return]

    def sendall(self, *arguments: Any) -> None:
        if self.patience is not None:
            self.patience.ask()
        super().sendall(*arguments)  # type: ignore[misc]


class PatientSocket(_Patient, socket.socket):
    """A socket that waits no longer than its `patience`, once it has one."""


class PatientSSLSocket(_Patient, ssl.SSLSocket):
    """The same with TLS: what a context makes whose `sslsocket_class` this is."""


class PatientFile(socket.SocketIO):
    """A socket as a raw file to read and write, for drivers that keep files over their sockets."""

    def __init__(self, link: socket.socket, patience: Patience) -> None:
        super().__init__(link, "rw")
        self._link, self.patience = link, patience
        self._is_answered = True  # since something was sent

    def readinto(self, buffer: Any) -> int | None:
        """Read some bytes; TimeoutError where none, or too few, came in time."""
        read = super().readinto
        result: int | None = self.patience.read(
            self._link, lambda: read(buffer), lambda count: count or 0
        )
        self._is_answered = True
        return result

    def write(self, data: Any) -> int | None:
        """Send some bytes; TimeoutError where they are not taken in time. Then comes another answer."""
        if self._is_answered:
            self._is_answered = False
            self.patience.ask()
        self._link.settimeout(self.patience.left_s())
        began = time.monotonic()
        try:
            count = super().write(data)
        except TimeoutError:
            limit_s = self.patience.silence_s
            raise TimeoutError(f"what was sent was not taken within {limit_s:g} s") from None
        self.patience.waited(time.monotonic() - began, count or 0)
        return count

    def buffered(self) -> io.BufferedRWPair:
        """The file as drivers use it."""
        return _WholeReads(self, self)


class _WholeReads(io.BufferedRWPair):
    """What is asked for comes whole, or nothing does: drivers take the rest of a message for all of it."""

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if size is not None and 0 < len(data) < size:
            raise ConnectionResetError("the connection was closed in the middle of an answer")
        return data


def dial(host: str, port: int, within_s: float) -> PatientSocket:
    """A TCP connection to the first of the host's addresses that answers. OSError where none does in time."""
    ends = time.monotonic() + within_s
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failed: OSError | None = None
    for tried, (family, kind, protocol, _, address) in enumerate(infos):
        link = PatientSocket(family, kind, protocol)
        try:
            link.settimeout(max(_AGAIN_S, (ends - time.monotonic()) / (len(infos) - tried)))
            link.connect(address)
        except OSError as error:
            link.close()
            failed = error
        else:
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            return link
    raise failed or OSError("the host has no address")


class Watch:
    """A block's time; `is_over`: it was not enough."""

    def __init__(self) -> None:
        self.is_over = False


@contextmanager
def at_most(seconds: float, cut: Callable[[], object]) -> Iterator[Watch]:
    """Give the block so long, then `cut` what it waits for, again and again until it has ended.

    `cut` is called in another thread, once or often, and whatever is cut must raise in the block.
    """
    watch, ended = Watch(), threading.Event()

    def look_after() -> None:
        if ended.wait(seconds):
            return
        watch.is_over = True
        cut()
        while not ended.wait(_AGAIN_S):
            cut()

    thread = threading.Thread(target=look_after, name="at-most", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        ended.set()
        thread.join()


def shut(link: socket.socket | None) -> None:
    """End a connection that another thread waits for: it reads the end, or an error."""
    if link is not None:
        with suppress(OSError):  # closed, or not connected yet
            # Not SSLSocket's own, which would take the encryption from under whoever reads.
            socket.socket.shutdown(link, socket.SHUT_RDWR)
