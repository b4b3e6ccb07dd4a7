"""A document's commands, run as a reader would: block after block, in one shell, outputs compared.

Fenced blocks of Markdown count by the words behind their fence:

- `sh`: typed into the first terminal; what stands in the `text` block behind it is what it prints.
- `sh fails`: the same, of commands of which the last one ends with another code than 0.
- `sh second terminal` (or third): typed into another one, which goes on running until the end, or
  until that terminal is typed into again: what runs there is ended by Ctrl-C before.
- `text`: the output, line by line; `…` stands for anything, on a line of its own for any lines.
- `text measured`: the same, where numbers may be others.
- `python from FILE`: stands so in that file.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

LIMIT_S = 900
END_S = 60
"""How long what runs in a terminal may take to end after Ctrl-C."""
_BASH = (
    "import os, signal; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp('bash', ['bash'])"
)
"""A bash that Ctrl-C can end, though the tests themselves run in the background, where none can."""
_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.M | re.S)
_END = "@@ the block has ended @@"


@dataclass(frozen=True)
class Block:
    """A fenced block: the words behind the fence, its text, its line in the document."""

    kind: str
    text: str
    line: int


def blocks_of(document: Path) -> list[Block]:
    """The fenced blocks of a document, in order."""
    text = document.read_text("utf-8")
    return [
        Block(found[1].strip(), found[2], text.count("\n", 0, found.start()) + 1)
        for found in _FENCE.finditer(text)
    ]


def outputs_of(document: Path) -> dict[str, str]:
    """The commands of a document that are followed by what they print, and that."""
    blocks = blocks_of(document)
    return {
        block.text.strip(): told.text
        for block, told in pairwise(blocks)
        if block.kind == "sh" and told.kind.startswith("text")
    }


class Terminal:
    """A bash that is typed into. What a block prints, errors included, is its output."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._bash = subprocess.Popen(
            [sys.executable, "-c", _BASH],
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        self._limit = threading.Timer(LIMIT_S, self._signal, [signal.SIGKILL])
        self._limit.start()
        self._type("set -e\n")

    def run(self, commands: str) -> str:
        """Run the commands to their end; AssertionError with the output where one of them fails."""
        self.start(commands)
        return self.read_until(_END)

    def fail(self, commands: str) -> str:
        """Run the commands to their end; AssertionError with the output where they do not fail."""
        self._type(f"if {{\n{commands}}} < /dev/null; then exit 1; fi\necho '{_END}'\n")
        return self.read_until(_END)

    def start(self, commands: str) -> None:
        """Type the commands and wait for nothing."""
        self._type(f"{{\n{commands}}} < /dev/null\necho '{_END}'\n")

    def read_until(self, sign: str) -> str:
        """What is printed before the line that holds `sign`."""
        assert self._bash.stdout is not None
        lines: list[str] = []
        for line in self._bash.stdout:
            if sign in line:
                return "".join(lines)
            lines.append(line)
        raise AssertionError("a command failed, or did not:\n" + "".join(lines))

    def _type(self, text: str) -> None:
        assert self._bash.stdin is not None
        self._bash.stdin.write(text)
        self._bash.stdin.flush()

    def close(self) -> None:
        """End what runs in the terminal, as Ctrl-C does, and the terminal."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.close()
        self._signal(signal.SIGINT)
        patience = threading.Timer(END_S, self._signal, [signal.SIGKILL])
        patience.start()
        for _ in self._bash.stdout:  # to the end of all that hold it open
            pass
        self._bash.wait()
        patience.cancel()
        self._bash.stdout.close()
        self._limit.cancel()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._bash.pid, number)


@contextmanager
def terminal(folder: Path, environ: Mapping[str, str]) -> Iterator[Terminal]:
    """A terminal that is closed at the end, with all that runs in it."""
    opened = Terminal(folder, environ)
    try:
        yield opened
    finally:
        opened.close()


def checkout(root: Path, folder: Path) -> Path:
    """A working copy to walk in: the project's own files, and its environment as `.venv`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in listed.split("\0"):
        if name and not name.startswith("orderhe_dagster_tests/") and (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to(root / name)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def reader_environment(folder: Path) -> dict[str, str]:
    """The environment of somebody who has set nothing yet; the package is the one under test."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "COLUMNS": "200",
    }


def difference(expected: str, printed: str, *, measured: bool) -> str:
    """What is told of a block whose output is not as the document has it; "" where it is."""
    pattern = "".join(
        "(?:.*\n)*" if line.strip() == "…" else _pattern(line, measured) + "\n"
        for line in expected.splitlines()
    )
    plain = "".join(_squeezed(line) + "\n" for line in printed.splitlines())
    if re.fullmatch(pattern, plain):
        return ""
    return f"the document says:\n{expected}\nbut there was printed:\n{printed}"


def _pattern(line: str, measured: bool) -> str:
    parts = [re.escape(part) for part in _squeezed(line).split("…")]
    if measured:
        parts = [re.sub(r"\d(?:\\?[\d.,])*", r"\\d[\\d.,]*", part) for part in parts]
    return ".*".join(parts)


def _squeezed(line: str) -> str:
    """Columns are as wide as what stands in them."""
    return re.sub(r"-{2,}", "--", re.sub(r"\s+", " ", line)).strip()
