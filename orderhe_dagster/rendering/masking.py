"""Personal data kept out of what people and logs see: masks for rows, and for words of a database.

Which columns are personal is the catalogue's to say.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from orderhe_dagster.catalog.table import Catalogue, TableRef
from orderhe_dagster.ports.errors import StatementError

MASK = "•••"

_QUOTED = re.compile(r"""['"].*['"]""", re.DOTALL)
_NUMBER = re.compile(r"(?<!\w)-?\d[\d.,:+-]*(?!\w)")
_ABOUT_NAMES = ("0A", "42")
"""Classes of SQLSTATE whose words name tables, columns and functions, never values."""


def masked(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    personal: Collection[str],
    places: Collection[int] = (),
) -> list[tuple[Any, ...]]:
    """The rows, with a mask over what is not NULL in columns called as in `personal`, or at `places`.

    Names are compared without regard to capitals, as a warehouse does; places count from 0.
    """
    names = {name.lower() for name in personal}
    hidden = {
        place for place, name in enumerate(columns) if place in places or name.lower() in names
    }
    return [
        tuple(
            MASK if place in hidden and value is not None else value
            for place, value in enumerate(row)
        )
        for row in rows
    ]


def reads_personal_data(catalogue: Catalogue, upstream: Iterable[TableRef]) -> bool:
    """Whether any of the tables holds personal data."""
    return any(column.pii for ref in upstream for column in catalogue.get(ref).columns)


@contextmanager
def hiding_values(needed: bool) -> Iterator[None]:
    """Where `needed`, a StatementError passes without the values that the database quoted.

    The error it came from is cut off: it would be written into the run's history with it.
    """
    try:
        yield
    except StatementError as error:
        if not needed or error.code.startswith(_ABOUT_NAMES):
            raise
        message = without_values(error.message)
        if message == error.message:
            raise
        hint = "values are hidden, they may be personal data: `orderhe query` shows them"
        raise StatementError(f"{message} ({hint})", error.code, error.statement) from None


def without_values(message: str) -> str:
    """What a database said, without what it quoted and without numbers.

    From the first quotation mark to the last: a value may hold such marks itself.
    """
    return _NUMBER.sub(MASK, _QUOTED.sub(MASK, message))
