"""The SQL that measures a table (rows, exact sums, digest) in three dialects, and the reading of its rows.

The same rows give the same measure in MySQL, DuckDB and Redshift. No connection is opened here.

The digest is the sum over the rows of the first 60 bits of the MD5 of the row's canonical text, so
the order of rows does not matter. The text joins the columns with `|`; NULL is `!N`; in a string
`!` is written `!0` and `|` is `!1`; times have six digits of a second; a boolean is 0 or 1; bytes
are their hexadecimal digits in small letters. Strings and bytes that would make the text longer than
a Redshift varchar stand as the MD5 of their own; the digits of columns of more than 32,000 bytes fit
no varchar, so these stand as the MD5 of the MD5s of the digits of each 32,000 bytes, one after the other.

Left out of sums and digest: real and double (the engines print them differently).
Left out of sums alone: decimals of more than 28 digits, whose sum may not fit Redshift's 38.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from orderhe_dagster.catalog.ddl import Dialect, quoted, string
from orderhe_dagster.catalog.mysql_types import base_of
from orderhe_dagster.catalog.segments import WHOLE, Segment
from orderhe_dagster.catalog.table import Column, Table

SUMMED = ("smallint", "integer", "bigint", "decimal")
DIGESTED = (*SUMMED, "boolean", "date", "timestamp", "varchar", "varbyte")
SUMMED_DIGITS = 28  # ten thousand million values of these add up within 38 digits
TEXT_BYTES = 60_000  # a row's canonical text stays under Redshift's 65,535
NUMBER_BYTES = 44  # the longest text of any column that is neither string nor bytes
PIECE_BYTES = 32_000  # of bytes whose hexadecimal digits fit a Redshift varchar
MD5_BYTES = 32
_REDSHIFT_JOINT = " || '|' || "


class Measured(NamedTuple):
    """One row of a measuring query: its segment (a day, or the whole), and what it measures."""

    segment: Segment
    rows: int
    sums: Mapping[str, Decimal]  # by column name
    digest: int


def measure_select(
    table: Table,
    relation: str,
    dialect: Dialect,
    *,
    where: str | None = None,
    by_day: bool = False,
    with_sums: bool = True,
) -> str:
    """A select of the measure of `relation` (SQL text with the columns of `table`) where `where` holds.

    `by_day` gives one row for each day of the partition column that has rows; else one row in all.
    Read the rows with `measured`. In MySQL the session's time zone must be +00:00, and its character
    set utf8mb4, as that of the relation's texts.
    """
    sums = [
        f"sum({quoted(column.name, dialect)}) as sum_{number}"
        for number, column in enumerate(summed(table) if with_sums else ())
    ]
    items = ["count(*) as row_count", *sums, f"{digest_expression(table, dialect)} as digest"]
    if by_day:
        items.insert(0, f"{day_expression(table, dialect)} as shop_day")
    text = f"select {', '.join(items)} from {relation}"
    if where:
        text += f" where {where}"
    return text + (" group by 1" if by_day else "")


def measured(table: Table, row: Sequence[Any], *, by_day: bool = False) -> Measured:
    """A row of `measure_select`'s answer, whatever types the driver gave its values."""
    values = list(row)
    segment = Segment.of(as_day(values.pop(0))) if by_day else WHOLE
    rows, *sums, digest = values
    names = [column.name for column in summed(table)]
    return Measured(
        segment,
        int(rows),
        {name: Decimal(str(value or 0)) for name, value in zip(names, sums, strict=True)},
        int(Decimal(str(digest or 0))),
    )


def as_day(value: Any) -> date:
    """A day as a driver gives it: a date, a datetime at midnight or ISO text."""
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])


def summed(table: Table) -> list[Column]:
    """The columns that are summed: integers and all but the longest decimals, in the table's order."""
    return [
        column
        for column in table.columns
        if column.type.kind in SUMMED and column.type.precision <= SUMMED_DIGITS
    ]


def day_expression(table: Table, dialect: Dialect) -> str:
    """The shop's day of a row, by its partition column, as SQL that gives a date.

    A DATE is the day; a DATETIME is wall-clock time in the shop's zone; a TIMESTAMP is an instant
    in UTC and is moved to the zone first.
    """
    if table.partition is None:
        raise ValueError(f"{table.ref} has no partition column")
    column = table.column(table.partition)
    name = quoted(column.name, dialect)
    if column.type.kind == "date":
        return name
    if not column.type.instant:
        return f"cast({name} as date)"
    zone = string(table.time_zone)
    if dialect == "redshift":
        return f"cast(convert_timezone('UTC', {zone}, {name}) as date)"
    if dialect == "duckdb":
        return f"cast({name} at time zone 'UTC' at time zone {zone} as date)"
    return _mysql_day(name, table.time_zone)


def _mysql_day(name: str, time_zone: str) -> str:
    """The day by explicit offsets: MySQL's own zone tables are often empty and then give NULL."""
    pieces = _offsets(time_zone)
    if len(pieces) == 1:
        return f"date({name} + interval {pieces[0][1]} second)"
    arms = [
        f"when {name} < '{until:%Y-%m-%d %H:%M:%S}' then {offset}" for until, offset in pieces[:-1]
    ]
    return f"date({name} + interval (case {' '.join(arms)} else {pieces[-1][1]} end) second)"


@lru_cache(maxsize=8)
def _offsets(time_zone: str) -> tuple[tuple[datetime, int], ...]:
    """The offsets of a zone from UTC in seconds over the life of MySQL's TIMESTAMP (1970 to 2038).

    Each with the moment (UTC) it ends at.
    """
    zone = ZoneInfo(time_zone)
    hour, last = timedelta(hours=1), datetime(2038, 1, 20, tzinfo=timezone.utc)

    def offset(moment: datetime) -> int:
        difference = moment.astimezone(zone).utcoffset()
        return int(difference.total_seconds()) if difference is not None else 0

    pieces: list[tuple[datetime, int]] = []
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc)
    current = offset(moment)
    while moment < last:
        after = moment + timedelta(days=7)
        if offset(after) != current:
            low, high = moment, after
            while high - low > timedelta(seconds=1):
                middle = low + timedelta(seconds=(high - low) // timedelta(seconds=1) // 2)
                low, high = (middle, high) if offset(middle) == current else (low, middle)
            pieces.append((high, current))
            current, moment = offset(high), high + hour
        else:
            moment = after
    return (*pieces, (last, current))


def key_number(column: Column, name: str, dialect: Dialect) -> str:
    """The first 60 bits of the MD5 of a value's text as a whole number; of NULL, 0.

    Summed over rows it tells which values there are, whereas their own sum may be that of others.
    """
    text = _text(column, name, dialect)
    if dialect == "mysql":
        return f"coalesce(cast(conv(left(md5({text}), 15), 16, 10) as signed), 0)"
    return f"coalesce(('0x' || left(md5({text}), 15))::bigint, 0)"


def row_hash(table: Table) -> str:
    """The MD5 of a row's canonical text, as Redshift's SQL: equal rows and no others have the same."""
    return f"md5({_REDSHIFT_JOINT.join(_parts(table, 'redshift'))})"


def _parts(table: Table, dialect: Dialect) -> list[str]:
    """The texts of the columns that a row's canonical text is made of."""
    hashed = _hashed(table)
    return [
        _part(column, dialect, column.name in hashed)
        for column in table.columns
        if column.type.kind in DIGESTED
    ]


def digest_expression(table: Table, dialect: Dialect) -> str:
    """The digest of a relation with the columns of `table`, as an SQL aggregate."""
    parts = _parts(table, dialect)
    if not parts:
        return "0"
    if dialect == "redshift":
        text = _REDSHIFT_JOINT.join(parts)
        return f"sum(cast(strtol(left(md5({text}), 15), 16) as decimal(38, 0)))"
    text = f"concat_ws('|', {', '.join(parts)})"
    if dialect == "duckdb":
        return f"sum(('0x' || left(md5({text}), 15))::bigint)"
    return f"sum(cast(conv(left(md5({text}), 15), 16, 10) as signed))"


def is_digested(table: Table) -> bool:
    """Whether the digest sees every column of the table."""
    return all(column.type.kind in DIGESTED for column in table.columns)


def stands_hashed(table: Table) -> bool:
    """Whether the digest takes some texts by their MD5, which depends on the lengths of all of them."""
    return bool(_hashed(table))


def _hashed(table: Table) -> frozenset[str]:
    """The strings and bytes that stand as an MD5: the longest ones, until the row's text is short enough."""
    lengths = {
        c.name: MD5_BYTES if _is_long(c) else 2 * c.type.length
        for c in table.columns
        if c.type.kind in ("varchar", "varbyte")
    }
    total = sum(lengths.values()) + NUMBER_BYTES * (len(table.columns) - len(lengths))
    names: set[str] = set()
    for name in sorted(lengths, key=lambda name: (-lengths[name], name)):
        if total <= TEXT_BYTES or lengths[name] <= MD5_BYTES:
            break
        names.add(name)
        total -= lengths[name] - MD5_BYTES
    return frozenset(names)


def _is_long(column: Column) -> bool:
    """Whether the digits of the column's bytes may fit no varchar of Redshift."""
    return column.type.kind == "varbyte" and column.type.length > PIECE_BYTES


def _part(column: Column, dialect: Dialect, hashed: bool) -> str:
    name = quoted(column.name, dialect)
    text = _text(column, name, dialect)
    if hashed and column.type.kind == "varbyte":
        text = f"md5({text})"
    elif hashed:
        text = f"md5(convert({name} using utf8mb4))" if dialect == "mysql" else f"md5({name})"
    return f"coalesce({text}, '!N')" if column.nullable else text


_UNMARKED = ("time", "uuid", "inet4", "inet6")


def _string_text(column: Column, name: str, dialect: Dialect) -> str:
    if dialect == "mysql" and column.type.declared.lower().startswith(("time", "json", "set")):
        name = f"cast({name} as char)"
    base, declared = base_of(column.type), column.type.declared
    if base in _UNMARKED or (base == "enum" and not {"!", "|"} & {*declared}):
        return name  # no value of the type has one of the two signs
    marked = f"replace(replace({name}, '!', '!0'), '|', '!1')"
    if dialect == "mysql":
        return marked
    # To look for the two signs costs a third of what it costs to replace them where they are not.
    return f"case when strpos({name}, '!') = 0 and strpos({name}, '|') = 0 then {name} else {marked} end"


def _bytes_text(column: Column, name: str, dialect: Dialect) -> str:
    """The digits of bytes, or, where they may be too many, the MD5 of the MD5s of each piece's."""
    if not _is_long(column):
        return _digits(name, dialect)
    pieces = []
    for offset in range(0, column.type.length, PIECE_BYTES):
        if dialect == "duckdb":
            some = f"array_slice({name}, {offset + 1}, {offset + PIECE_BYTES})"
        else:
            some = f"substring({name}, {offset + 1}, {PIECE_BYTES})"
        piece = f"md5({_digits(some, dialect)})"
        if offset:
            piece = f"case when octet_length({name}) > {offset} then {piece} else '' end"
        pieces.append(piece)
    joined = f"concat({', '.join(pieces)})" if dialect == "mysql" else " || ".join(pieces)
    return f"md5({joined})"


def _digits(value: str, dialect: Dialect) -> str:
    return f"to_hex({value})" if dialect == "redshift" else f"lower(hex({value}))"


def _text(column: Column, name: str, dialect: Dialect) -> str:
    """The value as text; `name` is the column's name in quotes."""
    kind = column.type.kind
    if kind in ("varchar", "varbyte"):
        written = _string_text if kind == "varchar" else _bytes_text
        return written(column, name, dialect)
    if kind == "boolean":
        return f"case when {name} then '1' when not {name} then '0' end"
    if kind == "timestamp":
        return _timestamp_text(column, name, dialect)
    if kind == "date" and dialect == "redshift":
        return f"to_char({name}, 'YYYY-MM-DD')"
    if dialect == "mysql":
        padded = any(word in column.type.declared.lower() for word in ("zerofill", "year"))
        # What is joined to texts becomes a text by itself; beside the text of a NULL it may not.
        return (
            f"cast({name}{' + 0' if padded else ''} as char)" if padded or column.nullable else name
        )
    if kind == "decimal" and column.type.scale == column.type.precision:
        # With a digit before the point in the type, every engine writes the 0 there, as MySQL does.
        name = f"cast({name} as decimal({column.type.precision + 1}, {column.type.scale}))"
    return f"cast({name} as varchar)"


def _timestamp_text(column: Column, name: str, dialect: Dialect) -> str:
    if dialect == "redshift":
        return f"to_char({name}, 'YYYY-MM-DD HH24:MI:SS.US')"
    if dialect == "duckdb":
        return f"strftime({name}, '%Y-%m-%d %H:%M:%S.%f')"
    return _mysql_timestamp_text(column, name)


def _mysql_timestamp_text(column: Column, name: str) -> str:
    """MySQL prints as many digits of a second as are declared; six are wanted."""
    if column.type.fraction == 6:
        return f"cast({name} as char)" if column.nullable else name
    if column.type.fraction:
        return f"rpad(cast({name} as char), 26, '0')"
    return f"concat(cast({name} as char), '.000000')"
