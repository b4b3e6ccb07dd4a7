"""`orderhe dev` for tests: the UI's web server and the daemon over a shop's home."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from orderhe_dagster_tests.shops import TestShop

ROOT = Path(__file__).resolve().parents[2]
_SERVING = "Serving dagster-webserver on "
_END_S = 60


@contextmanager
def dagster_ui(shop: TestShop) -> Iterator[str]:
    """The address of the UI; it and all it started are gone when the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ORDERHE_")},
        **shop.environ,
        "ORDERHE_HOME": str(shop.settings.home),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }
    # Started in the background of a shell, it would inherit to ignore the interrupt that ends it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-m", "orderhe_dagster.cli", "dev", "--port", str(port)],
        cwd=shop.folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # its children are found by it
    )
    signal.signal(signal.SIGINT, before)
    assert process.stdout is not None
    try:
        said = _said_until_serving(process.stdout)
        assert said[-1:] and _SERVING in said[-1], f"orderhe dev ended:\n{''.join(said)}"
        drain = threading.Thread(target=_drain, args=(process.stdout,), daemon=True)
        drain.start()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_S)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what did not go by itself
        process.wait()


def _said_until_serving(out: IO[str]) -> list[str]:
    said = []
    for line in out:
        said.append(line)
        if _SERVING in line:
            break
    return said


def _drain(out: IO[str]) -> None:
    """Read on, so that nobody waits for a full pipe."""
    with out:
        for _ in out:
            pass
