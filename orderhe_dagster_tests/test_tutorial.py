"""The tutorial does what it says: every command of it is run, every output compared."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest

from orderhe_dagster_tests.walked import (
    Block,
    Terminal,
    blocks_of,
    checkout,
    difference,
    reader_environment,
    terminal,
)

ROOT = Path(__file__).resolve().parents[1]
TUTORIAL = ROOT / "docs" / "tutorial.md"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def typed(block: Block) -> str:
    """The block as it can be run beside other work: the environment is there, ports are free ones."""
    text = block.text.replace("make setup\n", "")
    text = text.replace("orderhe warehouse serve >", "orderhe warehouse serve --port 0 >")
    return text.replace("orderhe dev\n", f"orderhe dev --port {free_port()}\n")


def wait_for_the_server(told: Path) -> None:
    """As a reader does before going on: until the file says how to connect."""
    from threading import Event

    tick, until = Event(), monotonic() + 300
    while not (told.is_file() and "PASSWORD" in told.read_text("utf-8")):
        assert monotonic() < until, f"the server has not written {told.name}"
        tick.wait(0.05)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="a tutorial for Unix shells")
def test_the_tutorial_word_for_word(tmp_path: Path) -> None:
    folder = checkout(ROOT, tmp_path / "checkout")
    environ = reader_environment(folder)
    with (
        terminal(folder, environ) as first,
        terminal(folder, environ) as second,
        terminal(folder, environ) as third,
    ):
        printed, last = "", ""
        for block in blocks_of(TUTORIAL):
            last = block.kind
            if block.kind in ("sh", "sh last"):
                printed = first.run(typed(block))
            elif block.kind == "sh second terminal":
                second.start(typed(block))
                wait_for_the_server(folder / ".orderhe/tutorial/server.sh")
            elif block.kind == "sh third terminal":
                open_the_ui(third, block)
            elif block.kind.startswith("text"):
                measured = block.kind == "text measured"
                told = difference(block.text, printed, measured=measured)
                assert not told, f"{TUTORIAL.name}:{block.line}: {told}"
            else:
                name = block.kind.removeprefix("python from ")
                assert block.text in (ROOT / name).read_text("utf-8"), f"line {block.line}"
        assert last == "sh last"
        assert not (folder / ".orderhe/tutorial").exists()


def open_the_ui(third: Terminal, block: Block) -> None:
    third.start(typed(block))
    third.read_until("Serving dagster-webserver on http://")


def test_a_terminal_ends_what_runs_in_it_though_the_tests_run_in_the_background(
    tmp_path: Path,
) -> None:
    """A shell has its background ignore Ctrl-C, and what that starts inherits it."""
    (tmp_path / "server.py").write_text(
        "import pathlib, time\ntry:\n    print('up', flush=True)\n    time.sleep(600)\n"
        "except KeyboardInterrupt:\n    pathlib.Path('told').write_text('ended')\n"
    )
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with terminal(tmp_path, reader_environment(ROOT)) as opened:
            opened.start("python server.py\n")
            opened.read_until("up")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (tmp_path / "told").read_text("utf-8") == "ended"


@pytest.mark.parametrize("script", ["connect", "load"])
@pytest.mark.parametrize(
    ("known", "remedy"),
    [({}, "server"), ({"ORDERHE_REDSHIFT_HOST": "127.0.0.1"}, "SSL_CERT_FILE")],
)
def test_a_terminal_that_does_not_know_the_server_is_told(
    script: str, known: dict[str, str], remedy: str
) -> None:
    environ = {**reader_environment(ROOT), **known}
    done = subprocess.run(
        [sys.executable, f"examples/tutorial/{script}.py"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert (remedy if script == "connect" else "step 2 of the tutorial") in done.stderr


@pytest.mark.parametrize(
    ("expected", "printed", "measured", "same"),
    [
        ("a  b\n", "a b\n", False, True),
        ("a 1\n", "a 2\n", False, False),
        ("a 1.5 rows\n", "a 2,000 rows\n", True, True),
        ("a 1 rows\n", "b 1 rows\n", True, False),
        ("…\nb\n", "x\ny\nb\n", False, True),
        ("a\n", "a\nb\n", False, False),
        ("a … c\n", "a b b c\n", False, True),
        ("--  ---\n", "------  -\n", False, False),
    ],
)
def test_outputs_are_compared(expected: str, printed: str, measured: bool, same: bool) -> None:
    assert (difference(expected, printed, measured=measured) == "") is same
