"""JSON columns: what text they take, a value's own text in a line, a Python value's text.

A JSON column is carried as text: the text of the file, to the last digit and blank.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Any

from orderhe_dagster.intake.importing.problems import WrongValue

LEVELS = 100
"""How deep MySQL lets arrays and objects stand in one another."""
TOO_DEEP = f"nested deeper than the {LEVELS} levels of MySQL's JSON"

_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_BLANKS = re.compile(r"[ \t\n\r]*")


class RawJson(str):
    """The text of a JSON value as it stands in its file."""

    __slots__ = ()


def check_json(text: str) -> None:
    """WrongValue where MySQL would not take the text as JSON, or would lose part of it."""
    _check_levels(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_without_duplicates,
            parse_constant=_constant,
            parse_float=_number,
            parse_int=_number,
        )
    except WrongValue:
        raise
    except ValueError:
        raise WrongValue("no JSON text") from None
    if _SURROGATE.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise WrongValue("half a surrogate pair (\\ud800 to \\udfff) is no character") from None


def members(text: str) -> dict[str, RawJson]:
    """The raw text of each value of an object; `text` is known to be one."""
    decoder = json.JSONDecoder()
    texts: dict[str, RawJson] = {}
    at = _skip(text, text.index("{") + 1)
    while text[at] != "}":
        name, at = decoder.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)  # over the colon
        _, end = decoder.raw_decode(text, at)
        texts[name] = RawJson(text[at:end])
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at
    return texts


def json_text(value: Any, level: int = 0) -> str:
    """A Python value as JSON, numbers to the last digit. WrongValue for what JSON has no form for."""
    if level > LEVELS:
        raise WrongValue(TOO_DEEP)
    if isinstance(value, list | tuple):
        return f"[{', '.join(json_text(one, level + 1) for one in value)}]"
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            raise WrongValue("the names in a JSON object are texts; write them as texts")
        pairs = (f"{json_text(name)}: {json_text(one, level + 1)}" for name, one in value.items())
        return f"{{{', '.join(pairs)}}}"
    return _scalar_text(value)


def _scalar_text(value: Any) -> str:
    if value is None or isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int) and value.bit_length() <= 1024:
        return int.__repr__(value)
    if isinstance(value, float) and math.isfinite(value):
        return float.__repr__(value)
    if isinstance(value, Decimal) and value.is_finite():
        return str(value)
    if isinstance(value, int | float | Decimal):
        raise WrongValue("a number that JSON cannot hold; write it as a text")
    raise WrongValue(
        f"a {type(value).__name__} has no form in JSON; write it as a text or a number"
    )


def _check_levels(text: str) -> None:
    if text.count("[") + text.count("{") <= LEVELS:
        return
    level = 0
    for bracket in _BRACKETS.finditer(text):
        level += {"[": 1, "{": 1, "]": -1, "}": -1}.get(bracket[0], 0)
        if level > LEVELS:
            raise WrongValue(TOO_DEEP)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise WrongValue(f"{', '.join(twice)} is given twice in one object; MySQL keeps one")
    return members


def _constant(word: str) -> None:
    raise WrongValue(f"{word} is no JSON; write null or a text")


def _number(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise WrongValue("a number too large for JSON in MySQL, which keeps doubles")
    if not value and re.search("[1-9]", re.split("[eE]", digits)[0]):
        raise WrongValue("a number too small for JSON in MySQL, which would make it 0")
    return value


def _skip(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return match.end() if match else at
