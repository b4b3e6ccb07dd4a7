"""Every value leaves a real server as it is, or its row is found by what the server computes itself."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.catalog import carry
from orderhe_dagster.catalog.table import Table
from orderhe_dagster_tests.catalog.folders import read
from orderhe_dagster_tests.servers.mariadb import MariaDB

LONG = "'" + "x" * 10 + "'"


@pytest.fixture
def server(mariadb: MariaDB, shop_database: str) -> Server:
    return Server(mariadb, shop_database)


class Server:
    """A database into which anything can be written, as old applications did."""

    def __init__(self, mariadb: MariaDB, name: str) -> None:
        self.mariadb, self.name = mariadb, name

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements with a lax sql_mode; the rows of the last."""
        import pymysql

        with (
            pymysql.connect(
                unix_socket=str(self.mariadb.folder / "s"),
                user="root",
                database=self.name,
                charset="utf8mb4",
                autocommit=True,
                init_command="set time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES'",
            ) as connection,
            connection.cursor() as cursor,
        ):
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def carried(self, table: Table) -> list[tuple[Any, ...]]:
        """The rows that are carried, in the order of the first column."""
        return self.run(f"select * from {carry.relation(table)} order by 1")

    def told(self, table: Table) -> dict[Any, list[str]]:
        """First column -> what is wrong with the row."""
        code = carry.faults(table)
        rows = self.run(f"select {carry.expressions(table)[0][1]}, {code} from `{table.name}`")
        return {
            key: [f"{fault.column} {fault.text}" for fault in carry.explained(table, found)]
            for key, found in rows
            if found is not None
        }


def table_of(folder: Path, columns: str, header: str = "") -> Table:
    text = f"{header}create table `order` (id int primary key, {columns})"
    return read(folder, {"raw/order.sql": text}).tables[0]


VALUES: dict[str, tuple[str, str, Any]] = {
    # title: type, value as SQL, what comes out
    "tinyint(1) is no boolean": ("tinyint(1)", "7", 7),
    "unsigned": ("bigint unsigned", "18446744073709551615", Decimal(18446744073709551615)),
    "zerofill": ("int(8) unsigned zerofill", "42", 42),
    "zerofill decimal": ("decimal(10,2) zerofill", "1.5", Decimal("1.50")),
    "bit(1)": ("bit(1)", "b'1'", 1),
    "bit(9)": ("bit(9)", "b'100000001'", 257),
    "bit(64)": ("bit(64)", "18446744073709551615", Decimal(18446744073709551615)),
    "year": ("year", "2155", 2155),
    "year zero": ("year", "0", 0),
    "time": ("time(6)", "'-838:59:58.999999'", "-838:59:58.999999"),
    "time without a fraction": ("time", "'838:59:59'", "838:59:59"),
    "float has nine digits": ("float", "1.2345678", 1.2345677614212036),
    "float of 2^24": ("float", "16777215", 16777215.0),
    "double": ("double", "0.1", 0.1),
    "least double": ("double", "5e-324", 5e-324),
    "double(10,2)": ("double(10,2)", "0.13", 0.13),
    "wide decimal": ("decimal(65,30)", "12345678.5", Decimal("12345678.5")),
    "wide decimal, negative": (
        "decimal(65,0)",
        "-" + "9" * 38,
        Decimal("-" + "9" * 38),
    ),
    "date": ("date", "'9999-12-31'", date(9999, 12, 31)),
    "first date": ("date", "'0001-01-01'", date(1, 1, 1)),
    "leap day": ("date", "'2024-02-29'", date(2024, 2, 29)),
    "datetime": (
        "datetime(6)",
        "'9999-12-31 23:59:59.999999'",
        datetime(9999, 12, 31, 23, 59, 59, 999999),
    ),
    "timestamp": (
        "timestamp(3) null",
        "'2026-01-01 00:00:00.125'",
        datetime(2026, 1, 1, 0, 0, 0, 125000),
    ),
    "enum": ("enum('a','b''c')", "'b''c'", "b'c"),
    "enum whose value is empty": ("enum('a','')", "''", ""),
    "set": ("set('x','y')", "'y,x'", "x,y"),
    "empty set": ("set('x','y')", "''", ""),
    "json": ("json", '\'{"a": "\\\\u0000"}\'', '{"a": "\\u0000"}'),
    "emoji": ("varchar(5)", "'😀'", "😀"),
    "latin1": ("varchar(5) character set latin1", "'€é'", "€é"),
    "utf16": ("varchar(5) character set utf16", "'a한'", "a한"),
    "trailing blanks": ("varchar(5)", "'a  '", "a  "),
    "empty": ("varchar(5)", "''", ""),
    "char drops its blanks": ("char(5)", "'a  '", "a"),
    "longtext": ("longtext", "repeat('x', 65535)", "x" * 65535),
    "mediumblob, in hexadecimal": ("mediumblob", "x'00ff'", "00FF"),
    "binary": ("binary(3)", "'a'", b"a\x00\x00"),
    "uuid": (
        "uuid",
        "'123E4567-e89b-12d3-a456-426655440000'",
        "123e4567-e89b-12d3-a456-426655440000",
    ),
    "inet4": ("inet4", "'255.255.255.255'", "255.255.255.255"),
    "inet6": ("inet6", "'::ffff:255.255.255.255'", "::ffff:255.255.255.255"),
    "generated": ("int as (id * 2) stored", "default", 2),
}


def test_values_are_carried_exactly(server: Server, tmp_path: Path) -> None:
    columns = {f"c{n}": value for n, value in enumerate(VALUES.values())}
    table = table_of(
        tmp_path, ", ".join(f"{name} {kind}" for name, (kind, _, _) in columns.items())
    )
    written = ", ".join(sql for _, sql, _ in columns.values())
    nothing = ", ".join("default" if "default" in v else "null" for v in columns.values())
    server.run(
        table.sql,
        f"insert into `order` values (1, {written})",
        f"insert into `order` values (2, {nothing})",
    )
    first, second = server.carried(table)
    found = dict(zip(table.column_names, first, strict=True))
    for (title, (_, _, wanted)), name in zip(VALUES.items(), columns, strict=True):
        assert (found[name], type(found[name])) == (wanted, type(wanted)), title
    assert [v for v in second[1:] if v is not None] == [4]
    assert server.told(table) == {}


FAULTS: dict[str, tuple[str, str, str]] = {
    # title: type, value as SQL, what is told
    "zero date": ("date", "'0000-00-00'", "c 0000-00-00 is no real day"),
    "no day": ("date", "'2026-02-00'", "c 2026-02-00 is no real day"),
    "no month": ("datetime", "'2026-00-10 12:00'", "c 2026-00-10 is no real day"),
    "30 February": ("datetime(6)", "'2026-02-30'", "c 2026-02-30 is no real day"),
    "29 February of no leap year": ("date", "'2100-02-29'", "c 2100-02-29 is no real day"),
    "year 0": ("date", "'0000-01-01'", "c 0000-01-01 is no real day"),
    "zero timestamp": ("timestamp null", "0", "c 0000-00-00 is no real day"),
    "zero byte": ("varchar(5)", "'a\\0'", "c holds the character 0x00"),
    "zero byte of utf16": ("char(5) character set utf16", "'\\0a'", "c holds the character 0x00"),
    "long text": ("longtext", "repeat('x', 65536)", "c is longer"),
    "long in bytes": ("text character set latin1", "repeat('é', 32768)", "c is longer"),
    "wide varchar": ("varchar(60000) character set latin1", "repeat('é', 32768)", "c is longer"),
    "long blob": ("longblob", "repeat('x', 1024001)", "c is longer"),
    "39 digits": ("decimal(65,30)", "100000000", "c has more digits"),
    "no value of the enum": ("enum('a','b')", "'zz'", "c is the empty value"),
}


@pytest.mark.parametrize("title", FAULTS)
def test_what_cannot_be_carried_is_found(title: str, server: Server, tmp_path: Path) -> None:
    kind, value, says = FAULTS[title]
    table = table_of(tmp_path, f"c {kind}")
    server.run(table.sql, f"insert into `order` values (1, {value}), (2, null)")
    assert server.carried(table) == [(2, None)]
    (told,) = server.told(table)[1]
    assert told.startswith(says)


def test_policy_null_carries_the_row_without_the_value(server: Server, tmp_path: Path) -> None:
    header = "-- Orders.\n-- @bad_values born null, `no``te` fail\n-- @pii died\n"
    table = table_of(tmp_path, "born date, `no``te` varchar(9), died date", header)
    server.run(
        table.sql,
        "insert into `order` values (1, 0, 'a', null), (2, 0, '\\0', 0), (3, null, 'b', 0)",
    )
    assert server.carried(table) == [(1, None, "a", None)]
    assert server.told(table) == {
        1: ["born is no real day"],
        2: [
            "born is no real day",
            "no`te holds the character 0x00, which Redshift takes in no text",
            "died is no real day",  # personal data is not told
        ],
        3: ["died is no real day"],
    }


def test_a_day_that_is_none_counts_to_the_day_before(server: Server, tmp_path: Path) -> None:
    table = table_of(tmp_path, "at datetime not null", "-- Orders.\n-- @partition at\n")
    wanted = {
        "2026-02-30": date(2026, 2, 28),
        "2024-02-30": date(2024, 2, 29),
        "2026-03-00": date(2026, 2, 28),
        "2026-00-10": date(2025, 12, 31),
        "2026-04-31": date(2026, 4, 30),
        "2026-04-30": date(2026, 4, 30),
    }
    rows = ", ".join(f"({n}, '{day} 23:59:59')" for n, day in enumerate(wanted))
    server.run(table.sql, f"insert into `order` values {rows}")
    day = carry.day(table, "Asia/Seoul")
    assert [row[0] for row in server.run(f"select {day} from `order` order by id")] == list(
        wanted.values()
    )
    for found in set(wanted.values()):  # and it lies within the bounds of that day
        inside = server.run(
            f"select count(*) from `order` where at >= '{found}' "
            f"and at < '{date.fromordinal(found.toordinal() + 1)}'"
        )
        assert inside == [(list(wanted.values()).count(found),)]


def test_a_row_with_too_many_faults_is_quarantined(server: Server, tmp_path: Path) -> None:
    names = [f"c{n}" for n in range(70)]
    header = f"-- Orders.\n-- @bad_values {', '.join(f'{name} null' for name in names)}\n"
    table = table_of(tmp_path, ", ".join(f"{name} date" for name in names), header)
    server.run(table.sql, f"insert into `order` values (1{', 0' * 70}), (2{', null' * 70})")
    assert list(server.told(table)) == [1]
    assert [row[0] for row in server.carried(table)] == [2]
