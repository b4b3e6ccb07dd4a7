"""What the local Redshift costs on its wire: single-row inserts, small queries, a large result.

The server runs in a process of its own; its CPU seconds and largest memory are read from the system,
so this needs Linux. Run: `python benchmarks/wire.py [--rows 1000000]`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

INSERTS = 1000
TARGET_S = 5.0  # for the inserts
SERVE = ["-m", "orderhe_dagster.cli", "warehouse", "serve", "--port", "0", "--insecure"]


@contextmanager
def served(home: Path) -> Iterator[tuple[Any, int]]:
    """A connection of redshift-connector, and the server's process id."""
    import redshift_connector

    environ = {name: value for name, value in os.environ.items() if not name.startswith("ORDERHE_")}
    environ |= {"ORDERHE_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, *SERVE]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ)
    assert server.stdout is not None
    try:
        port = 0
        for line in server.stdout:
            if line.startswith("export ORDERHE_REDSHIFT_PORT="):
                port = int(line.partition("=")[2].strip("'\n"))
            elif "ORDERHE_REDSHIFT_PASSWORD=" in line:
                break
        password = (home / "redshift" / "password").read_text("utf-8").strip()
        with redshift_connector.connect(
            host="127.0.0.1", port=port, user="admin", password=password, database="dev", ssl=False
        ) as connection:
            yield connection, server.pid
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


def cpu_seconds(pid: int) -> float:
    """User and system seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def largest_mb(pid: int) -> float:
    """The most memory that a process has held so far."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


@contextmanager
def measured(what: str, pid: int) -> Iterator[None]:
    """Print wall seconds, the server's CPU seconds and ours."""
    began = time.perf_counter(), cpu_seconds(pid), time.process_time()
    yield
    wall, server, client = (
        time.perf_counter() - began[0],
        cpu_seconds(pid) - began[1],
        time.process_time() - began[2],
    )
    print(f"{what:<34} {wall:6.2f} s  server CPU {server:6.2f} s  client CPU {client:6.2f} s")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the large result")
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as (connection, pid):
        cursor = connection.cursor()
        cursor.execute(
            "create table t (id integer, name varchar(20), price decimal(10,2), at timestamp, r float8)"
        )
        connection.commit()
        values = [(n, f"n{n}", Decimal("1.50"), datetime(2026, 1, 1), 0.5) for n in range(INSERTS)]
        with measured(f"{INSERTS} inserts, one transaction", pid):
            cursor.executemany("insert into t values (%s, %s, %s, %s, %s)", values)
            connection.commit()
        connection.autocommit = True
        with measured("200 inserts, each committed", pid):
            cursor.executemany("insert into t values (%s, %s, %s, %s, %s)", values[:200])
        with measured("1000 times select 1", pid):
            for _ in range(1000):
                cursor.execute("select 1 as one")
                cursor.fetchone()
        cursor.execute("create table large as select a.* from t a cross join t b limit %s", (rows,))
        before = largest_mb(pid)
        with measured(f"{rows:,} rows of 5 columns", pid):
            cursor.execute("select * from large")
            assert len(cursor.fetchall()) == rows
        print(
            f"the server's memory: {before:.0f} MB before the rows, {largest_mb(pid):.0f} at most"
        )
        print(f"target: {INSERTS} inserts well under {TARGET_S} s")


if __name__ == "__main__":
    main()
