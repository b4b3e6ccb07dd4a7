"""How a connection to Redshift is made: TLS, limits to its waits, session settings. Nothing of the road."""

from __future__ import annotations

import os
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from orderhe_dagster.ports.errors import PortError, Symptom
from orderhe_dagster.resources.redshift.errors import (
    connect_error,
    facts_of,
    no_redshift,
    not_let_in,
    statement_error,
)
from orderhe_dagster.resources.s3.errors import quotes_credentials
from orderhe_dagster.resources.waits import Patience, PatientFile, at_most, shut
from orderhe_dagster.settings.config import RedshiftSettings

_APPLICATION = "orderhe_dagster"
_SILENCE_MS = 120_000  # as long as keepalive waits
_LATER_S = 2
_FAREWELL_S = 1.0
_LABEL = 320  # characters that a query group keeps
_TRUST = threading.Lock()


def connect(settings: RedshiftSettings, label: str) -> Any:
    """A connection of redshift-connector in autocommit mode, its session set up. Raises PortError.

    Each answer is waited for as long as the server lets a statement run, and as long as connecting
    may take besides: time for it to say that it has ended the statement.
    """
    import redshift_connector

    arguments = _arguments(settings)  # not inside: what is wrong there is no error of the server's
    with _trusting(settings.ssl_ca), _in_time(settings) as late:
        try:
            connection = redshift_connector.connect(**arguments)
        except PortError:
            raise
        except Exception as error:
            _close_socket(error)
            if late:
                raise not_let_in(settings) from None
            raise _refused(settings, error) from None
    try:
        with _in_time(settings) as late:
            _set_up(connection, settings, label)
    except (redshift_connector.Error, OSError) as error:
        close(connection)
        if late:
            raise not_let_in(settings) from None
        raise statement_error(error, "set …", settings) from None
    except BaseException:
        close(connection)
        raise
    return connection


def _set_up(connection: Any, settings: RedshiftSettings, label: str) -> None:
    """Put our limits in the place of the driver's timeout, and set the session up."""
    link = connection._usock
    # The driver's timeout would go on to end queries, too: a long COPY is the server's business.
    link.settimeout(None)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # keepalive does not see what was sent in vain
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SILENCE_MS)
    limit_s = settings.statement_timeout + settings.connect_timeout
    file = PatientFile(link, Patience(limit_s, limit_s)).buffered()
    connection._read, connection._write, connection._flush = file.read, file.write, file.flush
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(f"set statement_timeout to {settings.statement_timeout * 1000}")
    cursor.execute(f"set query_group to '{label_text(label)}'")


@contextmanager
def _in_time(settings: RedshiftSettings) -> Iterator[list[str]]:
    """Let connecting in the block take as long as it may; what it gives is not empty where it was cut.

    The driver's timeout bounds each wait for some bytes: a byte a second would do. Where AWS is asked
    for credentials first, which has limits of its own, the time begins after that.
    """
    caller, late, since = threading.get_ident(), list[str](), [float("-inf")]

    def cut() -> None:
        links = list(_links(caller))
        now = time.monotonic()
        if not links:
            since[0] = now
        elif now - since[0] >= settings.connect_timeout:
            for link in links:
                late.append(settings.where)
                shut(link)

    with at_most(settings.connect_timeout, cut):
        yield late


def _links(thread: int) -> Iterator[socket.socket]:
    """The connected sockets that the driver has in its hands in a thread: it gives none until it is done."""
    frame = sys._current_frames().get(thread)
    while frame is not None and frame.f_code is not connect.__code__:
        owner = frame.f_locals.get("self")
        for link in (owner, getattr(owner, "_usock", None)):
            if isinstance(link, socket.socket):
                with suppress(OSError):  # one that is not connected yet has the driver's timeout
                    link.getpeername()
                    yield link
        frame = frame.f_back


def _refused(settings: RedshiftSettings, error: Exception) -> Exception:
    """The port's error for what the driver raised instead of connecting; its own where it is ours."""
    import redshift_connector

    if isinstance(error, (redshift_connector.Error, OSError)):
        return connect_error(error, settings)
    if isinstance(error, (LookupError, struct.error, UnicodeDecodeError)):
        return no_redshift(settings, type(error).__name__)  # the driver read no message
    if settings.auth != "iam":
        return error
    reason = "its settings hold a line break" if quotes_credentials(error) else error
    refused = PortError(  # botocore's, where credentials are asked of AWS
        f"AWS gave no credentials for redshift://{settings.where}: {reason}. The caller needs "
        "redshift-serverless:GetCredentials on the workgroup (or redshift:GetClusterCredentials), "
        "and AWS_DEFAULT_REGION and AWS credentials must be set."
    )
    refused.symptom = Symptom(
        "redshift", f"{type(error).__name__}: {reason}", "IAM", facts_of(settings)
    )
    return refused


def close(connection: Any) -> None:
    """End a connection, which may have been lost before. Nobody waits for the server's leave."""
    import redshift_connector

    with suppress(OSError, AttributeError):  # it was lost or closed before
        connection._usock.settimeout(_FAREWELL_S)
        connection._write, connection._flush = connection._sock.write, connection._sock.flush
    try:
        connection.close()
    except redshift_connector.InterfaceError as error:
        if "closed" not in str(error):  # it was lost before: there is nothing to close
            raise


def _close_socket(error: BaseException) -> None:
    """Close the socket of a connection that failed: the driver forgets it where no answer comes."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        for name in ("_sock", "_usock"):  # the buffers over the socket hold it open, too
            opened = getattr(frame.f_locals.get("self"), name, None)
            if opened is not None:
                opened.close()


def _arguments(settings: RedshiftSettings) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "database": settings.database,
        # Ours comes first and knows whether somebody took the connection; this one ends a dead address.
        "timeout": settings.connect_timeout + _LATER_S,
        "application_name": _APPLICATION,
        "tcp_keepalive": True,
        "tcp_keepalive_idle": 60,
        "tcp_keepalive_interval": 15,
        "tcp_keepalive_count": 4,
        # A prepared statement that outlives a change of its table fails; ours are run once.
        "max_prepared_statements": 0,
    }
    if settings.sslmode == "disable":
        arguments["ssl"] = False
    else:  # named, or a wrong host name would only be warned of
        arguments |= {"ssl": True, "sslmode": settings.sslmode}
    if settings.host:
        arguments |= {"host": settings.host, "port": settings.port}
    if settings.auth == "password":
        return arguments | {"user": settings.user, "password": _password(settings)}
    arguments |= {"iam": True, "region": _region(settings)}
    if settings.workgroup:
        return arguments | {"is_serverless": True, "serverless_work_group": settings.workgroup}
    return arguments | {"cluster_identifier": settings.cluster, "db_user": settings.user}


def _password(settings: RedshiftSettings) -> str:
    """As it is now: the settings' own, or the one that Secrets Manager keeps. PortError."""
    if not settings.secret_arn:
        return settings.password.reveal()

    from orderhe_dagster.resources.aws.secrets import password_of

    return password_of(settings.secret_arn, settings.user)


def _region(settings: RedshiftSettings) -> str:
    """The region of AWS's own settings: the driver would ask DNS for it."""
    import boto3

    region = boto3.Session().region_name
    if not region:
        error = PortError(
            f"no AWS region is set, so redshift://{settings.where} cannot be asked for by IAM: set "
            "AWS_DEFAULT_REGION, or a region in the AWS profile"
        )
        error.symptom = Symptom("redshift", "no AWS region is set", "IAM", facts_of(settings))
        raise error
    return str(region)


@contextmanager
def _trusting(ssl_ca: str) -> Iterator[None]:
    """Have the driver trust a CA file: it takes none, but OpenSSL reads where its defaults lie."""
    if not ssl_ca:
        yield
        return
    with _TRUST:
        before = os.environ.pop("SSL_CERT_FILE", None)
        os.environ["SSL_CERT_FILE"] = ssl_ca
        try:
            yield
        finally:
            if before is None:
                del os.environ["SSL_CERT_FILE"]
            else:
                os.environ["SSL_CERT_FILE"] = before


def label_text(label: str) -> str:
    """The label as it may stand in SQL: what queries are found by in SYS_QUERY_HISTORY."""
    kept = "".join(sign if sign.isalnum() or sign in " -_./:" else "_" for sign in label)
    return kept[:_LABEL]
