"""A MariaDB for the tests: in a private folder, on a free port of the loopback, gone afterwards.

Fixtures: `mariadb` (one server a session, with TLS) and `shop_database` (a database of its own for a
test). A test that stops or kills its server starts one by `running`.
"""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local_redshift.testing.certificates import LOOPBACK, Authority
from local_redshift.testing.missing import missing

HOST = "127.0.0.1"
OTHER_HOST = "127.0.0.2"
"""The same server under a name that its certificate has not."""
_PLACES = ("/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/opt/homebrew/bin")
_START_S = 60
_OPTIONS = (
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=16M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--performance-schema=0",
    "--skip-log-bin",
    "--skip-name-resolve",
    "--max-connections=60",
    # Nobody may rely on the server's own zone and character set: they are not what the shop wants.
    "--default-time-zone=+09:00",
    "--character-set-server=latin1",
)


@dataclass(frozen=True)
class Account:
    """A user of the server, who may use the databases called `shop_…`."""

    user: str
    password: str


OWNER = Account("shop_owner", "owner's 'pass\\word' \"x\" =;한")
READER = Account("shop_reader", "only-reads")
"""With `select` and `show view` alone."""


class MariaDB:
    """A server with its data in `folder`; TLS where it has an authority."""

    def __init__(
        self, folder: Path, *, authority: Authority | None = None, options: Sequence[str] = ()
    ) -> None:
        self.folder, self.authority, self.host = folder, authority, HOST
        self.port = free_port()
        self._options = list(options)
        self._process: subprocess.Popen[str] | None = None
        self._names = itertools.count(1)
        if authority is not None:
            certificate, key = authority.sign(*LOOPBACK)
            self._options += [
                f"--ssl-ca={authority.file}",
                f"--ssl-cert={certificate}",
                f"--ssl-key={key}",
            ]

    @property
    def ca(self) -> str:
        """The file of the CA that signed the server's certificate."""
        assert self.authority is not None
        return str(self.authority.file)

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._process is not None
        return self._process.pid

    def is_down(self) -> bool:
        """Whether its process has ended."""
        return self._process is None or self._process.poll() is not None

    def install(self) -> None:
        """Make the data folder and the two accounts, and leave the server running."""
        installer = _program("mariadb-install-db")
        command = [
            *(installer, "--no-defaults", f"--datadir={self.folder / 'data'}"),
            f"--tmpdir={self.folder}",  # servers side by side would share /tmp
            *("--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"),
            "--innodb-log-file-size=16M",
            *_as_root(),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        self.start()
        for account, rights in ((OWNER, "all"), (READER, "select, show view")):
            self.run(f"create user {account.user} identified by %s", account.password)
            self.run(f"grant {rights} on `shop\\_%`.* to {account.user}")

    def start(self) -> None:
        """Start the server; comes back when it takes connections."""
        command = [
            *(_program("mariadbd"), "--no-defaults", f"--datadir={self.folder / 'data'}"),
            *(f"--socket={self.folder / 's'}", f"--pid-file={self.folder / 'pid'}"),
            *(f"--port={self.port}", f"--bind-address={HOST},{OTHER_HOST}"),
            f"--tmpdir={self.folder}",
            *(*_OPTIONS, *self._options, *_as_root()),
        ]
        if watcher := shutil.which("setpriv"):  # it shall not outlive the tests, however they end
            command = [watcher, "--pdeathsig", "KILL", *command]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
        )
        log: list[str] = []
        ready = threading.Event()
        threading.Thread(
            target=_follow, args=(self._process.stderr, log, ready), daemon=True
        ).start()
        there = ready.wait(_START_S) and any("ready for connections" in line for line in log)
        assert there, "".join(log)

    def kill(self) -> None:
        """End the server at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stderr is not None
            self._process = None

    def run(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement as root, committed; gives its rows."""
        import pymysql

        connection = pymysql.connect(
            unix_socket=str(self.folder / "s"), user="root", charset="utf8mb4", autocommit=True
        )
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())

    @contextmanager
    def database(self) -> Iterator[str]:
        """A new, empty database, dropped after the block; both accounts may use it."""
        name = f"shop_{next(self._names)}"
        self.run(f"create database {name} character set utf8mb4 collate utf8mb4_general_ci")
        try:
            yield name
        finally:
            self.run(f"drop database if exists {name}")


@contextmanager
def running(
    *, authority: Authority | None = None, tls: bool = True, options: Sequence[str] = ()
) -> Iterator[MariaDB]:
    """A server of one's own for the block. `tls`: with a certificate, of `authority` or a new one."""
    needed()
    # Not pytest's folder: a socket's path may have 107 bytes only.
    folder = Path(tempfile.mkdtemp(prefix="orderhe-mariadb-"))
    server = MariaDB(
        folder,
        authority=(authority or Authority(folder / "tls")) if tls else None,
        options=options,
    )
    try:
        server.install()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def needed() -> None:
    """Skip the test where no MariaDB is installed; in CI it must be."""
    if all(map(_found, ("mariadbd", "mariadb-install-db", "my_print_defaults"))):
        return
    says = "no MariaDB server is installed: apt install mariadb-server-core mariadb-client-core"
    missing(says)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """The session's server. Others use it too: stop nothing, change no global setting for good."""
    with running() as server:
        yield server


@pytest.fixture
def shop_database(mariadb: MariaDB) -> Iterator[str]:
    """The name of an empty database for this test alone."""
    with mariadb.database() as name:
        yield name


def mysql_source(server: MariaDB, database: str, account: Account = OWNER, **more: Any) -> Any:
    """A MySQLSource for a database of the server; TLS is verified where the server has it."""
    from orderhe_dagster.resources.mysql.source import MySQLSource
    from orderhe_dagster.settings.config import MySQLSettings
    from orderhe_dagster.settings.secret import Secret

    tls = {"sslmode": "disable"} if server.authority is None else {"ssl_ca": server.ca}
    given: dict[str, Any] = {
        **{"host": server.host, "port": server.port, "database": database, **tls},
        **{"user": account.user, "password": Secret.of(account.password)},
    }
    return MySQLSource(MySQLSettings(**{**given, **more}))


def free_port() -> int:
    """A port of the loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _follow(stream: Any, log: list[str], ready: threading.Event) -> None:
    with stream:
        for line in stream:
            log.append(line)
            if "ready for connections" in line:
                ready.set()
    ready.set()


def _found(program: str) -> str | None:
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), *_PLACES]))


def _program(name: str) -> str:
    found = _found(name)
    assert found is not None, name
    return found


def _as_root() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []
