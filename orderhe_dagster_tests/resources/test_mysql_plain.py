"""Rows without fault are read as they are, all others as they can be carried: the parts never tell which."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from orderhe_dagster.catalog import mysql_plain
from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import OUTSIDE, WHOLE, Outside, Scope
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.source import Extract
from orderhe_dagster.resources.mysql import source as mysql_module
from orderhe_dagster.resources.mysql.source import MySQLSource
from orderhe_dagster_tests.catalog.folders import read
from orderhe_dagster_tests.catalog.torture import FAULTS, VALUES
from orderhe_dagster_tests.servers.mariadb import MariaDB, mysql_source

JUDGED_IN_MYSQL = ("wide decimal", "wide decimal, negative", "mediumblob, in hexadecimal")
"""Values of types that are never read as they are; so is an enum of which a value is empty."""


@pytest.fixture
def mysql(mariadb: MariaDB, shop_database: str) -> MySQLSource:
    source: MySQLSource = mysql_source(mariadb, shop_database)
    return source


def lax(mariadb: MariaDB, source: MySQLSource, *statements: str) -> None:
    """Write as old applications did."""
    import pymysql

    with (
        pymysql.connect(
            unix_socket=str(mariadb.folder / "s"),
            user="root",
            database=source.settings.database,
            charset="utf8mb4",
            autocommit=True,
            init_command="set time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES'",
        ) as connection,
        connection.cursor() as cursor,
    ):
        for statement in statements:
            cursor.execute(statement)


def table_of(folder: Path, columns: str, header: str = "") -> Table:
    text = f"{header}create table `order` (id int primary key, {columns})"
    return read(folder, {"raw/order.sql": text}).in_zone("Asia/Seoul").tables[0]


def rows_of(extract: Extract) -> list[dict[str, Any]]:
    parts = [part for parts in extract.parts.values() for part in parts]
    return sorted((row for p in parts for row in pq.read_table(p).to_pylist()), key=str)


def carried(
    source: MySQLSource, table: Table, scope: Scope, folder: Path, patch: pytest.MonkeyPatch
) -> Extract:
    """The same extract by the expressions that carry every value."""
    with patch.context() as patched:
        patched.setattr(mysql_plain, "columns", lambda table: None)
        return source.extract(table, scope, folder)


def same(one: Extract, other: Extract) -> None:
    assert rows_of(one) == rows_of(other)
    assert (one.measures, one.touches) == (other.measures, other.touches)
    assert (one.quarantined, one.nulled) == (other.quarantined, other.nulled)
    assert {s: len(files) for s, files in one.parts.items()} == {
        s: len(files) for s, files in other.parts.items()
    }
    for segment, files in one.parts.items():
        assert pq.read_schema(files[0]) == pq.read_schema(other.parts[segment][0])


def test_values_of_every_type_are_read_as_they_are(
    mysql: MySQLSource, mariadb: MariaDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {f"c{n}": VALUES[t] for n, t in enumerate(VALUES) if t not in JUDGED_IN_MYSQL}
    values = {name: v for name, v in values.items() if "''" not in v[0] or "'b''c'" in v[0]}
    assert len(values) > len(VALUES) - 6
    values = {name: v for name, v in values.items() if "'b''c'" not in v[0]}
    table = table_of(tmp_path, ", ".join(f"{name} {v[0]}" for name, v in values.items()))
    nothing = ", ".join("default" if v[1] == "default" else "null" for v in values.values())
    lax(
        *(mariadb, mysql, table.sql),
        f"insert into `order` values (1, {', '.join(v[1] for v in values.values())})",
        f"insert into `order` values (2, {nothing})",
    )
    by_expressions = carried(mysql, table, None, tmp_path / "carried", monkeypatch)
    monkeypatch.setattr(mysql_module, "mysql_select", None)  # nothing is read by expressions now
    found = mysql.extract(table, None, tmp_path / "plain")
    same(found, by_expressions)
    first = rows_of(found)[0]
    for name, (kind, _, wanted) in values.items():
        text = str(Decimal(wanted)) if isinstance(wanted, Decimal) else wanted
        got = str(first[name]) if isinstance(wanted, Decimal) else first[name]
        assert got == (bool(wanted) if kind == "bit(1)" else text), name


@pytest.mark.parametrize("title", [*JUDGED_IN_MYSQL, "enum whose value is empty", "enum"])
def test_values_that_only_mysql_can_judge_are_never_read_as_they_are(
    title: str, tmp_path: Path
) -> None:
    assert mysql_plain.columns(table_of(tmp_path, f"c {VALUES[title][0]}")) is None


@pytest.mark.parametrize("needed", ["null", "not null"])
@pytest.mark.parametrize("title", FAULTS)
def test_what_cannot_be_carried_is_never_read_in_silence(
    title: str,
    needed: str,
    mysql: MySQLSource,
    mariadb: MariaDB,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind, value, _ = FAULTS[title]
    kind = f"{kind.removesuffix(' null')} {needed}"
    table = table_of(tmp_path, f"c {kind}, d date, e datetime(6)")
    good = "null" if needed == "null" else {"date": "'2024-02-29'"}.get(kind.split()[0], "default")
    if needed == "not null" and good == "default":
        good = "'2024-02-29 01:02:03'" if kind.startswith(("datetime", "timestamp")) else "'1'"
        good = "'a'" if kind.startswith("enum") else good
    lax(
        *(mariadb, mysql, table.sql),
        f"insert into `order` values (1, {value}, null, null), (2, {good}, null, '2026-01-01'), "
        f"(3, {good}, '2026-01-01', null)",
    )
    found = mysql.extract(table, None, tmp_path / "plain")
    same(found, carried(mysql, table, None, tmp_path / "carried", monkeypatch))
    assert found.quarantined == {WHOLE: 1}
    assert [row["id"] for row in rows_of(found)] == [2, 3]


def test_a_zero_date_among_nulls_is_found_though_the_live_column_takes_none(
    mysql: MySQLSource, mariadb: MariaDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`is null` is true of a zero date where the column is not null, whatever the contract says."""
    table = table_of(tmp_path, "c date, d datetime")
    stricter = table.sql.replace("c date", "c date not null")
    lax(mariadb, mysql, stricter, "insert into `order` values (1, 0, null), (2, '2026-01-01', 0)")
    found = mysql.extract(table, None, tmp_path / "plain")
    same(found, carried(mysql, table, None, tmp_path / "carried", monkeypatch))
    assert found.quarantined == {WHOLE: 2}


@pytest.mark.parametrize("kind", ["date", "datetime(3)", "timestamp(6)"])
def test_days_are_cut_alike(
    kind: str,
    mysql: MySQLSource,
    mariadb: MariaDB,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    header = "-- Orders.\n-- @partition at\n-- @cursor at\n"
    table = table_of(tmp_path, f"at {kind} not null default '2026-01-01'", header)
    moments = [f"2026-01-{day:02d} {hour}:30:00" for day in range(1, 5) for hour in (0, 14, 15, 23)]
    rows = ", ".join(f"({n}, '{at}')" for n, at in enumerate(moments))
    lax(mariadb, mysql, table.sql, f"insert into `order` values {rows}")
    days = Window(*(day for day in map(_day, ("2026-01-02", "2026-01-04"))))
    scopes: list[Scope] = [days, Outside.of(days)]
    for number, scope in enumerate(scopes):
        found = mysql.extract(table, scope, tmp_path / f"plain{number}")
        other = carried(mysql, table, scope, tmp_path / f"carried{number}", monkeypatch)
        same(found, other)
        touches = mysql.touches(table, scope)
        assert touches == found.touches
        assert found.measures == mysql.measure(table, scope)
        assert found.measures == mysql.measure(table, scope, found.measures)
    assert set(touches) == {OUTSIDE}


def _day(text: str) -> Any:
    from datetime import date

    return date.fromisoformat(text)
