"""Peers that are no server: what answers a port in the wrong way, and networks that a probe stands for."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from orderhe_dagster.doctor.probe import Probe

GREETING_WITHOUT_TLS = bytes.fromhex(
    # Length and number; protocol 10; version; thread; salt; capabilities without CLIENT_SSL; more salt.
    "490000000a"
) + (
    b"8.0.36\x00"
    b"\x01\x00\x00\x00"
    b"abcdefgh\x00"
    b"\xff\xf7"
    b"\x2d\x02\x00"
    b"\xff\xc1"
    b"\x15" + b"\x00" * 10 + b"ijklmnopqrst\x00" + b"mysql_native_password\x00"
)


@contextmanager
def peer(act: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of somebody who does `act` with each connection and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):  # the listener is closed, or the client has gone
                while True:
                    client, _ = listener.accept()
                    with client, suppress(OSError):
                        client.settimeout(10)
                        act(client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def says(data: bytes, *, waits: bool = False) -> Callable[[socket.socket], None]:
    """Sends these bytes, after the client's first where it `waits`, then reads until the client hangs up."""

    def act(client: socket.socket) -> None:
        if waits:
            client.recv(1000)
        client.sendall(data)
        while client.recv(1000):
            pass

    return act


def hangs_up(client: socket.socket) -> None:
    """Takes the connection and closes it."""


def tls_of(certificate: Path, key: Path, *, asked: bool = True) -> Callable[[socket.socket], None]:
    """Shows this certificate; where TLS is `asked` for, as of a Redshift, after saying yes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def act(client: socket.socket) -> None:
        if asked:
            client.recv(8)
            client.sendall(b"S")
        with context.wrap_socket(client, server_side=True) as secured:
            secured.recv(1)

    return act


def network(*, resolves: str | OSError = "203.0.113.9", opens: OSError | None = None) -> Probe:
    """A network in which a name has that address (or none), and a port opens (or does not)."""

    def resolve(host: str, port: int) -> list[str]:
        if isinstance(resolves, OSError):
            raise resolves
        return [resolves]

    def reach(host: str, port: int, within_s: float) -> float:
        if opens is not None:
            raise opens
        return 0.0

    return Probe(resolve, reach, lambda *_: "", lambda *_: "192.168.0.7")
