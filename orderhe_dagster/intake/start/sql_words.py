"""Pieces of Redshift's SQL about a contract's columns: names, keys, amounts, days. Whole files: `models`."""

from __future__ import annotations

import re
from functools import cache

from orderhe_dagster.catalog.table import Column, Table
from orderhe_dagster.catalog.types import redshift_text
from orderhe_dagster.intake.start.roles import Rule
from orderhe_dagster.intake.start.words import words_of

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_LEAST_DIGITS = 18
_FLOAT_PLACES = 4
_CENT_PLACES = 2
_SUM_DIGITS = 24  # before the point
_MOST_PLACES = 8
"""No currency has more; Prisma writes its amounts with 30, which leave no digit to add up with."""
_MOST_SUM_PLACES = 12


@cache
def _reserved() -> frozenset[str]:
    from sqlglot.dialects.redshift import Redshift

    return frozenset(word.lower() for word in Redshift.Generator.RESERVED_KEYWORDS)


def named(name: str) -> str:
    """A name as SQL writes it: in quotes where it needs them."""
    if _PLAIN.fullmatch(name.lower()) and name.lower() not in _reserved():
        return name if _PLAIN.fullmatch(name) else name.lower()
    return '"' + name.replace('"', '""') + '"'


def relation(table: Table) -> str:
    """The warehouse's table of a contract."""
    return f"warehouse.{named(table.name)}"


def column(alias: str, name: str) -> str:
    """A column of an alias."""
    return f"{alias}.{named(name)}"


def text_literal(text: str) -> str:
    """A text in quotes."""
    return "'" + text.replace("'", "''") + "'"


def key_of(alias: str, key: Column, *, may_be_none: bool = False) -> str:
    """A key as the models have it: bytes as hexadecimal text, and 0 or '' as NULL where that is nobody."""
    sql, kind = column(alias, key.name), key.type
    if kind.kind == "varbyte":
        return f"to_hex({sql})::varchar({2 * kind.length})"
    if not may_be_none:
        return f"{sql}::{redshift_text(kind)}"
    return (
        f"nullif({sql}, {text_literal('') if kind.kind == 'varchar' else 0})::{redshift_text(kind)}"
    )


_OF_KEYS = frozenset(("id", "ids", "no", "code", "key", "uid", "uuid", "guid", "number"))


def is_personal(key: Column) -> bool:
    """Whether a column that says who ordered holds addresses or names: nobody's stands in a mart."""
    if key.type.kind != "varchar":
        return False
    return "mail" in key.name.lower() or not _OF_KEYS & {*words_of(key.name)}


def person_of(alias: str, key: Column) -> str:
    """Who ordered, as the models have it: a key, or what cannot be read back of an address or name."""
    if is_personal(key):
        return f"sha2(lower(trim(nullif({column(alias, key.name)}, ''))), 256)::varchar(64)"
    return key_of(alias, key, may_be_none=True)


def status_of(alias: str, status: Column) -> str:
    """A status as text."""
    sql, kind = column(alias, status.name), status.type
    if kind.kind == "varbyte":
        return f"to_hex({sql})::varchar({2 * kind.length})"
    return f"{sql}::{redshift_text(kind)}" if kind.kind == "varchar" else f"{sql}::varchar(40)"


def number_of(sql: str, number: Column) -> str:
    """A number as it can be added up exactly: floats with four places, cents as hundredths, nothing as 0."""
    kind = number.type
    there = f"coalesce({sql}, 0)" if number.nullable else sql
    if kind.kind in ("double", "real"):
        there = f"round({there}::float8, {_FLOAT_PLACES})"
    if is_in_cents(number):
        there = f"({there} * 0.01)"
    return f"{there}::{number_type(number)}"


def is_in_cents(number: Column) -> bool:
    """Whether a column of whole numbers has hundredths of an amount, as its name says: `total_cents`."""
    return number.type.kind in ("integer", "bigint") and words_of(number.name)[-1:] == ("cent",)


def number_type(number: Column) -> str:
    """The type of `number_of`."""
    kind = number.type
    if is_in_cents(number):
        return f"decimal({_LEAST_DIGITS}, {_CENT_PLACES})"
    if kind.kind in ("double", "real"):
        return f"decimal({_LEAST_DIGITS}, {_FLOAT_PLACES})"
    if kind.kind == "decimal":
        places = min(kind.scale, _MOST_PLACES)
        return f"decimal({max(kind.precision - kind.scale + places, _LEAST_DIGITS)}, {places})"
    return "bigint"


def sum_type(number: Column) -> str:
    """The type of a sum of such numbers."""
    return sum_of_places(places_of(number))


def sum_of_places(places: int | None) -> str:
    """The type of a sum of numbers of so many places: one that two of may be added up and taken off."""
    if places is None:
        return "bigint"
    places = min(places, _MOST_SUM_PLACES)
    return f"decimal({_SUM_DIGITS + places}, {places})"


def places_of(number: Column) -> int | None:
    """How many places a number of `number_of` has; None: it is a bigint."""
    kind = number.type
    if is_in_cents(number):
        return _CENT_PLACES
    if kind.kind in ("double", "real"):
        return _FLOAT_PLACES
    return min(kind.scale, _MOST_PLACES) if kind.kind == "decimal" else None


def is_in_utc(day: Column) -> bool:
    """Whether a column holds moments in UTC: by its type, or by its name where its type has no zone."""
    return day.type.instant or (
        day.type.kind == "timestamp" and not {"gmt", "utc"}.isdisjoint(words_of(day.name))
    )


def day_of(alias: str, day: Column, time_zone: str) -> str:
    """The shop's day of a date or time: a moment in UTC is told in the shop's zone."""
    sql = column(alias, day.name)
    if day.type.kind == "date":
        return sql
    if is_in_utc(day) and time_zone != "UTC":
        return f"convert_timezone('UTC', {text_literal(time_zone)}, {sql})::date"
    return f"{sql}::date"


def conditions(alias: str, rules: tuple[Rule, ...]) -> list[str]:
    """What rows must meet to count."""
    return [rule.condition.format(column=column(alias, rule.column)) for rule in rules]
