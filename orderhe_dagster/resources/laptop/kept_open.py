"""DuckDB files that stay open between two sessions of this process, as long as nobody else waits.

Opening a file and reading its catalogue costs more than most sessions do, and a run has hundreds. A
file that stays open keeps its lock, which other processes wait for: it is closed as soon as one stands
in the queue, and in any case a moment after its last session. What a session is: elsewhere.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orderhe_dagster.settings.locks import Held

_LOOK_S = 0.05  # how often a file that lies idle is looked after: who waits, waits no longer


@dataclass
class OpenFile:
    """A file, open and locked. Who takes it has it alone, until it is kept or closed."""

    path: Path
    owner: object
    """Whose it is: of the same path, another's is opened otherwise."""
    read_only: bool
    lock: Held
    database: Any
    """What it was opened as: what sessions are made of."""
    resources: ExitStack
    """What is to be given back at the end: the database, then the lock."""
    until: float = 0.0
    place: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.place = _place(self.path)

    def close(self) -> None:
        """Close the file and give its lock back."""
        self.resources.close()

    @property
    def is_in_place(self) -> bool:
        """Whether the file is still the one of that name: nobody has moved it away."""
        return _place(self.path) == self.place


class IdleFiles:
    """The files of this process that are open and in nobody's hands."""

    def __init__(self) -> None:
        self._files: dict[Path, OpenFile] = {}
        self._changed = threading.Condition()
        self._watcher: threading.Thread | None = None
        self._is_prepared = False

    @contextmanager
    def lending(
        self,
        path: Path,
        owner: object,
        read_only: bool,
        label: str,
        make: Callable[[Path, str, bool], OpenFile],
        linger_s: float,
    ) -> Iterator[OpenFile]:
        """The file for a block, as it was left open or by `make`; kept then for `linger_s`.

        After an error it is closed: nobody knows what state it is in.
        """
        opened = self.take(path, owner, read_only)
        if opened is None:
            opened = make(path, label, read_only)
        else:
            opened.lock.relabel(label)
        try:
            yield opened
        except BaseException:
            opened.close()
            raise
        self.keep(opened, linger_s)

    def take(self, path: Path, owner: object, read_only: bool) -> OpenFile | None:
        """The file as its owner left it open; None where it was not, or not as it is wanted now."""
        with self._changed:
            opened = self._files.pop(path, None)
        if opened is None:
            return None
        is_enough = read_only or not opened.read_only
        if opened.owner is not owner or not is_enough or not opened.is_in_place:
            opened.close()
            return None
        return opened

    def keep(self, opened: OpenFile, linger_s: float) -> None:
        """Leave it open for the next session of this process, unless somebody waits for it."""
        if linger_s <= 0 or opened.lock.is_awaited():
            opened.close()
            return
        opened.lock.relabel("between two steps of a run")
        opened.until = monotonic() + linger_s
        with self._changed:
            before = self._files.pop(opened.path, None)
            self._files[opened.path] = opened
            self._watch()
        if before is not None:  # another reader's
            before.close()

    def close_writable(self, path: Path) -> None:
        """Close the file if it was left open for writing, which keeps readers out."""
        with self._changed:
            opened = self._files.get(path)
            if opened is None or opened.read_only:
                return
            del self._files[path]
        opened.close()

    def close(self) -> None:
        """Close them all."""
        with self._changed:
            files = [*self._files.values()]
            self._files.clear()
        for opened in files:
            opened.close()

    def _watch(self) -> None:
        """Have somebody look after the files. Needs `_changed`."""
        if self._watcher is None or not self._watcher.is_alive():
            self._prepare_for_the_end()
            name = "orderhe-idle-files"
            self._watcher = threading.Thread(target=self._look_after, name=name, daemon=True)
            self._watcher.start()

    def _look_after(self) -> None:
        """Close each file when its time is over or somebody waits for it; end when there is none."""
        while True:
            with self._changed:
                now, files = monotonic(), self._files
                over = [one for one in files.values() if one.until <= now or one.lock.is_awaited()]
                for opened in over:
                    del files[opened.path]
                is_done = not files
                if is_done:
                    self._watcher = None
            for opened in over:
                opened.close()
            if is_done:
                return
            with self._changed:
                self._changed.wait(_LOOK_S)

    def _prepare_for_the_end(self) -> None:
        """Nothing stays open at the process's end, nor in a child, which would hold the lock unknowingly.

        Registered late: the local Redshift's own must come after it.
        """
        if not self._is_prepared:
            self._is_prepared = True
            atexit.register(self.close)
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(before=self.close, after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        """In a forked child: its parent's watcher is not there, and may have held the condition."""
        self._changed, self._watcher, self._files = threading.Condition(), None, {}


IDLE = IdleFiles()


def _place(path: Path) -> tuple[int, int]:
    """Which file a path names now."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0, 0
    return status.st_dev, status.st_ino
