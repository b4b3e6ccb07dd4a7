"""Dates and times in loaded text: DATEFORMAT and TIMEFORMAT, given, by default and 'auto'. No SQL.

`auto` reads the ISO-like formats of Amazon's list; what else Amazon lists is refused, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone

from local_redshift.errors import refuse

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_TOKENS = {
    "YYYY": r"(?P<year>\d{4})", "YY": r"(?P<short>\d{2})",
    "MON": r"(?P<name>[A-Za-z]{3})", "MM": r"(?P<month>\d{1,2})", "DD": r"(?P<day>\d{1,2})",
    "HH24": r"(?P<hour>\d{1,2})", "HH12": r"(?P<half>\d{1,2})", "HH": r"(?P<hour>\d{1,2})",
    "MI": r"(?P<minute>\d{1,2})", "SS": r"(?P<second>\d{1,2})(?:\.(?P<fraction>\d{1,6})\d*)?",
    "AM": r"(?P<noon>[AaPp][Mm])", "PM": r"(?P<noon>[AaPp][Mm])",
}  # fmt: skip
_SCAN = re.compile("|".join(sorted(_TOKENS, key=len, reverse=True)) + "|.", re.DOTALL)
_OFFSET = r"\s?(?P<offset>Z|[+-]\d{1,2}(?::?\d{2})?)"
_EPOCH = datetime(1970, 1, 1)
DEFAULT_DATE, DEFAULT_TIME = "YYYY-MM-DD", "YYYY-MM-DD HH:MI:SS"
_AUTO = (
    "YYYY-MM-DD HH:MI:SS", "YYYY-MM-DD HH:MI", "YYYY-MM-DD", "YYYY-MM-DDTHH:MI:SS",
    "YYYY/MM/DD HH:MI:SS", "YYYY/MM/DD", "YYYYMMDD HHMISS", "YYYYMMDD",
    "MM/DD/YYYY HH:MI:SS", "MM/DD/YYYY",
)  # fmt: skip


class Unread(ValueError):
    """The text is no moment of that format; the text of the error is the format as Redshift says it."""


def compile_format(text: str, zoned: bool = False) -> re.Pattern[str]:
    """The pattern of a format string; refused where it holds what Amazon's table does not."""
    parts, seen = [], set()
    for piece in _SCAN.findall(text):
        if piece in _TOKENS:
            if piece in seen:
                raise refuse(f"the format {text!r}: {piece} stands in it twice", "use 'auto'")
            seen.add(piece)
            parts.append(_TOKENS[piece])
        elif piece.isalnum() and piece != "T":
            raise refuse(f"the format {text!r}: no part {piece!r} is known", "use 'auto'")
        else:
            parts.append(re.escape(piece))
    return re.compile("".join(parts) + (f"(?:{_OFFSET})?" if zoned else ""))


def reader(option: str | None, kind: str) -> Callable[[str], date | datetime]:
    """How the texts of a date, timestamp or timestamptz column are read: raises Unread."""
    if option in ("epochsecs", "epochmillisecs") and kind != "date":
        return _epoch(1 if option == "epochsecs" else 1000, kind)
    default = DEFAULT_DATE if kind == "date" else DEFAULT_TIME
    if option == "auto":
        patterns = [compile_format(text, kind != "date") for text in _AUTO]
        if kind == "date":  # the time of day is cut off
            patterns += [compile_format(text, True) for text in _AUTO]
    else:
        patterns = [compile_format(option or default, kind == "timestamptz" and not option)]
    shown = "auto" if option == "auto" else (option or default).replace("HH:", "HH24:")

    def read(text: str) -> date | datetime:
        for pattern in patterns:
            if match := pattern.fullmatch(text):
                try:
                    return _moment(match, kind)
                except ValueError:
                    break
        raise Unread(shown)

    return read


def _epoch(scale: int, kind: str) -> Callable[[str], date | datetime]:
    def read(text: str) -> date | datetime:
        if not re.fullmatch(r"-?\d{1,15}", text):
            raise Unread("epochsecs" if scale == 1 else "epochmillisecs")
        moment = _EPOCH + timedelta(microseconds=int(text) * (1_000_000 // scale))
        return moment.replace(tzinfo=timezone.utc) if kind == "timestamptz" else moment

    return read


def _moment(match: re.Match[str], kind: str) -> date | datetime:
    """The moment of a match. ValueError where there is no such day or time."""
    parts = {name: text for name, text in match.groupdict().items() if text}
    day = _day(parts)
    if kind == "date":
        return day
    fraction = parts.get("fraction", "").ljust(6, "0")
    moment = datetime(
        day.year, day.month, day.day, _hour(parts), int(parts.get("minute", 0)),
        int(parts.get("second", 0)), int(fraction),
    )  # fmt: skip
    if kind == "timestamp":
        return moment  # an offset in the text of a timestamp is read over, as in a cast
    return (moment - _shift(parts.get("offset"))).replace(tzinfo=timezone.utc)


def _day(parts: Mapping[str, str]) -> date:
    year, month = int(parts.get("year", 0)), int(parts.get("month", 1))
    if "short" in parts:
        year = int(parts["short"]) + (2000 if int(parts["short"]) < 70 else 1900)
    if "name" in parts:
        month = _MONTHS.index(parts["name"].lower()) + 1
    return date(year, month, int(parts.get("day", 1)))


def _hour(parts: Mapping[str, str]) -> int:
    if "half" not in parts:
        return int(parts.get("hour", 0))
    hour = int(parts["half"])
    if not 1 <= hour <= 12:
        raise ValueError(hour)
    return hour % 12 + (12 if parts.get("noon", "am").lower() == "pm" else 0)


def _shift(offset: str | None) -> timedelta:
    if not offset or offset == "Z":
        return timedelta()
    digits = offset[1:].replace(":", "")
    hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")
    shift = timedelta(hours=int(hours), minutes=int(minutes))
    return -shift if offset[0] == "-" else shift
