"""Whether a name has an address and a port opens: sockets alone, no driver. What it means: the table."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

Resolve = Callable[[str, int], list[str]]
Reach = Callable[[str, int, float], float]


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name. OSError where it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def reach(host: str, port: int, within_s: float) -> float:
    """Open a connection and close it; how long that took, in seconds. OSError where it does not open."""
    began = time.monotonic()
    with socket.create_connection((host, port), timeout=within_s):
        return time.monotonic() - began


@dataclass(frozen=True)
class Probe:
    """Both, so that a test can stand in for a network."""

    resolve: Resolve = resolve
    reach: Reach = reach
