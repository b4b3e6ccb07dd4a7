"""Every value leaves a real server as it is, or its row is found by what the server computes itself."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.catalog import mysql_projection
from orderhe_dagster.catalog.table import Table
from orderhe_dagster_tests.catalog.folders import read
from orderhe_dagster_tests.catalog.torture import FAULTS, VALUES
from orderhe_dagster_tests.servers.mariadb import MariaDB


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
        return self.run(f"select * from {mysql_projection.relation(table)} order by 1")

    def scanned(self, table: Table) -> list[tuple[Any, ...]]:
        """The same rows as the scanner is given them: the longest bytes in hexadecimal."""
        columns = ", ".join(sql for _, sql in mysql_projection.expressions(table))
        return self.run(f"select {columns} from `{table.name}` order by 1")

    def told(self, table: Table) -> dict[Any, list[str]]:
        """First column -> what is wrong with the row."""
        code = mysql_projection.fault_code(table)
        rows = self.run(
            f"select {mysql_projection.expressions(table)[0][1]}, {code} from `{table.name}`"
        )
        return {
            key: [
                f"{fault.column} {fault.text}"
                for fault in mysql_projection.decode_faults(table, found)
            ]
            for key, found in rows
            if found is not None
        }


def table_of(folder: Path, columns: str, header: str = "") -> Table:
    text = f"{header}create table `order` (id int primary key, {columns})"
    return read(folder, {"raw/order.sql": text}).tables[0]


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
    first, second = server.scanned(table)
    measured, _ = server.carried(table)
    for column, carried, scanned in zip(table.columns, measured, first, strict=True):
        given = bytes.fromhex(scanned) if mysql_projection.in_hex(column) else scanned
        assert (carried, type(carried)) == (given, type(given)), column.name
    found = dict(zip(table.column_names, first, strict=True))
    for (title, (_, _, wanted)), name in zip(VALUES.items(), columns, strict=True):
        assert (found[name], type(found[name])) == (wanted, type(wanted)), title
    assert [v for v in second[1:] if v is not None] == [4]
    assert server.told(table) == {}


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
    day = mysql_projection.shop_day(table)
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
