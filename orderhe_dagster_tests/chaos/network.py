"""The network between two systems, in a process of its own: bytes pass, until a fault is due.

A fault is due where so many bytes of one direction have passed between the two, on whatever connection.
Nothing here knows what the bytes mean, but for `503`, which answers a request in the place of S3.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import ssl
import struct
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orderhe_dagster_tests.chaos.processes import DEADLINE_S, end_with

HOST = "127.0.0.1"
DRIP_S = 0.2
"""Between two bytes of a peer that drips."""
_BLOCK = 16_384
_REFUSAL = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Slower.</Message></Error>"
_ANSWER = (
    b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_REFUSAL), _REFUSAL)
)


@dataclass(frozen=True)
class Fault:
    """What happens, to the bytes of which direction, after how many, to how many connections.

    `what`: reset, fin, stall, drip, flip (one bit of one byte), 503 (`after` counts connections).
    `up`: what clients send.
    """

    what: str
    up: bool
    after: int
    times: int = 1
    bit: int = 0


@dataclass
class Line:
    """The line between two systems: who listens, where it leads to, what is to happen, what passed."""

    listener: socket.socket
    to: int
    fault: Fault | None = None
    tls: ssl.SSLContext | None = None  # for `503`: who answers in S3's place
    passed: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    connections: int = 0
    hits: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def serve(self) -> None:
        """Take connections until the process ends."""
        while True:
            client, _ = self.listener.accept()
            with self._lock:
                self.connections += 1
                refused = self._refuses()
            work = self._refuse if refused else self._pass
            threading.Thread(target=work, args=(client,), daemon=True).start()

    def _refuses(self) -> bool:
        fault = self.fault
        if fault is None or fault.what != "503" or self.hits >= fault.times:
            return False
        if self.connections <= fault.after:
            return False
        self.hits += 1
        return True

    def _refuse(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            link = self.tls.wrap_socket(client, server_side=True) if self.tls else client
            with link:
                head = b""
                while b"\r\n\r\n" not in head and (some := link.recv(4096)):
                    head += some
                link.sendall(_ANSWER)
                link.shutdown(socket.SHUT_WR)
                while link.recv(_BLOCK):  # what it goes on to send: unread, it would be a reset
                    pass

    def _due(self, up: bool, data: bytes, is_hit: bool) -> int | None:
        """Where in `data` the fault is due, if it is."""
        with self._lock:
            before = self.passed[up]
            self.passed[up] += len(data)
            fault = self.fault
            if fault is None or fault.what == "503" or fault.up != up or is_hit:
                return None
            if self.hits >= fault.times or self.passed[up] <= fault.after:
                return None
            self.hits += 1
            return max(0, fault.after - before)

    def _pass(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection((HOST, self.to), timeout=5)
        except OSError:
            _reset(client)
            client.close()
            return
        server.settimeout(None)
        _Link(self, client, server).run()


class _Link:
    """One connection over a line. One thread for both ways, so that closing it closes it."""

    def __init__(self, line: Line, client: socket.socket, server: socket.socket) -> None:
        self._line, self._ends = line, {True: client, False: server}  # by who sends: True is up
        self._hit = False
        self._drips: dict[bool, bytearray] = {}

    def run(self) -> None:
        """Hand bytes on until one side ends, or a fault ends it."""
        client, server = self._ends[True], self._ends[False]
        with contextlib.suppress(OSError, ValueError), client, server:
            while True:
                waiting = [self._ends[up] for up in (True, False) if not self._drips.get(up)]
                ready, _, _ = select.select(waiting, [], [], DRIP_S if self._drips else None)
                for up in (True, False):
                    if self._ends[up] in ready and not self._read(up):
                        return
                for up, drops in self._drips.items():
                    if drops:
                        self._ends[not up].sendall(drops[:1])
                        del drops[:1]

    def _read(self, up: bool) -> bool:
        """Hand on what there is of one side; False where the connection is over."""
        data = self._ends[up].recv(_BLOCK)
        if not data:
            return False
        place = self._line._due(up, data, self._hit)
        if up in self._drips:
            self._drips[up] += data
            return True
        if place is None:
            self._ends[not up].sendall(data)
            return True
        self._hit = True
        fault = self._line.fault
        assert fault is not None
        if fault.what == "flip":
            flipped = bytes([data[place] ^ (1 << fault.bit)])
            self._ends[not up].sendall(data[:place] + flipped + data[place + 1 :])
            return True
        self._ends[not up].sendall(data[:place])
        if fault.what == "drip":
            self._drips[up] = bytearray(data[place:])
            return True
        if fault.what == "stall":
            time.sleep(DEADLINE_S)  # both ends stay open and hear nothing
        if fault.what == "reset":
            for end in self._ends.values():
                _reset(end)
        return False


def _reset(end: socket.socket) -> None:
    """Have the close of a connection be a rude one."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Network:
    """Lines that keep their ports, whoever carries the bytes: one process after another."""

    def __init__(self, names: Sequence[str]) -> None:
        self._listeners = {name: socket.create_server((HOST, 0), backlog=64) for name in names}
        self._process: tuple[int, int, int] | None = None

    def port(self, name: str) -> int:
        """Where a line begins."""
        return int(self._listeners[name].getsockname()[1])

    @property
    def pid(self) -> int:
        """The process that carries the bytes: with it, every connection is cut."""
        assert self._process is not None
        return self._process[0]

    def start(
        self,
        leads_to: Mapping[str, int],
        faults: Mapping[str, Fault] | None = None,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        """Carry bytes from now on, with these faults."""
        self.stop()
        control, to_control = os.pipe()
        report, to_report = os.pipe()
        parent, child = os.getpid(), os.fork()
        if child == 0:
            try:
                os.close(to_control)
                os.close(report)
                end_with(parent)
                signal.alarm(2 * DEADLINE_S)
                self._carry(leads_to, faults or {}, certificate, control, to_report)
            finally:
                os._exit(1)
        os.close(control)
        os.close(to_report)
        self._process = (child, to_control, report)

    def _carry(
        self,
        leads_to: Mapping[str, int],
        faults: Mapping[str, Fault],
        certificate: tuple[Path, Path] | None,
        control: int,
        report: int,
    ) -> None:
        context = None
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
        lines = {
            name: Line(listener, leads_to[name], faults.get(name), context)
            for name, listener in self._listeners.items()
        }
        for line in lines.values():
            threading.Thread(target=line.serve, daemon=True).start()
        os.read(control, 1)  # until it is to end
        told = {
            name: {
                "up": line.passed[True],
                "down": line.passed[False],
                "connections": line.connections,
                "hits": line.hits,
            }
            for name, line in lines.items()
        }
        os.write(report, json.dumps(told).encode())
        os._exit(0)

    def stop(self) -> dict[str, dict[str, int]]:
        """Cut every connection; what passed on each line, and how often its fault came."""
        if self._process is None:
            return {}
        child, control, report = self._process
        self._process = None
        with contextlib.suppress(BrokenPipeError):  # it was killed
            os.write(control, b".")  # closing would not do: others have inherited it
        os.close(control)
        with os.fdopen(report, "rb") as pipe:
            text = pipe.read()
        os.waitpid(child, 0)
        result: dict[str, Any] = json.loads(text or b"{}")
        return result

    def close(self) -> None:
        """Listen no more."""
        self.stop()
        for listener in self._listeners.values():
            listener.close()
