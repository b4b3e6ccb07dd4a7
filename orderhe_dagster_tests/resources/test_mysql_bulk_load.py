"""Very many rows enter MySQL by LOAD DATA LOCAL: as exactly as by statements, and no file is ever sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.mysql import bulk_load, insert
from orderhe_dagster.resources.mysql.source import MySQLSource
from orderhe_dagster.shop.orders import note_texts
from orderhe_dagster_tests.contracts.sources import (
    DAY,
    PHOTO_ROWS,
    PHOTOS,
    SALES,
    TYPES,
    count,
    fill,
    rows_of,
    sale,
    tables,
)
from orderhe_dagster_tests.servers.mariadb import MariaDB, mysql_source

KINDS: list[dict[str, Any]] = [
    {
        "a_bit": True, "a_tiny": 7, "a_small": -(2**15), "a_medium": 2**24 - 1, "an_int": -(2**31),
        "an_unsigned": 2**32 - 1, "a_big": -(2**63), "a_big_unsigned": Decimal(2**64 - 1),
        "a_decimal": Decimal("-1234567890123456789012345678.0123456789"), "a_float": -0.0,
        "a_double": 1e-300, "a_date": date(1000, 1, 1), "a_datetime": datetime.max,
        "a_whole_second": datetime(2026, 2, 28, 23, 59, 50), "a_timestamp": datetime(2038, 1, 19),
        "a_text": "🙂 '\"\\\n\t,|!N\r\n", "an_enum": "한", "some_bytes": b"\x00\xff",
    },
    {
        "a_bit": False, "a_float": 0.1, "a_double": 1.7976931348623157e308, "a_text": "",
        "a_datetime": datetime(2026, 1, 1, 0, 0, 0, 500), "some_bytes": b"",
    },
    {"a_text": "NULL"},
    {},
]  # fmt: skip


@pytest.fixture
def source(mariadb: MariaDB, shop_database: str) -> MySQLSource:
    found: MySQLSource = mysql_source(mariadb, shop_database)
    return found


@pytest.fixture
def sales(source: MySQLSource, tmp_path: Path) -> Table:
    table = tables(tmp_path, sales=SALES)["sales"]
    source.create([table])
    return table


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables that were loaded in bulk."""
    found: list[str] = []
    load = bulk_load.load

    def noting(cursor: Any, judge: Any, table: Table, *more: Any) -> int:
        found.append(table.name)
        return load(cursor, judge, table, *more)

    monkeypatch.setattr(bulk_load, "load", noting)
    return found


@contextmanager
def from_row(number: int) -> Iterator[None]:
    """So many rows are loaded in bulk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(insert, "BULK_ROWS", number)
        yield


def both_ways(
    mariadb: MariaDB, source: MySQLSource, database: str, table: Table, rows: list[dict[str, Any]]
) -> list[list[tuple[Any, ...]]]:
    """What the table holds of rows that were inserted, and of rows that were loaded."""
    source.create([table])
    found = []
    for number in (len(rows) + 1, 1):
        mariadb.run(f"delete from `{database}`.{table.name}")
        with from_row(number):
            fill(source, table, rows)
        found.append(mariadb.run(f"select * from `{database}`.{table.name} order by id"))
    return found


def test_values_of_every_type_are_loaded_as_they_are_inserted(
    mariadb: MariaDB, source: MySQLSource, shop_database: str, tmp_path: Path, loads: list[str]
) -> None:
    known = tables(tmp_path, types=TYPES, photos=PHOTOS)
    columns = dict.fromkeys(known["types"].column_names[2:])
    kinds = [{"id": n, "on_day": DAY, **columns, **row} for n, row in enumerate(KINDS)]
    texts = [
        {"id": 100 + n, "on_day": DAY, **columns, "a_text": text}
        for n, text in enumerate(sorted({*note_texts(), "a,b", '"', "\\", "\\N", 'x"', "\n"}))
    ]
    for name, rows in (("types", [*kinds, *texts]), ("photos", PHOTO_ROWS)):
        inserted, loaded = both_ways(mariadb, source, shop_database, known[name], rows)
        assert loaded == inserted
        assert len(loaded) == len(rows)
    assert loads == ["types", "photos"]


def test_as_many_as_fill_several_packets_arrive(
    source: MySQLSource, sales: Table, loads: list[str]
) -> None:
    many = insert.BULK_ROWS * 9
    rows = [sale(number, mail=f"{number}{'-' * 30}") for number in range(many)]
    fill(source, sales, rows)
    assert (count(source), loads) == (many, ["sales"])


@pytest.mark.parametrize("number", [1, 1_000], ids=["in bulk", "by statements"])
def test_a_duplicate_key_is_named_and_nothing_stays(
    source: MySQLSource, sales: Table, number: int
) -> None:
    with from_row(number):
        fill(source, sales, [sale(1)])
        with pytest.raises(PortError, match=r"raw\.sales: a duplicate key, region 'kr', number 1:"):
            fill(source, sales, [sale(2), sale(1, mail="x@shop"), sale(3)])
        with pytest.raises(PortError, match=r"raw\.sales: a duplicate key, mail •••:"):
            fill(source, sales, [sale(2), sale(3, mail="1@shop")])
    assert count(source) == 1


@pytest.mark.parametrize("number", [1, 1_000], ids=["in bulk", "by statements"])
def test_a_parent_that_is_not_there_is_told_and_nothing_stays(
    mariadb: MariaDB, source: MySQLSource, shop_database: str, tmp_path: Path, number: int
) -> None:
    family = tables(
        tmp_path,
        parent="create table parent (id int primary key)",
        child="create table child (id int primary key, parent_id int not null, "
        "foreign key (parent_id) references parent (id))",
    )
    source.create([*family.values()])
    fill(source, family["parent"], [{"id": 1}])
    rows = [{"id": 1, "parent_id": 1}, {"id": 2, "parent_id": 7}]
    wrong = pytest.raises(PortError, match=r"raw\.child.*FOREIGN KEY.*oad the parent table first")
    with from_row(number), wrong:
        fill(source, family["child"], rows)
    assert mariadb.run(f"select count(*) from `{shop_database}`.child") == [(0,)]


def test_rows_that_a_trigger_refuses_are_refused_in_bulk_too(
    mariadb: MariaDB, source: MySQLSource, shop_database: str, sales: Table
) -> None:
    mariadb.run(
        f"create trigger `{shop_database}`.no before insert on `{shop_database}`.sales for each row "
        "signal sqlstate '45000' set message_text = 'not on Sundays'"
    )
    with from_row(1), pytest.raises(PortError, match="not on Sundays"):
        fill(source, sales, [sale(1)])
    assert count(source) == 0


def test_a_server_that_takes_no_bulk_gets_statements(
    mariadb: MariaDB, source: MySQLSource, sales: Table, loads: list[str]
) -> None:
    mariadb.run("set global local_infile = 0")
    try:
        with from_row(1):
            fill(source, sales, [sale(1), sale(2)])
    finally:
        mariadb.run("set global local_infile = 1")
    assert (count(source), loads) == (2, [])


def test_no_file_is_sent_whoever_asks_for_it(
    source: MySQLSource, sales: Table, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text("kr\t1\t2026-03-01\t1\tnew\tseen\n", "utf-8")
    asks = f"load data local infile '{file}' into table sales"
    with pytest.raises(RuntimeError, match="local_infile"), source.writing() as transaction:
        transaction.execute(asks)
    assert count(source) == 0
    with source.writing() as transaction:
        transaction.append(sales, rows_of([sale(1)]))
    assert count(source) == 1
