"""How a connection to MySQL is made: TLS, timeouts, session settings. Nothing of tables or rows."""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import Any

from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.mysql.errors import mysql_error
from orderhe_dagster.resources.mysql.timeout import leave_alone
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

    password = settings.password.reveal()  # not inside: it is no error of the server's
    try:
        connection = pymysql.connect(
            host=settings.host,
            port=settings.port,
            user=settings.user,
            password=password.encode(),  # a text would be taken as latin-1
            database=settings.database if with_database else None,
            charset="utf8mb4",
            autocommit=True,
            local_infile=False,
            client_flag=CLIENT.LOCAL_FILES if bulk else 0,
            # All three: the driver uses the write timeout while TLS begins.
            connect_timeout=settings.connect_timeout,
            read_timeout=settings.read_timeout,
            write_timeout=settings.write_timeout,
            program_name="orderhe_dagster",
            conv=encoders if texts else conversions,
            **_tls(settings),
        )
    except pymysql.MySQLError as error:
        raise mysql_error(error, settings.where, settings.user) from None
    leave_alone(connection)
    try:
        rounding = ("TIME_ROUND_FRACTIONAL",) if "MariaDB" in connection.server_version else ()
        mode = ",".join((*STRICT, *rounding, *modes))
        with connection.cursor() as cursor:
            cursor.execute(f"set time_zone = '+00:00', sql_mode = '{mode}'")
    except BaseException as error:
        close(connection)
        if isinstance(error, pymysql.MySQLError):
            raise mysql_error(error, settings.where, settings.user) from None
        raise
    return connection


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
    return {"ssl": context}
