"""The short form of the attacks; `make kills` is the long one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="every point is a forked process")


def test_one_rerun_mends_what_a_kill_an_interrupt_or_an_overtaken_run_left(tmp_path: Path) -> None:
    # In a process of its own: forking this one, whose databases have threads, would not be safe.
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "orderhe_dagster_tests.faults.short"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["ok"] * 5
    assert not list(tmp_path.iterdir())


def test_a_killed_restore_leaves_nothing_half_and_the_same_command_goes_on(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "orderhe_dagster_tests.faults.restore_kills"]
    done = subprocess.run(
        [*command, "--points", "3"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["ok"] * 6 + ["6"]
    assert not list(tmp_path.iterdir())
