"""The functions of bytes: how many there are, a part of them, their hexadecimal digits."""

from __future__ import annotations

import re

from local_redshift.errors import refuse
from local_redshift.read.dialect import string
from local_redshift.values import arithmetic
from local_redshift.values.arguments import Arguments, Context, Rule, constant
from local_redshift.values.types import INTEGER, Type
from local_redshift.values.value import Value


def is_binary(value: Value) -> bool:
    """Whether the value is a varbyte."""
    return value.type.kind == "varbyte"


def length(value: Value) -> Value:
    """The number of its bytes."""
    return Value(f"CAST(octet_length({value.sql}) AS INTEGER)", INTEGER)


def part(given: Arguments) -> Value:
    """SUBSTRING(bytes, start[, length]) by constant places within them."""
    value = given[0]
    places = [constant(place, "substring") for place in given[1:]]
    if not all(re.fullmatch(r"[0-9]+", place) for place in places) or int(places[0]) < 1:
        raise refuse(
            f"substring of {value.type} from before its first byte", "give a start of 1 or more"
        )
    first = int(places[0])
    if len(places) == 1:
        return Value(f"array_slice({value.sql}, {first}, {value.type.length})", value.type)
    size = int(places[1])
    if not size:
        raise refuse(f"substring of {value.type} with no length", "give a length of 1 or more")
    kind = Type("varbyte", length=min(size, value.type.length))
    return Value(f"array_slice({value.sql}, {first}, {first + size - 1})", kind)


def _to_hex(name: str, given: Arguments, context: Context) -> Value:
    """Of bytes alone: how many digits a negative number has is not documented."""
    (value,) = given
    if not is_binary(value):
        raise refuse(f"{name} of {value.type}", "give a varbyte")
    digits = arithmetic.grown(f"lower(hex({value.sql}))", 2 * value.type.length)
    return Value(digits.sql, digits.type, hexadecimal=True)


def _from_hex(name: str, given: Arguments, context: Context) -> Value:
    """Bytes of a literal of whole bytes; what Redshift makes of half a one is not documented."""
    digits = constant(given[0], name)
    if not re.fullmatch(r"([0-9A-Fa-f]{2})+", digits):
        raise refuse(f"{name} of other than whole bytes", "write two hexadecimal digits a byte")
    return Value(f"from_hex({string(digits)})", Type("varbyte", length=len(digits) // 2))


RULES: dict[str, tuple[int, int, Rule]] = {
    "from_hex": (1, 1, _from_hex),
    "to_hex": (1, 1, _to_hex),
}
