"""Whether a Redshift answers at all: TCP and TLS with it, no login, no statement: nothing is billed."""

from __future__ import annotations

import socket
import ssl
import struct
import time
from dataclasses import replace
from pathlib import Path

from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.redshift.errors import connect_error, not_let_in
from orderhe_dagster.resources.waits import at_most, dial, shut
from orderhe_dagster.settings.config import RedshiftSettings

_ASKS_FOR_TLS = struct.pack("!ii", 8, 80877103)
_YES, _NO = b"S", b"N"
_GREETING = 5  # bytes by which a MySQL is known


def knock(settings: RedshiftSettings) -> str:
    """The TLS that the server speaks. PortError where none answers, or its certificate is not to be trusted.

    Without a host (IAM by a workgroup's name) there is nobody to knock at: "".
    """
    if not settings.host:
        return ""
    began = time.monotonic()
    try:
        link = dial(settings.host, settings.port, settings.connect_timeout)
    except OSError as error:
        raise connect_error(OSError("communication error", error), settings) from None
    left_s = max(0.1, settings.connect_timeout - (time.monotonic() - began))
    # A copy: while TLS begins, the socket is the context's.
    with link, link.dup() as copy, at_most(left_s, lambda: shut(copy)) as watch:
        link.settimeout(left_s)
        try:
            return _greeted(link, settings)
        except PortError:
            raise
        except OSError as error:
            if watch.is_over or isinstance(error, TimeoutError):
                raise not_let_in(settings) from None
            raise connect_error(OSError("communication error", error), settings) from None


def _greeted(link: socket.socket, settings: RedshiftSettings) -> str:
    if settings.sslmode == "disable":
        return "none"
    link.sendall(_ASKS_FOR_TLS)
    answer = link.recv(1)
    if not answer:
        raise ConnectionResetError("the connection was closed")
    if answer != _YES:
        refused = connect_error(OSError("Server refuses SSL"), settings)
        if answer != _NO and refused.symptom is not None and _is_mysql(link, answer):
            facts = {**refused.symptom.facts, "greets": "mysql"}
            refused.symptom = replace(refused.symptom, facts=facts)
        raise refused
    context = ssl.create_default_context(cafile=settings.ssl_ca or None)
    if bundle := _amazons_bundle():
        context.load_verify_locations(bundle)
    context.check_hostname = settings.sslmode == "verify-full"
    with context.wrap_socket(link, server_hostname=settings.host) as secured:
        return str(secured.version() or "")


def _is_mysql(link: socket.socket, begin: bytes) -> bool:
    """A MySQL greets at once: three bytes of length, the number 0, and its protocol's, which is 10."""
    while len(begin) < _GREETING and (some := link.recv(_GREETING - len(begin))):
        begin += some
    return begin[3:5] == b"\x00\x0a"


def _amazons_bundle() -> str:
    """The certificates that come with the driver, which it trusts always."""
    import redshift_connector

    path = Path(redshift_connector.__file__).parent / "files" / "redshift-ca-bundle.crt"
    return str(path) if path.is_file() else ""
