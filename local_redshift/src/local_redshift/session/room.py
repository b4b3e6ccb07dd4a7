"""Room for deep statements: what reads and compiles them calls itself once for each pair of brackets.

Chains need none: rules take them without recursion. What statements do is not known here.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Result = TypeVar("Result")
_FRAMES = 12_000  # a pair of brackets takes some thirty
_STACK_BYTES = 256 * 1024 * 1024  # of addresses: what is not used takes no memory


def with_room(work: Callable[[], Result], interrupt: Callable[[], None]) -> Result:
    """Do the work; where it runs out of Python's usual depth, again, on a stack of its own.

    So it must not have done anything by then. `interrupt` ends it where the caller is interrupted. What
    is deeper still is a RecursionError.
    """
    try:
        return work()
    except RecursionError:
        pass
    return _Deep(work, interrupt).result()


class _Deep(Generic[Result]):
    """Work in a thread with a large stack; the caller waits for it."""

    def __init__(self, work: Callable[[], Result], interrupt: Callable[[], None]) -> None:
        self._work, self._interrupt = work, interrupt
        self._results: list[Result] = []
        self._error: BaseException | None = None

    def result(self) -> Result:
        """What it gives, or raises."""
        with _deep():
            thread = _started(self._run)
            try:
                thread.join()
            except BaseException:
                while thread.is_alive():  # what uses the session's connection must not go on
                    self._interrupt()
                    thread.join(0.02)
                raise
        if self._error is not None:
            raise self._error
        return self._results[0]

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # raised again by who waits
            self._error = error


_guard = threading.Lock()
_inside = 0
_usual = 0


@contextmanager
def _deep() -> Iterator[None]:
    """Python's limit is raised as long as one is inside: it is one for all threads."""
    global _inside, _usual  # noqa: PLW0603 - as the limit is
    with _guard:
        if not _inside:
            _usual = sys.getrecursionlimit()
            sys.setrecursionlimit(max(_usual, _FRAMES))
        _inside += 1
    try:
        yield
    finally:
        with _guard:
            _inside -= 1
            if not _inside:
                sys.setrecursionlimit(_usual)


def _started(work: Callable[[], None]) -> threading.Thread:
    with _guard:
        before = threading.stack_size(_STACK_BYTES)
        try:
            thread = threading.Thread(target=work, name="deep statement", daemon=True)
            thread.start()
        finally:
            threading.stack_size(before)
    return thread
