"""`orderhe warehouse serve`: the embedded warehouse on Redshift's wire protocol, until it is stopped."""

from __future__ import annotations

import errno
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from orderhe_dagster.errors import OrderheError
from orderhe_dagster.settings.config import Settings

if TYPE_CHECKING:
    from local_redshift.database.storage import Roles
    from local_redshift.wire.certificates import Certificates


@dataclass(frozen=True)
class Serving:
    """How the warehouse is served. `password_file` None: one made in the home.

    `certificate` and `key`: PEM files, both or none (then some are made). `insecure`: no TLS at all.
    `roles`: a file of IAM roles (see `roles_file`); None: any role may do what the store can.
    """

    host: str = "127.0.0.1"
    port: int = 5439
    user: str = "admin"
    password_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    insecure: bool = False
    roles: Path | None = None
    isolation: str = "snapshot"


def serve(settings: Settings, serving: Serving, say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; then roll back what is open and leave the file whole.

    `say` gets the lines that a client's shell needs. OrderheError: it cannot be served like this.
    """
    with _stopped_by_signals() as stop, serving_database(settings, serving, say):
        stop.wait()
        say("stopping: open transactions are rolled back")


@contextmanager
def serving_database(
    settings: Settings, serving: Serving, say: Callable[[str], None]
) -> Iterator[int]:
    """Serve for the block; gives the port. The file's lock is held, so that nobody else opens it."""
    from orderhe_dagster.resources.laptop.local_redshift import require_local_redshift

    require_local_redshift()
    from local_redshift.wire.auth import Verifier
    from local_redshift.wire.certificates import CertificatesError, own_password
    from local_redshift.wire.handshake import Door
    from local_redshift.wire.server import Server, is_loopback
    from orderhe_dagster.resources.build import build_served_warehouse, build_store
    from orderhe_dagster.settings.home import prepare_home

    if serving.insecure and not is_loopback(serving.host):
        raise OrderheError(
            f"--insecure serves this machine only, not {serving.host}: leave one of them out"
        )
    folder = prepare_home(settings).server
    file = serving.password_file or folder / "password"
    try:
        certificates = _certificates(folder, serving)
        context = None if certificates is None else certificates.context()
        door = Door({serving.user: Verifier.of(own_password(file))}, context)
    except CertificatesError as error:
        raise OrderheError(str(error)) from None
    where = f"{serving.host}:{serving.port}"
    roles = _roles(serving.roles)
    with build_served_warehouse(settings, where, roles, serving.isolation) as database:
        try:
            server = Server(database, door, host=serving.host, port=serving.port)
        except OSError as error:
            raise OrderheError(_cannot_listen(serving, error)) from None
        with server:
            reached = f"{build_store(settings).url('k')[:-1]} (ORDERHE_STORE={settings.store})"
            for line in _lines(server.port, serving, certificates, file, reached):
                say(line)
            yield server.port


def _roles(file: Path | None) -> Roles | None:
    from local_redshift.database.roles_file import EXAMPLE, RolesError, read_roles

    if file is None:
        return None
    try:
        return read_roles(file.read_text("utf-8"))
    except UnicodeDecodeError as error:
        raise OrderheError(
            f"{file} is no UTF-8 text: byte {error.start + 1}. It is written like this:\n{EXAMPLE}"
        ) from None
    except RolesError as error:
        raise OrderheError(f"{file}: {error}. It is written like this:\n{EXAMPLE}") from None


def _certificates(folder: Path, serving: Serving) -> Certificates | None:
    from local_redshift.wire.certificates import Certificates, own_certificates

    if (serving.certificate is None) != (serving.key is None):
        raise OrderheError("--certificate and --key belong together: give both, or neither")
    if serving.insecure:
        return None
    if serving.certificate is not None and serving.key is not None:
        return Certificates(serving.certificate, serving.certificate, serving.key)
    return own_certificates(folder, serving.host)


def _cannot_listen(serving: Serving, error: OSError) -> str:
    from orderhe_dagster.commands.ports import listener

    where = f"{serving.host}:{serving.port}"
    if error.errno == errno.EADDRINUSE:
        who = listener(serving.port) or "somebody"
        return (
            f"{who} listens on {where} already: stop that, or choose another --port: orderhe "
            f"warehouse serve --port {serving.port + 1}"
        )
    return f"cannot listen on {where}: {error.strerror or error}; choose another --host or --port"


def _lines(
    port: int,
    serving: Serving,
    certificates: Certificates | None,
    password_file: Path,
    reached: str,
) -> list[str]:
    """What a client needs, all of it lines of a shell; never the password itself."""
    anywhere = serving.host in ("0.0.0.0", "::")
    variables = {
        "ORDERHE_WAREHOUSE": "redshift",
        "ORDERHE_REDSHIFT_HOST": "127.0.0.1" if anywhere else serving.host,
        "ORDERHE_REDSHIFT_PORT": str(port),
        "ORDERHE_REDSHIFT_USER": serving.user,
        "ORDERHE_REDSHIFT_DATABASE": "dev",
        **(
            {"ORDERHE_REDSHIFT_SSLMODE": "disable"}
            if certificates is None
            else {"ORDERHE_REDSHIFT_SSL_CA": str(certificates.ca)}
        ),
    }
    return [
        f"# the local Redshift listens on {serving.host}:{port}; Ctrl-C stops it.",
        f"# COPY and UNLOAD reach the store {reached}; a client's must be the same.",
        "# A client's shell needs these lines. Without `export ` they are lines of .env, which does not",
        "# run $(cat …): the file's text stands there instead.",
        *(f"export {name}={_quoted(value)}" for name, value in variables.items()),
        f'export ORDERHE_REDSHIFT_PASSWORD="$(cat {_quoted(str(password_file))})"',
    ]


def _quoted(text: str) -> str:
    """A word of a shell; in quotes even where it needs none, so that all lines look alike."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """An event that SIGINT or SIGTERM sets; the second of them ends the process as usual."""
    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop_serving(number: int, frame: FrameType | None) -> None:
        stop.set()
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in before:
        signal.signal(number, stop_serving)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
