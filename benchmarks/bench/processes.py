"""Running one process, and what it and the servers beside it spend meanwhile. Linux only: reads /proc.

What the process is, is `runners`' business; what becomes of the figures, `figures`'.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from benchmarks.bench.figures import Sample

SAYS = "BENCH "
"""How a line begins by which a process tells what it has measured of itself, as JSON."""
_LAUNCH = Path(__file__).with_name("launch.py")
_TICKS = os.sysconf("SC_CLK_TCK")
_SHOWN = 3_000


class RunError(Exception):
    """A process failed. The text names it, and has the end of what it printed."""


@dataclass(frozen=True)
class Command:
    """What to run: the words, the environment, the folder; `quiet`: what it prints is thrown away.

    `limit_s`: it is ended after so many seconds, which is a failure.
    """

    words: Sequence[str]
    environ: Mapping[str, str]
    folder: Path
    quiet: bool = False
    limit_s: float = 3_600.0


def run(command: Command, servers: Mapping[str, int] | None = None) -> tuple[Sample, list[str]]:
    """Run a process to its end; what it cost, and the lines that it printed. RunError where it fails.

    `servers`: the process ids of those whose CPU is counted apart. The peak is the largest of its
    processes', not their sum.
    """
    pids = dict(servers or {})
    with tempfile.TemporaryFile("w+b") as printed:
        before = {name: cpu_of(pid) for name, pid in pids.items()}
        busy, own, began = _busy_s(), _own_s(), time.perf_counter()
        code, (wall, client, peak) = _launched(command, printed)
        all_of_it = time.perf_counter() - began
        spent = {name: cpu_of(pid) - before[name] for name, pid in pids.items()}
        others = _busy_s() - busy - client - sum(spent.values()) - (_own_s() - own)
        printed.seek(0)
        text = printed.read().decode(errors="replace")
    if code:
        shown = " ".join(command.words)[:300]
        raise RunError(f"ended with {code}: {shown}\n{text[-_SHOWN:]}")
    lines = text.splitlines()
    sample = Sample(wall, client, peak, spent, others_cores=max(0.0, others / all_of_it))
    return replace(sample, own=_numbers(said(lines))), lines


def _launched(command: Command, printed: IO[bytes]) -> tuple[int, list[float]]:
    """The command's exit code; its wall seconds, CPU seconds and peak of memory."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as told:
        process = subprocess.Popen(
            [sys.executable, "-S", "-E", str(_LAUNCH), str(writing), *command.words],
            env={**command.environ},
            cwd=command.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if command.quiet else printed,
            stderr=printed,
            pass_fds=(writing,),
            start_new_session=True,
        )
        os.close(writing)
        timer = threading.Timer(command.limit_s, _end, [process.pid])
        timer.start()
        try:
            process.wait()
        finally:
            timer.cancel()
            _end(process.pid)  # whatever it left running, or all of it after Ctrl-C
        figures = [float(word) for word in told.read().split()]
    return process.returncode, figures or [0.0, 0.0, 0.0]


def _numbers(told: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name, value in told.items() if isinstance(value, int | float)}


def said(lines: Sequence[str]) -> dict[str, Any]:
    """What the last line that begins with SAYS tells."""
    told = [line for line in lines if line.startswith(SAYS)]
    return dict(json.loads(told[-1].removeprefix(SAYS))) if told else {}


def cpu_of(pid: int) -> float:
    """User and system seconds that a process and the children it has waited for have spent."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def _own_s() -> float:
    times = os.times()
    return times.user + times.system


def _busy_s() -> float:
    """Seconds that all cores together were not idle, of all the machine's processes."""
    words = Path("/proc/stat").read_text("utf-8").splitlines()[0].split()[1:9]
    return (sum(map(int, words)) - int(words[3]) - int(words[4])) / _TICKS


def _end(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
