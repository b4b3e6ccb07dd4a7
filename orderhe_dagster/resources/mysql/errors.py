"""What MySQL and its two clients raise, as the port's errors with their remedies. Nothing is connected here.

::

    ports.PortError
    └── MySQLError                  `code` is MySQL's error number; 0 where none was given
        └── MySQLConnectionLost     also a ports.ConnectionLost
            └── MySQLCommitUnknown  also a ports.CommitUnknown
"""

from __future__ import annotations

import re

from orderhe_dagster.ports.errors import CommitUnknown, ConnectionLost, PortError, Symptom
from orderhe_dagster.resources.insert.strict_insert import MASK

RETRIED = frozenset({1020, 1040, 1053, 1205, 1213, 1317, 1412, 1927, 2006, 2013, 2055})
"""Codes after which the same reading may pass, from a new snapshot."""
UNREACHED = frozenset({1040, 2002, 2003, 2005, 2026})
"""Codes of a connection that was not made; 2003 and 2002 pass while a server starts again."""
_LOST = frozenset({1053, 1927, 2006, 2013, 2055})
_ABOUT_NAMES = frozenset(
    {1044, 1045, 1049, 1050, 1054, 1091, 1130, 1142, 1143, 1146, 1227, 1235, 1290, 1370, 1451, 1452}
)
"""Codes whose words name users, tables and columns, never values."""

_SCANNER_MESSAGES = (  # its C library gives no number
    ("Lost connection", 2013),
    ("gone away", 2006),
    ("Connection was killed", 1927),
    ("Deadlock found", 1213),
    ("Lock wait timeout", 1205),
    ("Query execution was interrupted (max_statement_time exceeded)", 1969),
    ("maximum statement execution time exceeded", 3024),
    ("Query execution was interrupted", 1317),
    ("Table definition has changed", 1412),
    ("Record has changed since last read", 1020),
    ("Server shutdown in progress", 1053),
    ("Too many connections", 1040),
    ("TLS/SSL error", 2026),
    ("SSL connection error", 2026),
    ("Unknown server host", 2005),
    ("Can't connect to", 2003),
    ("insecure transport are prohibited", 3159),
    ("to database", 1044),
    ("Access denied", 1045),
    ("Unknown database", 1049),
    ("command denied", 1142),
    ("doesn't exist", 1146),
    ("Unknown column", 1054),
    ("Failed to fetch result row", 2013),  # it has no words for a connection that breaks on the way
)

_REMEDIES = {
    1020: "another writer changed the rows meanwhile: run this again",
    1040: "the server has no connection free: close other clients, let fewer runs work at once, or "
    "raise max_connections (on RDS: a larger instance)",
    1044: "the user may not use the database: `grant select, show view on {database}.* to {user}` "
    "(docs/mysql.md has the rights for writing); if there is none yet, `create database "
    "{database} character set utf8mb4`",
    1045: "see ORDERHE_MYSQL_USER and ORDERHE_MYSQL_PASSWORD; a user is known by name and host: "
    "`create user '{user}'@'%' identified by '…' require ssl` admits all hosts. "
    "With ORDERHE_MYSQL_SSLMODE=disable, one that must use TLS is refused like this too",
    1049: "run `orderhe create` as a user that may, or `create database {database} character set "
    "utf8mb4`; or set ORDERHE_MYSQL_DATABASE",
    1054: "compare the contract with the table",
    1064: "names that are words of SQL stand in backticks, and MySQL has more of them than DuckDB (`lines`)",
    1114: "the server's disk or table space is full: free or add space there",
    1129: "the server bars this host after many failed attempts: `flush hosts`, or `truncate table "
    "performance_schema.host_cache`",
    1130: "no user may come from this host: `create user '{user}'@'<this host>' …`, or '%' for all",
    1146: "compare the contract's name with the tables there are: `orderhe adopt` writes their contracts",
    1203: "the user has as many connections as it may: close others, or raise max_user_connections",
    1205: "another transaction held the rows too long: end it (`show processlist`), and run this again",
    1213: "another transaction was in the way: run this again",
    1226: "the user has used up what it may in this hour: raise its limits with `alter user`",
    1227: "the user lacks the right that the server names",
    1267: "texts of two collations are compared: give the contracts the options of their tables, as `show "
    "create table` prints them (`default charset=… collate=…`), so that it is known which to compare by",
    1290: "the server takes no writing (a replica?): set ORDERHE_MYSQL_HOST to the primary",
    1317: "somebody ended the query (`kill query`): run this again",
    1451: "rows of the child table still name the row",
    1452: "the parent's row is not there: load the parent table first",
    1792: "the server takes no writing: set ORDERHE_MYSQL_HOST to the primary",
    1836: "the server is read-only: set ORDERHE_MYSQL_HOST to the primary",
    1969: "the server ends queries that take longer than max_statement_time: raise it for this user",
    2005: "ORDERHE_MYSQL_HOST is no name that is known here: copy the endpoint of the instance",
    2059: "the server wants an authentication that this client has not",
    3024: "the server ends queries that take longer than max_execution_time: raise it for this user",
    3159: "the server admits TLS only: take ORDERHE_MYSQL_SSLMODE=disable away",
}
_RIGHTS = {
    "create": "create, references",
    "references": "create, references",
    **{name: name for name in ("insert", "update", "delete", "alter", "drop", "index")},
}
"""What is to be granted where a command was denied."""
_TO_READ = "select, show view"
_REFUSED = (
    "the host answered, but nothing listens there: see ORDERHE_MYSQL_PORT, and whether the server "
    "runs (on RDS: the instance's status)"
)
_TIMED_OUT = (
    "nothing answered in time: a firewall drops the packets. On RDS the security group must let "
    "this machine's address in on the port, and from outside of the network the instance must be "
    "publicly accessible"
)
_CERTIFICATE = (
    "the server's certificate is not to be trusted: for RDS, download global-bundle.pem from "
    "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem, name the file in "
    "ORDERHE_MYSQL_SSL_CA, and use the endpoint's own name as ORDERHE_MYSQL_HOST"
)
_NO_TLS = (
    "the server speaks no TLS. RDS always does, so see ORDERHE_MYSQL_HOST and ORDERHE_MYSQL_PORT, and "
    "whether a proxy or tunnel is in between; on a server of your own, give it a certificate (ssl_cert, "
    "ssl_key)"
)
GREETS_NOT = "it takes connections, but its greeting was not complete within {:g} s"
_GREETS_NOT_REMEDY = (
    "the server stands still, its network does, or it is no MySQL: see whether it runs, and "
    "ORDERHE_MYSQL_HOST and ORDERHE_MYSQL_PORT, then run this again. One that is only slow needs a "
    "higher ORDERHE_MYSQL_CONNECT_TIMEOUT"
)
_SILENT_REMEDY = (
    "the server stands still, or its network does: see whether it runs, and run this again. Where a "
    "query takes so long until its first rows, set ORDERHE_MYSQL_READ_TIMEOUT higher"
)
_LOST_REMEDY = "the server went away or was restarted: see its log, and run this again"
_HUNG_UP_REMEDY = (
    "what answers there hung up before it let us in, so it may be no MySQL: a Redshift (port 5439; its "
    "settings are ORDERHE_REDSHIFT_*), a proxy or tunnel without a server behind it, or a server that "
    "is starting. See ORDERHE_MYSQL_HOST and ORDERHE_MYSQL_PORT"
)
_NO_MYSQL_REMEDY = (
    "what answers there is no MySQL: another service has that port. See ORDERHE_MYSQL_HOST and "
    "ORDERHE_MYSQL_PORT; a Redshift's settings are ORDERHE_REDSHIFT_*"
)


_QUERY = re.compile(
    r"""^IO Error: Failed to [\w ]+ (?:query|parameters) ".*":\s*""", re.DOTALL | re.IGNORECASE
)
"""What the scanner puts before the server's words: the whole query."""


class MySQLError(PortError):
    """An error of MySQL; `code` is its number."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class MySQLConnectionLost(MySQLError, ConnectionLost):
    """The connection broke; what was not committed is rolled back."""


class MySQLCommitUnknown(MySQLConnectionLost, CommitUnknown):
    """The connection broke while a COMMIT was under way."""


def code_of(error: BaseException) -> int:
    """MySQL's number of an error of pymysql, of the scanner, or of ours; 0 where it has none."""
    if isinstance(error, MySQLError):
        return error.code
    first = error.args[0] if error.args else None
    if isinstance(first, int):
        return first
    text = str(error)
    return next((code for sign, code in _SCANNER_MESSAGES if sign in text), 0)


def mysql_error(
    error: BaseException,
    where: str,
    user: str,
    *,
    what: str = "",
    sql: str = "",
    ddl: bool = False,
    connecting: bool = False,
) -> MySQLError:
    """The port's error. `where` is `host:port/database`, `what` is what was done, `sql` what was run.

    `connecting`: no connection stood yet.

    The words of the server are shown without the values in them, unless what was run was `ddl`.
    """
    code = code_of(error)
    message = _server_message(error, code, ddl)
    database = where.rpartition("/")[2]
    remedy = _remedy(code, message, connecting).format(user=user, database=database)
    text = f"{f'{what}: ' if what else ''}mysql://{where}: {message}"
    if sql:
        text += f"; in: {' '.join(sql.split())[:200]}"
    if remedy:
        text += f". {remedy[0].upper()}{remedy[1:]}"
    result = (MySQLConnectionLost if code in _LOST else MySQLError)(text, code)
    host, _, port = where.rpartition("/")[0].rpartition(":")
    facts = {"host": host, "port": port, "database": database, "user": user}
    facts |= {"connecting": "yes"} if connecting else {}
    result.symptom = Symptom("mysql", message, str(code or ""), facts)
    return result


def commit_unknown(error: BaseException, where: str) -> MySQLCommitUnknown:
    """For a connection that broke while it committed."""
    message = _server_message(error, 2013, False)
    return MySQLCommitUnknown(
        f"mysql://{where}: the connection was lost during the commit ({message}): whether "
        "the rows were written is not known. Look into the table before you repeat this",
        code_of(error),
    )


def without_values(text: str) -> str:
    """A server's words without what it quotes, from the first mark to the last."""
    return re.sub(r"""['"].*['"]""", MASK, text, flags=re.DOTALL)


def _server_message(error: BaseException, code: int, ddl: bool) -> str:
    text = str(error.args[1]) if len(error.args) > 1 else str(error)
    text = text.split("\n\n", 1)[0]
    # The scanner puts the whole query before what the server said.
    text = _QUERY.sub("", text) or "the connection broke"
    text = text.removeprefix("IO Error: ").strip().rstrip(".")
    shown = ddl or code in _ABOUT_NAMES or code in UNREACHED or code in _LOST
    text = text if shown else without_values(text)
    return f"{text} ({code})" if code else text or type(error).__name__


def _rights(message: str) -> str:
    """The least rights for the commands that the server names: `INSERT, UPDATE command denied`."""
    match = re.search(r"([A-Za-z, ]+) command denied", message)
    denied = [name.strip().lower() for name in match[1].split(",")] if match else []
    rights = [_RIGHTS.get(name, _TO_READ) for name in denied]
    return ", ".join(dict.fromkeys(rights)) or _TO_READ


def _remedy(code: int, message: str, connecting: bool = False) -> str:  # noqa: PLR0911 (a table of rules)
    if connecting and (code in _LOST or "acket sequence number" in message):
        return _HUNG_UP_REMEDY if code else _NO_MYSQL_REMEDY
    if "RTIFICATE" in message or "certificate" in message or "Hostname verification" in message:
        return _CERTIFICATE
    if code == 2026:
        return _NO_TLS if "SSL is required" in message or "not support" in message else _CERTIFICATE
    if code in (2002, 2003):
        if "greeting was not complete" in message:
            return _GREETS_NOT_REMEDY
        if "refused" in message or "(111)" in message or "(115)" in message:
            return _REFUSED
        if re.search(r"Errno -\d|Name or service|getaddrinfo|nodename", message):
            return _REMEDIES[2005]
        return _TIMED_OUT
    if code in _LOST:
        return _SILENT_REMEDY if "ing came for" in message else _LOST_REMEDY
    if code == 1142:
        return f"`grant {_rights(message)} on {{database}}.* to {{user}}`"
    return _REMEDIES.get(code, "")
