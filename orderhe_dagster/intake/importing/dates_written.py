"""Days and moments as people write them: orders of day and month, offsets, words. One text at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

_MOMENT = re.compile(
    r"(?P<day>.+?)(?:(?:\s*T\s*|,?\s+)(?P<half>AM|PM|오전|오후)?\s*(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?\s*(?P<later>AM|PM|a\.m\.|p\.m\.)?"
    r"\s*(?P<offset>Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2})?)?",
    re.IGNORECASE,
)
_YEAR_FIRST = re.compile(
    r"(?P<y>[0-9]{4})(?:\s*(?P<s>[-/.])\s*(?P<m>[0-9]{1,2})\s*(?P=s)\s*(?P<d>[0-9]{1,2})\.?"
    r"|년\s*(?P<m2>[0-9]{1,2})월\s*(?P<d2>[0-9]{1,2})일|年(?P<m3>[0-9]{1,2})月(?P<d3>[0-9]{1,2})日"
    r"|(?P<m4>[0-9]{2})(?P<d4>[0-9]{2}))"
)
_YEAR_LAST = re.compile(
    r"(?P<a>[0-9]{1,2})\s?(?P<s>[-/.])\s?(?P<b>[0-9]{1,2})\s?(?P=s)\s?(?P<y>[0-9]{4})"
)
_WORDS = re.compile(
    r"(?P<d>[0-9]{1,2})(?:st|nd|rd|th)?[-\s]+(?P<m>[a-z]{3,9})\.?,?[-\s]+(?P<y>[0-9]{4})"
    r"|(?P<m2>[a-z]{3,9})\.?\s+(?P<d2>[0-9]{1,2})(?:st|nd|rd|th)?,?\s+(?P<y2>[0-9]{4})",
    re.IGNORECASE,
)
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


@dataclass(frozen=True)
class Moment:
    """A day, or a day and a time, as a text has it. `order`: empty where the text tells it itself."""

    first: int
    second: int
    year: int
    order: str  # "": year, month and day are known; "?": first and second may be either
    time: tuple[int, int, int, str] | None = None  # hour, minute, second, digits of the fraction
    offset: timedelta | None = None


def moment_of(text: str) -> Moment | None:
    """The parts of a text that is a day or a moment; None: it is none that is read."""
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        return None
    day = _day_of(match["day"].strip())
    if day is None:
        return None
    year, first, second, order = day
    if match["hour"] is None:
        return Moment(first, second, year, order)
    hour = int(match["hour"])
    half = (match["half"] or match["later"] or "").lower().replace(".", "")
    if half:
        if not 1 <= hour <= 12 or (match["half"] and match["later"]):
            return None
        hour = hour % 12 + (12 if half in {"pm", "오후"} else 0)
    time = (hour, int(match["minute"]), int(match["second"] or 0), match["fraction"] or "")
    return Moment(first, second, year, order, time, _offset(match["offset"]))


def _day_of(text: str) -> tuple[int, int, int, str] | None:
    """(year, month or first number, day or second number, order)."""
    if match := _YEAR_FIRST.fullmatch(text):
        month = match["m"] or match["m2"] or match["m3"] or match["m4"]
        day = match["d"] or match["d2"] or match["d3"] or match["d4"]
        return int(match["y"]), int(month), int(day), ""
    if match := _YEAR_LAST.fullmatch(text):
        order = "." if match["s"] == "." else "?"
        return int(match["y"]), int(match["a"]), int(match["b"]), order
    if match := _WORDS.fullmatch(text):
        word = (match["m"] or match["m2"]).lower()
        months = [at for at, name in enumerate(_MONTHS, 1) if name.startswith(word)]
        if word == "sept":
            months = [9]
        if len(months) == 1:
            return int(match["y"] or match["y2"]), months[0], int(match["d"] or match["d2"]), ""
    return None


def _offset(text: str | None) -> timedelta | None:
    if text is None:
        return None
    if text.upper() in {"Z", "UTC", "GMT"}:
        return timedelta(0)
    digits = text[1:].replace(":", "").ljust(4, "0")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -size if text[0] == "-" else size


def shows_order(moment: Moment) -> str:
    """The order of day and month that the text itself shows: `dmy`, `mdy`, or `?`; empty: no question."""
    if not moment.order:
        return ""
    if moment.first > 12 >= moment.second:
        return "dmy"
    if moment.second > 12 >= moment.first:
        return "mdy"
    # Points between the numbers are the habit of countries that write the day first.
    return "dmy" if moment.order == "." else "?"


def canonical(
    moment: Moment, order: str, zone: str, *, wants: str, only_day: bool = False
) -> str | None:
    """The text that a column takes; None where it is no such moment.

    `wants`: `date`, `datetime` (wall clock of `zone`) or `instant`. `only_day`: of a moment, the day, which
    is midnight where a moment is wanted.
    """
    month, day = moment.first, moment.second
    if moment.order and order == "dmy":
        month, day = day, month
    hour, minute, second, fraction = moment.time or (0, 0, 0, "")
    try:
        value = datetime(moment.year, month, day, hour, minute, second)
        if moment.offset is not None:
            value = value.replace(tzinfo=timezone(moment.offset))
            place = timezone.utc if wants == "instant" else ZoneInfo(zone)
            value = value.astimezone(place).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    if wants == "date":
        if moment.time and not only_day and any((hour, minute, second, fraction.strip("0"))):
            return None
        return value.date().isoformat()
    if moment.time is None and not only_day:
        return None
    if only_day:
        return f"{value.date()} 00:00:00"
    return value.isoformat(" ", "seconds") + (f".{fraction}" if fraction else "")
