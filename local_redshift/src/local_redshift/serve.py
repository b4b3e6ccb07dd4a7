"""`python -m local_redshift`: a database file served by wire protocol and Data API until it is stopped."""

from __future__ import annotations

import argparse
import errno
import re
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from local_redshift.data_api.operations import WORKGROUP
from local_redshift.data_api.server import DataApi
from local_redshift.data_api.signature import Key
from local_redshift.database.database import ANY_ROLES, NOWHERE, Database
from local_redshift.database.folder import folder_store
from local_redshift.database.passwords import Verifier, salt_of
from local_redshift.database.roles_file import EXAMPLE, RolesError, read_roles
from local_redshift.database.storage import Roles
from local_redshift.values.catalog import DATABASE
from local_redshift.wire.certificates import (
    Certificates,
    CertificatesError,
    own_certificates,
    own_password,
)
from local_redshift.wire.handshake import Door
from local_redshift.wire.server import Server

_LAST_PORT = 65535


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(
        prog="python -m local_redshift",
        description="Serve a local Redshift to clients of Amazon Redshift and PostgreSQL 8.",
    )
    add = options.add_argument
    add("file", nargs="?", default=":memory:", help="the DuckDB file; without one, in memory")
    add("--store", type=_folder, help="a folder of buckets, for COPY and UNLOAD")
    add("--roles", type=Path, help="a file of IAM roles; without one, any role may do everything")
    add("--host", default="127.0.0.1", help="where it listens")
    add("--port", type=_port, default=5439, help="0: a free one")
    add("--user", type=_user, default="admin", help="who may come in")
    add(
        "--keys", type=Path, default=Path(".local-redshift"), metavar="FOLDER",
        help="the password and the certificates, made where there are none (%(default)s)",
    )  # fmt: skip
    add(
        "--data-api", type=_port, nargs="?", const=5440, metavar="PORT",
        help="serve the Data API over HTTP, too, on this port (%(const)s; 0: a free one)",
    )  # fmt: skip
    add("--insecure", action="store_true", help="without TLS, for this machine only")
    return options


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(
            f"{text!r} is no folder: make it, and a folder a bucket in it"
        )
    return Path(text)


def _port(text: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", text) or int(text) > _LAST_PORT:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no port: give a number from 0 to {_LAST_PORT}"
        )
    return int(text)


def _user(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("it is empty: give the name that clients come in with")
    return text


def serve(options: argparse.Namespace, say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; then roll back what is open. `say` gets what a client needs."""
    stop = threading.Event()

    def stopped(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)  # the second one ends it at once

    keys: Path = options.keys
    certificates = None if options.insecure else own_certificates(keys, options.host)
    context = certificates.context() if certificates else None
    password = own_password(keys / "password")
    store = folder_store(options.store) if options.store else NOWHERE
    with (
        Database(options.file, resolver=store, roles=_roles(options.roles)) as database,
        ExitStack() as more,
    ):
        salt = salt_of(options.user, database.salts)
        door = Door({options.user: Verifier.of(password, salt)}, context)
        server = more.enter_context(Server(database, door, host=options.host, port=options.port))
        lines = _lines(options, server.port, certificates)
        if options.data_api is not None:
            key = {options.user: Key(options.user, password)}
            api = DataApi(database, key, context, host=options.host, port=options.data_api)
            more.enter_context(api)
            lines += _data_api_lines(options, api, certificates)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stopped)
        for line in lines:
            say(line)
        stop.wait()
        say("# stopping: open transactions are rolled back")


def _roles(file: Path | None) -> Roles:
    if file is None:
        return ANY_ROLES
    try:
        return read_roles(file.read_text("utf-8"))
    except UnicodeDecodeError as error:
        raise RolesError(f"byte {error.start} is not UTF-8") from None


def _lines(options: argparse.Namespace, port: int, certificates: Certificates | None) -> list[str]:
    """What psql and its like read of their environment, as lines of a shell."""
    variables = {
        "PGHOST": _reached_as(options.host),
        "PGPORT": str(port),
        "PGUSER": options.user,
        "PGDATABASE": DATABASE,
        "PGSSLMODE": "verify-full" if certificates else "disable",
    }
    if certificates:
        variables["PGSSLROOTCERT"] = str(certificates.ca.resolve())
    return [
        f"# the local Redshift listens on {options.host}:{port}; Ctrl-C stops it.",
        *_exports(variables),
        f'export PGPASSWORD="$(cat {_password_file(options)})"',
    ]


def _data_api_lines(
    options: argparse.Namespace, api: DataApi, certificates: Certificates | None
) -> list[str]:
    """What AWS's clients read of their environment: the user and the password are the access key."""
    scheme = "https" if certificates else "http"
    variables = {
        "AWS_ENDPOINT_URL_REDSHIFT_DATA": f"{scheme}://{_reached_as(options.host)}:{api.port}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": options.user,
        **({"AWS_CA_BUNDLE": str(certificates.ca.resolve())} if certificates else {}),
    }
    return [
        f"# its Data API listens on {options.host}:{api.port}; the workgroup is called {WORKGROUP}.",
        *_exports(variables),
        f'export AWS_SECRET_ACCESS_KEY="$(cat {_password_file(options)})"',
    ]


def _exports(variables: Mapping[str, str]) -> list[str]:
    return [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]


def _reached_as(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::") else host


def _password_file(options: argparse.Namespace) -> str:
    return shlex.quote(str((options.keys / "password").resolve()))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; what is wrong with its options or files is told in one line."""
    import duckdb

    options = parser().parse_args(arguments)
    try:
        serve(options, lambda line: print(line, flush=True))
    except RolesError as error:
        sys.exit(f"--roles {options.roles}: {error}. It is written like this:\n{EXAMPLE}")
    except OSError as error:
        taken = "; choose another --port" if error.errno == errno.EADDRINUSE else ""
        sys.exit(f"{error}{taken}")
    except (CertificatesError, ValueError, duckdb.Error) as error:
        sys.exit(str(error))
