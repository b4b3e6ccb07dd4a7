"""A bounded, fair kernel lock beside a file. What is locked, and why, is the caller's business.

Two files stand beside the guarded one and are never deleted: `<file>.lock` is the lock and says who
holds it; `<file>.queue` appears with the first wait, and whoever waits holds it, so that newcomers
stand behind and neither readers nor writers starve. The kernel drops both when a process dies.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orderhe_dagster.ports.errors import LockTimeout
from orderhe_dagster.settings.folders import make_private

logger = logging.getLogger("orderhe")

SPEAK_AFTER_S = 1.0
_WINDOWS_BYTE = 1 << 30  # locked instead of the text, which others must be able to read


@dataclass(frozen=True)
class Holder:
    """Who wrote the lock file last. `pid` 0: nobody has. `remedy`: what helps, where waiting does not."""

    pid: int = 0
    label: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        if not self.pid:
            return "another process"
        whose = "this very process" if self.pid == os.getpid() else f"process {self.pid}"
        return f"{whose} ({self.label})" if self.label else whose


def holder(path: str | Path) -> Holder:
    """Who holds the lock of `path`, as far as the lock file says; read without any lock."""
    try:
        body = _beside(path, "lock").read_bytes()
    except FileNotFoundError:
        return Holder()
    try:
        record = json.loads(body)
        return Holder(int(record["pid"]), str(record["label"]), str(record.get("remedy", "")))
    except (ValueError, KeyError, TypeError):  # empty, or half written: nobody to name
        return Holder()


@dataclass(frozen=True)
class Held:
    """A lock that is held, as its holder sees it."""

    path: Path
    _lock: int

    def relabel(self, label: str) -> None:
        """Say what the work is now."""
        _write(self._lock, json.dumps({"pid": os.getpid(), "label": label, "remedy": ""}))

    def is_awaited(self) -> bool:
        """Whether somebody stands in the queue now, of this process or another."""
        try:
            queue = os.open(_beside(self.path, "queue"), os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            is_free = _take(queue, False)
            if is_free:
                _drop(queue)
            return not is_free
        finally:
            os.close(queue)


@contextmanager
def file_lock(
    path: str | Path,
    shared: bool = False,
    timeout_s: float = 120.0,
    label: str = "",
    remedy: str = "",
) -> Iterator[Held]:
    """Hold the lock of `path` for the block; its folder is made if it is not there.

    Shared holders admit one another (not on Windows: there every lock is exclusive). `label` says
    what the work is, for whoever waits. Not re-entrant. LockTimeout names holder and remedy.
    `remedy`: the work lasts until somebody stops it, so whoever waits is soon told this instead.
    """
    guarded = Path(path)
    make_private(guarded.parent)
    lock = _open(_beside(guarded, "lock"))
    try:
        queue = _beside(guarded, "queue")
        if queue.exists() or not _take(lock, shared):
            _wait(guarded, lock, _open(queue), shared, timeout_s)
        try:
            record = {"pid": os.getpid(), "label": label, "remedy": remedy}
            _write(lock, json.dumps(record))
            yield Held(guarded, lock)
        finally:
            if not shared or holder(guarded).pid == os.getpid():
                _write(lock, "")
            _drop(lock)
    finally:
        os.close(lock)


def _wait(guarded: Path, lock: int, queue: int, shared: bool, timeout_s: float) -> None:
    """Stand in the queue, then wait for the lock itself; leave the queue once it is had."""
    began = time.monotonic()
    spoken = False
    queued = False
    try:
        while True:
            queued = queued or _take(queue, False)
            if queued and _take(lock, shared):
                return
            waited = time.monotonic() - began
            if waited >= timeout_s:
                held_by = holder(guarded)
                remedy = held_by.remedy or _wake(held_by.pid) or "wait for it to end or stop it"
                raise LockTimeout(
                    f"{guarded} stayed locked for {timeout_s:g} s by {held_by}; "
                    f"{remedy}, then run this again"
                )
            if waited >= SPEAK_AFTER_S and (remedy := holder(guarded).remedy):
                raise LockTimeout(
                    f"{guarded} is held by {holder(guarded)} until that is stopped; "
                    f"{remedy}, then run this again"
                )
            if waited >= SPEAK_AFTER_S and not spoken:
                spoken = True
                logger.warning("waiting for %s, held by %s", guarded.name, holder(guarded))
            # Whoever has waited longer asks more often, and so is served first more often.
            time.sleep(random.uniform(0.5, 1.0) * max(0.002, 0.02 / (1 + 4 * waited)))
    finally:
        if queued:
            _drop(queue)
        os.close(queue)


def _wake(pid: int) -> str:
    """What to do about a process that stands still, where that can be seen; "" where it does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except (OSError, IndexError):  # no Linux, or it has ended
        return ""
    if state not in ("T", "t"):
        return ""
    return f"it is stopped: `kill -CONT {pid}` lets it go on, `kill -KILL {pid}` ends it"


def _beside(path: str | Path, suffix: str) -> Path:
    return Path(f"{path}.{suffix}")


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)


def _write(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, text.encode("utf-8"))


if sys.platform == "win32":  # pragma: no cover - not measured yet
    import msvcrt

    def _take(descriptor: int, shared: bool) -> bool:
        os.lseek(descriptor, _WINDOWS_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _drop(descriptor: int) -> None:
        os.lseek(descriptor, _WINDOWS_BYTE, os.SEEK_SET)
        with contextlib.suppress(OSError):
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _take(descriptor: int, shared: bool) -> bool:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _drop(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
