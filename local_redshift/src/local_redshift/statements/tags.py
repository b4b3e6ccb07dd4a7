"""What a statement is called: its command tag on the wire, its kind in the log. It is not run here."""

from __future__ import annotations

from local_redshift.read.words import Words

_OBJECTS = (
    "database",
    "group",
    "materialized",
    "procedure",
    "role",
    "schema",
    "table",
    "user",
    "view",
)


def tag(form: str, words: Words, count: int) -> str:
    """The command tag of a statement that changed `count` rows."""
    first, rest = words.words[0].text.upper(), words.words[1:]
    kinds = (word.text.upper() for word in rest if word.lower in _OBJECTS)
    word = next(kinds, "TABLE")
    word = "MATERIALIZED VIEW" if word == "MATERIALIZED" else word
    return (form or first).format(n=max(count, 0), word=word)


_KINDS = {
    "(": "SELECT",
    "alter": "DDL",
    "create": "DDL",
    "drop": "DDL",
    "select": "SELECT",
    "with": "SELECT",
}
_NAMED = (
    "analyze",
    "call",
    "copy",
    "delete",
    "insert",
    "merge",
    "truncate",
    "unload",
    "update",
    "vacuum",
)


def kind(words: Words) -> str:
    """The query_type by which SYS_QUERY_HISTORY names a statement."""
    verb = words.words[0].lower
    return _KINDS.get(verb) or (verb.upper() if verb in _NAMED else "UTILITY")
