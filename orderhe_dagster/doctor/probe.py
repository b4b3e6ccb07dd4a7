"""Whether a name has an address and a port opens: sockets alone, no driver. What it means: the table."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

Resolve = Callable[[str, int], list[str]]
Reach = Callable[[str, int, float], float]
Identify = Callable[[str, int, float], str]
Here = Callable[[str, int], str]
_ASKS_FOR_TLS = struct.pack("!ii", 8, 80877103)  # as Redshift's and PostgreSQL's clients begin


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name. OSError where it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def reach(host: str, port: int, within_s: float) -> float:
    """Open a connection and close it; how long that took, in seconds. OSError where it does not open."""
    began = time.monotonic()
    with socket.create_connection((host, port), timeout=within_s):
        return time.monotonic() - began


def identify(host: str, port: int, within_s: float) -> str:
    """Who answers a port: `mysql`, which greets at once, `redshift`, which waits to be asked; "": neither."""
    try:
        with socket.create_connection((host, port), timeout=within_s) as link:
            try:
                begin = link.recv(5)
                return "mysql" if begin[3:5] == b"\x00\x0a" else ""
            except TimeoutError:
                link.sendall(_ASKS_FOR_TLS)
                return "redshift" if link.recv(1) in (b"S", b"N") else ""
    except OSError:
        return ""


def here(host: str, port: int) -> str:
    """The address that this machine has in the network towards a host; "" where none leads there.

    Nothing is sent: the machine is asked which way it would take.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as link:
            link.connect(address)
            return str(link.getsockname()[0])
    except (OSError, UnicodeError):
        return ""


@dataclass(frozen=True)
class Probe:
    """All four, so that a test can stand in for a network."""

    resolve: Resolve = resolve
    reach: Reach = reach
    identify: Identify = identify
    here: Here = here
