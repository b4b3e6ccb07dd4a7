"""The tutorial does what it says: every command of it is run, every output compared."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
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


PORTS = {port: free_port() for port in ("3398", "3399")}
"""Ports that the tutorial names: whoever runs the tests may have something there."""


def typed(block: Block) -> str:
    """The block as it can be run beside other work: the environment is there, ports are free ones."""
    text = with_ports(block.text.replace("make setup\n", ""))
    text = text.replace("orderhe warehouse serve", "orderhe warehouse serve --port 0")
    text = text.replace("--data-api >", "--data-api 0 >")
    return text.replace("orderhe dev\n", f"orderhe dev --port {free_port()}\n")


def with_ports(text: str) -> str:
    for port, free in PORTS.items():
        text = re.sub(rf"\b{port}\b", str(free), text)
    return text


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
    with terminal(folder, environ) as first, others(folder, environ) as other:
        printed, last = "", ""
        for block in blocks_of(TUTORIAL):
            last = block.kind
            if block.kind in ("sh", "sh last"):
                printed = first.run(typed(block))
            elif block.kind == "sh fails":
                printed = first.fail(typed(block))
            elif block.kind.endswith(" terminal"):
                go_on_elsewhere(other(block.kind), block, folder / ".orderhe/tutorial/server.sh")
            elif block.kind.startswith("text"):
                measured = block.kind == "text measured"
                told = difference(with_ports(block.text), printed, measured=measured)
                assert not told, f"{TUTORIAL.name}:{block.line}: {told}"
            else:
                name = block.kind.removeprefix("python from ")
                assert block.text in (ROOT / name).read_text("utf-8"), f"line {block.line}"
        assert last == "sh last"
        assert not (folder / ".orderhe/tutorial").exists()


@contextmanager
def others(folder: Path, environ: Mapping[str, str]) -> Iterator[Callable[[str], Terminal]]:
    """Gives a terminal by its name; what ran in one of that name is ended before."""
    opened: dict[str, ExitStack] = {}

    def other(name: str) -> Terminal:
        opened.setdefault(name, ExitStack()).close()
        return opened[name].enter_context(terminal(folder, environ))

    with ExitStack() as all_of_them:
        all_of_them.callback(lambda: [stack.close() for stack in opened.values()])
        yield other


def go_on_elsewhere(there: Terminal, block: Block, server: Path) -> None:
    """Type a block into another terminal, and wait until what it starts is up."""
    if "warehouse serve" in block.text:
        server.unlink(missing_ok=True)
        there.start(typed(block))
        wait_for_the_server(server)
        return
    there.start(typed(block))
    is_ui = "orderhe dev" in block.text
    there.read_until("Serving dagster-webserver on http://" if is_ui else "answers nobody")


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
