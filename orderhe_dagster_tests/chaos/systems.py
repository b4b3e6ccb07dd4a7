"""The systems of one seed: a database of a MariaDB, an S3 and a Redshift of its own, and the network between.

Each server is a process that can be stopped, killed and started again on the same port with the same data.
Nothing is asked of them here.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local_redshift.testing.certificates import LOOPBACK, Authority
from orderhe_dagster_tests.chaos.network import HOST, Fault, Network
from orderhe_dagster_tests.chaos.processes import Child, begin
from orderhe_dagster_tests.servers import s3
from orderhe_dagster_tests.servers.mariadb import OWNER, MariaDB, free_port

PAIRS = ("mysql", "s3", "redshift", "copy")
"""What a run has lines to, and the Redshift's own to S3."""
BUCKET, PREFIX = "chaos", "shops/one"
PASSWORD = "the warehouse's"
LIFE_S = 900
HASTY = {
    "MYSQL_CONNECT_TIMEOUT": "2",
    "MYSQL_READ_TIMEOUT": "2",
    "MYSQL_WRITE_TIMEOUT": "2",
    "S3_CONNECT_TIMEOUT": "1",
    "S3_READ_TIMEOUT": "1",
    "S3_TIMEOUT": "3",
    "REDSHIFT_CONNECT_TIMEOUT": "2",
    "REDSHIFT_STATEMENT_TIMEOUT": "3",
}
"""Limits of a run that meets a fault: what stalls is to end soon."""
_ITS_OWN = {"CONNECT_TIMEOUT": "2", "READ_TIMEOUT": "3", "TIMEOUT": "8"}
"""Those of the Redshift server, which has them in the rerun, too."""
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "chaos", "AWS_SECRET_ACCESS_KEY": "chaos", **s3.NOWHERE}


@dataclass
class Systems:
    """Servers of one seed in `folder`. `variables` are a shop's settings, by the network's lines."""

    folder: Path
    mariadb: MariaDB
    database: str
    authority: Authority | None  # None: nobody speaks TLS
    certificate: tuple[Path, Path] | None
    network: Network
    variables: dict[str, str] = field(default_factory=dict)
    leads_to: dict[str, int] = field(default_factory=dict)
    _servers: dict[str, Child] = field(default_factory=dict)

    def pid(self, name: str) -> int:
        """The process of a server (mysql, s3, redshift), or of the network."""
        if name == "network":
            return self.network.pid
        return self.mariadb.pid if name == "mysql" else self._servers[name].pid

    def is_down(self, name: str) -> bool:
        """Whether a server was killed and not started again."""
        if name == "network":
            return True
        return self.mariadb.is_down() if name == "mysql" else self._servers[name].is_over()

    def direct(self) -> dict[str, str]:
        """The same settings past the network: for who only watches."""
        return {
            **self.variables,
            "ORDERHE_MYSQL_PORT": str(self.leads_to["mysql"]),
            "ORDERHE_S3_ENDPOINT_URL": self._s3_url(self.leads_to["s3"]),
            "ORDERHE_REDSHIFT_PORT": str(self.leads_to["redshift"]),
        }

    def connect(self, faults: Mapping[str, Fault] | None = None) -> None:
        """Carry bytes between them from now on, with these faults."""
        self.network.start(self.leads_to, faults, self.certificate)

    def start_again(self, name: str) -> None:
        """Have what was killed take connections again."""
        if name == "network":
            self.connect()
            return
        if name == "mysql":
            self.mariadb.kill()  # it is buried, too
            self.mariadb.start()
            return
        self._servers.pop(name).end()
        self._start(name)

    def go_on(self) -> None:
        """Let every server have what it needs again: time, and disk."""
        for name in ("mysql", "s3", "redshift"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid(name), signal.SIGCONT)
        limit_files(self.pid("redshift"), None)

    def _start(self, name: str) -> None:
        serve = {"s3": self._serve_s3, "redshift": self._serve_redshift}[name]
        ready, tell = os.pipe()

        def work() -> None:
            os.close(ready)
            with (self.folder / f"{name}.log").open("a") as log:  # what it thinks of its clients
                os.dup2(log.fileno(), 2)
            serve(lambda: _tell(tell))

        self._servers[name] = begin(work, LIFE_S)
        os.close(tell)
        there = os.read(ready, 1)
        os.close(ready)
        assert there, (self.folder / f"{name}.log").read_text("utf-8")

    def _serve_s3(self, ready: Callable[[], None]) -> None:
        with socket.create_server((HOST, self.leads_to["s3"]), backlog=128) as listener:
            listening = s3.server_on(listener, *map(str, self.certificate or ()))
            ready()
            listening.serve_forever()

    def _serve_redshift(self, ready: Callable[[], None]) -> None:
        """As `orderhe warehouse serve` does."""
        from orderhe_dagster.commands.serve import Serving, serve
        from orderhe_dagster.settings.config import load_settings

        home = self.folder / "redshift"
        given = {
            name: value for name, value in self.variables.items() if name.startswith("ORDERHE_S3_")
        }
        url = self._s3_url(self.network.port("copy"))
        limits = {f"ORDERHE_S3_{name}": value for name, value in _ITS_OWN.items()}
        settings = load_settings(
            {
                **{**given, **limits, "ORDERHE_S3_ENDPOINT_URL": url},
                **{"ORDERHE_STORE": "s3", "ORDERHE_HOME": str(home)},
            },
            home,
        )
        use_aws(self)
        certificate, key = self.certificate or (None, None)
        password = self.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o600)
        told: list[str] = []

        def say(line: str) -> None:
            if not told:
                ready()
            told.append(line)

        serve(
            settings,
            Serving(
                port=self.leads_to["redshift"],
                password_file=password,
                certificate=certificate,
                key=key,
                insecure=certificate is None,
            ),
            say,
        )

    def _s3_url(self, port: int) -> str:
        return f"http{'s' if self.certificate else ''}://{HOST}:{port}"

    def _settings(self) -> dict[str, str]:
        ca = str(self.authority.file) if self.authority else ""
        tls = {"SSL_CA": ca} if ca else {"SSLMODE": "disable"}
        mysql = {
            "HOST": HOST,
            "PORT": str(self.network.port("mysql")),
            "USER": OWNER.user,
            "PASSWORD": OWNER.password,
            "DATABASE": self.database,
            **tls,
        }
        redshift = {
            "HOST": HOST,
            "PORT": str(self.network.port("redshift")),
            "USER": "admin",
            "PASSWORD": PASSWORD,
            **tls,
        }
        return {
            "ORDERHE_PROFILE": "aws",
            "ORDERHE_S3_BUCKET": BUCKET,
            "ORDERHE_S3_PREFIX": PREFIX,
            "ORDERHE_S3_ENDPOINT_URL": self._s3_url(self.network.port("s3")),
            **{f"ORDERHE_MYSQL_{name}": value for name, value in mysql.items()},
            **{f"ORDERHE_REDSHIFT_{name}": value for name, value in redshift.items()},
        }

    def start(self) -> None:
        """Start what is of this seed alone."""
        self.leads_to = {
            "mysql": self.mariadb.port,
            "s3": (port := free_port()),
            "redshift": free_port(),
            "copy": port,
        }
        self.variables = self._settings()
        (self.folder / "redshift").mkdir(parents=True)
        self.connect()
        for name in ("s3", "redshift"):
            self._start(name)

    def close(self) -> None:
        """End all of it."""
        for server in self._servers.values():
            server.end()
        self.network.close()


@contextmanager
def systems(folder: Path, mariadb: MariaDB, authority: Authority | None) -> Iterator[Systems]:
    """The systems of a seed, for the block."""
    certificate = authority.sign(*LOOPBACK) if authority else None
    with mariadb.database() as database:
        made = Systems(folder, mariadb, database, authority, certificate, Network(PAIRS))
        try:
            made.start()
            yield made
        finally:
            made.close()


def _tell(pipe: int) -> None:
    os.write(pipe, b".")
    os.close(pipe)


def use_aws(systems: Systems) -> None:
    """Have AWS's clients of this process, which is forked for it, take the right credentials and CA."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= CREDENTIALS
    if systems.authority:
        os.environ["AWS_CA_BUNDLE"] = str(systems.authority.file)
    os.environ["TMPDIR"] = str(systems.folder)


def limit_files(pid: int, most_bytes: int | None) -> None:
    """Let a process write no file beyond so many bytes, as on a disk that is full; None: as it was."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    soft = hard if most_bytes is None else most_bytes
    if hasattr(resource, "prlimit"):
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
