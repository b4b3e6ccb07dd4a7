"""`orderhe dev`: the Dagster UI and its daemon on this shop's state. What they show: `definitions`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from orderhe_dagster.commands.days import LaunchError
from orderhe_dagster.settings.config import Settings

_FAREWELL_S, _END_S = 20.0, 10.0
"""How long Dagster may take to end, and then whatever it has left behind: a run, a code server."""
_AGAIN_S = 0.1
FOR_DEVELOPMENT = (
    "orderhe dev is for development: what it started ends with it. To leave it running for real, with a "
    "Postgres of its own, restarts and a code location by itself: docs/deploy.md"
)


def serve_ui(settings: Settings, host: str, port: int) -> int:
    """Run the Dagster UI and daemon until they are stopped; return their exit code.

    SIGTERM, SIGINT and SIGHUP end all their processes, runs among them, which are recorded as failed.
    LaunchError where somebody listens on the port: Dagster would go on without a page.
    """
    _see_that_it_is_free(host, port)
    print(FOR_DEVELOPMENT, file=sys.stderr, flush=True)
    workspace = ready(settings)
    command = [sys.executable, "-W", "ignore:Function `dev_command` is superseded", "-m", "dagster"]
    command += ["dev", "-w", str(workspace), "--host", host, "--port", str(port)]
    if os.name != "posix":
        return subprocess.call(command)
    try:
        return _serve(command)
    finally:
        _end_abandoned_runs(workspace.parent)


def ready(settings: Settings) -> Path:
    """See that the home can be used, and end the runs that nobody works at; the workspace to start with.

    LaunchError, DagsterYamlError: what must be put right first.
    """
    from orderhe_dagster.settings import home
    from orderhe_dagster.settings.dagster_yaml import WORKSPACE, check_workspace
    from orderhe_dagster.settings.history_files import damaged

    state = home.use_home(settings)
    workspace = state.dagster / "workspace.yaml"
    check_workspace(workspace, home.write_once(workspace, WORKSPACE))
    for line in home.advice(state):
        print(line, file=sys.stderr, flush=True)
    for one in damaged(state.dagster):
        print(f"Dagster's history: {one.sentence()}", file=sys.stderr, flush=True)
    if os.name == "posix":
        _end_abandoned_runs(state.dagster)
    return workspace


class _Stopped(Exception):
    """A signal asked for the end."""


def _serve(command: Sequence[str]) -> int:
    """Run Dagster in a session of its own, so that all it has started is known and ends with it."""

    def stop(number: int, frame: FrameType | None) -> None:
        for each in asking:
            signal.signal(each, signal.SIG_IGN)
        raise _Stopped

    # A script's `&` lets Ctrl-C be ignored; a signal that has a handler is none's to inherit.
    asking = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in asking}
    process: subprocess.Popen[bytes] | None = None
    try:
        dying = _dying_with_parent()
        process = subprocess.Popen(command, start_new_session=True, preexec_fn=dying)  # noqa: PLW1509
        return process.wait()
    except _Stopped:
        if process is None:
            return 0
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            return process.wait(_FAREWELL_S)
        return 0
    finally:
        if process is not None:
            _end_all(process)
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_all(process: subprocess.Popen[bytes]) -> None:
    """End what is left of the session: asked first, then at once."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        ends = time.monotonic() + _END_S
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
            while time.monotonic() < ends:
                process.poll()  # or it would stay, dead
                os.killpg(process.pid, 0)
                time.sleep(_AGAIN_S)
            continue
        break
    process.wait()


def _dying_with_parent() -> Callable[[], object] | None:
    """What a child does before it becomes Dagster, to end where this process is killed; only Linux can."""
    if sys.platform != "linux":
        return None
    import ctypes

    set_death_signal, library = (
        1,
        ctypes.CDLL(None),
    )  # now: a child of a process with threads loads nothing
    return lambda: library.prctl(set_death_signal, int(signal.SIGINT))


def _end_abandoned_runs(dagster_home: Path) -> None:
    """Record as failed what nobody works at any more: Dagster would count it among the runs at once."""
    from orderhe_dagster.commands.run import history
    from orderhe_dagster.runs import end_abandoned_runs

    with history(dagster_home) as instance:
        for run_id in end_abandoned_runs(instance):
            print(f"run {run_id} had no process any more: failed", file=sys.stderr, flush=True)


def _see_that_it_is_free(host: str, port: int) -> None:
    import socket

    from orderhe_dagster.commands.ports import listener

    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":  # a connection that has just ended does not hold the port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        who = listener(port)
        raise LaunchError(
            f"the Dagster UI cannot listen on {host}:{port}: {error.strerror or error}"
            f"{f', by {who}' if who else ''}. If another "
            f"`orderhe dev` is running, use that, or stop it; else: orderhe dev --port {port + 1}"
        ) from None
