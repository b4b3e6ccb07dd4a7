"""Numbers and moments from and to text by Redshift's format strings, in Python. Called by DuckDB only."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from local_redshift.errors import failure

_NUMBER = re.compile(r"(FM)?(\$)?([SsLl]?)([09,Gg]*)(?:([.Dd])([09]*))?(S|MI|s|mi)?")


@cache
def number_format(words: str) -> re.Match[str] | None:
    """The parts of a numeric format, where it is one that is read here."""
    shape = _NUMBER.fullmatch(words)
    if not shape or not re.search("[09]", words) or shape[2] or shape[3] in ("L", "l"):
        return None
    if shape[4][:1] in ("G", "g", ","):  # SG is a sign of its own
        return None
    return None if shape[3] and shape[7] else shape


def number_to_text(number: Decimal, words: str) -> str:
    """TO_CHAR of a number: digits in their places, blanks before them, a sign or its place."""
    shape = number_format(words)
    assert shape is not None
    fill, whole, places = shape[1], shape[4].upper().replace(",", "G"), len(shape[6] or "")
    rounded = abs(number).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    digits, _, fraction = f"{rounded:f}".partition(".")
    digits = "" if digits == "0" else digits
    room = len(whole) - whole.count("G")
    negative = number < 0 and rounded != 0
    if not digits and "0" not in whole:  # nothing stands before the point
        if places and not rounded:
            raise failure(
                "0A000",
                f"the local Redshift has no rule for to_char of 0 by the format {words!r}; "
                "write 0 before the point",
            )
        digits = "" if places else "0"
    if len(digits) > room:
        body = re.sub("[09]", "#", whole.replace("G", ",")) + ("." if shape[5] else "")
        text, blank = body + "#" * places, ""
    else:
        digits = digits.rjust(room)
        first = whole.replace("G", "").find("0")
        if first >= 0:
            digits = digits[:first] + digits[first:].replace(" ", "0")
        text = _grouped(digits, whole)
        blank, text = text[: len(text) - len(text.lstrip())], text.lstrip()
        if shape[5]:
            kept = fraction
            if fill:
                least = (shape[6] or "").rfind("0") + 1
                kept = fraction[:least] + fraction[least:].rstrip("0")
            text += "." + kept
    return _signed(text, blank, negative, shape)


def _grouped(digits: str, whole: str) -> str:
    """The digits with their separators; one before the first digit is a blank."""
    grouped, at = "", 0
    for mark in whole:
        if mark == "G":
            grouped += "," if grouped.strip() else " "
        else:
            grouped += digits[at]
            at += 1
    return grouped


def _signed(text: str, blank: str, negative: bool, shape: re.Match[str]) -> str:
    """The text with its sign where the format puts it."""
    last = (shape[7] or "").upper()
    if last == "S":
        signed = blank + text + ("-" if negative else "+")
    elif last == "MI":
        signed = blank + text + ("-" if negative else " ")
    elif shape[3]:
        signed = blank + ("-" if negative else "+") + text
    else:
        signed = blank + ("-" if negative else " ") + text
    return signed.strip(" ") if shape[1] else signed


def text_to_number(text: str, words: str) -> Decimal:
    """TO_NUMBER: the text must have its separators where the format has them."""
    shape = number_format(words)
    assert shape is not None
    unsigned, negative = text.strip(" "), False
    if shape[3] or shape[7]:
        sign = unsigned[:1] if shape[3] else unsigned[-1:]
        if sign in ("-", "+"):
            unsigned = unsigned[1:] if shape[3] else unsigned[:-1]
            negative = sign == "-"
    elif unsigned[:1] == "-":
        unsigned, negative = unsigned[1:], True
    whole, _, fraction = unsigned.partition(".")
    mask = shape[4].upper().replace(",", "G")[::-1][: len(whole)][::-1]
    fits = len(mask) == len(whole) and all(
        (digit == ",") if mark == "G" else digit.isdigit()
        for digit, mark in zip(whole, mask, strict=True)
    )
    places = len(shape[6] or "")
    if not fits or not whole or not re.fullmatch(rf"[0-9]{{0,{places}}}", fraction):
        raise failure(
            "0A000",
            f"the local Redshift has no rule for to_number of {text!r} by the format {words!r}; "
            "write a format with as many digits, and separators where the text has them",
        )
    return Decimal(f"{'-' if negative else ''}{whole.replace(',', '')}.{fraction or '0'}")


_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_TOKENS = ("YYYY", "HH24", "HH12", "MON", "MM", "DD", "HH", "MI", "SS", "MS", "US", "AM", "PM")
_TOKEN = re.compile("|".join(_TOKENS) + r'|"[^"]*"|[^A-Za-z0-9"]|.', re.IGNORECASE)
_WIDTHS = {"YYYY": 4, "MS": 3, "US": 6}


@cache
def moment_format(words: str) -> tuple[str, ...] | None:
    """The tokens of a format to read moments by, where all are known and the year is among them."""
    tokens = tuple(
        token.upper() if token.upper() in _TOKENS else token for token in _TOKEN.findall(words)
    )
    odd = [token for token in tokens if token not in _TOKENS and re.match("[A-Za-z0-9]", token)]
    wanted = [token for token in tokens if token in _TOKENS]
    if odd or wanted.count("YYYY") != 1 or len(set(wanted)) < len(wanted):
        return None
    return tokens


def text_to_moment(text: str, words: str, strict: bool) -> datetime:
    """TO_TIMESTAMP and TO_DATE: parts that are not given are the first; what overflows is carried on."""
    tokens = moment_format(words)
    assert tokens is not None
    unread = failure(
        "0A000",
        f"the local Redshift has no rule for {text!r} by the format {words!r}; "
        "write a format that fits the text sign by sign",
    )
    parts, at = {}, 0
    for place, token in enumerate(tokens):
        if token in ("AM", "PM"):
            parts["AM"], at = int(text[at : at + 2].upper() == "PM"), at + 2
            if text[at - 2 : at].upper() not in ("AM", "PM"):
                raise unread
        elif token == "MON":
            if text[at : at + 3].lower() not in _MONTHS:
                raise unread
            parts["MM"], at = _MONTHS.index(text[at : at + 3].lower()) + 1, at + 3
        elif token in _TOKENS:
            width = _WIDTHS.get(token, 2)
            digits = re.match(rf"[0-9]{{1,{width}}}", text[at:])
            following = tokens[place + 1] if place + 1 < len(tokens) else ""
            exact = following in _TOKENS or token in ("YYYY", "MS", "US")
            if not digits or (exact and len(digits[0]) < width):
                raise unread
            parts[token], at = int(digits[0]), at + len(digits[0])
        else:
            plain = token[1:-1] if token.startswith('"') else token
            if text[at : at + len(plain)] != plain:
                raise unread
            at += len(plain)
    return _moment(parts, strict, unread)


def _moment(parts: dict[str, int], strict: bool, unread: Exception) -> datetime:
    year, month, day = parts["YYYY"], parts.get("MM", 1), parts.get("DD", 1)
    hour = parts.get("HH24", 0)
    half = parts.get("HH12", parts.get("HH"))
    if half is not None:
        if not 1 <= half <= 12 or "HH24" in parts:
            raise unread
        hour = half % 12 + 12 * parts.get("AM", 0) if "AM" in parts else half
    minute, second = parts.get("MI", 0), parts.get("SS", 0)
    if not (year >= 1 and 1 <= month <= 12 and 1 <= day <= 31 and hour <= 24):
        raise unread
    if minute > 59 or second > 59 or (half == 12 and "AM" not in parts):
        raise unread
    first = datetime(year, month, 1)
    moment = first + timedelta(
        days=day - 1,
        hours=hour,
        minutes=minute,
        seconds=second,
        milliseconds=parts.get("MS", 0),
        microseconds=parts.get("US", 0),
    )
    if strict and (first + timedelta(days=day - 1)).month != month:
        raise failure("22008", f"date/time field date value out of range: {year}-{month}-{day}")
    if strict and hour == 24:
        raise failure(
            "22008", f"date/time field time value out of range: {hour}:{minute}:{second}.0"
        )
    return moment


UDFS: dict[str, tuple[Callable[..., object], str, str]] = {
    "number_to_text": (
        lambda number, words: number_to_text(Decimal(number), words),
        "VARCHAR VARCHAR",
        "VARCHAR",
    ),
    "text_to_number": (
        lambda text, words: str(text_to_number(text, words)),
        "VARCHAR VARCHAR",
        "VARCHAR",
    ),
    "text_to_moment": (text_to_moment, "VARCHAR VARCHAR BOOLEAN", "TIMESTAMP"),
}
