"""Rows that were extracted come back as they were: Parquet parts into every source, measured there."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import Scope, Segment
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.source import Extract, Source
from orderhe_dagster_tests.contracts.sources import (
    DAY,
    PHOTO_ROWS,
    PHOTOS,
    TYPES,
    count,
    fill,
    rows_read,
    sale,
    tables,
)
from orderhe_dagster_tests.servers.mariadb import MariaDB, mysql_source

KINDS: list[dict[str, Any]] = [
    {
        "a_bit": True, "a_tiny": 7, "a_small": -(2**15), "a_medium": 2**24 - 1, "an_int": -(2**31),
        "an_unsigned": 2**32 - 1, "a_big": -(2**63), "a_big_unsigned": Decimal(2**64 - 1),
        "a_decimal": Decimal("-1234567890123456789012345678.0123456789"), "a_float": -0.1,
        "a_double": 1e-300, "a_date": date(1000, 1, 1), "a_datetime": datetime.max,
        "a_whole_second": datetime(2026, 2, 28, 23, 59, 50), "a_timestamp": datetime(2038, 1, 19),
        "a_text": "🙂 '\"\\\n\t,|!N\r\n", "an_enum": "한", "some_bytes": b"\x00\xff",
    },
    {"a_bit": False, "a_text": "", "some_bytes": b"", "a_datetime": datetime(2026, 1, 1, 0, 0, 0, 500)},
    {"a_text": "NULL"},
    {},
]  # fmt: skip
ZERO = """
-- A key that counts by itself, a parent that is there later, what the database computes.
create table counted (
    id int not null auto_increment, flags bit(9), spare time(3), born year, kinds set('a', 'b'),
    paid json, primary key (id)
);
"""


def paths_of(extract: Extract) -> list[Path]:
    return [path for paths in extract.parts.values() for path in paths]


def brought_back(source: Source, table: Table, scope: Scope, folder: Path) -> Extract:
    """Extract, take away, put back; the extract of what is there then, of the same measure."""
    before = source.extract(table, scope, folder / "before")
    with source.writing() as transaction:
        transaction.execute(f'delete from "{table.name}"')
    with source.writing() as transaction:
        rows = transaction.append_files(table, paths_of(before))
        assert rows == sum(one.rows for one in before.measures.values())
        assert transaction.measure(table, scope) == before.measures
    after = source.extract(table, scope, folder / "after")
    assert after.measures == before.measures
    assert source.measure(table, scope) == before.measures
    return after


def test_every_type_comes_back_as_it_was(source: Source, tmp_path: Path) -> None:
    table = tables(tmp_path, types=TYPES)["types"]
    source.create([table])
    given = [{"id": n, "on_day": DAY, **values} for n, values in enumerate(KINDS)]
    whole = dict.fromkeys(table.column_names)
    fill(source, table, [{**whole, **one} for one in given])
    before = rows_read(source.extract(table, Window.of(DAY), tmp_path / "first"), Segment.of(DAY))
    after = brought_back(source, table, Window.of(DAY), tmp_path)
    assert sorted(rows_read(after, Segment.of(DAY)), key=lambda row: row["id"]) == sorted(
        before, key=lambda row: row["id"]
    )


def test_bytes_of_every_width_come_back(source: Source, tmp_path: Path) -> None:
    table = tables(tmp_path, photos=PHOTOS)["photos"]
    source.create([table])
    fill(source, table, PHOTO_ROWS)
    brought_back(source, table, None, tmp_path)


def test_zero_is_a_key_and_texts_of_other_types_are_values(source: Source, tmp_path: Path) -> None:
    table = tables(tmp_path, counted=ZERO)["counted"]
    source.create([table])
    fill(
        source,
        table,
        [
            {"id": 7, "flags": 257, "spare": "-838:59:59.000", "born": 2026, "kinds": "a,b", "paid": "[1]"},
            {"id": 9, "flags": 49, "spare": "00:00:00.125", "born": 1999, "kinds": "", "paid": "null"},
        ],
    )  # fmt: skip
    with source.writing() as transaction:
        transaction.execute("update counted set id = 0 where id = 7")
    brought_back(source, table, None, tmp_path)
    with source.writing() as transaction:
        ids = transaction.fetch("select id from counted order by id").column(0).to_pylist()
    assert ids == [0, 9]


def test_a_key_that_is_there_is_named_and_nothing_is_put(
    source: Source, sales: Table, tmp_path: Path
) -> None:
    fill(source, sales, [sale(1), sale(2)])
    extract = source.extract(sales, Window.of(DAY), tmp_path / "out")
    with source.writing() as transaction:
        transaction.execute("delete from sales where number = 1")
    with (
        pytest.raises(PortError, match=r"a duplicate key, .*number"),
        source.writing() as transaction,
    ):
        transaction.append_files(sales, paths_of(extract))
    assert count(source) == 1


def test_what_a_transaction_measures_is_what_it_sees(
    source: Source, sales: Table, tmp_path: Path
) -> None:
    fill(source, sales, [sale(1)])
    window = Window.of(DAY)
    before = source.measure(sales, window)
    with pytest.raises(ZeroDivisionError), source.writing() as transaction:
        transaction.execute("delete from sales")
        assert transaction.measure(sales, window)[Segment.of(DAY)].rows == 0
        raise ZeroDivisionError
    assert source.measure(sales, window) == before


def test_a_server_that_takes_no_bulk_gets_statements(
    mariadb: MariaDB, shop_database: str, tmp_path: Path
) -> None:
    source: Source = mysql_source(mariadb, shop_database)
    table = tables(tmp_path, counted=ZERO)["counted"]
    source.create([table])
    fill(source, table, [{"id": n, "flags": n, "kinds": "a"} for n in range(1, 500)])
    with source.writing() as transaction:
        transaction.execute("update counted set id = 0 where id = 7")
    mariadb.run("set global local_infile = 0")
    try:
        brought_back(source, table, None, tmp_path)
    finally:
        mariadb.run("set global local_infile = 1")
