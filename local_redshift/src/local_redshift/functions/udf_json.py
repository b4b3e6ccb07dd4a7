"""JSON in text as Redshift's functions read it, in Python. Called by DuckDB only.

DuckDB's own reader takes what Redshift does not (a comma too many) and writes numbers anew (1.50 as 1.5).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn

from local_redshift.errors import failure


class Number(str):
    """A number as it was written."""

    __slots__ = ()


class Twice(dict[str, Any]):
    """An object that names a key more than once."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    return members if len(members) == len(pairs) else Twice(members)


def _constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def parse(text: str) -> Any:
    """The value of a JSON text; numbers as `Number`. ValueError where it is not JSON."""
    return json.loads(
        text,
        parse_int=Number,
        parse_float=Number,
        parse_constant=_constant,
        object_pairs_hook=_pairs,
    )


def dump(value: Any) -> str:
    """A value as JSON text without blanks, its numbers as they were written."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        inside = (f"{json.dumps(k, ensure_ascii=False)}:{dump(v)}" for k, v in value.items())
        return "{" + ",".join(inside) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def unsure(what: str, instead: str) -> ValueError:
    """The refusal of what is not documented."""
    return failure("0A000", f"the local Redshift has no rule for {what}; {instead}")


def _read(text: str, kind: type, lenient: bool) -> Any:
    """An object or array; None where the text is no JSON and that is allowed."""
    if not text.strip():
        raise unsure("an empty text as JSON", "use nullif(…, '')")
    try:
        value = parse(text)
    except (ValueError, RecursionError):
        if lenient:
            return None
        word = "object" if kind is dict else "array"
        raise failure(
            "XX000", f"JSON parsing error; code: 8001; context: invalid json {word}"
        ) from None
    if not isinstance(value, kind):
        raise unsure(
            "JSON that is not an object here" if kind is dict else "JSON that is not an array here",
            "test it with is_valid_json or is_valid_json_array first",
        )
    return value


def _text(value: Any, whole: str) -> str:
    """A value as text: strings as they are, others as JSON, where they are written without blanks."""
    if value is None:
        raise unsure("the text of a JSON null", "leave it out with a case over is_valid_json")
    if isinstance(value, str):
        return str(value)
    text = dump(value)
    if text not in whole:
        raise unsure(
            "the text of a JSON object or array that is written with blanks, escapes or a key twice",
            "take its members one by one",
        )
    return text


def path_text(text: str, path: str, lenient: bool) -> str | None:
    """JSON_EXTRACT_PATH_TEXT; `path` holds the steps as a JSON array. A step that is not there: NULL."""
    value = _read(text, dict, lenient)
    if value is None:
        return None
    for step in json.loads(path):
        if isinstance(value, list):
            raise unsure("a step into a JSON array", "use json_extract_array_element_text")
        if isinstance(value, Twice):
            raise unsure("a JSON object that names a key twice", "mend the text")
        if not isinstance(value, dict) or step not in value:
            return None
        value = value[step]
    return _text(value, text)


def array_element_text(text: str, place: int, lenient: bool) -> str | None:
    """JSON_EXTRACT_ARRAY_ELEMENT_TEXT, counted from 0; beyond the array: NULL."""
    values = _read(text, list, lenient)
    if values is None or not 0 <= place < len(values):
        return None
    return _text(values[place], text)


def array_length(text: str, lenient: bool) -> int | None:
    """JSON_ARRAY_LENGTH."""
    values = _read(text, list, lenient)
    return None if values is None else len(values)


def _kind(text: str) -> type | None:
    """What a JSON text is; None: it is no JSON."""
    try:
        return type(parse(text))
    except (ValueError, RecursionError):
        return None


def valid(text: str, array: bool) -> bool:
    """IS_VALID_JSON (an object) and IS_VALID_JSON_ARRAY."""
    kind = _kind(text)
    if kind not in (None, list, dict, Twice):
        raise unsure("a JSON text that is neither an object nor an array", "use can_json_parse")
    return kind is list if array else kind in (dict, Twice)


# -- super -----------------------------------------------------------------------------------------


def parse_super(text: str) -> str:
    """JSON_PARSE: the value, as the text that a super is kept as."""
    try:
        value = parse(text)
    except (ValueError, RecursionError):
        raise failure("XX000", "JSON parsing error; code: 8001; context: invalid json") from None
    _plain(value)
    return _known(value)


def _known(value: Any) -> str:
    """A super's text; whether a JSON null IS NULL is not documented for all uses, so it is refused."""
    if value is None:
        raise unsure("a JSON null as a super", "leave the member out")
    return dump(value)


def _plain(value: Any) -> None:
    """Refuse what a super may keep in another form: how it writes such numbers is not documented."""
    if isinstance(value, Number):
        whole, _, places = value.lstrip("-").partition(".")
        if not (whole + places).isdigit() or places.endswith("0") or len(whole + places) > 18:
            raise unsure(
                "a number with an exponent, zeros at its end or over 18 digits in a super",
                "write it as a string",
            )
    elif isinstance(value, Twice):
        raise unsure("a JSON object that names a key twice", "mend the text")
    elif isinstance(value, dict):
        for inner in value.values():
            _plain(inner)
    elif isinstance(value, list):
        for inner in value:
            _plain(inner)


def step(text: str, key: str) -> str | None:
    """`value.key`: the member of an object; NULL where there is none."""
    value = parse(text)
    return _known(value[key]) if isinstance(value, dict) and key in value else None


def element(text: str, place: int) -> str | None:
    """`value[place]`: the element of an array, from 0; NULL where there is none."""
    value = parse(text)
    inside = isinstance(value, list) and 0 <= place < len(value)
    return _known(value[place]) if inside else None


def scalar(text: str, kind: str, places: int) -> str:
    """A super's scalar as text, for a cast to that kind; `places`: what a number may have."""
    value = parse(text)
    if isinstance(value, Number):
        fits = kind == "number" and len(value.partition(".")[2]) <= places
    else:
        fits = (kind, type(value)) in (("text", str), ("boolean", bool))
    if not fits:
        raise unsure(
            f"the cast of a JSON {super_typeof(text)} in a super to this type",
            "cast strings to varchar, whole numbers to bigint, others to decimal with their places",
        )
    return str(value).lower() if isinstance(value, bool) else str(value)


def elements(text: str) -> list[str]:
    """The elements of an array, for FROM."""
    values = parse(text)
    if not isinstance(values, list):
        raise unsure("a super that is not an array in FROM", "test it with json_typeof")
    return [_known(value) for value in values]


def super_length(text: str) -> int | None:
    """GET_ARRAY_LENGTH: NULL where it is no array."""
    value = parse(text)
    return len(value) if isinstance(value, list) else None


def super_typeof(text: str) -> str:
    """JSON_TYPEOF."""
    value = parse(text)
    if isinstance(value, Number):
        return "number"
    names = {bool: "boolean", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


UDFS: dict[str, tuple[Callable[..., object], str, str]] = {
    "json_path_text": (path_text, "VARCHAR VARCHAR BOOLEAN", "VARCHAR"),
    "json_array_element_text": (array_element_text, "VARCHAR BIGINT BOOLEAN", "VARCHAR"),
    "json_array_length": (array_length, "VARCHAR BOOLEAN", "INTEGER"),
    "json_valid": (valid, "VARCHAR BOOLEAN", "BOOLEAN"),
    "json_readable": (lambda text: _kind(text) is not None, "VARCHAR", "BOOLEAN"),
    "super_parse": (parse_super, "VARCHAR", "VARCHAR"),
    "super_text": (dump, "VARCHAR", "VARCHAR"),
    "super_step": (step, "VARCHAR VARCHAR", "VARCHAR"),
    "super_element": (element, "VARCHAR BIGINT", "VARCHAR"),
    "super_scalar": (scalar, "VARCHAR VARCHAR INTEGER", "VARCHAR"),
    "super_elements": (elements, "VARCHAR", "VARCHAR[]"),
    "super_length": (super_length, "VARCHAR", "INTEGER"),
    "super_typeof": (super_typeof, "VARCHAR", "VARCHAR"),
}
