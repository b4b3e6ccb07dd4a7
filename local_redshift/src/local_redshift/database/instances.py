"""DuckDB instances, kept for the next file: making one costs twice what opening a file in it does.

What is attached to them is the database's (`database`). None lies idle across a fork.
"""

from __future__ import annotations

import atexit
import os
import threading
from dataclasses import dataclass
from typing import Any

from local_redshift.read.dialect import quote

_KEPT = 2
_idle: list[Instance] = []
_left_alone: list[Instance] = []
"""The parent's, in a forked child: to close one there would wait for threads that it has not."""
_lock = threading.Lock()


@dataclass
class Instance:
    """A DuckDB without a file, by its first connection."""

    connection: Any
    has_udfs: bool = False
    """Whether the functions in Python are registered: they stay."""


def take() -> Instance:
    """An instance of the caller's own: one that lay idle, or a new one."""
    import duckdb

    with _lock:
        if _idle:
            return _idle.pop()
    return Instance(
        duckdb.connect(
            config={
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                # What it read for one database must not answer for another.
                "enable_external_file_cache": False,
                # As on Redshift, rows have no order of their own: to keep one, a load that is held to
                # little memory would go by one thread.
                "preserve_insertion_order": False,
            }
        )
    )


def give_back(instance: Instance, database: str) -> None:
    """Close `database` in it, of which no session is left, and keep the instance for the next."""
    import duckdb

    try:
        instance.connection.execute(f"DETACH {quote(database)}")
        # Fails where something lay there: it goes with the instance.
        instance.connection.execute("RESET GLOBAL temp_directory")
    except BaseException as error:  # an interrupt, too, must not leave the file open
        instance.connection.close()
        if not isinstance(error, duckdb.Error):
            raise
        return
    with _lock:
        if len(_idle) < _KEPT:
            _idle.append(instance)
            return
    instance.connection.close()


def close_idle() -> None:
    """Let go of those that lie idle: a fork would leave the child without their threads."""
    with _lock:
        while _idle:
            _idle.pop().connection.close()


def _begin_anew() -> None:
    """In a forked child: another thread may have held the lock, or given one back just before."""
    global _lock, _idle
    _left_alone.extend(_idle)
    _lock, _idle = threading.Lock(), []


atexit.register(close_idle)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=close_idle, after_in_child=_begin_anew)
