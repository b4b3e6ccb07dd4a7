"""Clients of S3: one a process and connection, made when it is first needed. No request is sent here."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import Any

MOST_CONNECTIONS = 32
"""Of one client: more threads than that would wait for one another."""


@dataclass(frozen=True)
class Connection:
    """How S3 is spoken to. `endpoint_url` "": Amazon's own. Timeouts are in seconds, by request."""

    endpoint_url: str
    max_attempts: int
    connect_timeout_s: float
    read_timeout_s: float


class _Clients:
    """What this process has made. A forked child has nothing: sockets must not be shared."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.clients: dict[Connection, Any] = {}
        self.loader: Any = None

    def clear(self) -> None:
        """Forget what a parent process has made."""
        self.lock = threading.Lock()  # the old one may be held by a thread that was not forked
        self.clients = {}


_CLIENTS = _Clients()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_CLIENTS.clear)


def client_of(connection: Connection) -> Any:
    """The process's client, safe for threads. Credentials and region come from AWS's own variables.

    Raises botocore's errors, where its configuration is wrong.
    """
    process = _CLIENTS
    with process.lock:
        client = process.clients.get(connection)
        if client is None:
            client = process.clients[connection] = _client(connection)
        return client


def forget_clients() -> None:
    """Have the next client made anew: it reads the credentials again."""
    with _CLIENTS.lock:
        _CLIENTS.clients = {}


def _client(connection: Connection) -> Any:
    import botocore.session
    from botocore.config import Config

    session = botocore.session.Session()
    if _CLIENTS.loader is None:
        _CLIENTS.loader = session.get_component("data_loader")
    else:  # what describes S3 is read and parsed once, for children of this process too
        session.register_component("data_loader", _CLIENTS.loader)
    given = connection.endpoint_url
    return session.create_client(
        "s3",
        endpoint_url=given or None,
        config=Config(
            connect_timeout=connection.connect_timeout_s,
            read_timeout=connection.read_timeout_s,
            retries={"mode": "standard", "total_max_attempts": connection.max_attempts},
            max_pool_connections=MOST_CONNECTIONS,
            tcp_keepalive=True,
            # The store gives and compares the SHA-256 itself.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            # Other servers seldom have a host name for each bucket.
            s3={"addressing_style": "path"} if given else None,
            user_agent_extra="orderhe",
        ),
    )
