"""How work speaks while it runs: the loggers of `orderhe` and of the local Redshift, as a bar or as lines."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

    from rich.progress import Progress, TaskID

    _Stream = logging.StreamHandler[TextIO]
else:
    _Stream = logging.StreamHandler  # generic only from Python 3.11 on

ROOTS = (logging.getLogger("orderhe"), logging.getLogger("local_redshift"))


def reporter(log: logging.Logger, task: str, unit: str) -> Callable[[int, int], None]:
    """A callback (done, total) that logs how far `task` is, counted in `unit`."""

    def report(done: int, total: int) -> None:
        log.info(
            "%s: %s of %s %s",
            task,
            f"{done:,}",
            f"{total:,}",
            unit,
            extra={"task": task, "done": done, "total": total},
        )

    return report


@contextmanager
def show_progress() -> Iterator[None]:
    """Show what these loggers say on standard error: with rich on a terminal, plain elsewhere."""
    handler: _TerminalHandler | _PlainHandler = (
        _TerminalHandler() if sys.stderr.isatty() else _PlainHandler()
    )
    levels = [root.level for root in ROOTS]
    for root in ROOTS:
        root.addHandler(handler)
        root.setLevel(logging.INFO)
    try:
        yield
    finally:
        for root, level in zip(ROOTS, levels, strict=True):
            root.removeHandler(handler)
            root.setLevel(level)
        handler.close()


class _PlainHandler(_Stream):
    """One line a record; progress only at each further quarter."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self._quarters: dict[str, int] = {}
        self.addFilter(self._worth_a_line)

    def _worth_a_line(self, record: logging.LogRecord) -> bool:
        total = getattr(record, "total", 0)
        if not total:
            return True
        task, quarter = str(record.__dict__["task"]), 4 * int(record.__dict__["done"]) // total
        if quarter <= self._quarters.get(task, 0):
            return False
        self._quarters[task] = quarter
        return True


class _TerminalHandler(logging.Handler):
    """A bar for each task that says how far it is; other records are printed above it."""

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Draw one record."""
        total = getattr(record, "total", 0)
        if not total:
            style = "yellow" if record.levelno >= logging.WARNING else None
            self._console.print(record.getMessage(), style=style, markup=False)
            return
        task, done = str(record.__dict__["task"]), int(record.__dict__["done"])
        bars = self._started()
        if task not in self._tasks:
            self._tasks[task] = bars.add_task(task, total=total)
        bars.update(self._tasks[task], completed=done)
        if done >= total:
            bars.remove_task(self._tasks.pop(task))

    def _started(self) -> Progress:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        if self._bars is None:
            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                console=self._console,
                transient=True,
            )
            self._bars.start()
        return self._bars

    def close(self) -> None:
        """Take the bars away."""
        if self._bars is not None:
            self._bars.stop()
        super().close()
