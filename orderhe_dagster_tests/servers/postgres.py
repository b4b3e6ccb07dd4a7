"""A Postgres for the tests: in a private folder, on a free port of the loopback, gone afterwards.

Fixture: `postgres` (one a session); each test takes a database of its own.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local_redshift.testing.missing import missing
from orderhe_dagster_tests.servers.mariadb import HOST, free_port

USER = "dagster"
PASSWORD = "p@ss/word: %\\'한"
_START_S = 60
_OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "autovacuum": "off",
}
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Postgres:
    """A server that takes `USER` with `PASSWORD`."""

    port: int
    environ: Mapping[str, str] = field(repr=False)

    def database(self) -> dict[str, str]:
        """The variables of a new, empty database."""
        name = f"history_{next(_NUMBERS)}"
        self.ask(f"create database {name}", "postgres")
        return {**self.environ, "PGDATABASE": name}

    def ask(self, sql: str, database: str) -> list[str]:
        """Run a statement; its rows as lines."""
        command = [_program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]
        environ = {**os.environ, **self.environ, "PGDATABASE": database}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


def _found(program: str) -> str | None:
    """Debian keeps the server's programs out of the path, by version."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return shutil.which(program, path=os.pathsep.join([os.environ["PATH"], *map(str, places)]))


def _program(name: str) -> str:
    found = _found(name)
    assert found is not None, name
    return found


def _as_somebody() -> tuple[list[str], tuple[int, int] | None]:
    """Postgres refuses to run as root: what comes before its commands, and who owns its files then."""
    if os.geteuid() != 0:
        return [], None
    nobody = pwd.getpwnam("nobody")
    ids = [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    return ["setpriv", *ids], (nobody.pw_uid, nobody.pw_gid)


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The session's server."""
    if not all(map(_found, ("initdb", "postgres", "psql"))):
        missing("no Postgres server is installed: apt install postgresql")
    # Not pytest's folder, which is its user's alone, and too long for a socket's path.
    folder = Path(tempfile.mkdtemp(prefix="orderhe-postgres-"))
    before, owner = _as_somebody()
    secret = folder / "password"
    secret.write_text(PASSWORD, "utf-8")
    if owner:
        os.chown(folder, *owner)
        os.chown(secret, *owner)
    port = free_port()
    settings = {**_OPTIONS, "port": str(port), "listen_addresses": HOST}
    settings["unix_socket_directories"] = str(folder)
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    server: subprocess.Popen[str] | None = None
    try:
        _run(
            [
                *(*before, _program("initdb"), f"--pgdata={folder / 'data'}"),
                *(f"--username={USER}", f"--pwfile={secret}", "--auth=scram-sha-256"),
                *("--encoding=UTF8", "--locale=C", "--no-sync"),
            ]
        )
        if watcher := shutil.which("setpriv"):  # it shall not outlive the tests, however they end
            before = [*before, watcher, "--pdeathsig", "QUIT"]
        command = [*before, _program("postgres"), "-D", str(folder / "data"), *options]
        server = subprocess.Popen(
            command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        log: list[str] = []
        ready = threading.Event()
        threading.Thread(target=_follow, args=(server.stderr, log, ready), daemon=True).start()
        assert ready.wait(_START_S), "".join(log)
        assert server.poll() is None, "".join(log)
        environ = {"PGHOST": HOST, "PGPORT": str(port), "PGUSER": USER, "PGPASSWORD": PASSWORD}
        yield Postgres(port, environ)
    finally:
        if server is not None:
            server.send_signal(signal.SIGQUIT)  # at once: nobody wants its data any more
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _follow(stream: Any, log: list[str], ready: threading.Event) -> None:
    with stream:
        for line in stream:
            log.append(line)
            if "ready to accept connections" in line:
                ready.set()
    ready.set()
