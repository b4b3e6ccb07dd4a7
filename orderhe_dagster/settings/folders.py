"""Folders of the state, made for their owner alone: personal data lies in them. What lies there: others."""

from __future__ import annotations

from pathlib import Path

PRIVATE = 0o700


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are not there yet; nobody else on this machine may enter them.

    A folder that is there keeps its mode: it may be shared on purpose. `orderhe doctor` tells.
    """
    for each in reversed((folder, *folder.parents)):
        if not each.is_dir():
            each.mkdir(mode=PRIVATE, exist_ok=True)
