"""Numbers as people write them: thousands, decimal commas, currency signs. One text at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SIGNS = r"US\$|R\$|[A-Z]{3}(?![A-Za-z])|[$€£¥₩￦￥₹₽₺₫฿₪]|원|円|元"
_CURRENCY = rf"(?:{_SIGNS}|zł|kr\.?|Kč|Ft|lei|лв\.?|руб\.?|р\.)"
_WRITTEN = re.compile(
    rf"(?P<open>\()?\s*(?P<before>[+\-−]?)\s*(?P<left>{_CURRENCY})?\s*(?P<middle>[+\-−]?)\s*"
    rf"(?P<body>[0-9](?:[0-9.,'’ \u00a0\u202f\u2009]*[0-9])?|[.,][0-9]+)\s*"
    rf"(?P<right>{_CURRENCY})?\s*(?P<behind>-?)\s*(?P<close>\))?"
)
_BLANKS = re.compile(r"[ \u00a0\u202f\u2009'’]")
_GROUPS = re.compile(r"[0-9]{1,3}(?:[ \u00a0\u202f\u2009'’][0-9]{3})+(?:[.,][0-9]+)?")


@dataclass(frozen=True)
class Written:
    """A number in its parts. `body` has digits and signs of thousands and decimals only."""

    is_negative: bool
    body: str
    currency: str


def written(text: str) -> Written | None:
    """The parts of a text that is a number in any of the ways; None: it is none."""
    match = _WRITTEN.fullmatch(text.strip())
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None
    signs = match["before"] + match["middle"] + match["behind"]
    if len(signs) > 1 or (match["open"] and signs) or (match["left"] and match["right"]):
        return None
    body = match["body"]
    if _BLANKS.search(body):
        if not _GROUPS.fullmatch(body):
            return None
        sign = "".join(char for char in body if char in ".,")
        whole, _, fraction = body.partition(sign) if sign else (body, "", "")
        # Blanks part thousands, so that a sign beside them is that of the decimals.
        body = _BLANKS.sub("", whole) + (f"{sign}{fraction}" if sign else "")
        if len(body.partition(sign)[0] if sign else body) < 4:
            return None
    return Written(
        bool(match["open"]) or signs in {"-", "−"}, body, match["left"] or match["right"] or ""
    )


def decimal_sign_of(body: str) -> str:
    """The decimal sign that a number shows: `.`, `,`, nothing (it has none), or `?` and its one sign."""
    signs = [char for char in body if char in ".,"]
    if not signs:
        return ""
    if len(set(signs)) == 2:
        return signs[-1] if signs.count(signs[-1]) == 1 else "!"
    if len(signs) > 1:
        return "," if signs[0] == "." else "."
    whole, _, fraction = body.partition(signs[0])
    if len(fraction) == 3 and 0 < len(whole) <= 3 and not whole.startswith("0"):
        return f"?{signs[0]}"
    return signs[0]


def plain_number(number: Written, decimal: str) -> str | None:
    """The number in plain digits with a point; None where it is not written with this decimal sign."""
    other = re.escape("," if decimal == "." else ".")
    sign = re.escape(decimal)
    groups = rf"[0-9]{{1,3}}(?:{other}[0-9]{{3}})+"
    lakhs = rf"[0-9]{{1,2}}(?:{other}[0-9]{{2}})*{other}[0-9]{{3}}"
    pattern = rf"(?:[0-9]+|{groups}|{lakhs})?"
    if not re.fullmatch(rf"{pattern}(?:{sign}[0-9]+)?", number.body):
        return None
    whole, _, fraction = number.body.partition(decimal)
    whole = whole.replace("," if decimal == "." else ".", "") or "0"
    return f"{'-' if number.is_negative else ''}{whole}" + (f".{fraction}" if fraction else "")
