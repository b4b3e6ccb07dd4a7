"""A MySQL that a person names in one text, as a command takes it. The shop's own is `config`'s."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from orderhe_dagster.settings.config import MySQLSettings, SettingsError
from orderhe_dagster.settings.secret import Secret

_FORM = "mysql://user:password@host:3306/database, or duckdb:FILE"
_SSLMODES = ("verify-full", "verify-ca", "disable")


def mysql_of(text: str, usual: MySQLSettings) -> MySQLSettings:
    """The settings of `mysql://user:password@host:port/database?sslmode=…&ssl_ca=…`.

    What it leaves out is as in `usual`. SettingsError, which tells no password.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port or 3306
    except ValueError:
        raise SettingsError((f"the database cannot be read: write {_FORM}",)) from None
    database = unquote(parts.path.removeprefix("/"))
    if parts.scheme != "mysql" or not host or not database or "/" in database:
        raise SettingsError((f"the database must say server and database: write {_FORM}",))
    options = dict(parse_qsl(parts.query))
    strangers = sorted(options.keys() - {"sslmode", "ssl_ca"})
    if strangers or options.get("sslmode", _SSLMODES[0]) not in _SSLMODES:
        raise SettingsError(
            (f"behind ? may stand sslmode={'|'.join(_SSLMODES)} and ssl_ca=FILE, nothing else",)
        )
    given: dict[str, Any] = {"host": host, "port": port, "database": database, **options}
    if parts.username:
        given["user"] = unquote(parts.username)
    if parts.password:
        given |= {"password": Secret.of(unquote(parts.password)), "secret_arn": ""}
    named = replace(usual, **given)
    if not named.user:
        raise SettingsError((f"the database must name a user: write {_FORM}",))
    return named
