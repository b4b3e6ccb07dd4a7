"""Private working folders on the state's own disk, removed even when their owner was killed.

A folder belongs to one living process, which holds the lock in it; the kernel drops the lock when
the process dies, and whoever makes the next folder removes those without an owner. What is done in
a folder is the caller's business.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from orderhe_dagster.ports.errors import LockTimeout
from orderhe_dagster.settings.folders import make_private
from orderhe_dagster.settings.locks import file_lock

_LIFE = "alive"


@contextmanager
def scratch_folder(root: Path, label: str) -> Iterator[Path]:
    """Give a new folder under `root` for the block; nothing of it stays, nor of dead processes'.

    `label` says what the work is, for whoever looks into `root`. Makes `root` where it is missing.
    """
    folder = root / f"{os.getpid()}-{secrets.token_hex(4)}"
    life = ExitStack()
    with _alone(root):
        _remove_abandoned(root)
        life.enter_context(file_lock(folder / _LIFE, timeout_s=0.0, label=label))
    try:
        yield folder
    finally:
        with _alone(root):
            life.close()
            shutil.rmtree(folder, ignore_errors=True)


def is_alive(folder: Path) -> bool:
    """Whether a folder of `scratch_folder` has an owner that lives."""
    if not folder.is_dir():
        return False
    try:
        with file_lock(folder / _LIFE, timeout_s=0.0):
            return False
    except LockTimeout:
        return True


@contextmanager
def fresh_folder(folder: Path) -> Iterator[Path]:
    """Make a folder that must not exist; remove it with all it holds when the block raises."""
    folder.mkdir(parents=True)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Nobody else makes or removes folders under `root` meanwhile; the files in them are free."""
    make_private(root, root.parent)
    with file_lock(root / "making", label="making and removing scratch folders"):
        yield


def _remove_abandoned(root: Path) -> None:
    for folder in root.iterdir():
        if folder.is_dir() and not is_alive(folder):
            shutil.rmtree(folder, ignore_errors=True)
