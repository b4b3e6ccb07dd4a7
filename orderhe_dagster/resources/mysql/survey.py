"""A bounded look at the values of a MySQL's tables: what could not be carried, which days there are.

Small tables are looked at many in a statement, large ones by their first and last rows. Each statement has
a timeout in the server, and all of them a budget. What follows from what is seen is not known here.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from orderhe_dagster.catalog.ddl import quoted, quoted_names
from orderhe_dagster.catalog.mysql_projection import fault_conditions
from orderhe_dagster.catalog.mysql_projection import rows as rows_of
from orderhe_dagster.catalog.table import Column, Table
from orderhe_dagster.ports.source import ColumnLook, LookAsked, Reference, TableLook
from orderhe_dagster.resources.mysql.connection import close, connect
from orderhe_dagster.resources.mysql.errors import code_of, mysql_error
from orderhe_dagster.settings.config import MySQLSettings

WHOLE_ROWS = 300_000
"""A table that has more, as the server estimates, is looked at in part."""
_SMALL_ROWS, _SMALL_TABLES = 20_000, 20  # of a statement over several tables
_SAMPLE_ROWS = 10_000  # at each end of a table
_STATEMENT_S, _SAMPLE_S = 5.0, 2.0
_TIMED_OUT, _NO_VARIABLE = (1969, 3024), 1193
_MATCHED_ROWS, _MATCHES = 1_000, 20
_FIELDS, _PARTS = "|", ","
_ISO = "'^[12][0-9]{3}[-/.]?[01][0-9][-/.]?[0-3][0-9]'"
_LIKE_DAY, _UNIX = "between 19700101 and 21001231", "between 300000000 and 4200000000"


def survey(
    settings: MySQLSettings, asked: Sequence[LookAsked], seconds: float
) -> dict[str, TableLook]:
    """`Source.survey`. MySQLError where the server is lost."""
    import pymysql

    connection = connect(settings, texts=True)
    try:
        with connection.cursor() as cursor:
            return _Survey(cursor, time.monotonic() + seconds).looks(asked)
    except pymysql.MySQLError as error:
        raise mysql_error(error, settings.where, settings.user, what="look at the rows") from None
    finally:
        close(connection)


def matching(settings: MySQLSettings, references: Sequence[Reference]) -> list[float | None]:
    """`Source.matching`. MySQLError where the server is lost."""
    import pymysql

    connection = connect(settings, texts=True)
    shares: dict[int, float | None] = {}
    try:
        with connection.cursor() as cursor:
            limit_time(cursor, _STATEMENT_S)
            numbered = [*enumerate(references)]
            for start in range(0, len(numbered), _MATCHES):
                some = numbered[start : start + _MATCHES]
                try:
                    shares |= _matches(cursor, some)
                except pymysql.MySQLError as error:
                    _pass_over(error)
                    for one in some:  # each by itself: one of them is too slow, or not comparable
                        with suppress(pymysql.err.OperationalError, pymysql.err.ProgrammingError):
                            shares |= _matches(cursor, [one])
    except pymysql.MySQLError as error:
        raise mysql_error(error, settings.where, settings.user, what="compare keys") from None
    finally:
        close(connection)
    return [shares.get(number) for number in range(len(references))]


def limit_time(cursor: Any, seconds: float) -> None:
    """Let the server end a select of this session that takes longer; 0 would mean never.

    A server that is too old for it (MySQL 5.6, MariaDB 10.0) goes on: the driver's own timeout is left.
    """
    import pymysql

    ours = max(seconds, 0.001)
    is_mariadb = "MariaDB" in cursor.connection.server_version
    limit = (
        f"max_statement_time = {ours:.3f}"
        if is_mariadb
        else f"max_execution_time = {ours * 1000:.0f}"
    )
    try:
        cursor.execute(f"set session {limit}")
    except pymysql.MySQLError as error:
        if code_of(error) != _NO_VARIABLE:
            raise


def _matches(cursor: Any, numbered: Sequence[tuple[int, Reference]]) -> dict[int, float | None]:
    selects = []
    for number, one in numbered:
        child, parent = _table(one.child), _table(one.parent)
        column, key = quoted(one.column, "mysql"), quoted(one.key, "mysql")
        values = (
            f"select {column} as v from {child} where {column} is not null limit {_MATCHED_ROWS}"
        )
        selects.append(
            f"select {number}, count(*), coalesce(sum(p.{key} is not null), 0) from ({values}) as c "
            f"left join {parent} as p on p.{key} = c.v"
        )
    cursor.execute(" union all ".join(selects))
    return {
        int(number): int(there) / int(rows) if int(rows) else None
        for number, rows, there in cursor.fetchall()
    }


def _pass_over(error: BaseException) -> None:
    """Raise again what is no matter of one statement: the connection is lost."""
    if code_of(error) in (2006, 2013, 0):
        raise error


@dataclass
class _Survey:
    """One survey: its session, and when its time is over (monotonic)."""

    cursor: Any
    until: float

    @property
    def left_s(self) -> float:
        return self.until - time.monotonic()

    def looks(self, asked: Sequence[LookAsked]) -> dict[str, TableLook]:
        result: dict[str, TableLook] = {}
        for some in _batches([one for one in asked if one.rows <= _SMALL_ROWS]):
            result |= self.together(some)
        for one in sorted(asked, key=lambda one: one.rows):
            if one.table.name not in result:
                result[one.table.name] = self.alone(one)
        return result

    def together(self, some: Sequence[LookAsked]) -> dict[str, TableLook]:
        """Several small tables in one statement; none where it fails, or the time is over."""
        import pymysql

        if self.left_s <= 0:
            return {}
        limit_time(self.cursor, min(_STATEMENT_S, max(self.left_s, 0.1)))
        text = " union all ".join(
            _look_select(one, number, _table(one.table)) for number, one in enumerate(some)
        )
        try:
            self.cursor.execute(text)
            rows = {int(number): str(values) for number, values in _texts(self.cursor.fetchall())}
        except pymysql.MySQLError as error:
            _pass_over(error)
            return {}
        return {one.table.name: _read(one, [rows[number]]) for number, one in enumerate(some)}

    def alone(self, one: LookAsked) -> TableLook:
        """One table: all of it where it is not too large for the time, else its two ends."""
        import pymysql

        problem = "the time for looking was over before it"
        for is_sample in (False, True):
            if not is_sample and (one.rows > WHOLE_ROWS or self.left_s < _STATEMENT_S):
                continue
            if self.left_s <= 0:
                break
            limit_time(self.cursor, min(_SAMPLE_S if is_sample else _STATEMENT_S, self.left_s))
            try:
                ends = _ends(one.table) if is_sample else [_table(one.table)]
                texts = []
                for relation in ends:
                    self.cursor.execute(_look_select(one, 0, relation))
                    texts += [str(values) for _, values in _texts(self.cursor.fetchall())]
            except pymysql.MySQLError as error:
                _pass_over(error)
                code = code_of(error)
                problem = f"MySQL's error {code} stopped the look at it"
                if code in _TIMED_OUT:
                    problem = "it takes too long to look at its rows"
                    continue
                break
            look = _read(one, texts)
            is_part = is_sample and look.rows >= _SAMPLE_ROWS
            return TableLook(look.rows, is_part, look.columns)
        return TableLook(problem=problem)


def _batches(asked: Sequence[LookAsked]) -> Iterator[list[LookAsked]]:
    for start in range(0, len(asked), _SMALL_TABLES):
        yield [*asked[start : start + _SMALL_TABLES]]


def _table(table: Table) -> str:
    return rows_of(table)


def _ends(table: Table) -> list[str]:
    """The first and the last rows by the key, as relations; without a key, the first that come."""
    names, there = quoted_names(table.column_names, "mysql"), _table(table)
    rows = f"(select {names} from {there}"
    if not table.grain:
        return [f"{rows} limit {2 * _SAMPLE_ROWS}) as t"]
    keys = [quoted(name, "mysql") for name in table.grain]
    return [
        f"{rows} order by {', '.join(f'{key}{way}' for key in keys)} limit {_SAMPLE_ROWS}) as t"
        for way in ("", " desc")
    ]


def _look_select(one: LookAsked, number: int, relation: str) -> str:
    """A row of a number and a text: the rows, then a field for each column with something to tell."""
    fields = [f"concat_ws('{_PARTS}', {', '.join(items)})" for _, items in _told(one)]
    return (
        f"select {number} as n, concat_ws('{_FIELDS}', {', '.join(['count(*)', *fields])}) as v "
        f"from {relation}"
    )


def _told(one: LookAsked) -> Iterator[tuple[Column, list[str]]]:
    """What is asked of each column: nulls, faults, first and last day, what looks like a day."""
    for column in one.table.columns:
        name = quoted(column.name, "mysql")
        faults = [f"coalesce(sum({condition}), 0)" for _, condition in fault_conditions(column)]
        days: list[str] = []
        if column.type.kind in ("date", "timestamp"):
            there = f"if({name} >= '0001-01-01', {name}, null)"
            days = [f"coalesce({end}({there}), '')" for end in ("min", "max")]
        elif column.name in one.maybe_days:
            is_text = column.type.kind == "varchar"
            likes = [f"regexp {_ISO}"] if is_text else [_LIKE_DAY, _UNIX]
            days = [f"coalesce(sum({name} {like}), 0)" for like in likes]
        if faults or days:
            yield column, [f"coalesce(sum({name} <=> null), 0)", *faults, *days]


def _texts(rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, str]]:
    for number, values in rows:
        yield number, values.decode() if isinstance(values, bytes) else str(values)


def _read(one: LookAsked, texts: Sequence[str]) -> TableLook:
    """The looks at parts of a table, as one."""
    rows, columns = 0, dict[str, ColumnLook]()
    for text in texts:
        count, *fields = text.split(_FIELDS)
        rows += int(count)
        for (column, _), field in zip(_told(one), fields, strict=True):
            look = _column_look(column, field.split(_PARTS), one)
            columns[column.name] = _sum(columns.get(column.name, ColumnLook()), look)
    return TableLook(rows, columns=columns)


def _column_look(column: Column, values: list[str], one: LookAsked) -> ColumnLook:
    nulls, *rest = values
    letters = [letter for letter, _ in fault_conditions(column)]
    faults = {
        letter: int(count) for letter, count in zip(letters, rest, strict=False) if int(count)
    }
    rest = rest[len(letters) :]
    if column.type.kind in ("date", "timestamp"):
        first, last = map(_day, rest)
        return ColumnLook(int(nulls), faults, first, last)
    days, seconds = (*map(int, rest), 0, 0)[:2]
    return ColumnLook(int(nulls), faults, like_days=days, like_seconds=seconds)


def _sum(one: ColumnLook, other: ColumnLook) -> ColumnLook:
    letters = [*one.faults, *(letter for letter in other.faults if letter not in one.faults)]
    firsts = [day for day in (one.first, other.first) if day]
    lasts = [day for day in (one.last, other.last) if day]
    return ColumnLook(
        one.nulls + other.nulls,
        {letter: one.faults.get(letter, 0) + other.faults.get(letter, 0) for letter in letters},
        min(firsts, default=None),
        max(lasts, default=None),
        one.like_days + other.like_days,
        one.like_seconds + other.like_seconds,
    )


def _day(text: str) -> date | None:
    """The day that a server's text begins with; of one that is none, the first of its month or year."""
    match = re.match(r"(\d{4})-(\d\d)-(\d\d)", text)
    if match is None or match[1] == "0000":
        return None
    year, month, day = map(int, match.groups())
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, min(max(month, 1), 12), 1)
