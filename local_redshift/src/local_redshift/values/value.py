"""A compiled expression: its text, its type, and what else is known of it. What casts do: `casts`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod

from local_redshift.errors import raising
from local_redshift.read.dialect import string
from local_redshift.values.subexpressions import shared, within
from local_redshift.values.types import Type

_MOST_VARIANTS = 8


@dataclass(frozen=True)
class Value:
    """A compiled expression: DuckDB text, its Redshift type and the label Redshift gives it.

    `literal` is the text of a bare string or number (None: not a literal); `hexadecimal` says that
    the text can hold hexadecimal digits only; `places` that a float was rounded to so many. `others` are
    texts that are as good as `sql`, as far as Redshift's documentation goes: see `settle`.
    """

    sql: str
    type: Type
    label: str = "?column?"
    literal: str | None = None
    hexadecimal: bool = False
    places: int | None = None
    others: tuple[str, ...] = ()
    operands: tuple[str, ...] = ()  # what `sql` and `others` are made of alike

    def __post_init__(self) -> None:
        within(self.sql)


def vary(make: Callable[[list[Value]], Value], values: list[Value]) -> Value:
    """What `make` gives of the values, carrying along what it gives of their `others`."""
    options = [[value.sql, *value.others] for value in values]
    if prod(map(len, options)) > _MOST_VARIANTS:
        return make([settle(value) for value in values])
    results: list[Value] = []
    for texts in product(*options):
        chosen = [replace(v, sql=t, others=()) for v, t in zip(values, texts, strict=True)]
        results.append(make(chosen))
    sqls = [sql for value in results for sql in (value.sql, *value.others)]
    others = tuple(dict.fromkeys(sql for sql in sqls if sql != results[0].sql))
    operands = tuple(text for value in (*values, *results) for text in value.operands)
    return replace(results[0], others=others, operands=operands if others else ())


def settle(value: Value) -> Value:
    """A value that is certain: where its `others` differ from it, the statement fails.

    Whether Redshift rounds or cuts the last digit of a quotient of decimals is not documented.
    Where both give the same, or are rounded to the same, nobody can tell; elsewhere it is refused.
    """
    if not value.others:
        return value
    words = (
        f"the local Redshift cannot tell the last digit of a {value.type} quotient: whether Amazon "
        "Redshift rounds or cuts it is not documented; round() or cast it to fewer places, or go "
        "by way of floats: round(a::float8 / b, 2)::decimal(18, 2), of an average "
        "round(avg(x::float8), 2)::decimal(18, 2)"
    )
    failing = raising("0A000", string(words))

    def make(texts: Sequence[str]) -> str:
        one, *others = texts
        same = " AND ".join(f"{one} = {other}" for other in others)
        return f"(CASE WHEN {one} IS NULL OR ({same}) THEN {one} ELSE {failing} END)"

    sql = shared(value.operands, [value.sql, *value.others], make)
    return replace(value, sql=sql, others=(), operands=())
