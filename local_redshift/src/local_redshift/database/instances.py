"""DuckDB instances, kept for the next file: making one costs twice what opening a file in it does.

What is attached to them is the database's (`database`). None lies idle across a fork.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_redshift.read.dialect import quote, string

_KEPT = 2  # of those that are shut, and of the others
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
    is_shut: bool = False
    """Whether it reaches no files but those of its database, and never will again."""
    is_bound: bool = False
    """Whether it reached some when it was shut: it serves no other database."""


def take(shut: bool = False) -> Instance:
    """An instance of the caller's own: one that lay idle, or a new one. `shut`: it may reach no files."""
    import duckdb

    with _lock:
        for instance in _idle:
            if instance.is_shut == shut:
                _idle.remove(instance)
                return instance
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


def shut(instance: Instance, folders: Sequence[Path], has_file: bool) -> None:
    """From now on it reaches these folders and what is attached, and nothing else; that is for good."""
    if folders:
        listed = ", ".join(string(str(folder)) for folder in folders)
        instance.connection.execute(f"SET GLOBAL allowed_directories = [{listed}]")
    instance.connection.execute("SET GLOBAL enable_external_access = false")
    instance.is_shut, instance.is_bound = True, bool(folders) or has_file


def give_back(instance: Instance, database: str) -> None:
    """Close `database` in it, of which no session is left, and keep the instance for the next."""
    import duckdb

    try:
        instance.connection.execute(f"DETACH {quote(database)}")
        if not instance.is_shut:
            # Fails where something lay there: it goes with the instance.
            instance.connection.execute("RESET GLOBAL temp_directory")
    except BaseException as error:  # an interrupt, too, must not leave the file open
        instance.connection.close()
        if not isinstance(error, duckdb.Error):
            raise
        return
    with _lock:
        alike = [one for one in _idle if one.is_shut == instance.is_shut]
        if len(alike) < _KEPT and not instance.is_bound:
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
