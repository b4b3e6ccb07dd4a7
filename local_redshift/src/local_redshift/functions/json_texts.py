"""Functions of JSON in texts, and of SUPER. What they compute is in `udf_json`."""

from __future__ import annotations

import json
from dataclasses import replace

from local_redshift.errors import raising, refuse
from local_redshift.functions.udfs import udf
from local_redshift.read.dialect import string
from local_redshift.values import casts
from local_redshift.values.arguments import Arguments, Context, Rule, text, whole
from local_redshift.values.subexpressions import bind
from local_redshift.values.types import (
    BIGINT,
    BOOLEAN,
    FLOATS,
    INTEGER,
    MAX_VARCHAR,
    SUPER,
    Type,
    varchar,
)
from local_redshift.values.uses import Uses
from local_redshift.values.value import Value

_DEEPEST = 5  # steps of a path


def _lenient(given: Arguments, name: str) -> tuple[Arguments, str]:
    """The arguments before null_if_invalid, and that one: false where it is not given."""
    if given[-1].type.kind != "boolean":
        return given, "false"
    if given[-1].sql not in ("true", "false"):
        raise refuse(f"{name} with a computed null_if_invalid", "write true or false")
    return given[:-1], given[-1].sql


def _path_text(name: str, given: Arguments, context: Context) -> Value:
    given, lenient = _lenient(given, name)
    steps = given[1:]
    if not 1 <= len(steps) <= _DEEPEST or any(step.literal is None for step in steps):
        raise refuse(f"{name} with {len(steps)} or computed steps", "write 1 to 5 literals")
    if any(step.type.kind != "unknown" for step in steps):
        raise refuse(f"a step of {name} that is no text", "write it in quotes")
    path = json.dumps([step.literal for step in steps])
    value = text(given[0], name)
    return Value(
        udf(context.uses, "json_path_text", value.sql, string(path), lenient), varchar(MAX_VARCHAR)
    )


def _element_text(name: str, given: Arguments, context: Context) -> Value:
    given, lenient = _lenient(given, name)
    if len(given) != 2:
        raise refuse(f"{name} of {len(given)} arguments", "give an array and a place")
    value, place = text(given[0], name), whole(given[1], name)
    element = udf(context.uses, "json_array_element_text", value.sql, place, lenient)
    return Value(element, varchar(MAX_VARCHAR))


def _array_length(name: str, given: Arguments, context: Context) -> Value:
    given, lenient = _lenient(given, name)
    return Value(udf(context.uses, "json_array_length", text(given[0], name).sql, lenient), INTEGER)


def _valid(name: str, given: Arguments, context: Context) -> Value:
    value = text(given[0], name).sql
    if name == "can_json_parse":
        return Value(udf(context.uses, "json_readable", value), BOOLEAN)
    array = "true" if name == "is_valid_json_array" else "false"
    return Value(udf(context.uses, "json_valid", value, array), BOOLEAN)


def _parse(name: str, given: Arguments, context: Context) -> Value:
    return Value(udf(context.uses, "super_parse", text(given[0], name).sql), SUPER)


def _of_super(value: Value, name: str) -> str:
    if value.type.kind != "super":
        raise refuse(f"{name} of {value.type}", "give a super: json_parse(…)")
    return value.sql


def _serialize(name: str, given: Arguments, context: Context) -> Value:
    return Value(f"CAST({_of_super(given[0], name)} AS VARCHAR)", varchar(MAX_VARCHAR))


def _length(name: str, given: Arguments, context: Context) -> Value:
    return Value(
        f"CAST({udf(context.uses, 'super_length', _of_super(given[0], name))} AS BIGINT)", BIGINT
    )


def _typeof(name: str, given: Arguments, context: Context) -> Value:
    return Value(udf(context.uses, "super_typeof", _of_super(given[0], name)), varchar(16))


def _array(name: str, given: Arguments, context: Context) -> Value:
    """ARRAY(…): the members as JSON, NULL among them."""
    members = [f"coalesce({_member(value, context)}, 'null')" for value in given]
    return Value(f"('[' || {(''' || ',' || ''').join(members) or string('')} || ']')", SUPER)


def _member(value: Value, context: Context) -> str:
    kind = value.type.kind
    if kind == "super" or (kind == "unknown" and value.literal is None):
        return f"CAST({value.sql} AS VARCHAR)"
    if kind in ("varchar", "unknown"):
        return udf(context.uses, "super_text", value.sql)
    if kind == "boolean" or value.type.is_integer:
        return f"CAST({value.sql} AS VARCHAR)"
    if kind == "decimal" and value.literal is not None and not value.literal.endswith("0"):
        return f"CAST({value.sql} AS VARCHAR)"
    raise refuse(f"{value.type} in array", "write an integer, a text or a boolean")


def cast(value: Value, target: Type, uses: Uses) -> Value:
    """`casts.cast`, of a super, too."""
    if value.type.kind == "super" and target.kind != "super":
        return _from_super(value, target, uses)
    return casts.cast(value, target)


def _from_super(value: Value, target: Type, uses: Uses) -> Value:
    """A super's scalar: of the kind of the target, or refused while it runs."""
    kind = {"varchar": "text", "boolean": "boolean"}.get(target.kind, "number")
    if kind == "number" and not target.is_number:
        raise refuse(f"a cast from super to {target}", "cast to varchar, then on")
    places = target.scale if target.kind == "decimal" else 18 if target.kind in FLOATS else 0
    scalar = udf(uses, "super_scalar", value.sql, string(kind), str(places))
    if kind != "text":
        return Value(f"CAST({scalar} AS {target.carrier})", target, value.label)
    failing = raising(
        "0A000",
        string(
            f"the local Redshift has no rule for a text in a super that is longer than {target}; "
            "cast it to a longer varchar"
        ),
    )
    fitting = bind(
        [scalar],
        lambda t: f"(CASE WHEN strlen({t[0]}) > {target.length} THEN {failing} ELSE {t[0]} END)",
    )
    return Value(fitting, target, value.label)


def step(value: Value, key: str, uses: Uses) -> Value:
    """`value.key` of a super."""
    return replace(value, sql=udf(uses, "super_step", value.sql, string(key)), label=key)


def element(value: Value, place: int, uses: Uses) -> Value:
    """`value[place]` of a super."""
    return replace(value, sql=udf(uses, "super_element", value.sql, str(place)))


RULES: dict[str, tuple[int, int, Rule]] = {
    "json_extract_path_text": (2, 7, _path_text),
    "json_extract_array_element_text": (2, 3, _element_text),
    "json_array_length": (1, 2, _array_length),
    **dict.fromkeys(("is_valid_json", "is_valid_json_array", "can_json_parse"), (1, 1, _valid)),
    "json_parse": (1, 1, _parse),
    "json_serialize": (1, 1, _serialize),
    "json_typeof": (1, 1, _typeof),
    "get_array_length": (1, 1, _length),
    "array": (0, 1000, _array),
}
