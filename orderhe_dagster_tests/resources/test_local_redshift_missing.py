"""Where the local Redshift is not installed, whoever needs it prints the command that installs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

VERBS = {
    "embedded": "from orderhe_dagster.cli import main; main(['query', 'select 1'])",
    "server": "from orderhe_dagster.cli import main; main(['warehouse', 'serve', '--port', '0'])",
    "private": """
from orderhe_dagster.resources.laptop.memory_warehouse import memory_session
with memory_session(): pass""",
    "shared": """
from pathlib import Path
from orderhe_dagster.settings.config import load_settings
from orderhe_dagster.resources.build import build_served_warehouse
with build_served_warehouse(load_settings(), 'here', None, 'snapshot'): pass""",
    "resolver": """
from contextlib import ExitStack
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.resources.laptop.store_resolver import resolver
resolver(FolderStore(root='s3', bucket='b'), ExitStack())""",
}


@pytest.mark.parametrize("who", VERBS)
def test_a_missing_local_redshift_is_told_with_its_command(who: str, tmp_path: Path) -> None:
    blocked = f"import sys; sys.modules['local_redshift'] = None\n{VERBS[who]}"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", blocked],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "ORDERHE_HOME": str(tmp_path / "home"), "COLUMNS": "1000"},
        check=False,
    )
    assert done.returncode == 1
    told = " ".join(done.stderr.split())
    assert "the local Redshift is not installed" in told
    assert f"run `make setup` in the project's folder, or `{sys.executable} -m pip install" in told
    assert "--no-deps ./local_redshift`" in told
    if who in ("embedded", "server"):
        assert "Traceback" not in told
