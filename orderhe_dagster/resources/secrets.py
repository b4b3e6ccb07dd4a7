"""Passwords by name, in this process's memory only. Who reads them from the settings is not said here.

Dagster shows the fields of a resource in its UI and copies them into its event log, so a resource
holds the name of its password instead.
"""

from __future__ import annotations

_KEPT: dict[str, str] = {}


def keep(name: str, value: str) -> str:
    """Keep a password for this process; gives back its name."""
    _KEPT[name] = value
    return name


def kept(name: str) -> str:
    """The password of that name. "" for the name "": there is none."""
    return _KEPT[name] if name else ""
