"""Functions of PostgreSQL's catalogue that clients call on `client_views`. Other functions: `functions`."""

from __future__ import annotations

from orderhe_dagster.redshift_standin.arguments import Arguments, Moment, Rule, whole
from orderhe_dagster.redshift_standin.casts import Value
from orderhe_dagster.redshift_standin.client_views import TYPES
from orderhe_dagster.redshift_standin.dialect import string
from orderhe_dagster.redshift_standin.types import varchar

_PLAIN = {
    "double": "double precision", "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
}  # fmt: skip
_SIZED = {"varchar": "character varying", "char": "character", "varbyte": "binary varying"}


def _format_type(name: str, given: Arguments, moment: Moment) -> Value:
    """format_type(the number of a type, its modifier): its name, as pg_attribute's columns give them."""
    number, modifier = (whole(value, name) for value in given)
    cases = []
    for kind, (oid, _) in TYPES.items():
        if kind in _SIZED:
            said = f"{string(_SIZED[kind] + '(')} || CAST({modifier} - 4 AS VARCHAR) || ')'"
        elif kind == "decimal":
            digits = f"CAST(({modifier} - 4) // 65536 AS VARCHAR)"
            said = (
                f"'numeric(' || {digits} || ',' || CAST(({modifier} - 4) % 65536 AS VARCHAR) || ')'"
            )
        else:
            said = string(_PLAIN.get(kind, kind))
        cases.append(f"WHEN {oid} THEN {said}")
    return Value(f"(CASE {number} {' '.join(cases)} END)", varchar(256))


RULES: dict[str, tuple[int, int, Rule]] = {"format_type": (2, 2, _format_type)}
