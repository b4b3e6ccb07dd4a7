"""How rows leave MySQL so that Parquet and Redshift hold them exactly, as MySQL text. Nothing is run here.

Every column has an expression that is safe on every row: a value that cannot be carried reads as
NULL, and `fault_code` tells which columns of the row have one and why, as a short code::

    3z0000-00-00_7t      column 3 (from 0): no real day; column 7: the character 0x00

A row with a fault in a column whose policy is not `null` is quarantined: it is in no part, and
`carried_condition` leaves it out of measures. The code makes the name of a folder: it holds letters,
digits, `_` and `-`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from orderhe_dagster.catalog.ddl import quoted, quoted_names
from orderhe_dagster.catalog.measure import day_expression, key_number
from orderhe_dagster.catalog.mysql_types import (
    DECIMAL_DIGITS,
    VARCHAR_BYTES,
    arguments_of,
    base_of,
)
from orderhe_dagster.catalog.source_rows import of_moment, own_rows, with_moment
from orderhe_dagster.catalog.table import DAY_COLUMN, MOMENT_COLUMN, Column, Table

FAULTS = {
    "z": "is no real day",
    "t": "holds the character 0x00, which Redshift takes in no text",
    "l": "is longer than Redshift's column holds",
    "d": "has more digits than Redshift's 38",
    "e": "is the empty value that MySQL keeps for what is not in the enum",
}
"""What can be wrong with a value, by the letter in the code."""

TOO_MANY = "x"
"""The code of a row with more faults than a folder's name can hold: quarantined."""
CODE_LENGTH = 180  # that the name of a folder has room for
_ONE = re.compile(rf"(\d+)([{''.join(FAULTS)}])([\d-]*)")


@dataclass(frozen=True)
class Fault:
    """A value that cannot be carried: its column ("": too many to tell), what is wrong, the policy."""

    column: str
    text: str
    policy: str


def expressions(table: Table) -> list[tuple[str, str]]:
    """Each column's name and the MySQL expression that carries it; NULL for a value that cannot be."""
    return [(column.name, expression(column)) for column in table.columns]


def expression(column: Column) -> str:
    """The MySQL expression that carries a column; NULL for a value that cannot be."""
    return _safe(column, value(column))


def _safe(column: Column, text: str) -> str:
    bad = [condition for _, condition in fault_conditions(column)]
    return f"if({' or '.join(bad)}, null, {text})" if bad else text


def in_hex(column: Column) -> bool:
    """Whether the expression gives hexadecimal text: DuckDB's scanner takes such long bytes for text."""
    return base_of(column.type) in ("mediumblob", "longblob")


def fault_code(table: Table) -> str | None:
    """The MySQL expression of a row's code: NULL for a row without fault. None: no row can have one."""
    code, longest = _code(table)
    if code is None:
        return None
    if longest > CODE_LENGTH:
        code = f"if(length({code}) > {CODE_LENGTH}, '{TOO_MANY}', {code})"
    return f"nullif({code}, '')"


def _code(table: Table) -> tuple[str | None, int]:
    """A row's code, however long, '' for a row without fault; and the length it may have."""
    codes, longest = [], 0
    for number, column in enumerate(table.columns):
        for kind, condition in fault_conditions(column):
            code = f"'{number}{kind}'"
            longest += len(code) - 1
            if kind == "z" and not column.pii and column.bad_values != "null":
                code = f"concat({code}, cast({_name(column)} as char(10)))"
                longest += 10
            codes.append(f"if({condition}, {code}, null)")
    return f"concat_ws('_', {', '.join(codes)})" if codes else None, longest


def carried_condition(table: Table) -> str | None:
    """The MySQL condition under which a row is carried; None: every row is."""
    bad = [
        condition
        for column in table.columns
        if column.bad_values != "null"
        for _, condition in fault_conditions(column)
    ]
    code, longest = _code(table)
    if longest > CODE_LENGTH:
        bad.append(f"length({code}) > {CODE_LENGTH}")
    # A condition on NULL is NULL, which is no fault.
    return f"coalesce({' or '.join(bad)}, 0) = 0" if bad else None


def rows(table: Table, hint: str = "") -> str:
    """What a statement reads the table's rows from: itself, or itself joined with who tells its days.

    MySQL takes the join into the statement: a condition on `MOMENT_COLUMN` goes by the parent's index. A day
    before the year 1 is none.
    """
    name = quoted(table.source_name, "mysql")
    if not table.day_through:
        return own_rows(table, "mysql", hint)
    own = quoted_names(table.in_source.column_names, "mysql")
    moment, day = quoted(MOMENT_COLUMN, "mysql"), quoted(DAY_COLUMN, "mysql")
    cut = of_moment(table)
    lost = without_day(cut)
    none = f"{moment} < '0001-01-01'{f' or {lost}' if lost else ''}"
    told = f"if({none}, null, {shop_day(cut)})"
    return (
        f"(select {own}, {moment}, {told} as {day} from {with_moment(table, 'mysql', hint)}"
        f" as {name}) as {name}"
    )


def relation(table: Table, where: str | None = None, hint: str = "") -> str:
    """What is carried of the table, in brackets, to be measured; `where` is on the table's own columns."""
    columns = ", ".join(f"{_measured(c)} as {quoted(c.name, 'mysql')}" for c in table.columns)
    conditions = [f"({text})" for text in (where, carried_condition(table)) if text]
    text = f"select {columns} from {rows(table, hint)}"
    if conditions:
        text += f" where {' and '.join(conditions)}"
    return f"({text}) as {quoted(table.source_name, 'mysql')}"


def shop_day(table: Table) -> str:
    """The shop's day of every row but those before the year 1, in MySQL's words.

    A row whose partition column is no real day (2026-02-30) counts to the real day before it, which
    is where MySQL sorts it: so every row of a window has a day of the window.
    """
    expression = day_expression(table, "mysql")
    column = table.column(table.partition or "")
    if column.type.instant or column.is_added:
        return expression
    name = _name(column)
    begin = (
        f"concat(lpad(year({name}), 4, '0'), '-', lpad(greatest(month({name}), 1), 2, '0'), '-01')"
    )
    before = f"date({begin}) - interval 1 day"
    last = f"last_day({begin})"
    return (
        f"case when {_no_day(name)} then if(month({name}) * day({name}) = 0, {before}, {last}) "
        f"else {expression} end"
    )


def without_day(table: Table) -> str | None:
    """The MySQL condition that a row's day is none and becomes NULL, so that it is outside of the days.

    None: rows with such values have the day that MySQL sorts them to, and are set aside there.
    """
    column = table.column(table.partition) if table.partition else None
    if column is None or column.bad_values != "null":
        return None
    return _no_day(_name(column))


def cursor_number(table: Table) -> str:
    """What is summed of a row for a fingerprint: its cursor, and of a child what names its parent.

    A child's rows change their day together, and may be as many as others: the sum of the hashes of what
    names their parents is then another for certain.
    """
    if not table.day_through:
        return _cursor(table)
    link = table.column(table.day_through[0].column)
    key = key_number(link, _measured(link), "mysql")
    return f"(coalesce({_cursor(table)}, 0) + {key})" if table.cursor else key


def _cursor(table: Table) -> str:
    """The cursor of a row as a whole number: a moment in microseconds, or the number itself.

    What is no real day is NULL, as `expression` has it; without asking every row for it.
    """
    if table.cursor is None:
        return "0"
    column = table.column(table.cursor)
    name = _name(column)
    if column.type.kind not in ("date", "timestamp"):
        return f"cast({expression(column)} as decimal(65, 0))"
    maybe = f"({name} < '0001-01-01' or dayofmonth({name}) > 28)"
    return (
        f"if({maybe} and {_no_day(name)}, null, timestampdiff(microsecond, '1970-01-01', {name}))"
    )


def plain_day(table: Table) -> str:
    """The day of the partition column as it stands, quicker than `shop_day`.

    It is that day of every row, unless groups by it show one that is no real day: MySQL may show what is
    no day as 0000-00-00 then.
    """
    column = table.column(table.partition or "")
    return _name(column) if column.type.kind == "date" else shop_day(table)


def plain_relation(table: Table, where: str | None = None, hint: str = "") -> str:
    """All the rows of the table, in brackets, each value as MySQL has it, to be measured.

    Where no value has a fault, its measure is that of `relation`; where one has, it is another.
    """
    columns = ", ".join(f"{_plain(c)} as {quoted(c.name, 'mysql')}" for c in table.columns)
    text = f"select {columns} from {rows(table, hint)}"
    return f"({text}{f' where {where}' if where else ''}) as {quoted(table.source_name, 'mysql')}"


def decode_faults(table: Table, code: str) -> list[Fault]:
    """What a row's code says. ValueError where it is no code of this table."""
    if code == TOO_MANY:
        text = "more values of the row than can be told cannot be carried"
        return [Fault("", text, "quarantine")]
    faults = []
    for part in code.split("_"):
        match = _ONE.fullmatch(part)
        if match is None or int(match[1]) >= len(table.columns):
            raise ValueError(f"{code!r} is no code of faults of {table.ref}")
        column = table.columns[int(match[1])]
        text = f"{match[3]} {FAULTS[match[2]]}".strip()
        faults.append(Fault(column.name, text, column.bad_values))
    return faults


def is_carried(faults: Iterable[Fault]) -> bool:
    """Whether a row with these faults is carried: all of them are of columns that are made NULL."""
    return all(fault.policy == "null" for fault in faults)


def _measured(column: Column) -> str:
    """The expression, all texts in one character set: a measure joins them, and may not mix collations.

    Bytes are bytes: only the scanner needs some of them in hexadecimal.
    """
    text = _safe(column, _name(column)) if in_hex(column) else expression(column)
    return f"convert({text} using utf8mb4)" if column.type.kind == "varchar" else text


def _plain(column: Column) -> str:
    name, kind, base = _name(column), column.type.kind, base_of(column.type)
    if kind == "varchar":
        text = name if base in PLAIN_TEXTS else value(column)
        return f"convert({text} using utf8mb4)"
    if "zerofill" in column.type.declared.lower() or base in ("bit", "year"):
        return value(column)
    if column.promised and kind in ("date", "timestamp"):
        return f"if({name} < '0001-01-01', null, {name})"  # the usual one of the values that become NULL
    return name


def _name(column: Column) -> str:
    return quoted(column.name, "mysql")


def value(column: Column) -> str:
    """MySQL's expression of a value without fault in the type that carries it."""
    name, base, kind = _name(column), base_of(column.type), column.type.kind
    if kind == "varchar":
        # What has a collation called _bin comes out of MySQL marked as bytes.
        return f"convert({name} using utf8mb4) collate utf8mb4_general_ci"
    if kind == "decimal":
        # Of a decimal without a fraction, DuckDB's scanner takes one digit for a point.
        digits = column.type.precision + (column.type.scale == 0)
        number = f"{name} + 0" if base == "bit" else name
        return f"cast({number} as decimal({digits}, {column.type.scale}))"
    if in_hex(column):
        return f"hex({name})"
    if kind in ("real", "double"):
        return f"{name} + 0e0"  # a FLOAT is printed with six digits; a double with all
    if kind in ("boolean", "smallint", "integer", "bigint"):
        return f"{name} + 0"  # a BIT as a number, no zeros in front, a YEAR no year
    return name


PLAIN_TEXTS = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum")
_NO_TEXTS = ("time", "json", "set", "enum", "uuid", "inet4", "inet6")


def fault_conditions(column: Column) -> list[tuple[str, str]]:
    """The letters and MySQL conditions of what can be wrong with the column's values."""
    if column.is_added:  # a real day or none, as it is made
        return []
    return [(kind, rule) for kind, rules in _RULES.items() if (rule := rules(column)) is not None]


def _no_day(name: str) -> str:
    """There and back by the number of the day: 2026-02-30 gives 2026-03-02, what has zeros gives NULL."""
    return f"coalesce(from_days(to_days({name})) <> date({name}), {name} is not null)"


def _no_real_day(column: Column) -> str | None:
    return _no_day(_name(column)) if column.type.kind in ("date", "timestamp") else None


def _zero_byte(column: Column) -> str | None:
    if column.type.kind != "varchar" or base_of(column.type) in _NO_TEXTS:
        return None
    name = _name(column)
    # The first is quick and tells of too many: in UTF-16, every other byte is a zero.
    exactly = f"instr(cast(convert({name} using utf8mb4) as binary), x'00') > 0"
    return f"(instr({name}, x'00') > 0 and {exactly})"


def _too_long(column: Column) -> str | None:
    limit = column.type.length
    if in_hex(column):
        # What a function would give beyond the largest packet is NULL in MySQL.
        return f"octet_length({_name(column)}) > least({limit}, @@max_allowed_packet div 2 - 1)"
    if column.type.kind == "varchar" and limit == VARCHAR_BYTES:
        return f"octet_length({value(column)}) > {limit}"
    return None


def _too_many_digits(column: Column) -> str | None:
    if (
        base_of(column.type) != "decimal"
        or max(arguments_of(column.type), default=0) <= DECIMAL_DIGITS
    ):
        return None
    least = 10 ** (DECIMAL_DIGITS - column.type.scale)
    return f"abs({_name(column)}) >= {least}"


def _unknown_value(column: Column) -> str | None:
    return f"{_name(column)} + 0 = 0" if base_of(column.type) == "enum" else None


_RULES: dict[str, Callable[[Column], str | None]] = {
    "z": _no_real_day,
    "t": _zero_byte,
    "l": _too_long,
    "d": _too_many_digits,
    "e": _unknown_value,
}
