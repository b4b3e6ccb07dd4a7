"""A compiled query's result: the text that DuckDB runs, and whether what came is what was predicted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timezone
from typing import Any, NoReturn

from local_redshift.database.results import Row
from local_redshift.errors import RedshiftError
from local_redshift.values.scope import Query
from local_redshift.values.types import Type, certain

NO_PLAN_OF_AMAZON_S = "-- the local Redshift's plan: DuckDB's own, not Amazon Redshift's"
_ARRAY_ROWS = 2048  # what DuckDB computes at once

Shape = Callable[[Sequence[tuple[str, str]], str], str | None]
"""Columns, by their DuckDB names and Redshift types, and what they are in, as it stands after FROM, to a
select of one column; None: none for these.

A moment with a zone is a timestamp in UTC there. The select must keep the rows' number and order.
"""


def zoned(query: Query) -> list[int]:
    """The places of the columns that hold moments with a zone."""
    return [place for place, (_, type_) in enumerate(query.columns) if type_.kind == "timestamptz"]


def text(query: Query) -> str:
    """The DuckDB text of what a client is given.

    Moments with a zone are as they are in UTC, since the driver has its own ideas; chars have the blanks
    up to their length, which are not kept.
    """
    for name, type_ in query.columns:
        if type_.doubt == "blanks":
            certain(type_, f"{name}:")
    if not any(type_.kind in ("timestamptz", "char") for _, type_ in query.columns):
        return query.sql
    names = _names(query)
    listed = ", ".join(_given(c, type_) for c, (_, type_) in zip(names, query.columns, strict=True))
    return f'SELECT {listed} FROM ({query.sql}) AS "_z"({", ".join(names)})'


def _given(column: str, type_: Type) -> str:
    if type_.kind == "timestamptz":
        return f"({column} AT TIME ZONE 'UTC')"
    return f"rpad({column}, {type_.length}, ' ')" if type_.kind == "char" else column


def shaped(query: Query, shape: Shape) -> str | None:
    """The DuckDB text of what `shape` makes of the rows; None: of nothing."""
    names, types = _names(query), [str(type_) for _, type_ in query.columns]
    columns = list(zip(names, types, strict=True))
    return shape(columns, f'({text(query)}) AS "_s"({", ".join(names)})')


class Arrays:
    """Runs a `shaped` text; `fetchmany` gives one Arrow array at a time, `rows` says of how many rows."""

    def __init__(self, connection: Any, text: str, cancelled: Callable[[], bool]) -> None:
        self._connection, self._text, self._cancelled = connection, text, cancelled
        self._reader = connection.execute(text).to_arrow_reader(_ARRAY_ROWS)
        self.rows = 0

    def fetchmany(self, _most: int) -> list[Row]:
        """The next array; none: that was all."""
        import pyarrow as pa

        try:
            batch = self._reader.read_next_batch()
        except StopIteration:
            return []
        except (OSError, pa.ArrowException) as error:
            if self._cancelled():
                raise RedshiftError("57014", "Query cancelled on user's request") from error
            self._fail(error)
        self.rows += batch.num_rows
        return [(batch.column(0),)]

    def _fail(self, error: Exception) -> NoReturn:
        """Run it again row by row, for DuckDB's own error.

        Arrow has no more than words, and these are often of a thread that was stopped after another.
        """
        cursor = self._connection.execute(self._text)
        while cursor.fetchmany(_ARRAY_ROWS):
            pass
        raise RedshiftError("XX000", str(error)) from error


def _names(query: Query) -> list[str]:
    return [f"c{place}" for place in range(len(query.columns))]


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
