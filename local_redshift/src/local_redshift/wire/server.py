"""Listens for the clients of a local Redshift: a thread for each, limits, cancelling, stopping.

What a client says: `connection`. Who may come in: `handshake`. Files and settings are others' business.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import secrets
import socket
import threading

from local_redshift.database.database import Database
from local_redshift.errors import RedshiftError
from local_redshift.session.engine import connect
from local_redshift.wire import messages as wire
from local_redshift.wire.client_socket import ClientSocket, Gone
from local_redshift.wire.connection import Connection, failure
from local_redshift.wire.handshake import (
    Cancel,
    Client,
    Door,
    Refused,
    greeting,
    welcome,
)

logger = logging.getLogger("local_redshift")

HANDSHAKE_S = 10.0
SESSIONS = 100
_AT_THE_DOOR = 50  # connections that may be negotiating; the next takes the place of the oldest
_AGAIN_S = 0.1  # after the system had nothing left for another connection


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Server:
    """Serves a database on a port; 0: a free one, see `port`. `close` ends every session.

    Refuses to listen beyond this machine without TLS. OSError: the port is taken.
    """

    def __init__(
        self,
        database: Database,
        door: Door,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        sessions: int = SESSIONS,
        handshake_s: float = HANDSHAKE_S,
    ) -> None:
        if not is_loopback(host) and (door.tls is None or not door.users):
            raise ValueError(
                f"{host} is not this machine alone: listening there needs TLS and a user"
            )
        self._database, self._door = database, door
        self._most, self._handshake_s = sessions, handshake_s
        self._lock = threading.Lock()
        self._clients: dict[ClientSocket, threading.Thread] = {}
        self._at_the_door: dict[ClientSocket, str] = {}
        self._keys: dict[tuple[int, int], Connection] = {}
        self._closing = threading.Event()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=128)
        self.host, self.port = host, int(self._listener.getsockname()[1])
        self._acceptor = threading.Thread(target=self._accept, name="redshift-accept", daemon=True)
        self._acceptor.start()

    def close(self) -> None:
        """Listen no more, cancel what runs, roll back what is open. The database stays open."""
        self._closing.set()
        # Wakes `accept` on Linux, where closing alone would not; elsewhere it fails, and closing does.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()
        with self._lock:
            here, connections = dict(self._clients), list(self._keys.values())
        for client_socket in here:
            client_socket.cut()
        for connection in connections:
            connection.stop()
        for thread in here.values():
            thread.join()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    # -- one client --------------------------------------------------------------------------------

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                sock, address = self._listener.accept()
            except OSError as error:  # as when too many files are open: not for ever
                if not self._closing.is_set():
                    logger.warning("the local Redshift could not take a connection in: %s", error)
                    self._closing.wait(_AGAIN_S)
                continue
            with self._lock:
                if self._closing.is_set():
                    sock.close()
                    continue
                client_socket = ClientSocket(sock)
                if len(self._at_the_door) >= _AT_THE_DOOR:
                    oldest, came_from = next(iter(self._at_the_door.items()))
                    del self._at_the_door[oldest]
                    oldest.cut()
                    logger.warning(
                        "%d connections wait to be let in: the oldest, from %s, was closed",
                        _AT_THE_DOOR,
                        came_from,
                    )
                self._at_the_door[client_socket] = str(address[0])
                thread = threading.Thread(
                    target=self._receive,
                    args=(client_socket, str(address[0])),
                    name="redshift-client",
                    daemon=True,
                )
                self._clients[client_socket] = thread
                try:
                    thread.start()
                except RuntimeError as error:  # the system has no thread left for it
                    del self._clients[client_socket], self._at_the_door[client_socket]
                    client_socket.close()
                    logger.warning("the local Redshift could not serve a client: %s", error)

    def _receive(self, client_socket: ClientSocket, peer: str) -> None:
        """A client's thread: whatever it sends, nothing but its own connection ends by it."""
        late = threading.Timer(self._handshake_s, client_socket.cut)
        late.daemon = True
        late.start()
        try:
            visitor = welcome(client_socket, self._door, peer, self._database)
            late.cancel()
            self._left_the_door(client_socket)
            if isinstance(visitor, Client):
                self._serve(client_socket, visitor)
            else:
                client_socket.close()  # before the statement ends: the client need not wait for that
                self._cancel(visitor)
        except Refused as refused:
            self._tell(client_socket, refused.error)
        except wire.ProtocolError as error:
            self._tell(client_socket, RedshiftError("08P01", str(error)))
        except Gone:
            logger.debug("a client of the local Redshift at %s went away", peer)
        except Exception as error:
            logger.exception("the local Redshift failed to serve a client at %s", peer)
            self._tell(
                client_socket,
                RedshiftError(
                    "XX000",
                    f"internal error of the local Redshift ({type(error).__name__}): the server's "
                    "log says more; connect again, and report it",
                ),
            )
        finally:
            late.cancel()
            client_socket.close()
            self._left_the_door(client_socket)
            with self._lock:
                self._clients.pop(client_socket, None)

    def _left_the_door(self, client_socket: ClientSocket) -> None:
        """It came in, or went away."""
        with self._lock:
            self._at_the_door.pop(client_socket, None)

    def _tell(self, client_socket: ClientSocket, error: RedshiftError) -> None:
        """The last thing that a client hears."""
        try:
            client_socket.send(failure(error, "FATAL"))
            client_socket.flush()
        except Gone:
            logger.debug("a client of the local Redshift did not hear: %s", error.message)

    def _serve(self, client_socket: ClientSocket, client: Client) -> None:
        with self._lock:
            if len(self._keys) >= self._most:
                raise Refused(
                    "53300",
                    f"connection limit exceeded: {self._most} sessions are open; close one first",
                )
            engine = connect(
                self._database, user=client.user, application_name=client.application_name
            )
            engine.catalog.is_made = client.user not in self._door.users
            key = (engine.process_id, secrets.randbits(32))
            connection = self._keys[key] = Connection(
                client_socket, engine, client.version, client.float_digits
            )
        try:
            client_socket.send(greeting(client, *key, engine.catalog.access is None))
            connection.serve()
        finally:
            with self._lock:
                self._keys.pop(key, None)
            engine.close()

    def _cancel(self, asked: Cancel) -> None:
        """Cancel what the session runs; a wrong key does nothing, and nobody is told."""
        with self._lock:
            connection = self._keys.get((asked.process_id, asked.secret))
        if connection is not None:
            connection.cancel()
