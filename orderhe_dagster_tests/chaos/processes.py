"""Processes forked from this one, which has the modules loaded, no thread and nothing open. What they do
is the caller's."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

DEADLINE_S = 180
"""No process here lives longer: every wait has an end."""
_PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """A process at work, and the pipe that its result comes by."""

    pid: int
    _pipe: int
    _over: int | None = None

    def ends_within(self, seconds: float | None) -> bool:
        """Wait until it is done, or so long (None: without a limit of its own)."""
        return bool(select.select([self._pipe], [], [], seconds)[0])

    def is_over(self) -> bool:
        """Whether it has ended."""
        if self._over is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._over = status if pid else None
        return self._over is not None

    def stands_still(self) -> bool:
        """Wait until it is stopped (True) or over."""
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            return True
        self._over = status
        return False

    def send(self, by: int) -> None:
        """A signal, if it is still there."""
        if self._over is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, by)

    def result(self) -> tuple[Any, int]:
        """Wait for it; what its work gave (None where it did not end) and the exit status."""
        pipe, self._pipe = self._pipe, -1
        with os.fdopen(pipe) as file:
            text = file.read()
        if self._over is None:
            _, self._over = os.waitpid(self.pid, 0)
        return (json.loads(text) if text else None), os.waitstatus_to_exitcode(self._over)

    def end(self, by: int = signal.SIGKILL) -> None:
        """Have it gone."""
        self.send(by)
        if self._over is None:
            _, self._over = os.waitpid(self.pid, 0)
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1


def begin(work: Callable[[], Any], deadline_s: int = DEADLINE_S) -> Child:
    """Run `work` in a process of its own, which ends with this one."""
    reader, writer = os.pipe()
    parent, child = os.getpid(), os.fork()
    if child:
        os.close(writer)
        return Child(child, reader)
    status = 1
    try:
        os.close(reader)
        end_with(parent)
        signal.alarm(deadline_s)
        with os.fdopen(writer, "w") as pipe:
            json.dump(work(), pipe)
        status = 0
    except KeyboardInterrupt:
        status = 130
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def forked(work: Callable[[], Any]) -> Any:
    """What `work` gives in a process of its own; AssertionError where it does not end well."""
    result, status = begin(work).result()
    assert status == 0, f"a process ended with {status}; see above"
    return result


def end_with(parent: int) -> None:
    """Have the kernel kill this process when its parent is gone, where it can (Linux)."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:
        os._exit(1)
