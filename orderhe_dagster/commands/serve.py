"""`orderhe warehouse serve`: the embedded warehouse on Redshift's wire protocol, until it is stopped."""

from __future__ import annotations

import errno
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
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
    `data_api`: the port of the Data API, which is served then, too.
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
    data_api: int | None = None


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
    from local_redshift.database.passwords import Verifier
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
        password = own_password(file)
        door = Door({serving.user: Verifier.of(password)}, context)
    except CertificatesError as error:
        raise OrderheError(str(error)) from None
    where = f"{serving.host}:{serving.port}" if serving.port else f"{serving.host} at a free port"
    roles = _roles(serving.roles)
    with (
        build_served_warehouse(settings, where, roles, serving.isolation) as database,
        ExitStack() as servers,
    ):
        with _listening(serving.host, serving.port, "--port"):
            server = Server(database, door, host=serving.host, port=serving.port)
        servers.enter_context(server)
        reached = f"{build_store(settings).url('k')[:-1]} (ORDERHE_STORE={settings.store})"
        lines = _lines(server.port, serving, certificates, file, reached)
        if serving.data_api is not None:
            from local_redshift.data_api.server import DataApi
            from local_redshift.data_api.signature import Key

            keys = {serving.user: Key(serving.user, password)}
            with _listening(serving.host, serving.data_api, "--data-api"):
                api = DataApi(database, keys, context, host=serving.host, port=serving.data_api)
            servers.enter_context(api)
            lines += _data_api_lines(api.port, serving, certificates, file)
        for line in lines:
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


@contextmanager
def _listening(host: str, port: int, option: str) -> Iterator[None]:
    """Listening is begun in the block: what it fails at is told with the option that names the port."""
    from orderhe_dagster.commands.ports import listener

    where = f"{host}:{port}"
    try:
        yield
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            reason = error.strerror or error
            raise OrderheError(
                f"cannot listen on {where}: {reason}; choose another --host or {option}"
            ) from None
        who = listener(port) or "somebody"
        raise OrderheError(
            f"{who} listens on {where} already: stop that, or choose another {option}: orderhe "
            f"warehouse serve {option} {port + 1}"
        ) from None


def _lines(
    port: int,
    serving: Serving,
    certificates: Certificates | None,
    password_file: Path,
    reached: str,
) -> list[str]:
    """What a client needs, all of it lines of a shell; never the password itself."""
    variables = {
        "ORDERHE_WAREHOUSE": "redshift",
        "ORDERHE_REDSHIFT_HOST": _reached_as(serving.host),
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
        *_exports(variables),
        f'export ORDERHE_REDSHIFT_PASSWORD="$(cat {_quoted(str(password_file))})"',
    ]


def _data_api_lines(
    port: int, serving: Serving, certificates: Certificates | None, password_file: Path
) -> list[str]:
    """What a client of the Data API needs: the user and the password are its access key."""
    from local_redshift.data_api.operations import WORKGROUP

    scheme = "http" if certificates is None else "https"
    variables = {
        "ORDERHE_WAREHOUSE": "data_api",
        "ORDERHE_REDSHIFT_ENDPOINT_URL": f"{scheme}://{_reached_as(serving.host)}:{port}",
        "ORDERHE_REDSHIFT_WORKGROUP": WORKGROUP,
        "ORDERHE_REDSHIFT_DATABASE": "dev",
        **({} if certificates is None else {"ORDERHE_REDSHIFT_SSL_CA": str(certificates.ca)}),
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": serving.user,
    }
    return [
        f"# its Data API listens on {serving.host}:{port}: for clients of that, instead of the above,",
        *_exports(variables),
        f'export AWS_SECRET_ACCESS_KEY="$(cat {_quoted(str(password_file))})"',
    ]


def _exports(variables: Mapping[str, str]) -> list[str]:
    return [f"export {name}={_quoted(value)}" for name, value in variables.items()]


def _reached_as(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::") else host


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
