"""Where the Postgres of Dagster's history is, by the variables that its own programs read. No driver.

Compose gives the password as a file, ECS as a variable, and a socket of the same machine needs none.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from orderhe_dagster.errors import OrderheError

NEEDED = ("PGHOST", "PGUSER", "PGDATABASE")
SCHEME = "postgresql+psycopg2"
"""Named with the driver that dagster-postgres brings: SQLAlchemy's default is another by now."""
PASSWORD_FILE = "PGPASSWORD_FILE"
"""Not libpq's, which wants a file of mode 0600 in a format of its own: no container is given such."""


class HistoryAddressError(OrderheError):
    """The Postgres of the history is not named whole; the text has every variable that is missing."""


def history_url(environ: Mapping[str, str] | None = None) -> str:
    """The address with the password in it; PGSSLMODE and what else libpq knows is left to libpq.

    PGHOST may be a folder: that of the server's socket. HistoryAddressError names what is missing.
    """
    given = os.environ if environ is None else environ
    problems = [f"{name} is not set" for name in NEEDED if not given.get(name)]
    try:
        password = _password(given)
    except (OSError, UnicodeDecodeError) as error:
        problem = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        problems.append(f"{PASSWORD_FILE} cannot be read: {given[PASSWORD_FILE]}: {problem}")
    if problems:
        raise HistoryAddressError(
            f"dagster.yaml keeps Dagster's history in a Postgres, but {', '.join(problems)}: set the "
            "variables that webserver and daemon have (docs/deploy.md)"
        )
    host, user, database = (quote(given[name], safe="") for name in NEEDED)
    account = f"{user}:{quote(password, safe='')}" if password else user
    port = given.get("PGPORT") or "5432"
    if given["PGHOST"].startswith("/"):
        return f"{SCHEME}://{account}@/{database}?host={host}&port={port}"
    return f"{SCHEME}://{account}@{given['PGHOST']}:{port}/{database}"


def _password(given: Mapping[str, str]) -> str:
    """PGPASSWORD, else what the file holds without the line's end that an editor adds; "": none."""
    if path := given.get(PASSWORD_FILE):
        return given.get("PGPASSWORD") or Path(path).read_text("utf-8").rstrip("\r\n")
    return given.get("PGPASSWORD", "")
