"""The functions of days and moments. Zones are IANA names; the session's zone is UTC."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from orderhe_dagster.redshift_standin.arguments import Moment, Rule
from orderhe_dagster.redshift_standin.binding import bind
from orderhe_dagster.redshift_standin.casts import Value, cast
from orderhe_dagster.redshift_standin.dialect import string
from orderhe_dagster.redshift_standin.errors import RedshiftError, raising, refuse
from orderhe_dagster.redshift_standin.types import (
    BIGINT,
    DATE,
    DOUBLE,
    INTEGER,
    TIMESTAMP,
    varchar,
)

_PARTS = {
    "year": ("year", "years", "y", "yr", "yrs"),
    "quarter": ("quarter", "quarters", "qtr", "qtrs"),
    "month": ("month", "months", "mon", "mons"),
    "week": ("week", "weeks", "w"),
    "day": ("day", "days", "d"),
    "hour": ("hour", "hours", "h", "hr", "hrs"),
    "minute": ("minute", "minutes", "min", "mins"),
    "second": ("second", "seconds", "s", "sec", "secs"),
    "millisecond": ("millisecond", "milliseconds", "ms", "msec", "msecs"),
    "microsecond": ("microsecond", "microseconds", "us", "usec", "usecs"),
    "dow": ("dow", "dayofweek", "weekday", "dw"),
    "doy": ("doy", "dayofyear", "yearday", "dy"),
    "epoch": ("epoch",),
}
_NAMES = {name: part for part, names in _PARTS.items() for name in names}


def part(value: Value, name: str, without: tuple[str, ...] = ()) -> str:
    """The part of a date that an argument names, as a word or a literal."""
    word = (value.literal if value.literal is not None else value.label).lower()
    found = _NAMES.get(word)
    if found is None or found in without:
        raise refuse(f"the date part {word} in {name}", "see docs/standin.md for those it has")
    return found


def moment_of(value: Value, name: str) -> str:
    """A date, a timestamp or a literal of either, as a timestamp."""
    if value.type.kind not in ("date", "timestamp", "unknown"):
        raise refuse(f"{name} of {value.type}", "cast the argument to timestamp")
    return cast(value, TIMESTAMP).sql


def fixed(at: datetime | None, precise: bool) -> Value:
    """A clock's time as a literal; without a clock, the time at which the view is read."""
    if at is None:
        sql = "CAST((now() AT TIME ZONE 'UTC') AS TIMESTAMP)"
        return Value(sql if precise else f"date_trunc('second', {sql})", TIMESTAMP)
    at = at.replace(tzinfo=None) if precise else at.replace(tzinfo=None, microsecond=0)
    return Value(f"CAST('{at.isoformat(' ')}' AS TIMESTAMP)", TIMESTAMP)


def today(at: datetime | None) -> Value:
    """CURRENT_DATE."""
    return Value(f"CAST({fixed(at, True).sql} AS DATE)", DATE, "date")


def _getdate(name: str, given: list[Value], moment: Moment) -> Value:
    return fixed(moment.now, False)


def _dateadd(name: str, given: list[Value], moment: Moment) -> Value:
    unit, count = part(given[0], name, ("dow", "doy", "epoch")), given[1]
    if not count.type.is_integer:
        raise refuse(f"{name} of {count.type} {unit}s", "give an integer")
    number = f"CAST({count.sql} AS {'INTEGER' if unit in ('year', 'month', 'day') else 'BIGINT'})"
    if unit in ("quarter", "week"):
        number, unit = (
            f"CAST({count.sql} * {3 if unit == 'quarter' else 7} AS INTEGER)",
            ("month" if unit == "quarter" else "day"),
        )
    return Value(f"({moment_of(given[2], name)} + to_{unit}s({number}))", TIMESTAMP)


def _datediff(name: str, given: list[Value], moment: Moment) -> Value:
    unit = part(given[0], name, ("dow", "doy", "epoch", "week"))
    one, two = moment_of(given[1], name), moment_of(given[2], name)
    return Value(f"date_diff('{unit}', {one}, {two})", BIGINT)


def _date_trunc(name: str, given: list[Value], moment: Moment) -> Value:
    unit = part(given[0], name, ("dow", "doy", "epoch"))
    return Value(f"date_trunc('{unit}', {moment_of(given[1], name)})", TIMESTAMP)


def extract(unit: str, value: Value, name: str = "extract") -> Value:
    """EXTRACT(unit FROM value): an integer; of epoch, whole seconds only."""
    found = part(Value("", varchar(1), unit), name, ("millisecond", "microsecond"))
    at = moment_of(value, name)
    if found == "epoch":
        if value.type.kind != "date":
            at = f"date_trunc('second', {at})"
        return Value(f"CAST(epoch({at}) AS BIGINT)", BIGINT, "date_part")
    return Value(f"CAST(date_part('{found}', {at}) AS INTEGER)", INTEGER, "date_part")


def _whole_seconds(value: Value, name: str, failing: str) -> str:
    return bind(
        [moment_of(value, name)],
        lambda t: (
            f"(CASE WHEN {t[0]} <> date_trunc('second', {t[0]}) THEN {failing} ELSE {t[0]} END)"
        ),
    )


def _date_part(name: str, given: list[Value], moment: Moment) -> Value:
    word = given[0].literal if given[0].literal is not None else given[0].label
    if _NAMES.get(word.lower()) == "epoch" and given[1].type.kind != "date":
        failing = raising(
            "0A000",
            "'the local Redshift has no rule for date_part(epoch, …) of fractions of a second; "
            "use date_trunc(''second'', …) inside'",
        )
        given = [given[0], replace(given[1], sql=_whole_seconds(given[1], name, failing))]
        given[1] = replace(given[1], type=TIMESTAMP, literal=None)
    return Value(f"CAST({extract(word, given[1], name).sql} AS DOUBLE)", DOUBLE, places=0)


def _last_day(name: str, given: list[Value], moment: Moment) -> Value:
    return Value(f"last_day({moment_of(given[0], name)})", DATE)


def _add_months(name: str, given: list[Value], moment: Moment) -> Value:
    """The last day of a month stays the last day."""

    def make(texts: Sequence[str]) -> str:
        at, count = texts
        added = f"({at} + to_months({count}))"
        last = f"CAST({at} AS DATE) = last_day({at})"
        time = f"({at} - date_trunc('day', {at}))"
        return f"(CASE WHEN {last} THEN last_day({added}) + {time} ELSE {added} END)"

    at, count = moment_of(given[0], name), f"CAST({given[1].sql} AS INTEGER)"
    return Value(bind([at, count], make), TIMESTAMP)


_ZONE = re.compile(r"UTC|GMT|[A-Z][A-Za-z]+(/[A-Z][A-Za-z_\-]+)+")


def _convert_timezone(name: str, given: list[Value], moment: Moment) -> Value:
    zones = [given[0].literal, given[1].literal] if len(given) == 3 else ["UTC", given[0].literal]
    for zone in zones:
        if zone is None or not _ZONE.fullmatch(zone):
            raise refuse(f"the time zone {zone}", "give a name such as 'Asia/Seoul', as a literal")
    one, two = (string(str(zone)) for zone in zones)
    at = moment_of(given[-1], name)
    return Value(f"(({at} AT TIME ZONE {one}) AT TIME ZONE {two})", TIMESTAMP)


_FORMATS = {
    "YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d", "DDD": "%j", "HH24": "%H", "HH12": "%I",
    "HH": "%I", "MI": "%M", "SS": "%S", "MS": "%g", "US": "%f", "AM": "%p", "PM": "%p",
    "Mon": "%b", "Dy": "%a", "IW": "%V", "IYYY": "%G",
}  # fmt: skip
_TOKEN = re.compile(
    "|".join(sorted((*_FORMATS, "Q"), key=len, reverse=True)) + r'|"[^"]*"|[^A-Za-z"%]+|.'
)


def _strftime(words: str, name: str) -> list[str]:
    """The pieces of a format: of strftime, or `Q`, for which there is none."""
    pieces = [""]
    for token in _TOKEN.findall(words):
        if token == "Q":
            pieces += ["Q", ""]
        elif token in _FORMATS:
            pieces[-1] += _FORMATS[token]
        elif token.startswith('"') and len(token) > 1:
            pieces[-1] += token[1:-1].replace("%", "%%")
        elif not re.search(r'[A-Za-z"%]', token):
            pieces[-1] += token
        else:
            raise refuse(
                f"{token!r} in the format {words!r} of {name}",
                f"use {', '.join(_FORMATS)}, Q, signs and text in double quotes",
            )
    return pieces


def _to_char(name: str, given: list[Value], moment: Moment) -> Value:
    if given[1].literal is None or given[0].type.kind not in ("date", "timestamp"):
        raise refuse(f"{name} of {given[0].type}", "give a date or timestamp and a literal format")
    at = moment_of(given[0], name)
    made = [
        f"CAST(quarter({at}) AS VARCHAR)" if piece == "Q" else f"strftime({at}, {string(piece)})"
        for piece in _strftime(given[1].literal, name)
        if piece
    ]
    return Value(f"({' || '.join(made) or string('')})", varchar(256))


def _to_date(name: str, given: list[Value], moment: Moment) -> Value:
    if given[0].type.kind not in ("varchar", "unknown") or given[1].literal is None:
        raise refuse(f"{name} of {given[0].type}", "give a text and a literal format")
    pieces = _strftime(given[1].literal, name)
    if len(pieces) > 1 or not set(re.findall("%.", pieces[0])) <= {"%Y", "%m", "%d"}:
        raise refuse(f"the format {given[1].literal!r} in {name}", "use YYYY, MM and DD")
    if given[1].literal.count("YYYY") != 1:
        raise RedshiftError("22007", f"{name}: the format {given[1].literal!r} has no year")
    return Value(f"CAST(strptime({given[0].sql}, {string(pieces[0])}) AS DATE)", DATE)


RULES: dict[str, tuple[int, int, Rule]] = {
    "getdate": (0, 0, _getdate),
    **dict.fromkeys(("dateadd", "date_add"), (3, 3, _dateadd)),
    **dict.fromkeys(("datediff", "date_diff"), (3, 3, _datediff)),
    "date_trunc": (2, 2, _date_trunc),
    **dict.fromkeys(("date_part", "datepart"), (2, 2, _date_part)),
    "last_day": (1, 1, _last_day),
    "add_months": (2, 2, _add_months),
    "convert_timezone": (2, 3, _convert_timezone),
    "to_char": (2, 2, _to_char),
    "to_date": (2, 2, _to_date),
}
