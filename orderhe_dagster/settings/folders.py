"""Folders of the state, made for their owner alone: personal data lies in them. What lies there: others."""

from __future__ import annotations

from pathlib import Path

PRIVATE = 0o700
_ANY = 0o777


def make_private(folder: Path, state: Path | None = None) -> None:
    """Make a folder that nobody else on this machine may enter, and those above it that are not there yet.

    `state`: the folder above it, or itself, down from which all are so; what is above that has the mode of
    any other folder of the user's. A folder that is there keeps its mode: it may be shared on purpose.
    `orderhe doctor` tells.
    """
    for each in reversed((folder, *folder.parents)):
        if not each.is_dir():
            each.mkdir(mode=mode_of(each, state or folder), exist_ok=True)


def mode_of(folder: Path, state: Path) -> int:
    """The mode to make a folder with: private from the state folder down, else what the umask leaves."""
    return PRIVATE if folder.is_relative_to(state) else _ANY
