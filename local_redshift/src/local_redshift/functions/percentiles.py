"""Percentiles of exact numbers without a rounding error, and of floats. Other aggregates: `aggregates`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from local_redshift.errors import raising, refuse
from local_redshift.read.dialect import string
from local_redshift.values.arithmetic import placed
from local_redshift.values.casts import convert
from local_redshift.values.subexpressions import bind
from local_redshift.values.types import DOUBLE, FLOATS, as_decimal, decimal
from local_redshift.values.value import Value

_MOST_DIGITS = 19  # beyond, intermediate results may leave 38 digits


def _values(sql: str, over: str) -> str:
    """The values of a group in order, without NULL."""
    return f"list({sql} ORDER BY {sql}) FILTER ({sql} IS NOT NULL){over}"


def _parts(share: str) -> tuple[int, int]:
    """A share as a fraction: so many of so many."""
    whole, _, places = share.partition(".")
    return int((whole or "0") + places), 10 ** len(places)


def continuous(by: Value, share: str, over: str, name: str) -> Value:
    """MEDIAN and PERCENTILE_CONT: between two values, in proportion.

    Of exact numbers the result is a DECIMAL whose scale is not documented: Amazon's examples show a
    place for integers. A value that needs more places than that is refused.
    """
    if by.type.kind in FLOATS:
        quantile = f"quantile_cont({convert(by, DOUBLE)}, {share}){over}"
        return Value(quantile, DOUBLE, name)
    if not by.type.is_exact or as_decimal(by.type).precision > _MOST_DIGITS:
        raise refuse(f"{name} of {by.type}", "cast to float8, or to fewer digits")
    given = as_decimal(by.type)
    scale = max(given.scale, 1)
    result = replace(decimal(min(given.precision + 2, 38), scale), doubt="scale")
    many, of = _parts(share)
    failing = raising(
        "0A000",
        string(
            f"the local Redshift has no rule for {name} where the result needs more than {scale} "
            "places: how many Redshift keeps is not documented; cast to float8"
        ),
    )
    shift = 10 ** (scale - given.scale)
    unit = f"CAST({10**given.scale * shift} AS DECIMAL(38,0))"

    def make(texts: Sequence[str]) -> str:
        values = texts[0]
        at = f"({of} + {many} * (len({values}) - 1))"
        low, rest = f"CAST({at} // {of} AS BIGINT)", f"({at} % {of})"

        def whole(place: str) -> str:
            value = f"CAST({values}[{place}] AS DECIMAL(38,{given.scale}))"
            return f"CAST({value} * {unit} AS HUGEINT)"

        above = f"coalesce({whole(f'{low} + 1')}, 0)"
        total = f"({whole(low)} * ({of} - {rest}) + {above} * {rest})"
        exact = placed(f"({total} // {of})", result)
        return (
            f"(CASE WHEN len({values}) IS NULL OR len({values}) = 0 THEN NULL "
            f"WHEN {total} % {of} <> 0 THEN {failing} ELSE {exact} END)"
        )

    return Value(bind([_values(by.sql, over)], make), result, name)


def discrete(by: Value, share: str, over: str, name: str) -> Value:
    """PERCENTILE_DISC: the first value at or beyond the share."""
    if not by.type.is_number and by.type.kind not in ("date", "timestamp"):
        raise refuse(f"{name} of {by.type}", "give a number, a date or a timestamp")
    many, of = _parts(share)

    def make(texts: Sequence[str]) -> str:
        values = texts[0]
        place = f"greatest(({many} * len({values}) + {of - 1}) // {of}, 1)"
        return f"{values}[CAST({place} AS BIGINT)]"

    return Value(bind([_values(by.sql, over)], make), by.type, name)
