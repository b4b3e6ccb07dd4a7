"""Listens for requests to the Data API: HTTP/1.1 with JSON 1.1, as AWS's clients send them."""

from __future__ import annotations

import json
import logging
import socket
import ssl
import threading
import uuid
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local_redshift.data_api.faults import ApiError, Limits
from local_redshift.data_api.operations import answer
from local_redshift.data_api.signature import Key, Request, caller
from local_redshift.data_api.statements import Clock, Statements
from local_redshift.database.database import Database
from local_redshift.wire.server import is_loopback

logger = logging.getLogger("local_redshift")

_TARGET = "RedshiftData."
_CONTENT = "application/x-amz-json-1.1"
_MOST_BYTES = 8 * 1024 * 1024
_IDLE_S = 300.0
_HANDSHAKE_S = 10.0
_CONNECTIONS = 600


class DataApi:
    """The Data API of a database on a port; 0: a free one, see `port`. `close` cancels what runs.

    `keys` are who may ask: access keys, and whom they stand for. Refuses to listen beyond this machine
    without TLS. OSError: the port is taken.
    """

    def __init__(
        self,
        database: Database,
        keys: Mapping[str, Key],
        tls: ssl.SSLContext | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        limits: Limits | None = None,
        clock: Clock | None = None,
    ) -> None:
        if not is_loopback(host) and (tls is None or not keys):
            raise ValueError(
                f"{host} is not this machine alone: listening there needs TLS and an access key"
            )
        self._server = _Listener((host, port), keys, tls)
        self.statements = Statements(database, limits, **({"clock": clock} if clock else {}))
        self._server.statements = self.statements
        self.host, self.port = host, int(self._server.server_address[1])
        self.url = f"http{'s' if tls else ''}://{host}:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="data-api-accept", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Listen no more, cancel what runs, roll back what is open. The database stays open."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.statements.close()
        self._server.end()

    def __enter__(self) -> DataApi:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


class _Listener(ThreadingHTTPServer):
    """Takes connections in: a thread for each."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    statements: Statements

    def __init__(
        self, address: tuple[str, int], keys: Mapping[str, Key], tls: ssl.SSLContext | None
    ) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)
        self.keys, self.tls = keys, tls
        self._lock = threading.Lock()
        self._links: set[Any] = set()
        self._running: set[threading.Thread] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection, unless there are too many."""
        with self._lock:
            full = len(self._links) >= _CONNECTIONS
            if not full:
                self._links.add(request)
        if full:
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve it, in the thread that is its own: TLS, too, is spoken there."""
        with self._lock:
            self._running.add(threading.current_thread())
        try:
            if self.tls is not None:
                request.settimeout(_HANDSHAKE_S)
                with self.tls.wrap_socket(request, server_side=True) as link:
                    with self._lock:  # the socket is the link's now
                        self._links.discard(request)
                        self._links.add(link)
                    try:
                        super().finish_request(link, client_address)
                    finally:
                        with self._lock:
                            self._links.discard(link)
            else:
                super().finish_request(request, client_address)
        except (OSError, ssl.SSLError) as error:
            logger.debug("a client of the Data API went away: %s", error)
        finally:
            with self._lock:
                self._running.discard(threading.current_thread())

    def shutdown_request(self, request: Any) -> None:
        """The end of a connection."""
        with self._lock:
            self._links.discard(request)
        super().shutdown_request(request)

    def end(self) -> None:
        """Hang up on whoever is connected still."""
        with self._lock:
            links, threads = list(self._links), list(self._running)
        for link in links:
            with suppress(OSError):  # it went away, or TLS has taken its socket over
                link.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(_HANDSHAKE_S)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """What a connection's thread failed at."""
        logger.exception("the Data API failed to serve a client at %s", client_address)


class _Handler(BaseHTTPRequestHandler):
    """A connection's requests, one after the other."""

    protocol_version = "HTTP/1.1"
    server_version = "local-redshift"
    sys_version = ""
    timeout = _IDLE_S
    wbufsize = -1  # an answer is one packet, where it fits
    disable_nagle_algorithm = True
    server: _Listener

    def do_POST(self) -> None:
        """Answer a request."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _MOST_BYTES:
            self.close_connection = True
            self._refuse(
                ApiError("SerializationException", "the request is too long, or has no length")
            )
            return
        body = self.rfile.read(int(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            user = caller(Request("POST", self.path, headers, body), self.server.keys)
            target = headers.get("x-amz-target", "")
            if not target.startswith(_TARGET):
                raise ApiError("UnknownOperationException", "X-Amz-Target names no operation")
            operation = target.removeprefix(_TARGET)
            result = answer(self.server.statements, user, operation, _members(body))
        except ApiError as error:
            self._refuse(error)
        except Exception as error:
            logger.exception("the Data API failed at a request")
            text = f"internal error of the local Redshift ({type(error).__name__})"
            self._refuse(ApiError("InternalServerException", text, 500))
        else:
            self._send(200, result)

    def _refuse(self, error: ApiError) -> None:
        self._send(error.status, {"__type": error.name, "Message": error.message}, error.name)

    def _send(self, status: int, members: Mapping[str, Any], error: str = "") -> None:
        body = json.dumps(members, ensure_ascii=False).encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", _CONTENT)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        if error:
            self.send_header("x-amzn-ErrorType", error)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what is asked for is in the log of queries."""


def _members(body: bytes) -> Mapping[str, Any]:
    try:
        members = json.loads(body)
    except ValueError:
        raise ApiError("SerializationException", "the body is no JSON") from None
    if not isinstance(members, dict):
        raise ApiError("SerializationException", "the body is no JSON object")
    return members
