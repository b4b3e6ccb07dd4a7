"""A client's socket as messages: bounded reads, replies kept until they are due, TLS. No protocol state."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct

from local_redshift.wire.messages import (
    MAX_MESSAGE_BYTES,
    MAX_STARTUP_BYTES,
    ProtocolError,
)

_CHUNK = 1 << 16
_FULL = 1 << 18  # bytes of replies that are sent although no reply is due


class Gone(Exception):
    """The client went away; there is nobody to tell."""


class ClientSocket:
    """Reads messages from a socket and keeps replies until `flush`, so that few packets are sent."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._socket = sock
        self._cut = False
        self._in, self._at = b"", 0
        self._out: list[bytes] = []
        self._waiting = 0
        self.encrypted = False

    # -- reading -----------------------------------------------------------------------------------

    @property
    def pending(self) -> bool:
        """Whether more of what the client sent is at hand already."""
        return self._at < len(self._in)

    def startup(self) -> tuple[int, bytes]:
        """The first message of a connection: (its code, its body)."""
        length, code = struct.unpack("!iI", self._take(8))
        if not 8 <= length <= MAX_STARTUP_BYTES:
            raise ProtocolError("invalid length of startup packet")
        return code, self._take(length - 8)

    def message(self, most: int = MAX_MESSAGE_BYTES) -> tuple[bytes, bytes]:
        """The next message: (its code, its body). ProtocolError: its length is out of bounds."""
        code, length = struct.unpack("!ci", self._take(5))
        if not 4 <= length <= most:
            raise ProtocolError(f"invalid message length: {length} bytes, at most {most}")
        return code, self._take(length - 4)

    def _take(self, length: int) -> bytes:
        ready = len(self._in) - self._at
        if ready < length:
            parts = [self._in[self._at :]]
            while ready < length:
                parts.append(self._receive())
                ready += len(parts[-1])
            self._in, self._at = b"".join(parts), 0
        self._at += length
        return self._in[self._at - length : self._at]

    def _receive(self) -> bytes:
        try:
            data = self._socket.recv(_CHUNK)
        except OSError as error:
            raise Gone from error
        if not data:
            raise Gone
        return data

    # -- writing -----------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Keep a reply; much of it is sent at once, so that a large result is never held whole."""
        self._out.append(data)
        self._waiting += len(data)
        if self._waiting >= _FULL:
            self.flush()

    def flush(self) -> None:
        """Send what is kept."""
        if self._out:
            data = b"".join(self._out)
            self._out, self._waiting = [], 0
            try:
                self._socket.sendall(data)
            except OSError as error:
                raise Gone from error

    # -- the socket --------------------------------------------------------------------------------

    def encrypt(self, context: ssl.SSLContext) -> None:
        """Answer an SSLRequest with yes, and go on encrypted."""
        if self.pending:
            raise ProtocolError("received unencrypted data after SSL request")
        self.send(b"S")
        self.flush()
        try:
            # The handshake comes after the socket is known, so that `cut` reaches it.
            encrypted = context.wrap_socket(
                self._socket, server_side=True, do_handshake_on_connect=False
            )
            self._socket = encrypted
            if self._cut:
                raise Gone
            encrypted.do_handshake()
        except OSError as error:  # the client has its own words for why
            raise Gone from error
        self.encrypted = True

    def cut(self) -> None:
        """End the conversation from another thread: whoever reads or writes finds the client gone."""
        self._cut = True
        with contextlib.suppress(OSError):  # it has ended already
            # Not SSLSocket's own, which would take the encryption from under whoever reads.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket; a client with TLS is told that this end was meant."""
        if isinstance(self._socket, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):  # without waiting for its answer
                self._socket.settimeout(0)
                self._socket.unwrap()
        self._socket.close()
