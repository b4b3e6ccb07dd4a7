"""Blanks at the end of texts: Redshift does not count them where values are compared. No SQL trees."""

from __future__ import annotations

from collections.abc import Sequence

from local_redshift.errors import raising
from local_redshift.read.dialect import string
from local_redshift.values.subexpressions import bind
from local_redshift.values.types import ordered
from local_redshift.values.value import Value


def _failing(use: str) -> str:
    words = (
        f"the local Redshift has no rule for {use} of a text that ends in blanks: Amazon Redshift "
        "takes it for the same text without them, and which of the two it shows is not documented; "
        "write rtrim(…)"
    )
    return raising("0A000", string(words))


def _checked(value: Value) -> bool:
    """Whether the text of a value may end in a blank."""
    if value.hexadecimal or value.type.kind != "varchar" or value.type.doubt:
        return False
    return value.literal is None or value.literal.endswith(" ")


def guard(value: Value, use: str) -> str:
    """A test beside a grouping key: NULL, or an error where the key ends in a blank. '': no need."""
    if not _checked(value):
        return ""
    failing = f"CAST({_failing(use)} AS BOOLEAN)"
    return bind([value.sql], lambda one: f"(CASE WHEN ends_with({one[0]}, ' ') THEN {failing} END)")


def alike(value: Value, use: str) -> str:
    """The text of a value that is told apart from others where nobody sees which: without its blanks."""
    ordered(value.type, f"{use.lower()} of")
    return f"rtrim({value.sql}, ' ')" if _checked(value) else value.sql


def single(keys: Sequence[Value]) -> str:
    """The QUALIFY of a GROUP BY: an error where two of its groups are one for Redshift. '': no need.

    Of one group with one text nobody doubts which it shows, whatever its end.
    """
    if not any(map(_checked, keys)):
        return ""
    parts = dict.fromkeys(alike(key, "GROUP BY") for key in keys)
    failing = f"CAST({_failing('GROUP BY')} AS BOOLEAN)"
    rows = f"count(*) OVER (PARTITION BY {', '.join(parts)})"
    return f"(CASE WHEN {rows} > 1 THEN {failing} ELSE true END)"


def guarded(value: Value, use: str) -> str:
    """The text of a value that is told apart from others, as in DISTINCT: an error if it ends in a blank."""
    ordered(value.type, f"{use.lower()} of")
    if not _checked(value):
        return value.sql
    failing = f"CAST({_failing(use)} AS VARCHAR)"
    return bind(
        [value.sql],
        lambda one: f"(CASE WHEN ends_with({one[0]}, ' ') THEN {failing} ELSE {one[0]} END)",
    )
