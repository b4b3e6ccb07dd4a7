"""A measure is the same wherever it is taken, and moves with every change of a row."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from orderhe_dagster.catalog.ddl import duckdb_create
from orderhe_dagster.catalog.measure import (
    Measured,
    as_day,
    day_expression,
    measure_select,
    measured,
)
from orderhe_dagster.catalog.segments import WHOLE, Segment
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.catalog.types import redshift_text
from orderhe_dagster_tests.catalog.folders import read

CONTRACT = """\
-- @partition at
create table x (
    id bigint not null,
    d decimal(12, 2),
    dd date,
    at {at} not null,
    v varchar(200),
    flag bit(1),
    f double,
    big text
);
"""
TEXTS = [
    "",
    " ",
    "a ",
    "NULL",
    "!N",
    "|",
    "!",
    "!1",
    "é",
    "e\u0301",
    "😀",
    "한글",
    "a\nb",
    "it's",
    None,
]
ROWS = [
    (
        n,
        [None, Decimal("-0.01"), Decimal("9999999999.99"), Decimal("0.10")][n % 4],
        [None, date(999, 12, 31), date(2024, 2, 29)][n % 3],
        datetime(2026, 1, 1 + n % 3, 23, 59, 59, [0, 1, 999999][n % 3]),
        TEXTS[n % len(TEXTS)],
        [None, True, False][n % 3],
        [None, 0.1, 1e20][n % 3],
        TEXTS[-n % len(TEXTS)],
    )
    for n in range(60)
]


def shop(folder: Path, at: str = "datetime(6)") -> Table:
    return read(folder, {"raw/x.sql": CONTRACT.format(at=at)}).tables[0]


def filled(table: Table, rows: list[tuple[object, ...]]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("create macro strtol(s, b) as ('0x' || s)::bigint")
    connection.execute(duckdb_create(table))
    connection.executemany("insert into x values (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    return connection


def take(
    connection: duckdb.DuckDBPyConnection, table: Table, dialect: str = "duckdb", **options: object
) -> list[Measured]:
    text = measure_select(table, '"x"', dialect, **options)  # type: ignore[arg-type]
    if dialect == "redshift":
        from sqlglot import transpile

        # The shape of to_char and the rest is sqlglot's work; only its FROM_BASE is unknown here.
        (text,) = transpile(text, read="redshift", write="duckdb")
        text = text.replace("FROM_BASE(", "strtol(")
    found = connection.execute(text).fetchall()
    return sorted(measured(table, row, by_day=bool(options.get("by_day"))) for row in found)


def canonical(row: tuple[object, ...]) -> str:
    """The text of a row, by the words of the module's docstring and not by its code."""

    def text(value: object) -> str:
        if value is None:
            return "!N"
        if isinstance(value, bool):
            return "1" if value else "0"
        if isinstance(value, datetime):
            return value.strftime("%Y-%m-%d %H:%M:%S.%f")
        if isinstance(value, date):
            return value.isoformat()
        return str(value).replace("!", "!0").replace("|", "!1")

    *first, last = (value for place, value in enumerate(row) if place != 6)
    big = "!N" if last is None else hashlib.md5(str(last).encode()).hexdigest()
    return "|".join([*map(text, first), big])


def test_digest_is_what_the_docstring_says(tmp_path: Path) -> None:
    table = shop(tmp_path)
    (found,) = take(filled(table, ROWS), table)
    digests = [int(hashlib.md5(canonical(row).encode()).hexdigest()[:15], 16) for row in ROWS]
    assert found.rows == 60
    assert found.digest == sum(digests)
    assert found.sums == {
        "id": Decimal(sum(range(60))),
        "d": sum((row[1] for row in ROWS if isinstance(row[1], Decimal)), Decimal(0)),
    }


def test_redshift_text_gives_the_same_measure(tmp_path: Path) -> None:
    table = shop(tmp_path)
    connection = filled(table, ROWS)
    assert take(connection, table, by_day=True) == take(connection, table, "redshift", by_day=True)


def test_days_add_up_to_the_whole(tmp_path: Path) -> None:
    table = shop(tmp_path)
    connection = filled(table, ROWS)
    days = take(connection, table, by_day=True)
    (whole,) = take(connection, table)
    assert [day.segment.day for day in days] == [
        date(2026, 1, 1),
        date(2026, 1, 2),
        date(2026, 1, 3),
    ]
    assert sum(day.digest for day in days) == whole.digest
    (first,) = take(connection, table, where="\"at\" < '2026-01-02'")
    assert (first.rows, first.digest) == (days[0].rows, days[0].digest)


@pytest.mark.parametrize(
    "change",
    [
        "v = 'A' where id = 9",
        "v = ' ' where v = ''",
        "v = '' where v is null",
        "v = 'e\u0301' where v = 'é'",
        "big = big || ' ' where id = 3",
        '"at" = "at" + interval 1 microsecond where id = 5',
        "flag = not flag where id = 1",
        "d = d + 0.01 where id = 1",
    ],
)
def test_every_change_moves_the_digest(change: str, tmp_path: Path) -> None:
    table = shop(tmp_path)
    connection = filled(table, ROWS)
    before = take(connection, table)
    connection.execute(f"update x set {change}")
    assert take(connection, table) != before


def test_swapped_values_move_the_digest_though_sums_stay(tmp_path: Path) -> None:
    table = shop(tmp_path)
    row = (1, Decimal("1.00"), None, datetime(2026, 1, 1), "a", None, None, None)
    one = [row, (2, Decimal("2.00"), *row[2:])]
    two = [(1, Decimal("2.00"), *row[2:]), (2, Decimal("1.00"), *row[2:])]
    (first,), (second,) = (take(filled(table, rows), table) for rows in (one, two))
    assert first.sums == second.sums
    assert first.digest != second.digest


def test_no_rows_measure_nothing(tmp_path: Path) -> None:
    table = shop(tmp_path)
    connection = duckdb.connect()
    connection.execute(duckdb_create(table))
    (found,) = take(connection, table)
    assert found == Measured(WHOLE, 0, {"id": Decimal(0), "d": Decimal(0)}, 0)


@pytest.mark.parametrize("zone", ["Asia/Seoul", "America/New_York", "UTC"])
def test_instants_fall_on_the_days_of_the_shop(zone: str, tmp_path: Path) -> None:
    table = replace(shop(tmp_path, "timestamp"), time_zone=zone)
    moments = [
        "2026-03-08 04:59:59",
        "2026-03-08 05:00:00",
        "2026-11-01 04:30:00",
        "1988-06-01 14:30:00",
    ]
    rows = [(n, None, None, datetime.fromisoformat(m), *[None] * 4) for n, m in enumerate(moments)]
    connection = filled(table, rows)  # type: ignore[arg-type]
    expected = [
        datetime.fromisoformat(m).replace(tzinfo=timezone.utc).astimezone(ZoneInfo(zone)).date()
        for m in moments
    ]
    day = day_expression(table, "duckdb")
    found = [d for (d,) in connection.execute(f"select {day} from x order by id").fetchall()]
    assert found == expected
    # MySQL's form is arithmetic on explicit offsets; DuckDB reads it once names are in its quotes.
    mysql = day_expression(table, "mysql").replace("`", '"')
    mysql = mysql.replace("date(", "date_trunc('day', ").replace("interval ", "to_seconds(")
    mysql = mysql.replace(" second)", "))")
    found = [
        as_day(d) for (d,) in connection.execute(f"select {mysql} from x order by id").fetchall()
    ]
    assert found == expected


def test_mysql_text_names_in_backticks_and_pads_fractions(tmp_path: Path) -> None:
    table = shop(tmp_path, "datetime(3)")
    text = measure_select(table, "`x`", "mysql", by_day=True)
    assert "cast(`at` as date) as shop_day" in text
    assert "rpad(cast(`at` as char), 26, '0')" in text
    assert "md5(convert(`big` using utf8mb4))" in text
    assert '"' not in text


def test_drivers_may_give_text(tmp_path: Path) -> None:
    table = shop(tmp_path)
    found = measured(table, ["2026-01-02", "3", "6", "1.50", "12345678901234567890"], by_day=True)
    assert found == Measured(
        Segment("2026-01-02"), 3, {"id": Decimal(6), "d": Decimal("1.50")}, 12345678901234567890
    )


FRACTIONS = """\
create table x (
    id int primary key,
    small decimal(4, 4),
    deep decimal(30, 30) not null,
    ordinary decimal(5, 4)
);
"""


def test_decimals_without_a_whole_part_measure_alike(tmp_path: Path) -> None:
    """The 0 before the point is written, as MySQL writes it: in DuckDB and in the local Redshift."""
    from local_redshift.session.engine import Engine

    table = read(tmp_path, {"raw/x.sql": FRACTIONS}).tables[0]
    rows = [
        (1, "0.0825", "0." + "9" * 30, "0.5"),
        (2, "-0.0825", "0." + "0" * 29 + "1", "-0.5"),
        (3, None, "0", None),
    ]
    places = {"small": 4, "deep": 30, "ordinary": 4}
    texts = [
        "|".join(
            [str(row[0])]
            + [
                "!N" if value is None else f"{Decimal(value):.{digits}f}"
                for value, digits in zip(row[1:], places.values(), strict=True)
            ]
        )
        for row in rows
    ]
    expected = sum(int(hashlib.md5(text.encode()).hexdigest()[:15], 16) for text in texts)

    connection = duckdb.connect()
    connection.execute(duckdb_create(table))
    connection.executemany("insert into x values (?, ?, ?, ?)", rows)
    (answer,) = connection.execute(measure_select(table, '"x"', "duckdb")).fetchall()
    here = measured(table, answer)
    assert here.digest == expected

    with Engine() as engine:
        engine.execute(
            "create table x (id integer, small decimal(4, 4), deep decimal(30, 30), "
            "ordinary decimal(5, 4))"
        )
        for row in rows:
            values = ", ".join("null" if value is None else str(value) for value in row)
            engine.execute(f"insert into x values ({values})")
        (answer,) = engine.execute(measure_select(table, "x", "redshift")).rows
    assert measured(table, answer) == here


BYTES = """\
create table x (
    id int primary key,
    few varbinary(16) not null,
    some varbinary(31000),
    padded binary(4),
    many blob,
    most mediumblob,
    note varchar(2000)
);
"""
BYTE_ROWS: list[tuple[int, bytes, bytes | None, bytes | None, bytes | None, bytes | None, str]] = [
    (1, b"", b"", b"\0\0\0\0", b"", b"", "bytes that are none are not NULL"),
    (2, b"\x00\xff|!N", None, None, None, None, "00ff7c214e"),
    (3, b"a", bytes(range(256)) * 100, b"a\0\0\0", bytes(32_000), bytes(32_000), ""),
    (4, b"A", bytes(31_000), b"a\0\0 ", b"\xab" * 32_001, b"\xab" * 32_001, "a"),
    (5, b"00", b"\x0d\x0a", None, b"\x01" * 64_000, bytes(64_001), "b"),
    (6, b"\\", b"'", b"||!!", bytes(65_534) + b"\x01", bytes(99_999) + b"\xfe", "c"),
]


def digits(value: bytes | None, long: bool = False) -> str:
    """The text of bytes, by the words of the module's docstring."""
    if value is None:
        return "!N"
    if not long:
        return value.hex()
    pieces = [value[start : start + 32_000] for start in range(0, len(value), 32_000)] or [b""]
    each = [hashlib.md5(piece.hex().encode()).hexdigest() for piece in pieces]
    return hashlib.md5("".join(each).encode()).hexdigest()


def digest_of(rows: list[Any]) -> int:
    """`some` has 62,000 digits, which no other column leaves room for: it stands as its MD5."""
    total = 0
    for number, few, some, padded, many, most, note in rows:
        some_text = "!N" if some is None else hashlib.md5(some.hex().encode()).hexdigest()
        texts = [str(number), digits(few), some_text, digits(padded)]
        texts += [digits(many, long=True), digits(most, long=True), note]
        total += int(hashlib.md5("|".join(texts).encode()).hexdigest()[:15], 16)
    return total


def in_duckdb(table: Table, rows: list[Any]) -> Measured:
    with duckdb.connect() as connection:
        connection.execute(duckdb_create(table))
        connection.executemany("insert into x values (?, ?, ?, ?, ?, ?, ?)", rows)
        (answer,) = connection.execute(measure_select(table, '"x"', "duckdb")).fetchall()
    return measured(table, answer)


def test_bytes_measure_alike_in_duckdb_and_redshift(tmp_path: Path) -> None:
    from local_redshift.session.engine import Engine

    table = read(tmp_path, {"raw/x.sql": BYTES}).tables[0]
    here = in_duckdb(table, BYTE_ROWS)
    assert here.digest == digest_of(BYTE_ROWS)

    def literal(value: object) -> str:
        if isinstance(value, bytes):
            return f"from_hex('{value.hex()}')" if value else "substring(from_hex('00'), 2, 1)"
        return "null" if value is None else f"'{value}'"

    with Engine() as engine:
        kinds = ", ".join(f"{c.name} {redshift_text(c.type)}" for c in table.columns)
        engine.execute(
            f"create table x ({kinds.replace('some ', chr(34) + 'some' + chr(34) + ' ')})"
        )
        for row in BYTE_ROWS:
            engine.execute(f"insert into x values ({', '.join(map(literal, row))})")
        (answer,) = engine.execute(measure_select(table, "x", "redshift")).rows
    assert measured(table, answer) == here


@pytest.mark.parametrize("place", range(1, 6))
def test_every_byte_moves_the_digest(place: int, tmp_path: Path) -> None:
    table = read(tmp_path, {"raw/x.sql": BYTES}).tables[0]
    row = BYTE_ROWS[5]
    before = in_duckdb(table, [row])
    value = row[place]
    assert isinstance(value, bytes)
    for changed in (value[:-1] + b"\x7f", b"\x7f" + value[1:], value[:-1]):
        after = in_duckdb(table, [(*row[:place], changed, *row[place + 1 :])])
        assert after.digest != before.digest
    swapped = [value[40_000:] + value[:40_000], value[::-1]] if place >= 4 else []
    for moved in swapped:
        assert in_duckdb(table, [(*row[:place], moved, *row[place + 1 :])]) != before


def test_the_widest_bytes_are_measured_in_pieces_that_redshifts_text_holds(tmp_path: Path) -> None:
    table = read(
        tmp_path, {"raw/x.sql": "create table x (id int primary key, most longblob);"}
    ).tables[0]
    text = measure_select(table, '"x"', "redshift")
    assert text.count('to_hex(substring("most", ') == 32
    assert 'to_hex(substring("most", 992001, 32000))' in text
    assert "octet_length(`most`) > 992000" in measure_select(table, "`x`", "mysql")
