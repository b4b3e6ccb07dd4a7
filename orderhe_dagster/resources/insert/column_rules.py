"""What a strict MySQL refuses of a value, as SQL that DuckDB runs over a batch. Nothing is inserted here."""

from __future__ import annotations

from collections.abc import Iterator
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
_CARRIED = {
    "smallint": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
}
_NUMBERS = _INTEGERS | {"decimal", "real", "double"}


@dataclass(frozen=True)
class Rule:
    """A predicate that is true for the wrong rows of a batch, and what is wrong with them."""

    column: Column
    wrong: str
    says: str


def rules_of(table: Table, column: Column, rows: pa.Table) -> Iterator[Rule]:
    """What a strict MySQL would refuse in this column of the batch."""
    from pyarrow.types import is_floating

    name, kind = quoted(column.name), column.type
    given = rows.schema.field(column.name).type
    if not column.nullable:
        yield Rule(column, f"{name} is null", "NULL in a NOT NULL column")
    if _check_family(table, column, given):
        made = f"try_cast({name} as {duckdb_text(kind)})"
        # REAL keeps 24 bits by definition; any other type must give the value back.
        changed = f"not isfinite({made})" if kind.kind == "real" else f"{made} <> {name}"
        yield Rule(
            column,
            f"{name} is not null and ({made} is null or {changed})",
            f"a value that {kind.declared or kind.kind} cannot hold exactly",
        )
    if is_floating(given) and kind.kind == "double":
        yield Rule(column, f"not isfinite({name})", "no finite number")
    if is_year(kind):
        yield Rule(
            column,
            f"{name} <> 0 and {name} not between {FIRST_YEAR} and {LAST_YEAR}",
            f"out of range for year ({FIRST_YEAR} to {LAST_YEAR}, or 0)",
        )
    elif (declared := integer_range(kind) or _CARRIED.get(kind.kind)) is not None:
        low, high = declared
        yield Rule(
            column,
            f"try_cast({name} as hugeint) not between {low} and {high}",
            f"out of range for {kind.declared or kind.kind} ({low} to {high})",
        )
    elif kind.kind in _NUMBERS and is_unsigned(kind):
        yield Rule(column, f"{name} < 0", f"below zero in {kind.declared}")
    elif kind.kind == "date":
        yield Rule(
            column,
            f"{name} not between date '{FIRST_DATE}' and date '{LAST_DATE}'",
            f"out of range for a date ({FIRST_DATE} to {LAST_DATE})",
        )
    elif kind.kind == "timestamp":
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
    elif kind.kind in {"varchar", "varbyte"}:
        limit, unit = text_limit(kind)
        bytes_of = "strlen" if kind.kind == "varchar" else "octet_length"
        measure = "length" if unit == "characters" else bytes_of
        if limit:
            yield Rule(column, f"{measure}({name}) > {limit}", f"longer than {limit} {unit}")
        yield from _spelling(column)
    if column.values:
        accepted = ", ".join(string(value) for value in column.values)
        yield Rule(
            column,
            f"cast({name} as varchar) not in ({accepted})",
            f"not one of {', '.join(column.values)}",
        )


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


def _check_family(table: Table, column: Column, given: pa.DataType) -> bool:
    """Whether values must be compared after the cast; PortError where types do not go together."""
    import pyarrow.types as is_

    kind = column.type.kind
    if is_.is_dictionary(given):
        given = given.value_type
    text = is_.is_string(given) or is_.is_large_string(given) or is_.is_string_view(given)
    binary = is_.is_binary(given) or is_.is_large_binary(given) or is_.is_fixed_size_binary(given)
    naive = is_.is_timestamp(given) and (given.tz is None or column.type.instant)
    number = is_.is_integer(given) or is_.is_decimal(given) or is_.is_floating(given)
    fits = (
        is_.is_null(given)
        or (kind == "varchar" and text)
        or (kind == "varbyte" and binary)
        or (kind == "boolean" and (is_.is_boolean(given) or is_.is_integer(given)))
        or (kind in _NUMBERS and (number or is_.is_boolean(given)))
        or (kind in {"date", "timestamp"} and (naive or is_.is_date(given)))
    )
    if not fits:
        raise PortError(
            f"{table.ref}.{column.name}: Arrow type {given} is not taken for "
            f"{column.type.declared or kind}; cast it before"
        )
    if is_.is_null(given) or kind in {"varchar", "varbyte"} or is_.is_boolean(given):
        return False
    if is_.is_date(given):
        return False
    if is_.is_timestamp(given):
        return kind == "date" or given.unit == "ns"
    if is_.is_decimal(given) and kind == "decimal":
        whole = column.type.precision - column.type.scale
        return bool(given.scale > column.type.scale or given.precision - given.scale > whole)
    # Integers into integer columns are judged by their range; all else by the value that comes out.
    return not (is_.is_integer(given) and kind in _INTEGERS)
