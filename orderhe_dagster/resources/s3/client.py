"""Clients of AWS: one a process and connection, made when it is first needed. No request is sent here."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from orderhe_dagster.resources.waits import Patience, PatientSocket, PatientSSLSocket

MOST_CONNECTIONS = 32
"""Of one client: more threads than that would wait for one another."""
LEAST_BYTES_A_SECOND = 1_000
"""A slower answer is none, where it goes on for as long as silence may last."""
_BEGAN = "orderhe_began"


@dataclass(frozen=True)
class Connection:
    """How S3, or another service, is spoken to. `endpoint_url` "": Amazon's own. Timeouts are in seconds.

    To connect, without a byte (nearly) of an answer, and after which no request is tried again.
    `ca`: a file of CA certificates instead of those that AWS's settings name.
    """

    endpoint_url: str
    max_attempts: int
    connect_timeout_s: float
    read_timeout_s: float
    timeout_s: float
    service: str = "s3"
    ca: str = ""


class _Clients:
    """What this process has made. A forked child has nothing: sockets must not be shared."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.clients: dict[Connection, Any] = {}
        self.loader: Any = None
        self.made: Counter[str] = Counter()
        """How many requests of each kind went to S3."""

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
    else:  # what describes the service is read and parsed once, for children of this process too
        session.register_component("data_loader", _CLIENTS.loader)
    given = connection.endpoint_url
    of_s3 = connection.service == "s3"
    client = session.create_client(
        connection.service,
        endpoint_url=given or None,
        verify=connection.ca or None,
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
            s3={"addressing_style": "path"} if given and of_s3 else None,
            user_agent_extra="orderhe",
        ),
    )
    # The classes of connections are the client's own affair, but it has no limit to a drip.
    client._endpoint.http_session._pool_classes_by_scheme.update(_pools(connection))
    tries = _Tries(connection)
    client.meta.events.register(f"request-created.{connection.service}", tries.begins)
    if of_s3:
        client.meta.events.register("request-created.s3", _count)
    return client


def _count(request: Any, **_: Any) -> None:
    """A request to S3 goes out, or goes out again: each is billed."""
    is_list = request.method == "GET" and "list-type=" in request.url
    with _CLIENTS.lock:
        _CLIENTS.made["LIST" if is_list else request.method] += 1


def requests_made() -> dict[str, int]:
    """How many requests of each kind this process has sent to S3."""
    with _CLIENTS.lock:
        return dict(_CLIENTS.made)


class _Tries:
    """The tries of a request, none of which begins too late."""

    def __init__(self, connection: Connection) -> None:
        self._limit_s = connection.timeout_s

    def begins(self, request: Any, **_: Any) -> None:
        """A request is made, or made again: ReadTimeoutError where it was tried for long enough."""
        from botocore.exceptions import ReadTimeoutError

        now = time.monotonic()
        if now - request.context.setdefault(_BEGAN, now) >= self._limit_s:
            raise ReadTimeoutError(endpoint_url=request.url, error=None)


def _pools(connection: Connection) -> dict[str, Any]:
    """Botocore's pools of connections by scheme, with sockets that wait no longer than they may."""
    from botocore import awsrequest

    class Patiently:
        """A connection of botocore's whose sockets have a patience."""

        def __init__(self, *arguments: Any, **named: Any) -> None:
            self._patience = Patience(connection.read_timeout_s, least=LEAST_BYTES_A_SECOND)
            super().__init__(*arguments, **named)

        def _new_conn(self) -> PatientSocket:
            plain = super()._new_conn()  # type: ignore[misc]
            timeout_s = plain.gettimeout()
            link = PatientSocket(fileno=plain.detach())
            link.settimeout(timeout_s)
            link.patience = self._patience
            return link

        def connect(self) -> None:
            context = getattr(self, "ssl_context", None)
            if context is not None:
                context.sslsocket_class = PatientSSLSocket
            super().connect()  # type: ignore[misc]
            self.sock: Any
            self.sock.patience = self._patience

        def request(self, method: str, url: str, *arguments: Any, **named: Any) -> Any:
            # While it puts parts together, S3 sends a blank now and then, to be waited for.
            slow = method == "POST" and "uploadId=" in url
            self._patience.least = 0 if slow else LEAST_BYTES_A_SECOND
            self._patience.answer_s = connection.timeout_s if slow else 0.0
            return super().request(method, url, *arguments, **named)  # type: ignore[misc]

    def pool(pool: type[Any], link: type[Any]) -> type[Any]:
        patient = type(link.__name__, (Patiently, link), {})
        return type(pool.__name__, (pool,), {"ConnectionCls": patient})

    return {
        "http": pool(awsrequest.AWSHTTPConnectionPool, awsrequest.AWSHTTPConnection),
        "https": pool(awsrequest.AWSHTTPSConnectionPool, awsrequest.AWSHTTPSConnection),
    }
