"""The watch over DuckDB's connections to MySQL looks at this process's open files, and harms none."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from orderhe_dagster.resources.mysql.timeout import _links

ATTEMPT = """
import sqlite3, sys
other = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
try:
    other.execute("begin immediate")
except sqlite3.OperationalError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is watched elsewhere")
def test_a_look_at_the_connections_takes_no_lock_away(tmp_path: Path) -> None:
    """Closing a copy of a file's descriptor would: then another process writes beside us."""
    path = tmp_path / "history.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as own:
        own.execute("create table t (a int)")
        own.execute("begin immediate")
        assert list(_links({("127.0.0.1", 1)})) == []
        done = subprocess.run(
            [sys.executable, "-c", ATTEMPT, str(path)], capture_output=True, text=True, check=True
        )
    assert done.stdout.strip() == "database is locked"


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is watched elsewhere")
def test_a_socket_that_python_cannot_take_ends_no_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the kernel's ciphers are of that kind; nothing of the look stays open."""

    def refuse(**_: object) -> None:
        raise OSError("no such family")

    with socket.create_server(("127.0.0.1", 0)):
        before = len([*Path("/proc/self/fd").iterdir()])
        with monkeypatch.context() as patch:
            patch.setattr(socket, "socket", refuse)
            assert list(_links({("127.0.0.1", 1)})) == []
        assert len([*Path("/proc/self/fd").iterdir()]) == before


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is watched elsewhere")
def test_the_connections_to_a_server_are_found() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as link,
    ):
        names = []
        for found in _links({listener.getsockname()}):
            with found:
                names.append(found.getsockname())
        assert names == [link.getsockname()]
