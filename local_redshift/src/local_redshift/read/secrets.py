"""Secrets in the text of a statement: what of it may be kept and shown. Nothing is looked up here."""

from __future__ import annotations

import re

_GAP = r"(?:\s|--[^\n]*(?:\n|\Z)|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z))"  # to be read in one way only
_WORD = r"password|access_key_id|secret_access_key|session_token|credentials|master_symmetric_key"
_SECRETS = re.compile(
    rf"\b({_WORD})((?:{_GAP}+as\b)?{_GAP}*)"
    r"(?:e?'(?:[^'\\]|\\.|'')*(?:'|\\?\Z)|\$(\w*)\$.*?(?:\$\3\$|\Z))",  # to its real end, or the text's
    re.IGNORECASE | re.DOTALL,
)
_SIGNS = re.compile(rf"{_WORD}|identified", re.IGNORECASE)
_OF_USERS = re.compile(rf"{_GAP}*(?:create|alter){_GAP}+user\b", re.IGNORECASE | re.DOTALL)
_OF_KEYS = re.compile(rf"{_GAP}*(?:copy|unload)\b", re.IGNORECASE | re.DOTALL)
_PASSWORD = re.compile(rf"\b(?:{_WORD}|identified{_GAP}+by)\b", re.IGNORECASE | re.DOTALL)
_KEY = re.compile(
    r"\b(?:access_key_id|secret_access_key|session_token)\b(?!\s*[,)])", re.IGNORECASE
)
_WELL_WRITTEN = re.compile(
    rf"(?:{_GAP}+as\b)?{_GAP}*(?:'\*\*\*'(?!{_GAP}*['\"$])|disable\b)", re.IGNORECASE | re.DOTALL
)


_BEFORE = re.compile(rf"\b(?:{_WORD})(?:{_GAP}+as\b)?{_GAP}*\Z", re.IGNORECASE | re.DOTALL)


def is_secret(sql: str, at: int) -> bool:
    """Whether what begins at a place of the text stands where a password or a key does."""
    return _SIGNS.search(sql[:at]) is not None and _BEFORE.search(sql[:at]) is not None


def without_secrets(sql: str) -> str:
    """The text with `'***'` where a password or a key stands, in whatever quotes.

    Where it is written wrongly (in double quotes, in none, behind `=` or IDENTIFIED BY) nobody knows where
    it ends: the rest of the text goes.
    """
    if _SIGNS.search(sql) is None:
        return sql
    text = _SECRETS.sub(r"\1\2'***'", sql)
    sign = _PASSWORD if _OF_USERS.match(text) else _KEY if _OF_KEYS.match(text) else None
    for word in sign.finditer(text) if sign else ():
        if not _WELL_WRITTEN.match(text, word.end()):
            return f"{text[: word.end()]} '***'"
    return text
