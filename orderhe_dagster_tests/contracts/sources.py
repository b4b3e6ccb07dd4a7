"""Sources under contract, the tables and rows they are tried with. An implementation joins by one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.source import Extract, Source
from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource
from orderhe_dagster_tests.servers.mariadb import mysql_source

Wanted = Callable[[str], Any]
"""Gives a fixture by its name."""


def _mysql(wanted: Wanted, extract_by: str) -> Source:
    source: Source = mysql_source(
        wanted("mariadb"), wanted("shop_database"), extract=extract_by, read_timeout=60
    )
    return source


SOURCES: dict[str, Callable[[Path, Wanted], Source]] = {
    "embedded": lambda home, _: EmbeddedSource(path=str(home / "shop.duckdb"), lock_timeout_s=30),
    "mysql": lambda _, wanted: _mysql(wanted, "scanner"),
    "mysql-arrow": lambda _, wanted: _mysql(wanted, "arrow"),
}
SEOUL = "Asia/Seoul"
DAY = date(2026, 3, 1)
SEGMENT = Segment.of(DAY)

SALES = """
-- Sales.
-- @partition sold_on
-- @cursor updated_at
-- @pii note, mail
create table sales (
    region varchar(8) not null,
    number int not null,
    sold_on date not null,
    amount decimal(12, 2) not null,
    state enum('new', 'done') not null default 'new',
    note varchar(5),
    mail varchar(40),
    small tinyint not null default 0,
    updated_at datetime(3) not null,
    primary key (region, number),
    unique key sales_mail (mail)
);
"""
TYPES = """
-- Every carried type.
-- @partition on_day
create table types (
    id bigint not null,
    on_day date not null,
    a_bit bit(1),
    a_tiny tinyint(1),
    a_small smallint,
    a_medium mediumint unsigned,
    an_int int,
    an_unsigned int unsigned,
    a_big bigint,
    a_big_unsigned bigint unsigned,
    a_decimal decimal(38, 10),
    a_float float,
    a_double double,
    a_date date,
    a_datetime datetime(6),
    a_whole_second datetime,
    a_timestamp timestamp(6),
    a_text text,
    an_enum enum('a', '한'),
    some_bytes varbinary(16),
    primary key (id)
);
"""
PHOTOS = """
-- Bytes of every width.
create table photos (
    id int not null, tag binary(4), thumb varbinary(40), full blob, print longblob, primary key (id)
);
"""
PHOTO_ROWS: list[dict[str, Any]] = [
    {"id": 1, "tag": b"a\0\xff|", "thumb": b"!N", "full": bytes(range(256)) * 250, "print": b"\xab" * 64_001},
    {"id": 2, "tag": None, "thumb": b"", "full": b"", "print": bytes(32_000)},
    {"id": 3, "tag": b"\0\0\0\0", "thumb": None, "full": bytes(65_535), "print": None},
]  # fmt: skip
PHOTOS_DIGEST = 1_831_822_168_413_227_472
"""Of these rows, in every engine: a digest that moved would no longer be that of the records kept."""
NAMES = """
-- A table without days, with names that SQL uses itself.
create table `order` (`key` varchar(10) not null, `select` int, primary key (`key`));
"""
ZONED = """
-- @partition moment
create table {name} (id int not null, moment {type} not null, primary key (id));
"""


def tables(folder: Path, **contracts: str) -> dict[str, Table]:
    raw = folder / "sql" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for name, text in contracts.items():
        (raw / f"{name}.sql").write_text(text, "utf-8")
    catalogue = read_catalogue(folder / "sql").in_zone(SEOUL)
    return {table.name: table for table in catalogue.layer("raw")}


def dayless(folder: Path, name: str, declared: str) -> Table:
    """A table as `ZONED`'s, whose partition column may be NULL."""
    text = ZONED.format(name=name, type=declared).replace(
        f"{declared} not null", f"{declared} null"
    )
    return tables(folder, **{name: text})[name]


def sale(number: int, day: date = DAY, **more: Any) -> dict[str, Any]:
    moment = datetime(2026, 3, 5, 12, 0, 0, 250_000)
    row = {"region": "kr", "number": number, "sold_on": day, "amount": Decimal("10.50")}
    return {**row, "updated_at": moment, "mail": f"{number}@shop", **more}


def rows_of(rows: Sequence[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows))


def fill(source: Source, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    with source.writing() as transaction:
        transaction.append(table, rows_of(rows))


def count(source: Source, table: str = "sales") -> int:
    with source.writing() as transaction:
        return int(transaction.fetch(f"select count(*) as n from {table}")["n"][0].as_py())


def rows_read(extract: Extract, segment: Segment) -> list[dict[str, Any]]:
    return [
        row for part in extract.parts.get(segment, ()) for row in pq.read_table(part).to_pylist()
    ]
