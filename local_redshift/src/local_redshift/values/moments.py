"""Days and moments in texts: the forms of Amazon's pages, brought to YYYY-MM-DD HH:MI:SS. Casts: `casts`.

r_Date_and_time_literals and r_Datetime_types, in the date style MDY. A form that is read in two ways (a
year of two digits beyond 49, 12 AM, an hour that a zone has twice) is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from local_redshift.errors import RedshiftError
from local_redshift.read.dialect import string

_MONTHS = {
    name[:length]: number
    for number, name in enumerate(
        (
            *("january", "february", "march", "april", "may", "june", "july", "august"),
            *("september", "october", "november", "december"),
        ),
        1,
    )
    for length in (3, len(name))
}
_HOURS = {"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7}
_Y, _M, _D, _MON = r"(?P<y>\d{4})", r"(?P<m>\d{1,2})", r"(?P<d>\d{1,2})", r"(?P<mon>[a-z]{3,9})"
_DAYS = (
    rf"{_Y}-{_M}-{_D}",
    rf"{_M}/{_D}/(?P<y>\d{{4}}|\d{{2}})",
    r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})",
    r"(?P<y>\d{2})(?P<m>\d{2})(?P<d>\d{2})",
    rf"{_MON}\s*{_D}\s*,?\s*{_Y}",
    rf"{_Y}-{_MON}-{_D}",
    rf"{_MON}-{_D}-{_Y}",
    rf"{_D}-{_MON}-{_Y}",
    r"(?P<y>\d{4})\.(?P<doy>\d{3})",
)
_TIME = (
    r"(?:(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:\.(?P<f>\d{1,6}))?)?\s*(?P<half>[ap]m)?"
    r"|(?P<hms>\d{6}))"
)
_ZONE = r"(?P<zone>z|utc|gmt|[+-]\d{2}(?::?\d{2})?|[ecmp][sd]t|[a-z]+(?:/[a-z_]+)+)"
_CLOCK_ALONE = re.compile(rf"\s*{_TIME}\s*", re.ASCII | re.IGNORECASE)
_FORMS = [
    re.compile(rf"\s*{day}(?:(?:t|\s+){_TIME}(?:\s*{_ZONE})?)?\s*", re.ASCII | re.IGNORECASE)
    for day in _DAYS
]


def iso(text: str, kind: str) -> str | None:
    """The text of a literal as ISO has it, in UTC for a timestamptz; None: in no form that is known.

    RedshiftError 22008: there is no such day or hour.
    """
    for form in _FORMS:
        if match := form.fullmatch(text):
            parts = match.groupdict()
            day, time = _day(parts, text), _time(parts, text)
            if day is None or time is None:
                return None
            moment = datetime.combine(day, datetime.min.time()) + time
            zone = parts["zone"] or ""
            if kind != "timestamptz" or not zone:  # of a timestamp, the zone is ignored
                return moment.isoformat(" ")
            at = _in_utc(moment, zone)
            return None if at is None else f"{at.isoformat(' ')}+00"
    return None


def clock(text: str) -> str | None:
    """The text of a literal of the type time as HH:MI:SS; None: in no form that is known."""
    match = _CLOCK_ALONE.fullmatch(text)
    span = None if match is None else _time(match.groupdict(), text)
    return None if span is None else (datetime.min + span).time().isoformat()


def _wrong(text: str) -> RedshiftError:
    return RedshiftError("22008", f'date/time field value out of range: "{text}"')


def _day(parts: dict[str, str | None], text: str) -> date | None:
    year = parts["y"] or ""
    if len(year) == 2 and int(year) > 49:
        return None
    number = int(year) + (2000 if len(year) == 2 else 0)
    try:
        if parts.get("doy"):
            day = date(number, 1, 1) + timedelta(days=int(parts["doy"] or 0) - 1)
            if day.year != number:
                raise _wrong(text)
            return day
        numbered, named = parts.get("m"), parts.get("mon")
        month = int(numbered) if numbered else _MONTHS.get((named or "").lower())
        return None if month is None else date(number, month, int(parts["d"] or 0))
    except ValueError:
        raise _wrong(text) from None


def _time(parts: dict[str, str | None], text: str) -> timedelta | None:
    if parts["hms"]:
        hour, minute, second = (int(parts["hms"][at : at + 2]) for at in (0, 2, 4))
    else:
        hour, minute, second = (int(parts[name] or 0) for name in ("H", "M", "S"))
    half = (parts["half"] or "").lower()
    if half and hour >= 12:
        return None
    if hour > 23 or minute > 59 or second > 59:
        raise _wrong(text)
    hour += 12 * (half == "pm")
    micros = int((parts["f"] or "").ljust(6, "0"))
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micros)


def _in_utc(moment: datetime, zone: str) -> datetime | None:
    """A moment of a zone in UTC; None where the zone is not known, or has that hour twice or never."""
    short = zone.lower()
    if short in ("z", "utc", "gmt"):
        return moment
    if short in _HOURS:
        return moment - timedelta(hours=_HOURS[short])
    if zone[0] in "+-":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        return moment - span if zone[0] == "+" else moment + span
    try:
        there = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return None
    both = {
        moment.replace(tzinfo=there, fold=fold).astimezone(timezone.utc).replace(tzinfo=None)
        for fold in (0, 1)
    }
    return both.pop() if len(both) == 1 else None


_CLOCK = r"(?:[Tt]|\s+)([0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)"
_SECONDS = r"(?:[Tt]|\s+)([0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?)"
_OFFSET = r"\s*(?:(?i:z|utc|gmt)|([+-][0-9]{2}(?::[0-9]{2})?))"
_COMPUTED = (
    (r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", r"\1-\2-\3"),
    (r"([0-9]{4})([0-9]{2})([0-9]{2})", r"\1-\2-\3"),
    (r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", r"\3-\1-\2"),
)


def computed(sql: str, kind: str, carrier: str) -> Sequence[str]:
    """Branches of CASE for a computed text: its form, and its value. The forms of drivers and exports."""
    branches = []
    for day, to in _COMPUTED:
        zoned = f"{to} \\4" + ("\\5" if kind == "timestamptz" else "")
        for time, form in (("", to), (_CLOCK, f"{to} \\4"), (_SECONDS + _OFFSET, zoned)):
            pattern = rf"\s*{day}{time}\s*"
            iso_text = f"regexp_replace({sql}, {string(f'^{pattern}$')}, {string(form)})"
            branches.append(
                f"WHEN regexp_full_match({sql}, {string(pattern)}) "
                f"THEN CAST({iso_text} AS {carrier})"
            )
    return branches
