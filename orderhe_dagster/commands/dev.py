"""`orderhe dev`: the Dagster UI and its daemon on this shop's state. What they show: `definitions`."""

from __future__ import annotations

from orderhe_dagster.commands.days import LaunchError
from orderhe_dagster.settings.config import Settings


def serve_ui(settings: Settings, host: str, port: int) -> int:
    """Run the Dagster UI and daemon until they are stopped; return their exit code.

    Where the system can, this process becomes Dagster's, so that signals and exit code are its own.
    LaunchError where somebody listens on the port: Dagster would go on without a page.
    """
    import os
    import signal
    import subprocess
    import sys

    from orderhe_dagster.settings import home
    from orderhe_dagster.settings.dagster_yaml import WORKSPACE

    _see_that_it_is_free(host, port)
    state = home.use_home(settings)
    workspace = state.dagster / "workspace.yaml"
    home.write_once(workspace, WORKSPACE)
    for line in home.advice(state):
        print(line, file=sys.stderr, flush=True)
    command = [sys.executable, "-W", "ignore:Function `dev_command` is superseded", "-m", "dagster"]
    command += ["dev", "-w", str(workspace), "--host", host, "--port", str(port)]
    if os.name == "posix":
        # A script's `&` lets Ctrl-C be ignored, and Dagster ends by it alone.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.execv(sys.executable, command)
    return subprocess.call(command)


def _see_that_it_is_free(host: str, port: int) -> None:
    import os
    import socket

    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":  # a connection that has just ended does not hold the port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise LaunchError(
            f"the Dagster UI cannot listen on {host}:{port}: {error.strerror or error}. If another "
            f"`orderhe dev` is running, use that, or stop it; else: orderhe dev --port {port + 1}"
        ) from None
