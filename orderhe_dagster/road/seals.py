"""The SHA-256 that a JSON object of the store carries of itself: an altered byte shows. Nothing is read here.

The digest is that of the whole text with zeros in its place. Objects of earlier versions carry none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

FIELD = "sha256"
_NONE = "0" * 64


def sealed(body: Mapping[str, Any], indent: int | None = None) -> bytes:
    """An object as JSON with its own SHA-256 in `sha256`."""
    text = json.dumps({**body, FIELD: _NONE}, sort_keys=True, indent=indent).encode()
    return _with(text, _NONE, hashlib.sha256(text).hexdigest())


def check_seal(raw: Mapping[str, Any], body: bytes) -> None:
    """ValueError where the text is not the one that was sealed; one without a seal passes."""
    seal = raw.get(FIELD)
    if seal is None:
        return
    if not isinstance(seal, str) or len(seal) != len(_NONE):
        raise ValueError("its SHA-256 is none")
    if hashlib.sha256(_with(body, seal, _NONE)).hexdigest() != seal:
        raise ValueError("its bytes are not what was written")


def is_sealed(body: bytes) -> bool:
    """Whether a text is an object that carries its own SHA-256, and is the one that was sealed."""
    try:
        raw = json.loads(body)
        check_seal(raw, body)
    except (AttributeError, ValueError):
        return False
    return FIELD in raw


def check_fields(raw: Mapping[str, Any], fields: Collection[str]) -> None:
    """ValueError where an object has others than these: the name of one may have been altered."""
    strangers = sorted(raw.keys() - {*fields, FIELD})
    if strangers:
        raise ValueError(f"{strangers[0]!r} is no field of it")


def _with(text: bytes, old: str, new: str) -> bytes:
    before, name, after = text.rpartition(f'"{FIELD}": "'.encode())
    return before + name + new.encode() + after[len(old) :]
