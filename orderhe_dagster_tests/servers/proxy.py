"""A proxy that breaks a connection where a test wants it: after so many bytes of the server's."""

from __future__ import annotations

import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Fault = Literal["rst", "fin", "stall", "drip", "flip"]
DRIP_S = 0.2
"""Between two bytes of a server that drips."""


class FaultProxy:
    """Hands bytes on between its own `port` and the server's. Faults happen once each, in order."""

    def __init__(self, server_port: int, host: str = "127.0.0.1") -> None:
        self._server = (host, server_port)
        self._listener = socket.create_server((host, 0))
        self.port = int(self._listener.getsockname()[1])
        self.faults: list[tuple[int, Fault | Callable[[], None]]] = []  # that have not happened yet
        self._open: list[socket.socket] = []
        self._closed = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, fault: Fault | Callable[[], None], after_bytes: int) -> None:
        """Let the fault meet the first connection on which the server has sent so many bytes.

        A function is called at that point, and the bytes go on.
        """
        self.faults.append((after_bytes, fault))

    def close(self) -> None:
        """Listen no more, and drop what is open."""
        self._closed.set()
        for link in (self._listener, *self._open):
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = self._connect()
            except OSError:
                client.close()
                continue
            self._open += [client, server]
            threading.Thread(target=self._serve, args=(client, server), daemon=True).start()

    def _connect(self) -> socket.socket:
        """A connection on which the kernel holds little, so that a fault is met by a server at work."""
        server = socket.socket()
        try:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)  # before it connects
            server.connect(self._server)
        except OSError:
            server.close()
            raise
        return server

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        # One thread for both ways: a socket that another thread reads from is not closed by close().
        with client, server, suppress(OSError, ValueError):  # closed under us
            passed = 0
            while True:
                ready, _, _ = select.select([client, server], [], [])
                for reader in ready:
                    block = reader.recv(16384)
                    if not block:
                        return
                    fault = None
                    if reader is server:
                        passed += len(block)
                        fault = self._due(passed)
                    if fault == "stall":
                        self._closed.wait()  # both ends stay open, and hear nothing
                        return
                    if fault == "drip":
                        self._drip(block, client, server)
                        return
                    if fault == "rst":
                        linger = struct.pack("ii", 1, 0)
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    if callable(fault):
                        fault()
                    elif fault == "flip":
                        block = block[:-1] + bytes([block[-1] ^ 4])
                    elif fault is not None:
                        return
                    (client if reader is server else server).sendall(block)

    def _drip(self, block: bytes, client: socket.socket, server: socket.socket) -> None:
        """Hand what the server sends on byte by byte from here on; what the client sends goes at once."""

        def up() -> None:
            with suppress(OSError):
                while asked := client.recv(16384):
                    server.sendall(asked)

        threading.Thread(target=up, daemon=True).start()
        while block:
            for byte in block:
                if self._closed.wait(DRIP_S):
                    return
                client.sendall(bytes([byte]))
            block = server.recv(16384)

    def _due(self, passed: int) -> Fault | Callable[[], None] | None:
        if not self.faults or passed < self.faults[0][0]:
            return None
        return self.faults.pop(0)[1]


@contextmanager
def fault_proxy(server_port: int) -> Iterator[FaultProxy]:
    """A proxy before a server of the loopback, closed after the block."""
    proxy = FaultProxy(server_port)
    try:
        yield proxy
    finally:
        proxy.close()
