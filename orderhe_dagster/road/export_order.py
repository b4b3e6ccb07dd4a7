"""In which order the rows of an export stand, and whether months one after another keep it.

A select that sorts by its day first does; of any other, months would be out of order. Nothing is read here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.catalog.tokens import Word, tokenize

_WHOLE = {"LIMIT", "OFFSET", "TOP", "UNION", "INTERSECT", "EXCEPT", "MINUS", "DISTINCT"}
"""Words of a select that no month has a share of, or that lets no column join the others."""
_DIRECTIONS = {("ASC",), ("DESC",), ("NULLS", "FIRST"), ("NULLS", "LAST")}


@dataclass(frozen=True)
class MonthOrder:
    """The rows of an export without their order, as a select, and what some of them are ordered by."""

    rows: str
    by: str


def month_order(table: Table) -> MonthOrder | None:
    """How to sort the rows of a month; None where months, one after another, are not in the select's order.

    Rows that the select does not sort stand by day and grain.
    """
    words = tokenize(table.path, table.sql, "redshift")
    top = list(_outside_brackets(words))
    bare = {words[at].upper for at in top}
    if bare & _WHOLE:
        return None
    places = {words[at].upper: at for at in top}  # of a word that comes several times, the last
    if "ORDER" not in places:
        by = [table.partition or "", *(name for name in table.grain if name != table.partition)]
        return MonthOrder(table.sql, ddl.quoted_names(by))
    begin, select, source = places["ORDER"], places["SELECT"], places["FROM"]
    items = [_expression(item) for item in _listed(words[select + 1 : source])]
    added: list[str] = []
    sorts: list[str] = []
    for number, term in enumerate(_listed(words[begin + 2 :])):
        value, direction = _cut(term)
        output = _named(value, table.column_names)
        if number == 0 and (
            (output or _showing(value, items, table.column_names)) != table.partition
            or {"DESC", "FIRST"} & {*direction}
        ):
            return None
        name = ddl.quoted(output or f"_order_{number}")
        if output is None:  # what it sorts by may be shown by another type, which sorts otherwise
            added.append(f", {table.sql[value[0].start : value[-1].stop]} as {name}")
        sorts.append(" ".join([name, *direction]))
    rows = (
        f"{table.sql[: words[source].start].rstrip(' ')}"
        f"{''.join(added)}\n{table.sql[words[source].start : words[begin].start]}"
    )
    return MonthOrder(rows, ", ".join(sorts))


def _outside_brackets(words: Sequence[Word]) -> Iterator[int]:
    depth = 0
    for at, word in enumerate(words):
        if word.upper == ")":
            depth -= 1
        if depth == 0:
            yield at
        if word.upper == "(":
            depth += 1


def _listed(words: Sequence[Word]) -> list[Sequence[Word]]:
    """A list's items, which commas outside of brackets part."""
    commas = [at for at in _outside_brackets(words) if words[at].upper == ","]
    begins, ends = [0, *(at + 1 for at in commas)], [*commas, len(words)]
    return [words[begin:end] for begin, end in zip(begins, ends, strict=True)]


def _expression(item: Sequence[Word]) -> tuple[str, ...]:
    """An output's value without its name and its cast to the type that it is declared with."""
    value = list(item[:-1])
    if value and value[-1].upper == "AS":
        value.pop()
    for at in _outside_brackets(value):
        if value[at].upper == "::":
            value = value[:at]
            break
    return _texts(value)


def _texts(words: Sequence[Word]) -> tuple[str, ...]:
    return tuple(word.text if word.sort == "string" else word.text.lower() for word in words)


def _cut(term: Sequence[Word]) -> tuple[Sequence[Word], list[str]]:
    """What a term sorts by, and the words behind it that say how."""
    direction: list[str] = []
    while True:
        for words in _DIRECTIONS:
            if tuple(word.upper for word in term[-len(words) :]) == words and len(term) > len(
                words
            ):
                direction = [*words, *direction]
                term = term[: -len(words)]
                break
        else:
            return term, direction


def _named(value: Sequence[Word], names: Sequence[str]) -> str | None:
    """The output that a term is the name or the number of."""
    if len(value) != 1:
        return None
    (text,) = _texts(value)
    if value[0].sort == "number" and text.isdecimal() and 0 < int(text) <= len(names):
        return names[int(text) - 1]
    return text if text in names else None


def _showing(
    value: Sequence[Word], items: Sequence[tuple[str, ...]], names: Sequence[str]
) -> str | None:
    """The output that shows just what a term sorts by."""
    return next((n for n, shown in zip(names, items, strict=True) if shown == _texts(value)), None)
