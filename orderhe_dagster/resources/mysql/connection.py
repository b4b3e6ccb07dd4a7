"""How a connection to MySQL is made: TLS, timeouts, session settings. Nothing of tables or rows."""

from __future__ import annotations

import ssl
import time
from contextlib import suppress
from typing import Any

from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.mysql.errors import GREETS_NOT, mysql_error
from orderhe_dagster.resources.mysql.timeout import is_closed, leave_alone
from orderhe_dagster.resources.waits import Patience, PatientSSLSocket, at_most, dial, shut
from orderhe_dagster.settings.config import MySQLSettings

STRICT = (
    "STRICT_TRANS_TABLES",
    "STRICT_ALL_TABLES",
    "ERROR_FOR_DIVISION_BY_ZERO",
    "NO_ZERO_DATE",
    "NO_ZERO_IN_DATE",
    "NO_ENGINE_SUBSTITUTION",
)
"""What is wrong is refused, never changed."""
LIKE_DUCKDB = ("ANSI_QUOTES", "PIPES_AS_CONCAT", "NO_BACKSLASH_ESCAPES")
"""Names in double quotes, `||` joins texts, a backslash is a character like any other."""


def password(settings: MySQLSettings) -> str:
    """The password as it is now: the settings' own, or the one that Secrets Manager keeps. PortError."""
    if not settings.secret_arn:
        return settings.password.reveal()

    from orderhe_dagster.resources.aws.secrets import password_of

    return password_of(settings.secret_arn, settings.user)


def connect(
    settings: MySQLSettings,
    modes: tuple[str, ...] = (),
    *,
    with_database: bool = True,
    texts: bool = False,
    bulk: bool = False,
) -> Any:
    """A connection of pymysql in autocommit mode, in UTC, in utf8mb4 and strict besides `modes`.

    `texts`: values come as MySQL prints them, bytes as bytes. `bulk`: `bulk_load` may use it; files are
    sent to no server even so. MySQLError where none is made.
    """
    import pymysql
    from pymysql.constants import CLIENT
    from pymysql.converters import conversions, encoders

    connection = pymysql.connect(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=password(settings).encode(),  # a text would be taken as latin-1
        database=settings.database if with_database else None,
        charset="utf8mb4",
        autocommit=True,
        local_infile=False,
        client_flag=CLIENT.LOCAL_FILES if bulk else 0,
        # The driver waits for the greeting as for any answer, and uses the write timeout with TLS.
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.connect_timeout,
        write_timeout=settings.connect_timeout,
        program_name="orderhe_dagster",
        conv=encoders if texts else conversions,
        defer_connect=True,
        **_tls(settings),
    )
    try:
        _log_in(connection, settings, modes)
    except pymysql.MySQLError as error:
        close(connection)
        raise mysql_error(error, settings.where, settings.user, connecting=True) from None
    except BaseException:
        close(connection)
        raise
    connection._read_timeout, connection._write_timeout = (
        settings.read_timeout,
        settings.write_timeout,
    )
    connection._sock.patience = Patience(settings.read_timeout)
    return connection


def _log_in(connection: Any, settings: MySQLSettings, modes: tuple[str, ...]) -> None:
    """Connect, and set the session up, all of it within the time that connecting may take."""
    import pymysql

    began = time.monotonic()
    try:
        link = dial(settings.host, settings.port, settings.connect_timeout)
    except OSError as error:
        raise _unreached(settings, error) from None
    leave_alone(connection, link)
    left_s = settings.connect_timeout - (time.monotonic() - began)
    # A copy: while TLS begins, the driver has no socket that could be shut.
    with link.dup() as copy, at_most(left_s, lambda: shut(copy)) as watch:
        try:
            connection.connect(link)
            rounding = ("TIME_ROUND_FRACTIONAL",) if "MariaDB" in connection.server_version else ()
            mode = ",".join((*STRICT, *rounding, *modes))
            with connection.cursor() as cursor:
                cursor.execute(f"set time_zone = '+00:00', sql_mode = '{mode}'")
        except (pymysql.MySQLError, OSError) as error:
            if not (watch.is_over or "timed out" in str(error)):
                raise
            raise _unreached(settings, GREETS_NOT.format(settings.connect_timeout)) from error


def _unreached(settings: MySQLSettings, reason: object) -> Exception:
    """The driver's own error where no connection is made."""
    import pymysql

    message = f"Can't connect to MySQL server on {settings.host!r} ({reason})"
    error: Exception = pymysql.err.OperationalError(2003, message)
    return error


def ca_file(settings: MySQLSettings) -> str:
    """The file of the CA certificates that the server's is held to; PortError where there is none."""
    if settings.ssl_ca:
        return settings.ssl_ca
    paths = ssl.get_default_verify_paths()
    if paths.cafile:
        return paths.cafile
    raise PortError(
        "this machine keeps no file of CA certificates where OpenSSL looks for it: name one in "
        "ORDERHE_MYSQL_SSL_CA (for RDS: global-bundle.pem)"
    )


def close(connection: Any) -> None:
    """Close a connection, whatever state it is in; the server rolls back what is open."""
    import pymysql

    with suppress(pymysql.MySQLError, OSError):  # it was lost before: there is nothing to close
        connection.close()
    is_closed(connection)


def _tls(settings: MySQLSettings) -> dict[str, Any]:
    if settings.sslmode == "disable":
        return {"ssl_disabled": True}
    try:
        context = ssl.create_default_context(cafile=settings.ssl_ca or None)
    except (OSError, ssl.SSLError) as error:
        raise PortError(
            f"the CA file {settings.ssl_ca} cannot be read as PEM certificates ({error}): see "
            "ORDERHE_MYSQL_SSL_CA"
        ) from None
    context.check_hostname = settings.sslmode == "verify-full"
    context.sslsocket_class = PatientSSLSocket
    return {"ssl": context}
