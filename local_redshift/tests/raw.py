"""A client that says what a test wants, byte by byte: written from the protocol, not from our server."""

from __future__ import annotations

import hashlib
import socket
import struct
from types import TracebackType

from local_redshift.testing.server import PASSWORD, USER

Message = tuple[str, bytes]


def framed(code: str, body: bytes = b"") -> bytes:
    """A message with its code and length."""
    return code.encode() + struct.pack("!i", len(body) + 4) + body


def text(*texts: str) -> bytes:
    """Texts with their zero bytes."""
    return b"".join(one.encode() + b"\0" for one in texts)


def startup(**parameters: str) -> bytes:
    """A startup message of protocol 3.0."""
    pairs = b"".join(text(name, value) for name, value in parameters.items())
    body = struct.pack("!i", 196608) + pairs + b"\0"
    return struct.pack("!i", len(body) + 4) + body


def parse(sql: str, name: str = "", oids: tuple[int, ...] = ()) -> bytes:
    """Parse."""
    return framed("P", text(name, sql) + struct.pack(f"!h{len(oids)}i", len(oids), *oids))


def bind(
    values: tuple[bytes | None, ...] = (),
    *,
    name: str = "",
    portal: str = "",
    formats: tuple[int, ...] = (),
    results: tuple[int, ...] = (),
) -> bytes:
    """Bind."""
    body = text(portal, name) + struct.pack(f"!h{len(formats)}h", len(formats), *formats)
    body += struct.pack("!h", len(values))
    for value in values:
        body += struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
    return framed("B", body + struct.pack(f"!h{len(results)}h", len(results), *results))


def execute(most: int = 0, portal: str = "") -> bytes:
    """Execute."""
    return framed("E", text(portal) + struct.pack("!i", most))


SYNC, FLUSH, TERMINATE = framed("S"), framed("H"), framed("X")


class Raw:
    """A plain connection. `enter` lets it in; then `send` and read."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection((host, port), timeout=20)
        self.key = (0, 0)
        self.greeting: list[Message] = []
        self.parameters: dict[str, str] = {}

    def __enter__(self) -> Raw:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()

    def enter(self, password: str = PASSWORD, **more: str) -> Raw:
        """Come in by Redshift's digest."""
        given = {"user": USER, "database": "dev", "driver_version": "a test"} | more
        self.send(startup(**given))
        code, body = self.message()
        assert (code, body[:8]) == ("R", struct.pack("!ii", 13, 0)), body
        salt, nonce = body[12:28], body[32:48]
        digest = hashlib.sha256(password.encode() + salt).digest()
        answer = hashlib.sha256(digest + nonce + b"mine").digest()
        sized = struct.pack("!i", len(answer)) + answer + struct.pack("!i", 4) + b"mine"
        self.send(framed("d", sized))
        self.greeting = self.until_ready()
        for code, body in self.greeting:
            if code == "K":
                process, secret = struct.unpack("!II", body)
                self.key = (process, secret)
            elif code == "S":
                name, value = body.decode().split("\0")[:2]
                self.parameters[name] = value
        return self

    def send(self, *messages: bytes) -> None:
        """Send, in one go."""
        self.socket.sendall(b"".join(messages))

    def take(self, length: int) -> bytes:
        """So many bytes; fewer when the server closes."""
        found = b""
        while len(found) < length:
            more = self.socket.recv(length - len(found))
            if not more:
                break
            found += more
        return found

    def message(self) -> Message:
        """The next message; ("", b""): the server has closed."""
        head = self.take(5)
        if len(head) < 5:
            return "", b""
        return chr(head[0]), self.take(struct.unpack("!i", head[1:])[0] - 4)

    def until_ready(self) -> list[Message]:
        """The messages up to ReadyForQuery, it included, or up to the end."""
        found = [self.message()]
        while found[-1][0] not in ("Z", ""):
            found.append(self.message())
        return found

    def ask(self, *messages: bytes) -> list[Message]:
        """Send, and read until ReadyForQuery."""
        self.send(*messages)
        return self.until_ready()

    def query(self, sql: str) -> list[Message]:
        """A simple query."""
        return self.ask(framed("Q", text(sql)))


def codes(messages: list[Message]) -> str:
    """The codes of messages, as one text."""
    return "".join(code for code, _ in messages)


def error(messages: list[Message]) -> dict[str, str]:
    """The fields of the one error among the messages."""
    (body,) = [body for code, body in messages if code == "E"]
    parts = [part.decode() for part in body.split(b"\0") if part]
    return {part[0]: part[1:] for part in parts}


def rows(messages: list[Message]) -> list[tuple[bytes | None, ...]]:
    """The values of the DataRows."""
    found = []
    for code, body in messages:
        if code == "D":
            (count,), at, row = struct.unpack("!h", body[:2]), 2, []
            for _ in range(count):
                (length,) = struct.unpack("!i", body[at : at + 4])
                at += 4
                row.append(None if length < 0 else body[at : at + length])
                at += max(length, 0)
            found.append(tuple(row))
    return found
