"""Secrets in the text of a statement: what of it may be kept and shown. Nothing is looked up here."""

from __future__ import annotations

import re

_GAP = r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?(?:\*/|\Z))"
_WORD = r"password|access_key_id|secret_access_key|session_token|credentials|master_symmetric_key"
_SECRETS = re.compile(
    rf"\b({_WORD})((?:{_GAP}+as\b)?{_GAP}*)"
    r"(?:e?'(?:[^'\\]|\\.|'')*(?:'|\\?\Z)|\$(\w*)\$.*?(?:\$\3\$|\Z))",  # to its real end, or the text's
    re.IGNORECASE | re.DOTALL,
)
_SIGNS = re.compile(_WORD, re.IGNORECASE)


_BEFORE = re.compile(rf"\b(?:{_WORD})(?:{_GAP}+as\b)?{_GAP}*\Z", re.IGNORECASE | re.DOTALL)


def is_secret(sql: str, at: int) -> bool:
    """Whether what begins at a place of the text stands where a password or a key does."""
    return _SIGNS.search(sql[:at]) is not None and _BEFORE.search(sql[:at]) is not None


def without_secrets(sql: str) -> str:
    """The text with `'***'` where a password or a key stands, in whatever quotes."""
    if _SIGNS.search(sql) is None:
        return sql
    return _SECRETS.sub(r"\1\2'***'", sql)
