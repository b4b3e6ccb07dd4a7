"""How a connection to Redshift is made: TLS, timeouts, keepalive, session settings. Nothing of the road."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.redshift.errors import connect_error, statement_error
from orderhe_dagster.resources.s3.errors import quotes_credentials
from orderhe_dagster.settings.config import RedshiftSettings

_APPLICATION = "orderhe_dagster"
_SILENCE_MS = 120_000  # as long as keepalive waits
_LABEL = 320  # characters that a query group keeps
_TRUST = threading.Lock()


def connect(settings: RedshiftSettings, label: str) -> Any:
    """A connection of redshift-connector in autocommit mode, its session set up. Raises PortError."""
    import redshift_connector

    arguments = _arguments(settings)  # not inside: what is wrong there is no error of the server's
    try:
        with _trusting(settings.ssl_ca):
            connection = redshift_connector.connect(**arguments)
    except (redshift_connector.Error, OSError) as error:
        _close_socket(error)
        raise connect_error(error, f"redshift://{settings.where}") from None
    except PortError:
        raise
    except (LookupError, struct.error, UnicodeDecodeError) as error:  # the driver read no message
        _close_socket(error)
        raise PortError(
            f"what answers at redshift://{settings.where} is no Redshift: another service has that "
            "port. See ORDERHE_REDSHIFT_HOST and ORDERHE_REDSHIFT_PORT."
        ) from error
    except Exception as error:  # botocore's, where credentials are asked of AWS
        if settings.auth != "iam":
            raise
        reason = "its settings hold a line break" if quotes_credentials(error) else error
        raise PortError(
            f"AWS gave no credentials for redshift://{settings.where}: {reason}. The caller needs "
            "redshift-serverless:GetCredentials on the workgroup (or redshift:GetClusterCredentials), "
            "and AWS_DEFAULT_REGION and AWS credentials must be set."
        ) from None
    try:
        # The driver's timeout would go on to end queries too: a long COPY is the server's business.
        connection._usock.settimeout(None)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # keepalive does not see what was sent in vain
            connection._usock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SILENCE_MS)
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(f"set statement_timeout to {settings.statement_timeout * 1000}")
        cursor.execute(f"set query_group to '{_label(label)}'")
    except (redshift_connector.Error, OSError) as error:
        close(connection)
        raise statement_error(error, "set …") from None
    except BaseException:
        close(connection)
        raise
    return connection


def close(connection: Any) -> None:
    """End a connection, which may have been lost before."""
    import redshift_connector

    try:
        connection.close()
    except redshift_connector.InterfaceError as error:
        if "closed" not in str(error):  # it was lost before: there is nothing to close
            raise


def _close_socket(error: BaseException) -> None:
    """Close the socket of a connection that failed: the driver forgets it where no answer comes."""
    import traceback

    for frame, _ in traceback.walk_tb(error.__traceback__):
        for name in ("_sock", "_usock"):  # the buffers over the socket hold it open, too
            opened = getattr(frame.f_locals.get("self"), name, None)
            if opened is not None:
                opened.close()


def _arguments(settings: RedshiftSettings) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "database": settings.database,
        "timeout": settings.connect_timeout,
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
        return arguments | {"user": settings.user, "password": settings.password.reveal()}
    arguments |= {"iam": True, "region": _region(settings)}
    if settings.workgroup:
        return arguments | {"is_serverless": True, "serverless_work_group": settings.workgroup}
    return arguments | {"cluster_identifier": settings.cluster, "db_user": settings.user}


def _region(settings: RedshiftSettings) -> str:
    """The region of AWS's own settings: the driver would ask DNS for it."""
    import boto3

    region = boto3.Session().region_name
    if not region:
        raise PortError(
            f"no AWS region is set, so redshift://{settings.where} cannot be asked for by IAM: set "
            "AWS_DEFAULT_REGION, or a region in the AWS profile"
        )
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


def _label(label: str) -> str:
    """The label as it may stand in SQL: what queries are found by in SYS_QUERY_HISTORY."""
    kept = "".join(sign if sign.isalnum() or sign in " -_./:" else "_" for sign in label)
    return kept[:_LABEL]
