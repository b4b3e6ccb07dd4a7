"""`orderhe dev`: the Dagster UI and its daemon on this shop's state. What they show: `definitions`."""

from __future__ import annotations

from orderhe_dagster.settings.config import Settings


def serve_ui(settings: Settings, host: str, port: int) -> int:
    """Run the Dagster UI and daemon until they are stopped; return their exit code.

    Where the system can, this process becomes Dagster's, so that signals and exit code are its own.
    """
    import os
    import subprocess
    import sys

    from orderhe_dagster.settings import home
    from orderhe_dagster.settings.dagster_yaml import WORKSPACE

    state = home.use_home(settings)
    workspace = state.dagster / "workspace.yaml"
    home.write_once(workspace, WORKSPACE)
    for line in home.advice(state):
        print(line, file=sys.stderr, flush=True)
    command = [sys.executable, "-W", "ignore:Function `dev_command` is superseded", "-m", "dagster"]
    command += ["dev", "-w", str(workspace), "--host", host, "--port", str(port)]
    if os.name == "posix":
        os.execv(sys.executable, command)
    return subprocess.call(command)
