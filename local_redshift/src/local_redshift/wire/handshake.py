"""How a client comes in: TLS, startup parameters, password. What it does then: `connection`."""

from __future__ import annotations

import ssl
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from local_redshift.database.passwords import Verifier, salt_of
from local_redshift.errors import RedshiftError
from local_redshift.values.catalog import DATABASE
from local_redshift.wire import auth
from local_redshift.wire import messages as wire
from local_redshift.wire.auth import Digest, Scram
from local_redshift.wire.client_socket import ClientSocket

SERVER_VERSION = "8.0.2"  # what a real workgroup says; the driver derives what it may ask for
_SHOW_DISCOVERY = "4"  # Amazon's drivers ask SHOW of objects then, and not the catalogue
_MOST_BYTES = 10_000  # of a message before the client is known
_PARAMETERS_TEXT = """
    user database application_name client_encoding client_protocol_version driver_version
    os_version driver_discovery_version datestyle extra_float_digits timezone options
    plugin_name idp_type provider_name
"""
_PARAMETERS = frozenset(_PARAMETERS_TEXT.split())


@dataclass(frozen=True)
class Door:
    """Who may come in, and how. Without `tls` nothing is encrypted; passwords are never sent plain."""

    users: Mapping[str, Verifier]
    tls: ssl.SSLContext | None = None


class Others(Protocol):
    """The users of the database, besides those of the door."""

    salts: str
    """The key of the salts of who is not there."""

    def verifier(self, user: str) -> Verifier | None:
        """What proves the password of that user; None: it cannot come in."""


@dataclass(frozen=True)
class Client:
    """A client that was let in. `version` is the client protocol version, 0 to 2."""

    user: str
    application_name: str
    version: int
    float_digits: int  # extra_float_digits
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cancel:
    """A client that came only to cancel what a session runs."""

    process_id: int
    secret: int


class Refused(Exception):
    """The client is told why, and is not let in."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.error = RedshiftError(code, message)


def welcome(client_socket: ClientSocket, door: Door, peer: str, others: Others) -> Client | Cancel:
    """Negotiate until the client is known and has proved its password. Refused, ProtocolError, Gone."""
    code, body = client_socket.startup()
    asked = 0
    while code in (wire.SSL_REQUEST, wire.GSS_REQUEST) and asked < 3:
        asked += 1
        if code == wire.SSL_REQUEST and door.tls is not None and not client_socket.encrypted:
            client_socket.encrypt(door.tls)
        else:
            client_socket.send(b"N")
            client_socket.flush()
        code, body = client_socket.startup()
    if code == wire.CANCEL_REQUEST:
        if len(body) != 8:
            raise wire.ProtocolError("invalid length of a cancel request")
        return Cancel(*struct.unpack("!II", body))
    if code != wire.PROTOCOL:
        raise Refused("0A000", f"unsupported frontend protocol {code >> 16}.{code & 0xFFFF}")
    given = {name.lower(): value for name, value in wire.read_startup(body).items()}
    client = _client(given)
    if door.tls is not None and not client_socket.encrypted:
        raise Refused(
            "28000",
            f'no pg_hba.conf entry for host "{peer}", user "{client.user}", '
            f'database "{given.get("database", client.user)}", SSL off',
        )
    verifier = door.users.get(client.user) or others.verifier(client.user)
    _prove(client_socket, verifier, salt_of(client.user, others.salts), client)
    database = given.get("database", client.user)
    if database != DATABASE:
        raise Refused("3D000", f'database "{database}" does not exist')
    return client


def _client(given: Mapping[str, str]) -> Client:
    for name in given:
        if name not in _PARAMETERS:
            raise Refused("42704", f'unrecognized configuration parameter "{name}"')
    if not given.get("user"):
        raise Refused("28000", "no PostgreSQL user name specified in startup packet")
    encoding = given.get("client_encoding", "UTF8").strip("'").upper().replace("-", "")
    if encoding not in ("UTF8", "UNICODE"):
        raise Refused("22023", f"client_encoding {encoding}: the local Redshift speaks UTF8 only")
    asked = given.get("client_protocol_version", "0")
    if not asked.isdigit():
        raise Refused("22023", f"invalid client_protocol_version: {asked}")
    digits = given.get("extra_float_digits", "0")
    if not digits.lstrip("-").isdigit() or not -15 <= int(digits) <= 3:
        raise Refused("22023", f"invalid extra_float_digits: {digits}; there are -15 to 3")
    name = given.get("application_name", "")
    return Client(given["user"], name, min(int(asked), 2), int(digits), given)


def _prove(
    client_socket: ClientSocket, verifier: Verifier | None, salt: bytes, client: Client
) -> None:
    """Let the client prove its password, by an exchange that does not show it."""
    wrong = Refused("28000", f'password authentication failed for user "{client.user}"')
    if "driver_version" in client.parameters:  # Amazon's drivers: as a real workgroup asks them
        digest = Digest(verifier, salt)
        if not digest.right(_asked(client_socket, auth.DIGEST, digest.challenge(), b"d")):
            raise wrong
    else:
        scram = Scram(verifier, salt)
        offer = auth.MECHANISM.encode() + b"\0\0"
        first = scram.first(_asked(client_socket, auth.SASL, offer, b"p"))
        final = scram.final(_asked(client_socket, auth.SASL_CONTINUE, first, b"p"))
        if final is None:
            raise wrong
        client_socket.send(wire.authentication(auth.SASL_FINAL, final))


def _asked(client_socket: ClientSocket, kind: int, data: bytes, wanted: bytes) -> bytes:
    """Send an authentication request and read its answer."""
    client_socket.send(wire.authentication(kind, data))
    client_socket.flush()
    code, body = client_socket.message(_MOST_BYTES)
    while code == b"H":  # redshift-connector flushes after every message
        code, body = client_socket.message(_MOST_BYTES)
    if code == b"X":
        raise wire.ProtocolError("the client left instead of proving its password")
    if code != wanted:
        raise wire.ProtocolError(f"expected a password response, got message type {code!r}")
    return body


def greeting(client: Client, process_id: int, secret: int, is_superuser: bool = True) -> bytes:
    """What follows the password: in, the session's parameters, the key for cancelling."""
    parts = [wire.authentication(0)]
    parameters = {
        "server_version": SERVER_VERSION,
        # As the client named it: PostgreSQL's JDBC driver reads no other answer than its own word.
        "client_encoding": client.parameters.get("client_encoding", "UNICODE").strip("'"),
        "server_encoding": "UNICODE",
        "DateStyle": "ISO, MDY",
        "TimeZone": "UTC",
        "integer_datetimes": "on",
        "is_superuser": "on" if is_superuser else "off",
        "session_authorization": client.user,
        "standard_conforming_strings": "off",
    }
    if "client_protocol_version" in client.parameters:
        parameters["server_protocol_version"] = str(client.version)
    if "driver_discovery_version" in client.parameters:
        parameters["show_discovery"] = _SHOW_DISCOVERY
    parts += [wire.parameter_status(name, value) for name, value in parameters.items()]
    parts.append(wire.key_data(process_id, secret))
    return b"".join(parts)
