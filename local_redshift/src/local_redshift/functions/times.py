"""The functions of days and moments. Zones are IANA names; the session's zone is UTC."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction

from local_redshift.errors import RedshiftError, raising, refuse
from local_redshift.read.dialect import string
from local_redshift.values.arguments import Context, Rule
from local_redshift.values.casts import cast
from local_redshift.values.subexpressions import bind
from local_redshift.values.types import (
    BIGINT,
    DATE,
    DOUBLE,
    INTEGER,
    INTERVAL,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    varchar,
)
from local_redshift.values.value import Value

_PARTS = {
    "year": ("year", "years", "y", "yr", "yrs"),
    "quarter": ("quarter", "quarters", "qtr", "qtrs"),
    "month": ("month", "months", "mon", "mons"),
    "week": ("week", "weeks", "w"),
    "day": ("day", "days", "d"),
    "hour": ("hour", "hours", "h", "hr", "hrs"),
    "minute": ("minute", "minutes", "m", "min", "mins"),
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
    unit = _NAMES.get(word)
    if unit is None or unit in without:
        raise refuse(
            f"the date part {word} in {name}",
            "see docs/reference.md of local-redshift for those it has",
        )
    return unit


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


def _getdate(name: str, given: list[Value], context: Context) -> Value:
    return fixed(context.now, False)


def _dateadd(name: str, given: list[Value], context: Context) -> Value:
    unit, count = part(given[0], name, ("dow", "doy", "epoch")), given[1]
    if not count.type.is_integer:
        raise refuse(f"{name} of {count.type} {unit}s", "give an integer")
    number = f"CAST({count.sql} AS {'INTEGER' if unit in ('year', 'month', 'day') else 'BIGINT'})"
    if unit in ("quarter", "week"):
        number, unit = (
            f"CAST({count.sql} * {3 if unit == 'quarter' else 7} AS INTEGER)",
            ("month" if unit == "quarter" else "day"),
        )
    if given[2].type.kind == "time":
        _of_clock(unit, name)
        return Value(f"({given[2].sql} + to_{unit}s({number}))", TIME)
    return Value(f"({moment_of(given[2], name)} + to_{unit}s({number}))", TIMESTAMP)


def _of_clock(unit: str, name: str) -> None:
    """Refuse a part that a time of day has not."""
    if unit not in ("hour", "minute", "second"):
        raise refuse(f"{name} of a time by the {unit}", "use hour, minute or second")


def _datediff(name: str, given: list[Value], context: Context) -> Value:
    unit = part(given[0], name, ("dow", "doy", "epoch"))
    if given[1].type.kind == given[2].type.kind == "time":
        _of_clock(unit, name)
        return Value(f"date_diff('{unit}', {given[1].sql}, {given[2].sql})", BIGINT)
    one, two = moment_of(given[1], name), moment_of(given[2], name)
    if unit == "week":
        return _weeks(one, two)
    return Value(f"date_diff('{unit}', {one}, {two})", BIGINT)


def _weeks(one: str, two: str) -> Value:
    """Weeks between: on which day one begins is not documented, so both must give the same."""
    failing = raising(
        "0A000",
        "'the local Redshift has no rule for datediff(week, …) where the weeks that begin on Monday "
        "and those that begin on Sunday count differently; use datediff(day, …) / 7 or date_trunc'",
    )

    def count(days: int, texts: Sequence[str]) -> str:
        begins = [f"date_trunc('week', {text} + to_days({days}))" for text in texts]
        return f"(date_diff('day', {begins[0]}, {begins[1]}) // 7)"

    def make(texts: Sequence[str]) -> str:
        monday, sunday = count(0, texts), count(1, texts)
        return f"(CASE WHEN {monday} <> {sunday} THEN {failing} ELSE {monday} END)"

    return Value(bind([one, two], make), BIGINT)


def _date_trunc(name: str, given: list[Value], context: Context) -> Value:
    unit = part(given[0], name, ("dow", "doy", "epoch"))
    return Value(f"date_trunc('{unit}', {moment_of(given[1], name)})", TIMESTAMP)


def extract(unit: str, value: Value, name: str = "extract") -> Value:
    """EXTRACT(unit FROM value): an integer; of epoch, whole seconds only."""
    which = part(Value("", varchar(1), unit), name, ("millisecond", "microsecond"))
    if value.type.kind == "time":
        _of_clock(which, name)
        return Value(f"CAST(date_part('{which}', {value.sql}) AS INTEGER)", INTEGER, "date_part")
    at = moment_of(value, name)
    if which == "epoch":
        if value.type.kind != "date":
            at = f"date_trunc('second', {at})"
        return Value(f"CAST(epoch({at}) AS BIGINT)", BIGINT, "date_part")
    return Value(f"CAST(date_part('{which}', {at}) AS INTEGER)", INTEGER, "date_part")


def _whole_seconds(value: Value, name: str, failing: str) -> str:
    return bind(
        [moment_of(value, name)],
        lambda t: (
            f"(CASE WHEN {t[0]} <> date_trunc('second', {t[0]}) THEN {failing} ELSE {t[0]} END)"
        ),
    )


def _date_part(name: str, given: list[Value], context: Context) -> Value:
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


def _last_day(name: str, given: list[Value], context: Context) -> Value:
    return Value(f"last_day({moment_of(given[0], name)})", DATE)


def _add_months(name: str, given: list[Value], context: Context) -> Value:
    """The last day of a month stays the last day."""

    def make(texts: Sequence[str]) -> str:
        at, count = texts
        added = f"({at} + to_months({count}))"
        last = f"CAST({at} AS DATE) = last_day({at})"
        time = f"({at} - date_trunc('day', {at}))"
        return f"(CASE WHEN {last} THEN last_day({added}) + {time} ELSE {added} END)"

    at, count = moment_of(given[0], name), f"CAST({given[1].sql} AS INTEGER)"
    return Value(bind([at, count], make), TIMESTAMP)


def _months_between(name: str, given: list[Value], context: Context) -> Value:
    """Whole between the same days, or the last ones, of two months; otherwise in 31sts."""

    def make(texts: Sequence[str]) -> str:
        one, two = texts
        months = f"((year({one}) - year({two})) * 12 + month({one}) - month({two}))"
        lasts = [f"CAST({text} AS DATE) = last_day({text})" for text in texts]
        whole = f"day({one}) = day({two}) OR ({lasts[0]} AND {lasts[1]})"
        seconds = [f"(epoch({text}) - epoch(date_trunc('month', {text})))" for text in texts]
        share = f"({seconds[0]} - {seconds[1]}) / 2678400.0"
        return f"(CASE WHEN {whole} THEN CAST({months} AS DOUBLE) ELSE {months} + {share} END)"

    moments = [moment_of(value, name) for value in given]
    return Value(f"CAST({bind(moments, make)} AS DOUBLE)", DOUBLE)


_DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
_DAY_WORDS = {
    "m": 0, "mon": 0, "monday": 0, "tues": 1, "tuesday": 1, "w": 2, "wed": 2, "wednesday": 2,
    "thu": 3, "thurs": 3, "thursday": 3, "f": 4, "fri": 4, "friday": 4, "sat": 5, "saturday": 5,
    "sun": 6, "sunday": 6, **{word: place for place, word in enumerate(_DAYS)},
}  # fmt: skip


def _next_day(name: str, given: list[Value], context: Context) -> Value:
    word = (given[1].literal or "").lower()
    if word not in _DAY_WORDS:
        raise refuse(f"the day {word!r} in {name}", "write its English name, as a literal")

    def make(texts: Sequence[str]) -> str:
        ahead = f"((({_DAY_WORDS[word]} - isodow({texts[0]}) + 7) % 7) + 1)"
        return f"({texts[0]} + CAST({ahead} AS INTEGER))"

    return Value(bind([f"CAST({moment_of(given[0], name)} AS DATE)"], make), DATE)


_QUANTITY = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*,?\s*")
_SECONDS = {"week": 604_800, "day": 86_400, "hour": 3_600, "minute": 60, "second": 1}


def interval(words: str) -> Value:
    """An interval literal: quantities with their parts; a number alone counts seconds."""
    months, days, micros, at = 0, 0, 0, 0
    words = words.strip()
    while at < len(words):
        match = _QUANTITY.match(words, at)
        if match is None:
            raise refuse(f"the interval {words!r}", "write it as '3 days' or '1 day, 2 hours'")
        at = match.end()
        unit = part(
            Value("", varchar(1), match[2] or "second"), "interval", ("dow", "doy", "epoch")
        )
        number = Fraction(match[1])
        per_month = {"month": 1, "quarter": 3, "year": 12}.get(unit)
        if per_month is not None:
            if number.denominator != 1:
                raise refuse(f"a fraction of a {unit} in an interval", "write months or days")
            months += int(number) * per_month
        elif unit in ("day", "week") and number.denominator == 1:
            days += int(number) * (7 if unit == "week" else 1)
        else:
            seconds = Fraction(_SECONDS.get(unit, 1), {"millisecond": 1000}.get(unit, 1))
            micros += int(number * (seconds * 1_000_000 if unit != "microsecond" else 1))
    if not words:
        raise RedshiftError("22007", 'invalid input syntax for type interval: ""')
    span = f"INTERVAL '{months} months {days} days {micros} microseconds'"
    return Value(span, INTERVAL)


_ZONE = re.compile(r"UTC|GMT|[A-Z][A-Za-z]+(/[A-Z][A-Za-z_\-]+)+")


def _convert_timezone(name: str, given: list[Value], context: Context) -> Value:
    zones = [given[0].literal, given[1].literal] if len(given) == 3 else ["UTC", given[0].literal]
    for zone in zones:
        if zone is None or not _ZONE.fullmatch(zone):
            raise refuse(f"the time zone {zone}", "give a name such as 'Asia/Seoul', as a literal")
    one, two = (string(str(zone)) for zone in zones)
    at = moment_of(given[-1], name)
    return Value(f"(({at} AT TIME ZONE {one}) AT TIME ZONE {two})", TIMESTAMP)


def at_zone(value: Value, zone: Value) -> Value:
    """`value AT TIME ZONE zone`: a timestamp gains a zone, a timestamptz loses it."""
    if zone.literal is None or not _ZONE.fullmatch(zone.literal):
        raise refuse(f"the time zone {zone.literal}", "give a name such as 'Asia/Seoul'")
    if value.type.kind == "timestamptz":
        return Value(f"({value.sql} AT TIME ZONE {string(zone.literal)})", TIMESTAMP, "timezone")
    if value.type.kind != "timestamp":
        raise refuse(f"{value.type} at time zone", "cast it to timestamp or timestamptz")
    return Value(f"({value.sql} AT TIME ZONE {string(zone.literal)})", TIMESTAMPTZ, "timezone")


RULES: dict[str, tuple[int, int, Rule]] = {
    "getdate": (0, 0, _getdate),
    **dict.fromkeys(("dateadd", "date_add"), (3, 3, _dateadd)),
    **dict.fromkeys(("datediff", "date_diff"), (3, 3, _datediff)),
    "date_trunc": (2, 2, _date_trunc),
    **dict.fromkeys(("date_part", "datepart"), (2, 2, _date_part)),
    "last_day": (1, 1, _last_day),
    "months_between": (2, 2, _months_between),
    "next_day": (2, 2, _next_day),
    "add_months": (2, 2, _add_months),
    "convert_timezone": (2, 3, _convert_timezone),
}
