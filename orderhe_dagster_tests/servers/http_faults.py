"""A proxy for HTTP that does what networks and busy servers do: a fault for each request it is given.

It knows no S3 but the form of an error. One connection carries one request, as the tests' server has
it. Faults are taken in order, one a request; when none is left, requests pass.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

HEAD_END = b"\r\n\r\n"


@dataclass
class Exchange:
    """One request that came in: its head, and how to go on."""

    client: socket.socket
    head: bytes
    target: tuple[str, int]
    over: threading.Event

    @property
    def line(self) -> str:
        """Method and path."""
        return self.head.split(b"\r\n", 1)[0].decode().rpartition(" ")[0]

    def forward(self) -> bytes:
        """Have the server do the request; gives its whole answer, which the client has not had."""
        lines = self.head.removesuffix(HEAD_END).split(b"\r\n")
        named = {line.partition(b":")[0].lower(): line for line in lines[1:]}
        if named.pop(b"expect", None):
            self.client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = int(named.get(b"content-length", b": 0").partition(b":")[2])
        body = b""
        while len(body) < length and (some := self.client.recv(min(65536, length - len(body)))):
            body += some
        with socket.create_connection(self.target, timeout=30) as server:
            server.sendall(b"\r\n".join([lines[0], *named.values()]) + HEAD_END + body)
            answer = b""
            while some := server.recv(65536):
                answer += some
        return answer

    def reset(self) -> None:
        """Close the client's connection rudely."""
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.client.close()


Fault = Callable[[Exchange], None]


def passes(exchange: Exchange) -> None:
    """No fault."""
    exchange.client.sendall(exchange.forward())


def loses_the_answer(exchange: Exchange) -> None:
    """The server does it, and nobody hears of it."""
    exchange.forward()
    exchange.reset()


def resets_the_request(exchange: Exchange) -> None:
    """The connection breaks while the body is sent."""
    exchange.client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    exchange.client.recv(1000)
    exchange.reset()


def stalls(exchange: Exchange) -> None:
    """Nothing comes back, until the tests are over."""
    exchange.over.wait(60)


def answers(status: int, code: str) -> Fault:
    """An error of S3 in place of the server's answer."""

    def answer(exchange: Exchange) -> None:
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>No.</Message></Error>"
        head = f"HTTP/1.1 {status} {code}\r\nContent-Type: application/xml\r\nConnection: close\r\n"
        exchange.client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())

    return answer


def cuts_the_answer(left: int) -> Fault:
    """The connection ends where that many bytes of the answer's body have come."""

    def cut(exchange: Exchange) -> None:
        head, _, body = exchange.forward().partition(HEAD_END)
        exchange.client.sendall(head + HEAD_END + body[:left])

    return cut


def flips_a_bit(exchange: Exchange) -> None:
    """The last byte of the answer comes altered."""
    answer = exchange.forward()
    exchange.client.sendall(answer[:-1] + bytes([answer[-1] ^ 1]))


@dataclass
class FaultyProxy:
    """A proxy at `url`. `faults` are for the requests to come, `requests` are those that came."""

    url: str
    faults: deque[Fault] = field(default_factory=deque)
    requests: list[str] = field(default_factory=list)

    def methods(self) -> list[str]:
        """The methods of the requests so far."""
        return [line.partition(" ")[0] for line in self.requests]


@contextmanager
def before(url: str) -> Iterator[FaultyProxy]:
    """A proxy before the server at `url`, for the block."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    target, over = (parts.hostname, parts.port), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = FaultyProxy(f"http://127.0.0.1:{listener.getsockname()[1]}")

        def serve(client: socket.socket) -> None:
            with client, suppress(OSError):  # the client may hang up whenever it likes
                head = b""
                while HEAD_END not in head and (some := client.recv(1)):
                    head += some
                if not head:
                    return
                exchange = Exchange(client, head, target, over)
                proxy.requests.append(exchange.line)
                fault = proxy.faults.popleft() if proxy.faults else passes
                fault(exchange)

        def listen() -> None:
            while True:
                client, _ = listener.accept()
                if over.is_set():
                    client.close()
                    return
                threading.Thread(target=serve, args=(client,), daemon=True).start()

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            over.set()
            socket.create_connection(listener.getsockname()).close()  # wakes the listener
            thread.join(10)
