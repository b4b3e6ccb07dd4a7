"""A compiled query's result: the text that DuckDB runs, and whether what came is what was predicted."""

from __future__ import annotations

from datetime import timezone
from typing import Any

from local_redshift.database.results import Row
from local_redshift.errors import RedshiftError
from local_redshift.values.scope import Query


def zoned(query: Query) -> list[int]:
    """The places of the columns that hold moments with a zone."""
    return [place for place, (_, type_) in enumerate(query.columns) if type_.kind == "timestamptz"]


def text(query: Query) -> str:
    """The DuckDB text: moments with a zone as they are in UTC, since the driver has its own ideas."""
    places = zoned(query)
    if not places:
        return query.sql
    names = [f"c{place}" for place in range(len(query.columns))]
    listed = ", ".join(
        f"({c} AT TIME ZONE 'UTC')" if place in places else c for place, c in enumerate(names)
    )
    return f'SELECT {listed} FROM ({query.sql}) AS "_z"({", ".join(names)})'


def check(query: Query, description: Any) -> None:
    """XX000 when DuckDB's types are not those that were predicted: refused rather than wrong."""
    for (column, type_), described in zip(query.columns, description or (), strict=True):
        if type_.doubt == "null":  # DuckDB has a type of its own for NULL
            continue
        carrier = "TIMESTAMP" if type_.kind == "timestamptz" else type_.carrier
        if str(described[1]) != carrier:
            raise RedshiftError(
                "XX000",
                f"the local Redshift computed {column} as {described[1]}, not as {type_}: refused "
                "rather than wrong; cast it to the type you mean, and report it",
            )


def in_utc(row: Row, places: list[int]) -> Row:
    """A row whose moments at these places say that they are in UTC."""
    return tuple(
        value.replace(tzinfo=timezone.utc) if place in places and value is not None else value
        for place, value in enumerate(row)
    )
