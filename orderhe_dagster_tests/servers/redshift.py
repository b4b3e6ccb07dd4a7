"""A local Redshift for the platform's tests: in a process of its own, and the variables of a client."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_redshift.testing.server import Redshift


def variables_of(server: Redshift) -> dict[str, str]:
    """The ORDERHE_REDSHIFT_* variables of a client."""
    return _variables(
        HOST=server.host,
        PORT=str(server.port),
        USER=server.user,
        PASSWORD=server.password,
        DATABASE=server.database_name,
        SSLMODE="verify-full" if server.ca else "disable",
        SSL_CA=server.ca,
    )


@dataclass(frozen=True)
class Process:
    """A local Redshift in the process `pid`, and the variables of a client."""

    pid: int
    port: int
    variables: dict[str, str]


@contextmanager
def in_a_process(folder: Path, *options: str) -> Iterator[Process]:
    """A server on the file `folder`/w.duckdb; `options` are those of `python -m local_redshift`."""
    command = [sys.executable, "-m", "local_redshift", str(folder / "w.duckdb"), "--port", "0"]
    command += ["--keys", str(folder / "keys"), *options]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)
    assert started.stdout is not None
    try:
        lines: dict[str, str] = {}
        for line in started.stdout:
            name, _, value = line.strip().removeprefix("export ").partition("=")
            lines[name] = value
            if name == "PGPASSWORD":
                break
        path = re.search(r"cat (.+)\)", lines["PGPASSWORD"])
        assert path is not None
        variables = _variables(
            HOST=lines["PGHOST"],
            PORT=lines["PGPORT"],
            USER=lines["PGUSER"],
            PASSWORD=Path(path[1]).read_text("utf-8").strip(),
            DATABASE=lines["PGDATABASE"],
            SSLMODE=lines["PGSSLMODE"],
            SSL_CA=lines.get("PGSSLROOTCERT", ""),
        )
        yield Process(started.pid, int(lines["PGPORT"]), variables)
    finally:
        started.kill()
        started.wait()
        started.stdout.close()


def _variables(**values: str) -> dict[str, str]:
    return {f"ORDERHE_REDSHIFT_{name}": value for name, value in values.items() if value}
