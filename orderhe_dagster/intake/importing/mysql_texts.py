"""What MySQL demands of texts beyond their length: JSON, TIME, SET, CHAR. Lengths are in `values`.

What MySQL would change in silence is refused with what to write instead, so that the rows which the
shop gives back are those of the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from orderhe_dagster.catalog.mysql_limits import is_fixed_text, is_json, set_members, time_fraction
from orderhe_dagster.catalog.table import ColumnType
from orderhe_dagster.intake.importing.json_text import check_json
from orderhe_dagster.intake.importing.problems import WrongValue

_TIME = re.compile(
    r"(-?)([0-9]{2}|[1-7][0-9]{2}|8[0-2][0-9]|83[0-8])(:[0-5][0-9]:[0-5][0-9])(?:\.([0-9]{1,6}))?"
)


def text_rule(kind: ColumnType) -> Callable[[ColumnType, str], str] | None:
    """The rule of a type: text in, the text that is kept out, or WrongValue. None: any text will do."""
    if is_json(kind):
        return _json
    if time_fraction(kind) is not None:
        return _time
    if set_members(kind):
        return _set
    return _char if is_fixed_text(kind) else None


def _json(kind: ColumnType, text: str) -> str:
    check_json(text)
    return text


def _time(kind: ColumnType, text: str) -> str:
    match = _TIME.fullmatch(text)
    if not match:
        raise WrongValue("no time; write HH:MM:SS, from -838:59:59 to 838:59:59")
    sign, hours, rest, fraction = match.groups()
    digits, kept = (fraction or "").rstrip("0"), time_fraction(kind) or 0
    if len(digits) > kept:
        raise WrongValue(f"more digits of a second than {kind.declared} keeps ({kept})")
    if digits and hours + rest == "838:59:59":
        raise WrongValue("out of range for a time (-838:59:59 to 838:59:59)")
    if sign and not re.search("[1-9]", text):
        raise WrongValue("zero has no sign in MySQL; write 00:00:00")
    return f"{sign}{hours}{rest}" + (f".{digits.ljust(kept, '0')}" if kept else "")


def _set(kind: ColumnType, text: str) -> str:
    members, given = set_members(kind), text.split(",") if text else []
    strangers = [one for one in given if one not in members]
    if strangers:
        raise WrongValue(f"not members of the set; there are {', '.join(members)}")
    in_order = ",".join(member for member in members if member in given)
    if text != in_order:
        raise WrongValue(f"MySQL would make it {in_order!r}: each once, in the contract's order")
    return text


def _char(kind: ColumnType, text: str) -> str:
    if text.endswith(" "):
        raise WrongValue(f"blanks at the end, which {kind.declared} does not keep; take them off")
    return text
