"""What a strict MySQL refuses of a value, as SQL that DuckDB runs over a batch. Nothing is inserted here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.ddl import quoted, string
from orderhe_dagster.catalog.mysql_limits import (
    FIRST_DATE,
    FIRST_YEAR,
    LAST_DATE,
    LAST_YEAR,
    fixed_bytes,
    is_fixed_text,
    is_json,
    is_unsigned,
    is_year,
    set_members,
    text_limit,
    time_fraction,
    timestamp_range,
)
from orderhe_dagster.catalog.mysql_types import integer_range
from orderhe_dagster.catalog.table import Column, Table
from orderhe_dagster.catalog.types import duckdb_text
from orderhe_dagster.ports.errors import PortError

if TYPE_CHECKING:
    import pyarrow as pa

_INTEGERS = frozenset({"smallint", "integer", "bigint"})
_INTEGER_RANGES = {
    "smallint": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
}
_NUMBERS = _INTEGERS | {"decimal", "real", "double"}
_FAMILIES = {
    "null": ("is_null",),
    "text": ("is_string", "is_large_string", "is_string_view"),
    "bytes": ("is_binary", "is_large_binary", "is_fixed_size_binary"),
    "boolean": ("is_boolean",),
    "integer": ("is_integer",),
    "decimal": ("is_decimal",),
    "floating": ("is_floating",),
    "date": ("is_date",),
    "timestamp": ("is_timestamp",),
}
"""Arrow's types by what they hold: the questions of `pyarrow.types` of which one is true."""
_TAKEN: dict[str, frozenset[str]] = {
    "varchar": frozenset({"text"}),
    "varbyte": frozenset({"bytes"}),
    "boolean": frozenset({"boolean", "integer"}),
    **dict.fromkeys(_NUMBERS, frozenset({"integer", "decimal", "floating", "boolean"})),
    **dict.fromkeys(("date", "timestamp"), frozenset({"date", "timestamp"})),
}
"""The families that a column takes, by the kind of its type; NULLs alone go into any."""


@dataclass(frozen=True)
class Rule:
    """A predicate that is true for the wrong rows of a batch, and what is wrong with them."""

    column: Column
    wrong: str
    message: str


def rules_of(table: Table, column: Column, rows: pa.Table) -> Iterator[Rule]:
    """What a strict MySQL would refuse in this column of the batch."""
    name, kind = quoted(column.name), column.type
    given = rows.schema.field(column.name).type
    family = _family(table, column, given)
    if column.required:
        yield Rule(column, f"{name} is null", "NULL in a NOT NULL column")
    if _may_change(column, family, given):
        cast = f"try_cast({name} as {duckdb_text(kind)})"
        # REAL keeps 24 bits by definition; any other type must give the value back.
        changed = f"not isfinite({cast})" if kind.kind == "real" else f"{cast} <> {name}"
        yield Rule(
            column,
            f"{name} is not null and ({cast} is null or {changed})",
            f"a value that {kind.declared or kind.kind} cannot hold exactly",
        )
    if family == "floating" and kind.kind == "double":
        yield Rule(column, f"not isfinite({name})", "no finite number")
    if kind.kind in _RULES:
        yield from _RULES[kind.kind](column)
    if column.values:
        accepted = ", ".join(string(value) for value in column.values)
        yield Rule(
            column,
            f"cast({name} as varchar) not in ({accepted})",
            f"not one of {', '.join(column.values)}",
        )


def _number(column: Column) -> Iterator[Rule]:
    name, kind = quoted(column.name), column.type
    bounds = integer_range(kind) or _INTEGER_RANGES.get(kind.kind)
    if is_year(kind):
        yield Rule(
            column,
            f"{name} <> 0 and {name} not between {FIRST_YEAR} and {LAST_YEAR}",
            f"out of range for year ({FIRST_YEAR} to {LAST_YEAR}, or 0)",
        )
    elif bounds is not None:
        low, high = bounds
        yield Rule(
            column,
            f"try_cast({name} as hugeint) not between {low} and {high}",
            f"out of range for {kind.declared or kind.kind} ({low} to {high})",
        )
    elif is_unsigned(kind):
        yield Rule(column, f"{name} < 0", f"below zero in {kind.declared}")


def _date(column: Column) -> Iterator[Rule]:
    yield Rule(
        column,
        f"{quoted(column.name)} not between date '{FIRST_DATE}' and date '{LAST_DATE}'",
        f"out of range for a date ({FIRST_DATE} to {LAST_DATE})",
    )


def _timestamp(column: Column) -> Iterator[Rule]:
    name, kind = quoted(column.name), column.type
    first, last = timestamp_range(kind)
    yield Rule(
        column,
        f"cast({name} as timestamp) not between timestamp '{first}' and timestamp '{last}'",
        f"out of range for {kind.declared or 'timestamp'} ({first} to {last})",
    )
    if kind.fraction < 6:
        yield Rule(
            column,
            f"epoch_us(cast({name} as timestamp)) % {10 ** (6 - kind.fraction)} <> 0",
            f"more than {kind.fraction} digits of a second",
        )


def _text(column: Column) -> Iterator[Rule]:
    kind = column.type
    limit, unit = text_limit(kind)
    bytes_of = "strlen" if kind.kind == "varchar" else "octet_length"
    measure = "length" if unit == "characters" else bytes_of
    if limit:
        yield Rule(
            column, f"{measure}({quoted(column.name)}) > {limit}", f"longer than {limit} {unit}"
        )
    yield from _spelling(column)


def _spelling(column: Column) -> Iterator[Rule]:
    """What a strict MySQL refuses of texts and bytes that are short enough, or would change."""
    name, kind = quoted(column.name), column.type
    fraction, members, fixed = time_fraction(kind), set_members(kind), fixed_bytes(kind)
    if is_json(kind):
        # DuckDB also takes NaN, infinities and a comma before the end, which JSON has not.
        bare = rf"""regexp_replace({name}, '"([^"\\]|\\.)*"', '""', 'gs')"""
        lax = rf"regexp_matches({bare}, '(?i)nan|inf|,\s*[\]}}]')"
        yield Rule(column, f"not json_valid({name}) or {lax}", "no JSON text")
    elif fraction is not None:
        second = rf"(\.[0-9]{{1,{fraction}}})?" if fraction else ""
        shape = rf"-?([0-9]{{2}}|[1-7][0-9]{{2}}|8[0-3][0-9]):[0-5][0-9]:[0-5][0-9]{second}"
        yield Rule(
            column,
            f"not regexp_full_match({name}, {string(shape)}) or "
            f"regexp_full_match({name}, '-?(839:.*|838:59:59[.]0*[1-9][0-9]*)')",
            f"no time with {fraction} digits of a second, from -838:59:59 to 838:59:59",
        )
    elif members:
        listed = ", ".join(string(member) for member in members)
        kept = f"list_filter([{listed}], m -> list_contains(string_split({name}, ','), m))"
        yield Rule(
            column,
            f"{name} <> array_to_string({kept}, ',')",
            f"not of {', '.join(members)}, each once and in this order",
        )
    elif is_fixed_text(kind):
        yield Rule(column, f"ends_with({name}, ' ')", "blanks at the end, which char drops")
    elif fixed is not None:
        yield Rule(
            column,
            f"octet_length({name}) < {fixed}",
            f"shorter than {fixed} bytes, to which binary fills up",
        )


_RULES: dict[str, Callable[[Column], Iterator[Rule]]] = {
    **dict.fromkeys(_NUMBERS, _number),
    "date": _date,
    "timestamp": _timestamp,
    "varchar": _text,
    "varbyte": _text,
}
"""The rules of a column's values by the kind of its type."""


def _family(table: Table, column: Column, given: pa.DataType) -> str:
    """The family of a batch's type; PortError where the column takes none of it."""
    import pyarrow.types

    if pyarrow.types.is_dictionary(given):
        given = given.value_type
    family = next(
        (
            name
            for name, questions in _FAMILIES.items()
            if any(getattr(pyarrow.types, question)(given) for question in questions)
        ),
        "",
    )
    zoned = family == "timestamp" and given.tz is not None and not column.type.instant
    if family != "null" and (zoned or family not in _TAKEN[column.type.kind]):
        raise PortError(
            f"{table.ref}.{column.name}: Arrow type {given} is not taken for "
            f"{column.type.declared or column.type.kind}; cast it before"
        )
    return family


def _may_change(column: Column, family: str, given: pa.DataType) -> bool:
    """Whether the cast to the column's type may change a value, so that both have to be compared."""
    kind = column.type
    if family == "timestamp":
        return kind.kind == "date" or bool(given.unit == "ns")
    if family == "decimal" and kind.kind == "decimal":
        whole = kind.precision - kind.scale
        return bool(given.scale > kind.scale or given.precision - given.scale > whole)
    if family == "integer":
        return kind.kind not in _INTEGERS  # in those, the range judges
    return family in {"decimal", "floating"}
